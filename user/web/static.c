// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See static.h. */
#include <string.h>

#include "static.h"

#define EMBED(name, file)						\
	__asm__(".section .rodata\n"					\
		#name ":\n.incbin \"user/web/page/" file "\"\n"		\
		#name "_end:\n.byte 0\n.previous");			\
	extern const char name[], name##_end[]

EMBED(page_html, "index.html");
EMBED(page_css, "page.css");
EMBED(page_js, "page.js");

bool web_static_find(const char *path, struct web_answer *ret)
{
	const struct {
		const char *path, *type, *body, *end;
	} files[] = {
		{ "/", "text/html; charset=utf-8", page_html, page_html_end },
		{ "/page.css", "text/css; charset=utf-8", page_css,
		  page_css_end },
		{ "/page.js", "text/javascript; charset=utf-8", page_js,
		  page_js_end },
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (strcmp(files[i].path, path))
			continue;
		*ret = (struct web_answer){
			.status = 200, .type = files[i].type, .weight = -1,
			.body = files[i].body,
			.len = files[i].end - files[i].body,
		};
		return true;
	}
	return false;
}

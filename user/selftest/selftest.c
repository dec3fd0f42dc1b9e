// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Rows, words and the verdict of `selftest`, see selftest.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <linux/capability.h>

#include "host/device.h"
#include "selftest.h"

struct selftest_row *selftest_add(struct selftest *t, const char *name)
{
	struct selftest_row *row;

	if (t->nr_rows < SELFTEST_ROWS_MAX)
		t->nr_rows++;
	row = &t->rows[t->nr_rows - 1];
	*row = (struct selftest_row){ .result = SELFTEST_OK };
	snprintf(row->name, sizeof(row->name), "%s", name);
	return row;
}

void selftest_say(struct selftest_row *row, enum selftest_result result,
		  const char *fmt, ...)
{
	va_list args;

	row->result = result;
	va_start(args, fmt);
	vsnprintf(row->text, sizeof(row->text), fmt, args);
	va_end(args);
}

const char *selftest_result_name(enum selftest_result result)
{
	switch (result) {
	case SELFTEST_OK:
		return "ok";
	case SELFTEST_NO:
		return "no";
	case SELFTEST_NOT_NEEDED:
		return "not needed";
	}
	return "unknown";
}

/* To what is in text already, as far as there is room. */
static void append(char *text, size_t room, const char *fmt, ...)
{
	size_t len = strlen(text);
	va_list args;

	va_start(args, fmt);
	vsnprintf(text + len, room - len, fmt, args);
	va_end(args);
}

static void append_row(char *text, const struct selftest_row *row)
{
	append(text, SELFTEST_VERDICT_MAX, "%s", row->name);
	if (*row->mode)
		append(text, SELFTEST_VERDICT_MAX, " (%s)", row->mode);
	append(text, SELFTEST_VERDICT_MAX, ": %s", row->text);
}

#define ROWS_SHOWN 3

/* The first rows that say no, of that weight at least. Returns how many do. */
static unsigned int append_rows(const struct selftest *t, char *text,
				enum selftest_weight least)
{
	unsigned int count = 0;

	for (size_t i = 0; i < t->nr_rows; i++) {
		const struct selftest_row *row = &t->rows[i];

		if (row->result != SELFTEST_NO || row->weight < least)
			continue;
		if (++count > ROWS_SHOWN)
			continue;
		append(text, SELFTEST_VERDICT_MAX, count > 1 ? "; " : "");
		append_row(text, row);
	}
	if (count > ROWS_SHOWN)
		append(text, SELFTEST_VERDICT_MAX, "; and %u more",
		       count - ROWS_SHOWN);
	return count;
}

static bool fails(const struct selftest *t, char *text)
{
	strcpy(text, "Fairlead does not work here: ");
	if (append_rows(t, text, SELFTEST_NEEDED))
		return true;
	if (t->works_native || t->works_generic)
		return false;
	if (!append_rows(t, text, SELFTEST_WANTED))
		append(text, SELFTEST_VERDICT_MAX,
		       "no packet came through by XDP");
	return true;
}

static void works(const struct selftest *t, char *text)
{
	unsigned int count;

	strcpy(text, "Fairlead works here, but ");
	count = append_rows(t, text, SELFTEST_WANTED);
	if (!t->works_native)
		append(text, SELFTEST_VERDICT_MAX, "%sXDP works in generic "
		       "mode alone, which costs each packet more",
		       count ? "; " : "");
	else if (!count)
		strcpy(text, "Fairlead works here, with XDP in native mode");
}

bool selftest_verdict(const struct selftest *t,
		      char text[static SELFTEST_VERDICT_MAX])
{
	bool has_failed = fails(t, text);

	if (!has_failed)
		works(t, text);
	append(text, SELFTEST_VERDICT_MAX, ".");
	return !has_failed;
}

/* or: what includes it. */
static const struct {
	int number, or;
	const char *name, *what_for;
} capabilities[] = {
	{ CAP_BPF, CAP_SYS_ADMIN, "CAP_BPF", "to load programs and make maps" },
	{ CAP_PERFMON, CAP_SYS_ADMIN, "CAP_PERFMON",
	  "to load programs that do arithmetic with pointers" },
	{ CAP_NET_ADMIN, CAP_NET_ADMIN, "CAP_NET_ADMIN",
	  "to attach programs to interfaces" },
	{ CAP_SYS_ADMIN, CAP_SYS_ADMIN, "CAP_SYS_ADMIN",
	  "to mount bpffs, and for this test's network" },
	{ CAP_NET_RAW, CAP_NET_RAW, "CAP_NET_RAW",
	  "to send this test's packets" },
};

unsigned int selftest_capabilities(__u64 effective,
				   char text[static SELFTEST_TEXT_MAX])
{
	size_t all = sizeof(capabilities) / sizeof(capabilities[0]);
	unsigned int count = 0;

	*text = '\0';
	for (size_t i = 0; i < all; i++) {
		if (effective >> capabilities[i].number & 1 ||
		    effective >> capabilities[i].or & 1)
			continue;
		append(text, SELFTEST_TEXT_MAX, "%s%s is missing, %s",
		       count++ ? "; " : "", capabilities[i].name,
		       capabilities[i].what_for);
	}
	return count;
}

void selftest_xdp_words(struct selftest_row *row, __u64 features)
{
	if (features & DEVICE_XDP_BASIC && features & DEVICE_XDP_REDIRECT) {
		strcpy(row->mode, "native");
		return;
	}
	strcpy(row->mode, "generic");
	row->result = SELFTEST_NO;
	append(row->text, sizeof(row->text), "; the driver has no native "
	       "XDP%s: generic XDP costs each packet more",
	       features & DEVICE_XDP_BASIC ? " redirect" : "");
}

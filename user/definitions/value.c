// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* One value each, from the text that people wrote, see value.h. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/suggest.h"
#include "model/model.h"
#include "value.h"

bool reader_error(struct reader *r, const struct tree_node *at,
		  const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	report_verror(r->report, r->path,
		      r->has_no_lines ? 0 : r->first_line + at->line,
		      at->column, fmt, args);
	va_end(args);
	return false;
}

void reader_refuse(struct reader *r, const struct tree_node *at,
		   const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	report_vrefused(r->report, r->path, r->first_line + at->line,
			at->column, fmt, args);
	va_end(args);
}

char *reader_strdup(struct reader *r, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		r->no_memory = true;
	return copy;
}

static const char *kind_text(const struct tree_node *n)
{
	if (tree_is_null(n))
		return "nothing";
	switch (n->kind) {
	case TREE_SEQUENCE:
		return "a list";
	case TREE_MAPPING:
		return "keys and values";
	default:
		return "a single value";
	}
}

/* "a, b, c": for messages, cut where it does not fit. */
static const char *list_known(const char *const *known, char *text, size_t size)
{
	size_t len = 0;

	text[0] = '\0';
	for (; *known && len < size; known++)
		len += snprintf(text + len, size - len, "%s%s",
				len ? ", " : "", *known);
	return text;
}

static void report_unknown_key(struct reader *r, const struct tree_node *key,
			       const char *what, const char *const *keys)
{
	const char *near = NULL;
	char text[1024];

	/* Not for what is only counted: there may be millions. */
	if (r->report->count < REPORT_MAX)
		near = suggest(key->text, keys);
	if (near)
		reader_error(r, key,
			     "unknown key \"%.64s\" in %s; did you mean \"%s\"?",
			     key->text, what, near);
	else
		reader_error(r, key, "unknown key \"%.64s\" in %s; known: %s",
			     key->text, what,
			     list_known(keys, text, sizeof(text)));
}

void value_keys(struct reader *r, const struct tree_node *n, const char *what,
		const char *const *keys, const struct tree_node **ret)
{
	if (n->kind != TREE_MAPPING) {
		reader_error(r, n, "%s needs keys and values, not %s", what,
			     kind_text(n));
		return;
	}
	for (const struct tree_node *k = n->first; k; k = k->next->next) {
		int i = 0;

		while (keys[i] && strcmp(keys[i], k->text))
			i++;
		if (keys[i])
			ret[i] = k->next;
		else
			report_unknown_key(r, k, what, keys);
	}
}

bool value_list(struct reader *r, const struct tree_node *n, const char *what)
{
	if (n->kind == TREE_SEQUENCE)
		return true;
	if (tree_is_null(n))
		return reader_error(r, n,
				    "%s needs a list, not nothing; an empty list is \"[]\"",
				    what);
	return reader_error(r, n, "%s needs a list", what);
}

bool value_text(struct reader *r, const struct tree_node *n, const char *what,
		const char **ret)
{
	if (n->kind != TREE_SCALAR || tree_is_null(n))
		return reader_error(r, n, "%s needs a value, not %s", what,
				    kind_text(n));
	*ret = n->text;
	return true;
}

/* Decimal, no sign, no leading zero (which YAML 1.1 takes for octal). */
static bool parse_number(const char *text, size_t len, __u32 *ret)
{
	__u64 number = 0;

	if (!len || len > 10 || (text[0] == '0' && len > 1))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)text[i]))
			return false;
		number = 10 * number + (text[i] - '0');
	}
	if (number > 0xffffffff)
		return false;
	*ret = number;
	return true;
}

bool value_number(struct reader *r, const struct tree_node *n,
		  const char *what, __u32 min, __u32 max, __u32 *ret)
{
	const char *text;
	__u32 number = 0;

	if (!value_text(r, n, what, &text))
		return false;
	if (!parse_number(text, n->count, &number) || number < min ||
	    number > max)
		return reader_error(r, n,
				    "%s \"%.64s\" is not a number from %u to %u",
				    what, text, min, max);
	*ret = number;
	return true;
}

bool value_port(struct reader *r, const struct tree_node *n, const char *what,
		__u16 *ret)
{
	__u32 port = 0;

	if (!value_number(r, n, what, 1, 65535, &port))
		return false;
	*ret = port;
	return true;
}

static bool parse_range(const char *text, __u32 *ret_first, __u32 *ret_last)
{
	const char *dash = strchrnul(text, '-');

	if (!parse_number(text, dash - text, ret_first))
		return false;
	*ret_last = *ret_first;
	if (*dash && !parse_number(dash + 1, strlen(dash + 1), ret_last))
		return false;
	return *ret_first && *ret_last <= 65535;
}

static bool port_range(struct reader *r, const struct tree_node *n,
		       const char *expected, const char *what,
		       __u16 *ret_first, __u16 *ret_last)
{
	__u32 first = 0, last = 0;

	if (!parse_range(n->text, &first, &last))
		return reader_error(r, n, "%s \"%.64s\" is not %s", what,
				    n->text, expected);
	if (first > last)
		return reader_error(r, n, "%s \"%s\" ends before it begins",
				    what, n->text);
	*ret_first = first;
	*ret_last = last;
	return true;
}

bool value_port_range(struct reader *r, const struct tree_node *n,
		      const char *what, __u16 *ret_first, __u16 *ret_last)
{
	const char *text;

	return value_text(r, n, what, &text) &&
	       port_range(r, n, "1 to 65535 or a range such as \"8000-8999\"",
			  what, ret_first, ret_last);
}

bool value_port_any(struct reader *r, const struct tree_node *n,
		    const char *what, __u16 *ret_first, __u16 *ret_last)
{
	const char *text;

	if (!value_text(r, n, what, &text))
		return false;
	if (!strcmp(text, "*")) {
		*ret_first = 0;
		*ret_last = 65535;
		return true;
	}
	return port_range(r, n,
			  "1 to 65535, a range such as \"8000-8999\", or \"*\"",
			  what, ret_first, ret_last);
}

/* One "90m" at *text, which is moved on; units must come in falling order. */
static bool parse_duration_part(const char **text, __u64 *unit, __u64 *total)
{
	static const struct { const char *name; __u64 ms; } units[] = {
		{ "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 },
	};
	size_t digits = strspn(*text, "0123456789");
	const char *name = *text + digits;
	size_t len = strspn(name, "hms");
	__u64 number = 0;

	if (!digits || digits > 9)
		return false;
	for (size_t i = 0; i < digits; i++)
		number = 10 * number + ((*text)[i] - '0');
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (strlen(units[i].name) != len ||
		    strncmp(units[i].name, name, len) || units[i].ms >= *unit)
			continue;
		*unit = units[i].ms;
		*total += number * units[i].ms;
		*text = name + len;
		return true;
	}
	return false;
}

static bool parse_duration(const char *text, size_t len, __u64 *ret_ms)
{
	__u64 unit = ~0ull, total = 0;
	__u32 seconds;

	if (parse_number(text, len, &seconds)) {
		*ret_ms = 1000ull * seconds;
		return true;
	}
	if (!*text)
		return false;
	while (*text)
		if (!parse_duration_part(&text, &unit, &total))
			return false;
	*ret_ms = total;
	return true;
}

/* In the largest unit that needs no fraction. */
static const char *format_ms(__u32 ms, char text[static 16])
{
	if (ms % 3600000 == 0)
		sprintf(text, "%uh", ms / 3600000);
	else if (ms % 1000 == 0)
		sprintf(text, "%us", ms / 1000);
	else
		sprintf(text, "%ums", ms);
	return text;
}

bool value_ms(struct reader *r, const struct tree_node *n, const char *what,
	      __u32 min_ms, __u32 max_ms, __u32 *ret)
{
	char min_text[16], max_text[16];
	const char *text;
	__u64 ms;

	if (!value_text(r, n, what, &text))
		return false;
	if (!parse_duration(text, n->count, &ms))
		return reader_error(r, n,
				    "%s \"%.64s\" is not a duration such as \"2s\", \"150ms\" or \"1h30m\"",
				    what, text);
	if (ms < min_ms || ms > max_ms)
		return reader_error(r, n, "%s \"%.64s\" is not from %s to %s",
				    what, text, format_ms(min_ms, min_text),
				    format_ms(max_ms, max_text));
	*ret = ms;
	return true;
}

bool value_seconds(struct reader *r, const struct tree_node *n,
		   const char *what, __u32 *ret)
{
	__u32 ms = 0;

	if (!value_ms(r, n, what, 1000, SECONDS_MAX * 1000u, &ms))
		return false;
	if (ms % 1000)
		return reader_error(r, n, "%s \"%s\" is not in whole seconds",
				    what, n->text);
	*ret = ms / 1000;
	return true;
}

/* Text in quotes is none: "false" would be one that people take for set. */
bool value_bool(struct reader *r, const struct tree_node *n, const char *what,
		bool *ret)
{
	const char *text;

	if (!value_text(r, n, what, &text))
		return false;
	if (n->quoted || (strcmp(text, "true") && strcmp(text, "false")))
		return reader_error(r, n, "%s \"%.64s\" is not true or false",
				    what, text);
	*ret = !strcmp(text, "true");
	return true;
}

int value_choice(struct reader *r, const struct tree_node *n,
		 const char *what, const char *const *known)
{
	char list[200];
	const char *text, *near;

	if (!value_text(r, n, what, &text))
		return -1;
	for (int i = 0; known[i]; i++)
		if (!strcmp(known[i], text))
			return i;
	near = suggest(text, known);
	if (near)
		reader_error(r, n, "unknown %s \"%.64s\"; did you mean \"%s\"?",
			     what, text, near);
	else
		reader_error(r, n, "unknown %s \"%.64s\"; known: %s", what,
			     text, list_known(known, list, sizeof(list)));
	return -1;
}

static bool check_usable(struct reader *r, const struct tree_node *n,
			 const char *what, const struct addr *a,
			 unsigned int len)
{
	const char *kind = addr_unusable(a, len);

	if (!kind)
		return true;
	if (len == 128)
		return reader_error(r, n, "%s \"%s\" is %s address", what,
				    n->text, kind);
	return reader_error(r, n, "%s \"%s\" has %s address in it", what,
			    n->text, kind);
}

bool value_addr(struct reader *r, const struct tree_node *n, const char *what,
		struct addr *ret)
{
	const char *text;
	struct addr a;

	if (!value_text(r, n, what, &text))
		return false;
	if (!addr_parse(text, &a))
		return reader_error(r, n,
				    "%s \"%.64s\" is not an IPv4 or IPv6 address",
				    what, text);
	if (!check_usable(r, n, what, &a, 128))
		return false;
	*ret = a;
	return true;
}

/* A CIDR that is one but for bits beyond its length; the net it is in. */
static bool has_host_bits(const char *text, char *net, size_t size)
{
	const char *slash = strchr(text, '/');
	char host[ADDR_TEXT_MAX];
	unsigned int len;
	struct addr a;
	__u32 number;

	if (!slash || (size_t)(slash - text) >= sizeof(host) ||
	    !parse_number(slash + 1, strlen(slash + 1), &number))
		return false;
	snprintf(host, sizeof(host), "%.*s", (int)(slash - text), text);
	if (!addr_parse(host, &a))
		return false;
	len = addr_is4(&a) ? number + 96 : number;
	if (number > 128 || len > 128)
		return false;
	a = addr_prefix(a, len);
	snprintf(net, size, "%s/%u", addr_format(&a, host), number);
	return true;
}

bool value_prefix(struct reader *r, const struct tree_node *n,
		  const char *what, struct addr *ret, unsigned int *ret_len)
{
	char net[ADDR_TEXT_MAX + 5];
	const char *text;

	if (!value_text(r, n, what, &text))
		return false;
	if (addr_parse_cidr(text, ret, ret_len))
		return true;
	if (has_host_bits(text, net, sizeof(net)))
		return reader_error(r, n,
				    "%s \"%s\" has bits set after its prefix; did you mean \"%s\"?",
				    what, text, net);
	return reader_error(r, n,
			    "%s \"%.64s\" is not an address or a prefix such as \"192.0.2.0/24\"",
			    what, text);
}

bool value_cidr(struct reader *r, const struct tree_node *n, const char *what,
		struct addr *ret, unsigned int *ret_len)
{
	unsigned int len = 0;
	struct addr a;

	if (!value_prefix(r, n, what, &a, &len) ||
	    !check_usable(r, n, what, &a, len))
		return false;
	*ret = a;
	*ret_len = len;
	return true;
}

bool value_is_link_name(const char *text)
{
	return *text && strlen(text) <= MODEL_LINK_NAME_MAX &&
	       strcmp(text, ".") && strcmp(text, "..") &&
	       !strpbrk(text, "/: \t\r\n\v\f");
}

static bool is_name(const char *text)
{
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) &&
		    !strchr("-_.:/@", *text))
			return false;
	return true;
}

bool value_name(struct reader *r, const struct tree_node *n, const char *what,
		size_t max, const char **ret)
{
	const char *text;

	if (!value_text(r, n, what, &text))
		return false;
	if (!n->count)
		return reader_error(r, n, "%s is empty", what);
	if (n->count > max)
		return reader_error(r, n,
				    "%s \"%.32s...\" has %u bytes; at most %zu are allowed",
				    what, text, n->count, max);
	if (!is_name(text))
		return reader_error(r, n,
				    "%s \"%.64s\" has other characters than letters, digits and \"-_.:/@\"",
				    what, text);
	*ret = text;
	return true;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Values as people write them in definitions: a node of a tree to a number, a
 * duration, an address ... A mistake is reported where it stands; false then,
 * and *ret is as before.
 */
#ifndef FAIRLEAD_VALUE_H
#define FAIRLEAD_VALUE_H

#include <stdbool.h>

#include <fairlead/types.h>

#include "report.h"
#include "yaml_tree.h"

/* Where mistakes of one document are written to. */
struct reader {
	struct report *report;
	const char *path;
	__u32 first_line;	/* lines of the file before the document */
	bool has_no_lines;	/* it is no file: path alone is the place */
	bool no_memory;
};

/* Always false. */
bool reader_error(struct reader *r, const struct tree_node *at,
		  const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Of something that does not count, while the rest does. */
void reader_refuse(struct reader *r, const struct tree_node *at,
		   const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* A copy; NULL: noted in no_memory. */
char *reader_strdup(struct reader *r, const char *text);

/*
 * The values of a mapping, by the position of their key in keys[], which ends
 * in NULL. what: "a service". Unknown keys are reported, the others filled.
 */
void value_keys(struct reader *r, const struct tree_node *n, const char *what,
		const char *const *keys, const struct tree_node **ret);

/*
 * A list; an empty one must be written as "[]", so that a file that was cut
 * off behind the key withdraws nothing.
 */
bool value_list(struct reader *r, const struct tree_node *n, const char *what);

bool value_text(struct reader *r, const struct tree_node *n, const char *what,
		const char **ret);
bool value_number(struct reader *r, const struct tree_node *n,
		  const char *what, __u32 min, __u32 max, __u32 *ret);
bool value_port(struct reader *r, const struct tree_node *n, const char *what,
		__u16 *ret);

/* A number, "8000-8999"; with _any also "*", which is 0 to 65535. */
bool value_port_range(struct reader *r, const struct tree_node *n,
		      const char *what, __u16 *ret_first, __u16 *ret_last);
bool value_port_any(struct reader *r, const struct tree_node *n,
		    const char *what, __u16 *ret_first, __u16 *ret_last);

/* "2s", "150ms", "1h30m", or a plain number of seconds. */
bool value_ms(struct reader *r, const struct tree_node *n, const char *what,
	      __u32 min_ms, __u32 max_ms, __u32 *ret);
bool value_seconds(struct reader *r, const struct tree_node *n,
		   const char *what, __u32 *ret);

/* The longest that value_seconds() takes, and conns' clock allows with ease. */
#define SECONDS_MAX (30 * 24 * 3600)

bool value_bool(struct reader *r, const struct tree_node *n, const char *what,
		bool *ret);

/* One word of a list that ends in NULL: its position, or -1. */
int value_choice(struct reader *r, const struct tree_node *n,
		 const char *what, const char *const *known);

/* An address that a host can have: not a group's, not loopback ... */
bool value_addr(struct reader *r, const struct tree_node *n, const char *what,
		struct addr *ret);
/* Any prefix, or any address. *ret_len as of addr_parse_cidr(). */
bool value_prefix(struct reader *r, const struct tree_node *n,
		  const char *what, struct addr *ret, unsigned int *ret_len);
/* One in which every address is such that a host can have. */
bool value_cidr(struct reader *r, const struct tree_node *n, const char *what,
		struct addr *ret, unsigned int *ret_len);

/* Can an interface have it for a name? */
bool value_is_link_name(const char *text);

/* Letters, digits and "-_.:/@", up to max bytes. */
bool value_name(struct reader *r, const struct tree_node *n, const char *what,
		size_t max, const char **ret);

#endif

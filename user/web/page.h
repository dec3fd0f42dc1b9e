/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is at which path, and the texts that `serve` has to be asked for: it is
 * asked once a second at most, however many ask here. Pure but for memory.
 */
#ifndef FAIRLEAD_WEB_PAGE_H
#define FAIRLEAD_WEB_PAGE_H

#include "health.h"
#include "process/record.h"
#include "server.h"

#define PAGE_FRESH_MS 1000	/* so old may an answer be */
#define PAGE_PATIENCE_MS 5000	/* so long is serve waited for */

/* Answers of a path, by their status. */
struct page_counts {
	__u64 ok, unavailable;
};

/* What serve says of one of enum web_text. */
struct page_text {
	struct bytes_out whole, coming; /* the last one; the next */
	__u64 whole_ms;		/* when it was whole; 0: there is none */
	__u64 asked_ms;		/* 0: serve has answered */
};

struct page {
	struct page_text texts[NR_WEB_TEXTS];
	struct bytes_out config;
	struct bytes_out text;	/* what is answered */
	bool has_healthz;	/* somebody may ask for these */
	struct page_counts healthz, livez;
	char body[WEB_BODY_MAX];
};

void page_clear(struct page *p);

enum page_state {
	PAGE_READY,		/* *ret is good until the next call */
	PAGE_TO_BE_ASKED,	/* of serve, for *ret_which: that counts as
				 * asked now */
	PAGE_ASKED,
};

enum page_state page_find(struct page *p, enum web_place place,
			  const char *path, const struct web_listener *l,
			  const struct web_health *h, const struct web_now *now,
			  struct web_answer *ret, enum web_text *ret_which);

/* Parts of what serve says, of which one is the last: then true, and who waits
 * may be answered. */
bool page_take(struct page *p, enum web_text which, const char *text,
	       size_t len, bool is_last, __u64 now_ms);
/* It did not in time: true, and who waits is told so. */
bool page_give_up(struct page *p, __u64 now_ms);

void page_config(struct page *p, const char *text, size_t len);

#endif

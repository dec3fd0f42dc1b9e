// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See reflector.h. */
#include <stdio.h>
#include <string.h>

#include "reflector.h"

#define WATCH_LEAST_S 300	/* and as much again, at random */
#define WATCH_GRACE_MS 30000
#define ANSWER_MS 30000
#define LIST_MS 600000
#define LIST_WINDOW_MS 30000
#define LIST_WINDOW_BYTES 16384
#define EVENT_MS 30000
#define SHORT_WATCH_MS 1000
#define STEADY_MS 2000		/* a watch that goes on for so long is well */
#define RETRY_LEAST_MS 500
#define RETRY_MOST_MS 10000
#define RETRY_AFTER_MOST_S 60
#define ABSENT_MS 600000
#define FAILURES_TO_LIST 3
#define BROKEN_TO_PAGES 2
#define PAGE_LIMIT 500

void reflector_init(struct reflector *r, const struct reflector_kind *kind,
		    __u64 random)
{
	*r = (struct reflector){
		.kind = kind,
		.random = random ?: 1,
		.must_list = true,
	};
}

/* xorshift64: enough for who comes back when. */
static __u64 random_below(struct reflector *r, __u64 limit)
{
	r->random ^= r->random << 13;
	r->random ^= r->random >> 7;
	r->random ^= r->random << 17;
	return r->random % limit;
}

static size_t add(char *path, size_t len, const char *before,
		  const char *text)
{
	return len + snprintf(path + len, REFLECTOR_PATH_MAX - len, "%s%s",
			      before, text);
}

/* What a query may hold as it is; versions and page marks are the server's. */
static size_t add_escaped(char *path, size_t len, const char *before,
			  const char *text)
{
	len = add(path, len, before, "");
	for (; *text && len + 4 < REFLECTOR_PATH_MAX; text++) {
		unsigned char c = *text;
		bool is_plain = (c >= '0' && c <= '9') ||
				((c | 32) >= 'a' && (c | 32) <= 'z') ||
				strchr("-._~", c);

		len += snprintf(path + len, 4, is_plain ? "%c" : "%%%02X", c);
	}
	return len;
}

static size_t add_selectors(const struct reflector *r, char *path, size_t len)
{
	const struct reflector_kind *k = r->kind;

	if (k->label_selector)
		len = add_escaped(path, len, "&labelSelector=",
				  k->label_selector);
	if (k->field_selector && !r->no_field_selector)
		len = add_escaped(path, len, "&fieldSelector=",
				  k->field_selector);
	return len;
}

/*
 * The server's memory (any version, or one not older than the last seen) is
 * asked before its database, and pages, which always are the database's, only
 * where a whole list breaks off.
 */
static void list_path(struct reflector *r, char *path)
{
	size_t len = add(path, 0, r->kind->paths[r->path], "?");

	if (r->is_paged) {
		len += snprintf(path + len, REFLECTOR_PATH_MAX - len,
				"limit=%d", PAGE_LIMIT);
		if (*r->next_page)
			len = add_escaped(path, len, "&continue=",
					  r->next_page);
	} else if (r->must_be_new) {
		len = add(path, len, "resourceVersion=", "");
	} else if (*r->version) {
		len = add_escaped(path, len, "resourceVersion=", r->version);
		len = add(path, len, "&resourceVersionMatch=NotOlderThan", "");
	} else {
		len = add(path, len, "resourceVersion=0", "");
	}
	add_selectors(r, path, len);
}

static void watch_path(struct reflector *r, char *path, unsigned int seconds)
{
	size_t len = add(path, 0, r->kind->paths[r->path],
			 "?watch=1&allowWatchBookmarks=true");

	len += snprintf(path + len, REFLECTOR_PATH_MAX - len,
			"&timeoutSeconds=%u", seconds);
	len = add_escaped(path, len, "&resourceVersion=", r->version);
	add_selectors(r, path, len);
}

static void begin(struct reflector *r, enum reflector_request what,
		  __u64 now_ms)
{
	r->under_way = what;
	r->begin_ms = r->window_ms = now_ms;
	r->partial_ms = r->window_bytes = 0;
	r->has_status = r->is_watched = r->had_news = false;
	r->is_expired = r->is_ahead = false;
	r->retry_after_s = 0;
	r->list_version[0] = r->said[0] = '\0';
	r->limit_ms = now_ms + LIST_MS;
}

enum reflector_request reflector_next(struct reflector *r, __u64 now_ms,
				      char path[static REFLECTOR_PATH_MAX],
				      __u64 *ret_wait_ms)
{
	unsigned int seconds;

	*ret_wait_ms = 0;
	if (r->under_way)
		return REFLECTOR_NOTHING;
	if (now_ms < r->due_ms) {
		*ret_wait_ms = r->due_ms - now_ms;
		return REFLECTOR_NOTHING;
	}
	if (r->must_list) {
		r->is_first_page = !*r->next_page;
		list_path(r, path);
		begin(r, REFLECTOR_LIST, now_ms);
		return REFLECTOR_LIST;
	}
	seconds = WATCH_LEAST_S + random_below(r, WATCH_LEAST_S + 1);
	watch_path(r, path, seconds);
	begin(r, REFLECTOR_WATCH, now_ms);
	r->limit_ms = now_ms + seconds * 1000ull + WATCH_GRACE_MS;
	return REFLECTOR_WATCH;
}

void reflector_hurry(struct reflector *r)
{
	if (*r->failure)
		r->due_ms = 0;
}

static void succeed(struct reflector *r)
{
	r->failures = 0;
	r->failure[0] = '\0';
}

void reflector_on_status(struct reflector *r, int status, __u64 now_ms)
{
	r->has_status = true;
	r->is_watched = status == 200 && r->under_way == REFLECTOR_WATCH;
	r->window_ms = now_ms;
}

/* A server that answers 200 and hangs up is not to be asked without end, nor
 * taken for one that is well. */
void reflector_steady(struct reflector *r, __u64 now_ms)
{
	if (r->is_watched && !*r->said && now_ms - r->window_ms >= STEADY_MS)
		succeed(r);
}

void reflector_on_bytes(struct reflector *r, __u64 bytes, bool is_whole,
			__u64 now_ms)
{
	r->window_bytes += bytes;
	if (is_whole)
		r->partial_ms = 0;
	else if (!r->partial_ms)
		r->partial_ms = now_ms;
}

static bool take_version(char ret[static REFLECTOR_VERSION_MAX],
			 const char *version)
{
	size_t len = strlen(version);

	if (!len || len >= REFLECTOR_VERSION_MAX)
		return false;
	memcpy(ret, version, len + 1);
	return true;
}

bool reflector_on_list(struct reflector *r, const char *version,
		       const char *next_page)
{
	if (strlen(next_page) >= REFLECTOR_CONTINUE_MAX ||
	    !take_version(r->list_version, version))
		return false;
	strcpy(r->next_page, next_page);
	return true;
}

bool reflector_on_version(struct reflector *r, const char *version)
{
	if (!take_version(r->version, version))
		return false;
	r->had_news = true;
	r->expired = 0;
	succeed(r);
	return true;
}

/* Its text is a stranger's: what prints it makes it printable. */
void reflector_on_error(struct reflector *r, const struct reflector_status *s)
{
	r->is_expired |= s->code == 410;
	r->is_ahead |= s->cause && !strcmp(s->cause, "ResourceVersionTooLarge");
	r->retry_after_s = s->retry_after_s;
	snprintf(r->said, sizeof(r->said), "the server says %d %.64s%s%.256s",
		 s->code, s->reason ?: "",
		 s->message && *s->message ? ": " : "", s->message ?: "");
}

/* Twice as long after each of count, and never two of us at one moment. */
static void wait(struct reflector *r, unsigned int count, unsigned int after_s,
		 __u64 now_ms)
{
	__u64 ms = RETRY_LEAST_MS;

	for (; count && ms < RETRY_MOST_MS; count--)
		ms *= 2;
	if (ms > RETRY_MOST_MS)
		ms = RETRY_MOST_MS;
	ms = ms / 2 + random_below(r, ms);
	if (after_s > RETRY_AFTER_MOST_S)
		after_s = RETRY_AFTER_MOST_S;
	if (after_s)
		ms = after_s * 1000ull + random_below(r, RETRY_LEAST_MS);
	r->due_ms = now_ms + ms;
}

/* What the server said of it says more than why. */
static enum reflector_result fail(struct reflector *r, const char *why,
				  unsigned int after_s, __u64 now_ms)
{
	snprintf(r->failure, sizeof(r->failure), "%.32s: %.340s", r->kind->name,
		 *r->said ? r->said : why);
	wait(r, r->failures, r->retry_after_s ?: after_s, now_ms);
	r->failures++;
	r->next_page[0] = '\0';
	return REFLECTOR_FAILED;
}

static enum reflector_result absent(struct reflector *r, __u64 now_ms)
{
	succeed(r);
	r->is_complete = true;
	r->must_list = true;
	r->due_ms = now_ms + ABSENT_MS + random_below(r, ABSENT_MS);
	return REFLECTOR_ABSENT;
}

static enum reflector_result at_once(struct reflector *r, __u64 now_ms)
{
	r->due_ms = now_ms;
	return REFLECTOR_WENT_ON;
}

/* The other versions of the API at once; after all of them, in a while. */
static enum reflector_result not_found(struct reflector *r, __u64 now_ms)
{
	const char *const *paths = r->kind->paths;

	r->path++;
	if (r->path == REFLECTOR_PATHS_MAX || !paths[r->path])
		r->path = 0;
	r->must_list = true;
	if (r->path)
		return at_once(r, now_ms);
	if (r->kind->is_optional)
		return absent(r, now_ms);
	return fail(r, "the server does not have them (404)", 0, now_ms);
}

static bool may_ask_for_more(const struct reflector *r)
{
	return r->kind->field_selector && !r->kind->must_filter &&
	       !r->no_field_selector;
}

/* What an answer that is no 200 asks for. */
static enum reflector_result refused(struct reflector *r, int status,
				     unsigned int after_s, __u64 now_ms)
{
	char why[64];

	if (status == 404)
		return not_found(r, now_ms);
	if (status == 400 && may_ask_for_more(r)) {
		r->no_field_selector = true;
		return at_once(r, now_ms);
	}
	snprintf(why, sizeof(why), "the server says %d", status);
	return fail(r, why, after_s, now_ms);
}

static enum reflector_result list_failed(struct reflector *r, int status,
					 const char *error,
					 unsigned int after_s, __u64 now_ms)
{
	/* Neither memory nor history has it: what the database has now. */
	if (r->is_expired || r->is_ahead || status == 410)
		r->must_be_new = true;
	/* of a page that came too late */
	if (r->is_expired || status == 410)
		r->is_paged = false;
	if ((status == 200 || status == 504) && !r->is_ahead &&
	    ++r->broken_lists >= BROKEN_TO_PAGES)
		r->is_paged = true;
	if (status == 200 || !status)
		return fail(r, error, 0, now_ms);
	return refused(r, status, after_s, now_ms);
}

static enum reflector_result list_ended(struct reflector *r, __u64 now_ms)
{
	r->due_ms = now_ms;
	if (*r->next_page)
		return at_once(r, now_ms);
	strcpy(r->version, r->list_version);
	r->must_list = r->must_be_new = false;
	r->is_complete = true;
	r->broken_lists = 0;
	succeed(r);
	return REFLECTOR_COMPLETE;
}

/* A list from the version on that was too old: at once, but not again and
 * again. */
static enum reflector_result expired(struct reflector *r, __u64 now_ms)
{
	r->must_list = true;
	r->due_ms = now_ms;
	if (r->expired)
		wait(r, r->expired, 0, now_ms);
	r->expired++;
	return REFLECTOR_WENT_ON;
}

/* A version that is not reached (of a database that was put back, perhaps),
 * or one that only ever gives errors: all anew. */
static enum reflector_result watch_failed(struct reflector *r, int status,
					  const char *error,
					  unsigned int after_s, __u64 now_ms)
{
	if (r->is_expired || status == 410)
		return expired(r, now_ms);
	if (r->is_ahead || (status && r->failures + 1 >= FAILURES_TO_LIST))
		r->must_list = true;
	if (status == 200 || !status)
		return fail(r, error, 0, now_ms);
	return refused(r, status, after_s, now_ms);
}

static enum reflector_result watch_ended(struct reflector *r, __u64 now_ms)
{
	if (!r->had_news && now_ms - r->begin_ms < SHORT_WATCH_MS)
		return fail(r, "the server ends each watch at once", 0,
			    now_ms);
	succeed(r);
	r->expired = 0;
	return at_once(r, now_ms);
}

enum reflector_result reflector_on_end(struct reflector *r, int status,
				       const char *error,
				       unsigned int retry_after_s,
				       __u64 now_ms)
{
	bool is_list = r->under_way == REFLECTOR_LIST;
	bool is_good = status == 200 && !error && !*r->said;

	r->under_way = REFLECTOR_NOTHING;
	r->is_watched = false;
	if (is_list && is_good && *r->list_version)
		return list_ended(r, now_ms);
	if (!is_list && is_good)
		return watch_ended(r, now_ms);
	if (!error)
		error = "the answer is no list";
	if (is_list)
		return list_failed(r, status, error, retry_after_s, now_ms);
	return watch_failed(r, status, error, retry_after_s, now_ms);
}

static const char *list_overdue(struct reflector *r, __u64 now_ms)
{
	if (now_ms > r->limit_ms)
		return "the list does not come to an end";
	if (now_ms - r->window_ms < LIST_WINDOW_MS)
		return NULL;
	if (r->window_bytes < LIST_WINDOW_BYTES)
		return "the list comes too slowly, or not at all any more";
	r->window_ms = now_ms;
	r->window_bytes = 0;
	return NULL;
}

const char *reflector_overdue(struct reflector *r, __u64 now_ms)
{
	if (!r->under_way)
		return NULL;
	if (!r->has_status)
		return now_ms - r->begin_ms < ANSWER_MS ? NULL :
		       "the server does not answer";
	if (r->under_way == REFLECTOR_LIST)
		return list_overdue(r, now_ms);
	if (r->partial_ms && now_ms - r->partial_ms > EVENT_MS)
		return "the server stopped in the middle of an event";
	return now_ms < r->limit_ms ? NULL :
	       "the server did not end the watch when it was to";
}

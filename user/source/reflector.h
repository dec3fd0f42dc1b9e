/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What to ask an API server next to have all objects of a kind and to hear of
 * their changes: a list, then a watch from its version on, again and again.
 * Pure: what became of the last request goes in, the next one comes out, and
 * time is an argument (milliseconds of a clock that never goes back).
 *
 * Rules: kubernetes.io, "API concepts", Efficient detection of changes;
 * versions are opaque and never compared.
 */
#ifndef FAIRLEAD_REFLECTOR_H
#define FAIRLEAD_REFLECTOR_H

#include <stdbool.h>

#include <linux/types.h>

#define REFLECTOR_VERSION_MAX 256
#define REFLECTOR_CONTINUE_MAX 4096
#define REFLECTOR_TEXT_MAX 384
#define REFLECTOR_PATH_MAX (2 * REFLECTOR_CONTINUE_MAX)
#define REFLECTOR_PATHS_MAX 3

/* A kind of objects, as the server knows it. */
struct reflector_kind {
	const char *name;		/* "services", for messages */
	/* Newest version of the API first; the next one where that is 404. */
	const char *paths[REFLECTOR_PATHS_MAX];
	const char *label_selector;	/* NULL: all */
	const char *field_selector;	/* NULL: all */
	bool must_filter;	/* else asked without, if it is refused */
	bool is_optional;	/* a server without it has none; that we may
				 * not see them is another thing */
};

enum reflector_request { REFLECTOR_NOTHING, REFLECTOR_LIST, REFLECTOR_WATCH };

struct reflector {
	const struct reflector_kind *kind;
	enum reflector_request under_way;
	__u64 due_ms;		/* of the next request */
	__u64 random;
	char version[REFLECTOR_VERSION_MAX];	/* last seen; "": none */
	char list_version[REFLECTOR_VERSION_MAX]; /* of the list under way */
	char next_page[REFLECTOR_CONTINUE_MAX];
	unsigned int path;	/* which of kind->paths */
	bool no_field_selector;
	bool is_paged;		/* lists that are asked for whole break off */
	bool must_be_new;	/* no list from the server's memory will do */
	bool must_list;
	bool is_complete;	/* a list has been read to its end, or there
				 * is none */
	unsigned int failures;	/* in a row */
	unsigned int broken_lists; /* in a row */
	unsigned int expired;	/* watches that began too late, in a row */
	char failure[REFLECTOR_TEXT_MAX]; /* why we are behind; "": not */

	/* of the request under way */
	__u64 begin_ms, window_ms;
	__u64 partial_ms;	/* an object has been partial since; 0: none */
	__u64 limit_ms;		/* it should be over by then */
	__u64 window_bytes;
	bool has_status, is_first_page, had_news, is_watched;
	/* what an ERROR event or a Status said */
	bool is_expired, is_ahead;
	unsigned int retry_after_s;
	char said[REFLECTOR_TEXT_MAX];
};

/* random: any number, another one for each reflector and process. */
void reflector_init(struct reflector *r, const struct reflector_kind *kind,
		    __u64 random);

/*
 * What is to be asked at now_ms. path: what follows the server's URL. If
 * nothing, *ret_wait_ms says how long (0: the request under way is to end).
 */
enum reflector_request reflector_next(struct reflector *r, __u64 now_ms,
				      char path[static REFLECTOR_PATH_MAX],
				      __u64 *ret_wait_ms);

/* What stood in the way may be gone: ask again at once. */
void reflector_hurry(struct reflector *r);

/* The request's status line. What is not 2xx has a Status for its body. */
void reflector_on_status(struct reflector *r, int status, __u64 now_ms);

/* Now and then: a watch that goes on has overcome what was in the way. */
void reflector_steady(struct reflector *r, __u64 now_ms);

/* So many bytes of an answer; is_whole: none of an object that is begun. */
void reflector_on_bytes(struct reflector *r, __u64 bytes, bool is_whole,
			__u64 now_ms);

/* Of a list. False: it is too long. */
bool reflector_on_list(struct reflector *r, const char *version,
		       const char *next_page);

/* An event, or a bookmark. False: the version is none. */
bool reflector_on_version(struct reflector *r, const char *version);

/* A Status: the body of an error, or of an ERROR event. cause: the reason of
 * its first cause. */
struct reflector_status {
	int code;
	const char *reason, *message, *cause;
	unsigned int retry_after_s;
};
void reflector_on_error(struct reflector *r, const struct reflector_status *s);

enum reflector_result {
	REFLECTOR_FAILED,	/* as r->failure says */
	REFLECTOR_WENT_ON,	/* a page, a watch */
	REFLECTOR_COMPLETE,	/* a list: what was not in it is gone */
	REFLECTOR_ABSENT,	/* the server has no such kind */
};

/*
 * The request ended with this status, 0 if there was none. error: why the
 * answer is not whole, or NULL. retry_after_s: of the header, or 0.
 */
enum reflector_result reflector_on_end(struct reflector *r, int status,
				       const char *error,
				       unsigned int retry_after_s,
				       __u64 now_ms);

/* Why the request under way is to be given up; NULL: it is not. */
const char *reflector_overdue(struct reflector *r, __u64 now_ms);

#endif

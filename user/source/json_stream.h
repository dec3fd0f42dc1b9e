/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The answers of an API server, parsed as they arrive: a list, the events of
 * a watch, or the Status that an error comes with; of one that is not
 * Kubernetes', objects in a list, or one after the other. Of each object, the values
 * that were asked for become a record; nothing else of it is kept, and no more
 * than one object is in memory.
 *
 * The server is not trusted: an object that is longer or deeper than any real
 * one ends the stream, as does what is not JSON.
 */
#ifndef FAIRLEAD_JSON_STREAM_H
#define FAIRLEAD_JSON_STREAM_H

#include <stdbool.h>

#include "paths.h"
#include "process/record.h"

#define JSON_OBJECT_MAX (8 << 20)	/* etcd has 1.5 MB */
#define JSON_DEPTH_MAX 64

enum json_stream_kind {
	JSON_LIST, JSON_WATCH,
	JSON_STATUS,		/* or any one object */
	JSON_ARRAY,		/* [{...}, {...}] */
	JSON_OBJECTS,		/* {...} {...} */
	NR_JSON_STREAMS,
};

/* What is read of every object, besides the values that were asked for. Texts
 * are empty where there is none. */
struct json_object {
	char namespace[64], name[256], version[256];
	char status[16];	/* of a Status: "Failure" */
	char reason[64], message[256], cause[64];
	int code;
	unsigned int retry_after_s;
	const char *too_long;	/* which of the texts; NULL: none */
	struct bytes_out record;	/* a RECORD_PUT that is not ended */
	size_t begin;		/* of record_begin() */
};

struct json_stream_ops {
	/* An object of the list, or of an event: "ADDED", "BOOKMARK" ... type
	 * is NULL but for an event of a watch. Why to stop; NULL: go on. */
	const char *(*object)(void *arg, const char *type,
			      struct json_object *o);
};

struct json_stream;

/* fields: of paths_new(), lives longer than s. of: the record's. */
int json_stream_new(enum json_stream_kind kind, const struct path_node *fields,
		    __u8 of, const struct json_stream_ops *ops, void *arg,
		    struct json_stream **ret);
void json_stream_free(struct json_stream *s);	/* NULL is fine */

/* NULL, or what is wrong, for good; text lives as long as s. */
const char *json_stream_feed(struct json_stream *s, const char *data,
			     size_t len);
const char *json_stream_end(struct json_stream *s);

/* Nothing is begun that has not ended. */
bool json_stream_is_whole(const struct json_stream *s);

/* Of a list that has been read to its end: its version, "" if it was none,
 * and what continues it, or "". */
const char *json_stream_version(const struct json_stream *s);
const char *json_stream_next_page(const struct json_stream *s);

#endif

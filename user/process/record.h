/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What `fairlead: serve` and the processes without rights say to one another
 * over a stream socket: records, each a header and fields, each field a header
 * and bytes. Both sides are the same program on the same machine, so numbers
 * have its byte order; nothing else is taken for granted: who receives checks
 * every length, and a record that is wrong ends the conversation.
 */
#ifndef FAIRLEAD_RECORD_H
#define FAIRLEAD_RECORD_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

/* Of a whole record. The largest object is a slice of 1000 endpoints. */
#define RECORD_MAX (1 << 20)

/* of: a kind of objects, enum kube_kind, or what is said below; 0 where it has
 * no meaning. */
enum record_type {
	/* serve -> source; fields: enum access_field, and those below */
	RECORD_ACCESS = 1,
	RECORD_EVENT,		/* RECORD_FIELD_NAMESPACE, _TEXT: JSON */

	/* source -> serve */
	RECORD_LIST_BEGIN,	/* what comes now is a list of all */
	RECORD_LIST_END,	/* what was not in it is gone */
	RECORD_PUT,		/* fields: enum record_event */
	RECORD_REMOVE,		/* fields: RECORD_FIELD_NAME ... */
	RECORD_STATE,		/* fields: RECORD_FIELD_STATE, _TEXT */
	RECORD_SKIP,		/* fields: ..., _TEXT: why an object is left
				 * out; what it said before holds */
	RECORD_NO_EVENT,	/* RECORD_FIELD_TEXT: why one was not taken */
	RECORD_REQUEST,		/* RECORD_FIELD_BYTES: __u16, a status or 0; of:
				 * enum http_method */

	/* serve -> http, each with a struct of web.h as RECORD_FIELD_BYTES */
	RECORD_LISTEN,		/* struct web_listener; with a socket; of: enum
				 * web_place */
	RECORD_LISTENER,	/* the same, changed */
	RECORD_UNLISTEN,	/* __u32, its id */
	RECORD_PULSE,		/* struct web_pulse */
	RECORD_TEXT,		/* RECORD_FIELD_TEXT, in several of them; of:
				 * enum web_text, and WEB_TEXT_LAST */
	RECORD_CONFIG,		/* RECORD_FIELD_TEXT: what /configz says */

	/* http -> serve */
	RECORD_ASK,		/* for RECORD_TEXT; of: enum web_text */

	/* source of containers -> serve, and back; of: enum dial */
	RECORD_DIAL,		/* for a connection; RECORD_FIELD_NAME: of whom
				 * it is to tell */
	RECORD_DIALLED,		/* with a socket; or RECORD_FIELD_TEXT: why
				 * there is none */

	/* serve -> health, and back: health/health.h */
	RECORD_CHECK,		/* struct health_order, and texts */
	RECORD_UNCHECK,		/* __u32, its id */
	RECORD_RESULT,		/* struct health_result */
	RECORD_ALIVE,		/* no fields; once a second */
	NR_RECORD_TYPES,
};

/*
 * An object is told as it was parsed: what begins, what its keys and values
 * are, what ends; without what nobody reads of it. Bytes are text.
 */
enum record_event {
	RECORD_MAP = 1,
	RECORD_LIST,
	RECORD_END,
	RECORD_KEY,
	RECORD_STRING,
	RECORD_NUMBER,
	RECORD_BOOLEAN,
	RECORD_NULL,		/* in a list; a key without a value says it, too */
};

/* Fields below RECORD_FIELD_FIRST are enum record_event, or of an access. */
enum record_field_id {
	RECORD_FIELD_FIRST = 0x8000,
	RECORD_FIELD_NAMESPACE = RECORD_FIELD_FIRST,
	RECORD_FIELD_NAME,
	RECORD_FIELD_STATE,	/* one byte: enum api_state */
	RECORD_FIELD_TEXT,
	RECORD_FIELD_INSECURE,	/* one byte, of an access */
	RECORD_FIELD_NODE,	/* own node's name, of an access */
	RECORD_FIELD_BYTES,	/* a struct */
	RECORD_FIELD_POLICY,	/* one byte, of an access: follow what network
				 * policy needs, too */
};

struct record_header {
	__u32 len;		/* of the whole record, this included */
	__u8 type;
	__u8 of;
	__u16 zero;
};

struct record_field_header {
	__u32 len;		/* of the bytes that follow */
	__u16 id;
	__u16 zero;
};

/* Bytes that grow; starts zeroed. */
struct bytes_out {
	char *data;		/* owned */
	size_t len, room;
	bool no_memory;		/* sticky: data may have holes */
};

void bytes_add(struct bytes_out *b, const void *data, size_t len);
void bytes_free(struct bytes_out *b);

/* Begin a record at the end of b, add fields, end it. record_begin() returns
 * what record_end() wants to have. False: it is longer than RECORD_MAX, or
 * memory ran out; the record is taken back. */
size_t record_begin(struct bytes_out *b, enum record_type type, __u8 of);
void record_field(struct bytes_out *b, __u16 id, const void *data, size_t len);
void record_text(struct bytes_out *b, __u16 id, const char *text);
bool record_end(struct bytes_out *b, size_t begin);

/* A record in received bytes, and where the reading of its fields is. */
struct record {
	__u8 type, of;
	const char *at, *end;
};

struct record_field {
	__u16 id;
	const char *data;	/* len bytes, and no NUL behind them */
	size_t len;
};

/*
 * The record at the start of len bytes. Its length; 0: it is not whole yet;
 * -EBADMSG: no such record, as *ret_why says.
 */
long record_parse(const char *data, size_t len, struct record *ret,
		  const char **ret_why);

/* The next field: 1, 0 (no more), or -EBADMSG. */
int record_next(struct record *r, struct record_field *ret);

/* A record of one field, with this id, and of just this size. False: it is
 * another one. */
bool record_bytes(struct record *r, __u16 id, void *ret, size_t size);

#endif

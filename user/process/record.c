// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See record.h. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "record.h"

#define ROOM_LEAST 4096

static bool make_room(struct bytes_out *b, size_t len)
{
	size_t room = b->room ?: ROOM_LEAST;
	char *data;

	if (b->no_memory || len > SIZE_MAX / 4 - b->len)
		return false;
	while (room - b->len < len)
		room *= 2;
	if (room == b->room)
		return true;
	data = realloc(b->data, room);
	if (!data)
		return false;
	b->data = data;
	b->room = room;
	return true;
}

void bytes_add(struct bytes_out *b, const void *data, size_t len)
{
	if (!make_room(b, len)) {
		b->no_memory = true;
		return;
	}
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
}

void bytes_free(struct bytes_out *b)
{
	free(b->data);
	*b = (struct bytes_out){};
}

size_t record_begin(struct bytes_out *b, enum record_type type, __u8 of)
{
	struct record_header h = { .type = type, .of = of };
	size_t begin = b->len;

	bytes_add(b, &h, sizeof(h));
	return begin;
}

void record_field(struct bytes_out *b, __u16 id, const void *data, size_t len)
{
	struct record_field_header h = { .len = len, .id = id };

	if (len > RECORD_MAX) {
		b->no_memory = true;
		return;
	}
	bytes_add(b, &h, sizeof(h));
	bytes_add(b, data, len);
}

void record_text(struct bytes_out *b, __u16 id, const char *text)
{
	record_field(b, id, text, strlen(text));
}

bool record_end(struct bytes_out *b, size_t begin)
{
	__u32 len = b->len - begin;

	if (b->no_memory || b->len - begin > RECORD_MAX) {
		b->len = begin;
		b->no_memory = false;
		return false;
	}
	memcpy(b->data + begin + offsetof(struct record_header, len), &len,
	       sizeof(len));
	return true;
}

long record_parse(const char *data, size_t len, struct record *ret,
		  const char **ret_why)
{
	struct record_header h;

	if (len < sizeof(h))
		return 0;
	memcpy(&h, data, sizeof(h));
	*ret_why = NULL;
	if (h.len < sizeof(h) || h.len > RECORD_MAX)
		*ret_why = "a record of an impossible length";
	else if (!h.type || h.type >= NR_RECORD_TYPES || h.zero)
		*ret_why = "a record of no known type";
	if (*ret_why)
		return -EBADMSG;
	if (len < h.len)
		return 0;
	*ret = (struct record){ h.type, h.of, data + sizeof(h), data + h.len };
	return h.len;
}

int record_next(struct record *r, struct record_field *ret)
{
	size_t left = r->end - r->at;
	struct record_field_header h;

	if (!left)
		return 0;
	if (left < sizeof(h))
		return -EBADMSG;
	memcpy(&h, r->at, sizeof(h));
	if (h.zero || h.len > left - sizeof(h))
		return -EBADMSG;
	*ret = (struct record_field){ h.id, r->at + sizeof(h), h.len };
	r->at += sizeof(h) + h.len;
	return 1;
}

bool record_bytes(struct record *r, __u16 id, void *ret, size_t size)
{
	struct record_field f, more;

	if (record_next(r, &f) != 1 || f.id != id || f.len != size ||
	    record_next(r, &more))
		return false;
	memcpy(ret, f.data, size);
	return true;
}

// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Any bytes as the answer of an API server: the first says what it is an
 * answer to, the second where it is cut in two. Read in one piece and in two,
 * the same objects come of it, or the same refusal; and what is said of each
 * can be read by the other side.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "kubernetes/reader.h"
#include "source/json_stream.h"
#include "source/object_record.h"

static struct path_node *fields[NR_KUBE_KINDS];

struct seen {
	enum kube_kind kind;
	struct bytes_out all;	/* the records */
	bool is_refused;
};

static void set_up(void)
{
	const char *path;

	for (int i = 0; i < NR_KUBE_KINDS; i++) {
		if (paths_new(NULL, 0, &fields[i]))
			abort();
		for (size_t j = 0; (path = kube_path(i, j)); j++)
			if (paths_add(fields[i], path, 1))
				abort();
	}
}

static const char *on_object(void *arg, const char *type,
			     struct json_object *o)
{
	struct seen *seen = arg;
	const char *why;
	struct kube_object *object;
	struct record r;

	if (!record_end(&o->record, o->begin))
		return "too large";
	if (record_parse(o->record.data + o->begin, o->record.len - o->begin,
			 &r, &why) <= 0)
		abort();
	bytes_add(&seen->all, o->record.data + o->begin,
		  o->record.len - o->begin);
	object = object_record_read(seen->kind, &r);
	if (!object)
		abort();
	kube_object_free(object);
	return NULL;
}

static const struct json_stream_ops ops = { .object = on_object };

static void read_cut(struct seen *seen, enum json_stream_kind what,
		     const char *text, size_t len, size_t cut)
{
	struct json_stream *s;

	if (json_stream_new(what, fields[seen->kind], 0, &ops, seen, &s))
		abort();
	if (cut)
		json_stream_feed(s, text, cut);
	if (len > cut)
		json_stream_feed(s, text + cut, len - cut);
	seen->is_refused = json_stream_end(s);
	json_stream_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum json_stream_kind what;
	struct seen whole = {}, cut;
	size_t at;

	if (!fields[0])
		set_up();
	if (size < 2)
		return 0;
	what = data[0] % NR_JSON_STREAMS;
	whole.kind = data[0] / NR_JSON_STREAMS % NR_KUBE_KINDS;
	cut = whole;
	at = size > 2 ? data[1] % (size - 2) : 0;
	read_cut(&whole, what, (const char *)data + 2, size - 2, 0);
	read_cut(&cut, what, (const char *)data + 2, size - 2, at);
	if (whole.is_refused != cut.is_refused ||
	    whole.all.len != cut.all.len ||
	    (whole.all.len &&
	     memcmp(whole.all.data, cut.all.data, whole.all.len)))
		abort();
	bytes_free(&whole.all);
	bytes_free(&cut.all);
	return 0;
}

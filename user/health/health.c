// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See health.h: orders and results as records; what is read is checked. */
#include <stdlib.h>
#include <string.h>

#include "health.h"

#define RISE_MAX 255

static void part_put(struct bytes_out *b, size_t i, const struct probe_part *p)
{
	if (p->bytes && p->bytes->data)
		record_field(b, i + 1, p->bytes->data, p->bytes->len);
	else if (p->text && *p->text)
		record_field(b, i + 1, *p->text, strlen(*p->text));
}

bool health_order_put(struct bytes_out *b, const struct health_order *o)
{
	size_t begin = record_begin(b, RECORD_CHECK, 0);
	struct probe_spec *spec = (struct probe_spec *)&o->check.spec;
	struct probe_part p;

	record_field(b, RECORD_FIELD_BYTES, o, sizeof(*o));
	for (size_t i = 0; probe_spec_part(spec, i, &p); i++)
		part_put(b, i, &p);
	return record_end(b, begin);
}

static bool order_is_sound(const struct health_order *o)
{
	const struct model_check *c = &o->check;
	const struct probe_spec *s = &c->spec;

	return o->id && o->id < HEALTH_CHECKS_MAX &&
	       o->state < NR_CHECK_STATES && s->kind &&
	       s->kind < NR_PROBE_KINDS && c->interval_ms && c->fast_ms &&
	       s->timeout_ms && c->rise && c->rise <= RISE_MAX && c->fall &&
	       c->fall <= RISE_MAX && c->jitter <= 100 &&
	       memchr(s->interface, '\0', sizeof(s->interface)) &&
	       s->nr_status <= PROBE_STATUS_RANGES_MAX;
}

static void parts_forget(struct probe_spec *s)
{
	struct probe_part p;

	for (size_t i = 0; probe_spec_part(s, i, &p); i++)
		if (p.bytes)
			*p.bytes = (struct probe_bytes){};
		else
			*p.text = NULL;
}

static bool part_get(struct probe_spec *s, const struct record_field *f)
{
	struct probe_part p;
	char *data;

	if (!f->id || !probe_spec_part(s, f->id - 1, &p) ||
	    (p.bytes ? p.bytes->data : *p.text))
		return false;
	data = malloc(f->len + 1);
	if (!data)
		return false;
	memcpy(data, f->data, f->len);
	data[f->len] = '\0';
	if (p.bytes)
		*p.bytes = (struct probe_bytes){ data, f->len };
	else
		*p.text = data;
	return true;
}

const char *health_order_get(struct record *r, struct health_order *ret)
{
	struct record_field f;
	int more = record_next(r, &f);

	if (more != 1 || f.id != RECORD_FIELD_BYTES || f.len != sizeof(*ret))
		return "a check that is none";
	memcpy(ret, f.data, sizeof(*ret));
	parts_forget(&ret->check.spec);
	if (!order_is_sound(ret))
		return "a check that cannot be";
	while ((more = record_next(r, &f)) == 1)
		if (!part_get(&ret->check.spec, &f)) {
			more = -1;
			break;
		}
	if (!more)
		return NULL;
	probe_spec_clear(&ret->check.spec);
	return "a check with texts that are none";
}

void health_result_put(struct bytes_out *b, const struct health_result *r)
{
	size_t begin = record_begin(b, RECORD_RESULT, 0);

	record_field(b, RECORD_FIELD_BYTES, r, sizeof(*r));
	record_end(b, begin);
}

static bool is_printable(const char *text, size_t size)
{
	size_t i = 0;

	while (i < size && text[i] >= ' ' && text[i] < 0x7f)
		i++;
	return i < size && !text[i];
}

bool health_result_get(struct record *r, struct health_result *ret)
{
	return record_bytes(r, RECORD_FIELD_BYTES, ret, sizeof(*ret)) &&
	       ret->id && ret->id < HEALTH_CHECKS_MAX &&
	       ret->outcome <= PROBE_NO_RESULT &&
	       ret->state < NR_CHECK_STATES && ret->flaps <= 16 &&
	       is_printable(ret->why, sizeof(ret->why));
}

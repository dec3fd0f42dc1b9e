// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Any bytes as a sequence of changes, of seconds that pass, packets, restarts
 * and growths. After each: every service is found at each of its front ends,
 * its slots name its own live backends in shares as their weights say, those of
 * local ones first where they have to be, nothing is reused in its grace
 * period, open connections reach the backend that they began with, and clients
 * may come as the sources say.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "fake_tables.h"
#include "engine/reconcile.h"

#define VIP 0xc000020au
#define HOST 0x0a000001u
#define SERVICES 4
#define HOSTS 12
#define FLOWS 48
#define GRACE 2
#define BACKENDS 512
#define SLOTS 65536

struct open_flow {
	__u32 service;		/* id; 0: not open */
	__u32 backend;
	__u32 seen_s;
};

struct run {
	struct fake *f;
	struct state *s;
	struct model *m;
	__u32 now_s;
	const uint8_t *data, *end;
	__u32 here;		/* backends on this host: a bit for each */
	struct open_flow flows[SERVICES][FLOWS];
	__u32 in_use_s[BACKENDS];	/* last named by a slot in force */
	__u32 generation[BACKENDS];
	struct slot before[SLOTS];
};

static void must(bool is_true, const char *what)
{
	if (is_true)
		return;
	fprintf(stderr, "violated: %s\n", what);
	abort();
}

static __u8 next(struct run *r)
{
	return r->data < r->end ? *r->data++ : 0;
}

static const struct service *entry_of(struct run *r,
				      const struct model_service *def)
{
	return fake_find(r->f, &def->fronts->addr, def->fronts->port_first,
			 def->proto);
}

static struct model_service *service_named(struct run *r, int number)
{
	char name[2] = { 'a' + number, 0 };

	for (size_t i = 0; i < r->m->nr_services; i++)
		if (!strcmp(r->m->services[i]->name, name))
			return r->m->services[i];
	return NULL;
}

static bool is_member(const struct backend *b)
{
	return b->state == BACKEND_ACTIVE && b->weight &&
	       !(b->flags & BACKEND_NOT_IN_CLUSTER);
}

/* In slots of 65536 or fewer: to within one, and rounding. */
static void check_share(struct run *r, const struct service *e, __u64 sum,
			__u32 backend, __u32 count)
{
	const struct backend *b = &r->f->t.backends[backend];
	double share = (double)e->slot_count * b->weight / sum;

	must(is_member(b), "slots name backends that may be used");
	must(count > share - 1.5 && count < share + 1.5, "shares are right");
}

static void check_slots(struct run *r, const struct service *e, __u64 sum)
{
	__u32 counts[BACKENDS] = {};
	struct slot slot;

	for (__u32 i = 0; i < e->slot_count; i++) {
		slot = r->f->slot_memory[e->slot_base + i];
		must(slot.backend < BACKENDS && slot.previous < BACKENDS,
		     "slots name backends");
		must(!sum == !slot.backend, "no slot is without need empty");
		counts[slot.backend]++;
		r->in_use_s[slot.backend] = r->now_s;
		r->in_use_s[slot.previous] = r->now_s;
		if (!slot.previous)
			continue;
		must(r->f->t.backends[slot.previous].service == e->id &&
		     r->f->t.backends[slot.previous].state != BACKEND_FREE,
		     "slots remember their own");
	}
	for (__u32 i = 1; i < BACKENDS; i++)
		if (counts[i])
			check_share(r, e, sum, i, counts[i]);
}

static __u8 flags_at(const struct run *r, __u32 slot)
{
	return r->f->t.backends[r->f->slot_memory[slot].backend].flags;
}

/* Slots of the local set begin the others, or follow them. */
static void check_local(struct run *r, const struct service *e)
{
	bool is_apart = e->local_count && e->local_base != e->slot_base;

	if (e->forward != FORWARD_NAT || e->algorithm != ALGORITHM_RANDOM) {
		must(!e->local_count, "a table has no local slots");
		return;
	}
	must(!is_apart || e->local_base == e->slot_base + e->slot_count,
	     "local slots follow the others");
	for (__u32 i = 0; i < e->local_count; i++)
		must(flags_at(r, e->local_base + i) & BACKEND_IN_LOCAL,
		     "local slots are of the local set");
	for (__u32 i = 0; i < e->slot_count; i++) {
		__u8 flags = flags_at(r, e->slot_base + i);

		must(!(flags & BACKEND_NOT_IN_CLUSTER),
		     "slots are of the cluster's set");
		must(is_apart ||
		     !(flags & BACKEND_IN_LOCAL) == (i >= e->local_count),
		     "local slots come first");
	}
}

/* All are one service, wherever it is asked for. */
static void check_fronts(struct run *r, const struct model_service *def,
			 const struct service *e)
{
	const struct model_front *f = def->fronts, *end = f + def->nr_fronts;
	const struct service *other;

	for (; f < end; f++) {
		other = fake_find(r->f, &f->addr, f->port_first, def->proto);
		must(other && other->id == e->id && other->proto == e->proto &&
		     other->slot_base == e->slot_base &&
		     other->slot_count == e->slot_count &&
		     other->local_count == e->local_count &&
		     other->kind == f->kind, "front ends share what they have");
		must(fake_find(r->f, &f->addr, f->port_last, def->proto) ==
		     other, "at every port");
	}
}

static const struct { const char *text; __u32 first; } nets[] = {
	{ "198.51.100.0/24", 0xc6336400u },
	{ "198.51.100.128/25", 0xc6336480u },
};

#define NETS 2

/* One in each net that is in no smaller one, and one in none. */
static void check_sources(struct run *r, const struct service *e,
			  const struct model_service *def)
{
	bool allows = false, may_come;

	for (size_t i = 0; i < def->nr_sources; i++)
		allows |= def->sources[i].allow;
	may_come = !allows;
	must(fake_admits(r->f, e, nets[0].first - 1) == may_come,
	     "who is not named may come if nobody is allowed");
	for (int net = 0; net < NETS; net++) {
		for (size_t i = 0; i < def->nr_sources; i++)
			if (ntohl(def->sources[i].addr.word[3]) ==
			    nets[net].first)
				may_come = def->sources[i].allow;
		must(fake_admits(r->f, e, nets[net].first) == may_come,
		     "the longest prefix decides");
	}
}

static void check_service(struct run *r, const struct model_service *def)
{
	const struct service *e = entry_of(r, def);
	const struct backend *b = r->f->t.backends + 1;
	__u64 sum = 0;
	size_t nr = 0;

	must(e && e->proto == def->proto && e->algorithm == def->algorithm &&
	     e->forward == def->forward, "every service is found");
	check_fronts(r, def, e);
	must(!strcmp(r->f->t.infos[e->id].name, def->name), "by its name");
	for (; b < r->f->t.backends + BACKENDS; b++) {
		if (b->service != e->id || b->state == BACKEND_FREE)
			continue;
		nr += b->state != BACKEND_LEAVING && b->state != BACKEND_GONE;
		sum += is_member(b) ? b->weight : 0;
	}
	must(nr == def->nr_backends, "with all its backends");
	check_sources(r, e, def);
	check_slots(r, e, sum);
	check_local(r, e);
}

static void check_reuse(struct run *r)
{
	for (__u32 i = 1; i < BACKENDS; i++) {
		const struct backend *b = &r->f->t.backends[i];

		if (b->generation == r->generation[i])
			continue;
		must(!r->in_use_s[i] || r->now_s - r->in_use_s[i] >= GRACE,
		     "no backend is reused in its grace period");
		r->generation[i] = b->generation;
	}
}

static void check(struct run *r)
{
	check_reuse(r);
	for (size_t i = 0; i < r->m->nr_services; i++)
		check_service(r, r->m->services[i]);
}

/* Those whose history is to be kept: flows of them are not in conns alone. */
static bool has_history(const struct service *e)
{
	return e->forward != FORWARD_NAT && !(e->flags & SERVICE_STATELESS);
}

static void check_history(struct run *r, const struct service *old,
			  const struct model_service *def)
{
	const struct service *e = entry_of(r, def);
	struct slot was, is;

	if (!e || !old->slot_count || old->id != e->id || !has_history(old) ||
	    !has_history(e))
		return;
	for (__u32 i = 0; i < e->slot_count; i++) {
		is = r->f->slot_memory[e->slot_base + i];
		was = r->before[old->slot_base + (__u64)i * old->slot_count /
							 e->slot_count];
		must(is.backend == was.backend ||
		     (!was.backend && !was.previous) ||
		     is.previous == (was.previous ? was.previous :
						    was.backend),
		     "a slot that changes owner remembers");
	}
}

static void grow(struct run *r, const struct table_sizes *needed)
{
	fake_grow(r->f, (struct fake_sizes){
		needed->services, r->f->t.nr_backends, needed->slots,
		needed->cell_buckets, 0 });
	must(needed->backends <= BACKENDS && needed->slots <= SLOTS,
	     "what is asked for is in proportion");
}

static void apply(struct run *r)
{
	struct service old[SERVICES] = {};
	struct reconcile_result result;
	char text[RECONCILE_TEXT_MAX];
	const struct service *e;
	int err;

	memcpy(r->before, r->f->slot_memory,
	       r->f->t.nr_slots * sizeof(*r->before));
	for (size_t i = 0; i < r->m->nr_services; i++) {
		e = entry_of(r, r->m->services[i]);
		if (e && !(e->flags & SERVICE_VIP))
			old[i] = *e;
	}
	err = reconcile(r->s, r->m, r->now_s, &result, text);
	if (err == -ENOSPC) {
		grow(r, &result.needed);
		err = reconcile(r->s, r->m, r->now_s, &result, text);
	}
	must(!err, "a model that fits is put in force");
	for (size_t i = 0; i < r->m->nr_services; i++)
		check_history(r, &old[i], r->m->services[i]);
	check(r);
}

static bool is_here(const struct run *r, const struct backend *b)
{
	return r->here >> (ntohl(b->addr.word[3]) - HOST) & 1;
}

static void set_here(void *arg, __u32 index, struct backend *b)
{
	b->flags &= ~BACKEND_LOCAL;
	if (is_here(arg, b))
		b->flags |= BACKEND_LOCAL;
}

static void restart(struct run *r)
{
	struct state_host host = { .way = set_here, .arg = r };

	state_free(r->s);
	r->s = NULL;
	must(!state_load(&r->f->t, r->now_s, &r->s, NULL), "restarts");
	state_set_host(r->s, &host);
	/* Who starts anew knows no grace period of what is not in use. */
	memset(r->in_use_s, 0, sizeof(r->in_use_s));
	apply(r);
}

static void toggle_service(struct run *r, int number)
{
	char name[2] = { 'a' + number, 0 };
	struct model_service *svc;

	if (service_named(r, number)) {
		fake_service_remove(r->m, name);
		memset(r->flows[number], 0, sizeof(r->flows[number]));
		return;
	}
	svc = fake_service(r->m, name, VIP + number / 2, 100 + 50 * number,
			   number == 3 ? IPPROTO_UDP : IPPROTO_TCP);
	svc->fronts->port_last += number == 2 ? 20 : 0;
	svc->affinity_s = number == 1 ? 30 : 0;
	svc->idle_s = 20;
}

/* One more front end, of another kind and at a port of its own; or gone. */
static void toggle_front(struct model_service *svc, __u8 byte)
{
	__u32 addr = VIP + 16 + byte % 3;

	for (size_t i = 0; i < svc->nr_fronts; i++)
		if (ntohl(svc->fronts[i].addr.word[3]) == addr) {
			fake_front_remove(svc, i);
			return;
		}
	fake_front(svc, addr, 1000 + svc->name[0])->kind = byte / 4 % 5;
}

static void move_backends(struct run *r, __u8 byte)
{
	struct state_host host = { .way = set_here, .arg = r };

	apply(r);
	r->here = byte | (__u32)byte << 7;
	state_set_host(r->s, &host);
	state_each_backend(r->s, set_here, r);
	reconcile_tick(r->s, ++r->now_s);
	check(r);
}

static void toggle_backend(struct model_service *svc, __u8 byte)
{
	struct addr a = fake_addr4(HOST + byte % HOSTS);

	for (size_t i = 0; i < svc->nr_backends; i++)
		if (!addr_compare(&svc->backends[i].addr, &a)) {
			fake_backend_remove(svc, HOST + byte % HOSTS, 80);
			return;
		}
	fake_backend(svc, HOST + byte % HOSTS, 80, 20 + byte / HOSTS * 4);
}

/* Two bits for each net: denied, allowed, or not named. */
static void set_sources(struct model_service *svc, __u8 bits)
{
	free(svc->sources);
	svc->sources = NULL;
	svc->nr_sources = 0;
	for (int net = 0; net < NETS; net++, bits >>= 2)
		if (bits & 2)
			fake_source(svc, nets[net].text, bits & 1);
}

static void set_by_hand(struct run *r, const struct model_service *svc,
			__u8 byte)
{
	struct addr a = fake_addr4(HOST + byte % HOSTS);
	int err;

	if (byte & 0x80)
		err = state_backend_set_weight(r->s, svc->name, &a, 80,
					       50 * (byte >> 5 & 3), r->now_s);
	else if (byte & 0x40)
		err = state_backend_unset(r->s, svc->name, &a, 80,
					  byte >> 4, r->now_s);
	else
		err = state_backend_set_state(r->s, svc->name, &a, 80,
					      byte & 0x20 ? BACKEND_ACTIVE :
							    BACKEND_DRAIN,
					      r->now_s);
	must(!err || err == -ENOENT || err == -ENOSPC, "set by hand");
}

/* A packet of each connection, or its first one. */
static void send_packets(struct run *r, int number)
{
	struct model_service *svc = service_named(r, number);
	const struct service *e = svc ? entry_of(r, svc) : NULL;

	if (!e || !has_history(e) || e->proto != IPPROTO_TCP)
		return;
	for (int i = 0; i < FLOWS; i++) {
		struct open_flow *open = &r->flows[number][i];
		struct flow flow = fake_flow(&svc->fronts->addr,
					     svc->fronts->port_first,
					     svc->proto, 0xc6336401u + i, i);
		bool is_open = open->service == e->id &&
			       r->now_s - open->seen_s < e->idle_s;
		__u32 backend = fake_packet(r->f, &flow, !is_open, r->now_s);

		must(!is_open || backend == open->backend,
		     "old flows reach the same backend");
		/* Known to conns from an earlier service of this name, whose
		 * backends are about to go: not to be relied on. */
		if (r->f->t.backends[backend].service != e->id)
			backend = 0;
		*open = (struct open_flow){ backend ? e->id : 0, backend,
					    r->now_s };
	}
}

/* Seconds, in which connections go on or do not. */
static void pass(struct run *r, int seconds, bool with_packets)
{
	for (int i = 0; i <= seconds; i++) {
		r->now_s++;
		reconcile_tick(r->s, r->now_s);
		check_reuse(r);
		for (int j = 0; with_packets && i % 8 == 0 && j < SERVICES; j++)
			send_packets(r, j);
	}
}

/* Its weight, and the sets that it is in. */
static void set_backend(struct model_backend *b, __u8 byte)
{
	b->weight = 20 * (byte / 16);
	b->flags = byte / 64 * BACKEND_IN_LOCAL & BACKEND_SET_FLAGS;
}

static void change(struct run *r, __u8 op, __u8 byte)
{
	struct model_service *svc = service_named(r, byte % SERVICES);

	if (op == 0)
		toggle_service(r, byte % SERVICES);
	else if (!svc)
		return;
	else if (op == 1 || op == 2)
		toggle_backend(svc, next(r));
	else if (op == 3 && svc->nr_backends)
		set_backend(&svc->backends[byte / 4 % svc->nr_backends], byte);
	else if (op == 4) {
		svc->algorithm = byte / 4 % 3;
		set_sources(svc, byte >> 4);
	} else if (op == 5 && byte / 4 % 8 == 0) {
		svc->forward = svc->forward ? FORWARD_NAT : FORWARD_GUE;
		memset(r->flows[byte % SERVICES], 0, sizeof(r->flows[0]));
	} else if (op == 6)
		set_by_hand(r, svc, next(r));
	else if (op == 7)
		toggle_front(svc, next(r));
}

static void step(struct run *r)
{
	__u8 op = next(r), byte = next(r);

	switch (op % 14) {
	case 7:
		restart(r);
		return;
	case 8:
		pass(r, byte % 64, byte >= 64);
		return;
	case 9:
	case 10:
		send_packets(r, byte % SERVICES);
		return;
	case 11:
		change(r, next(r) % 8, byte);
		return;
	case 12:
		move_backends(r, byte);
		return;
	default:
		change(r, op % 14 == 13 ? 7 : op % 14, byte);
		apply(r);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct run r;

	r = (struct run){ .now_s = 100, .data = data, .end = data + size };
	r.f = fake_new((struct fake_sizes){ 8, BACKENDS, 2048, 2, 256 });
	r.m = model_new();
	if (!r.m || state_load(&r.f->t, r.now_s, &r.s, NULL))
		abort();
	for (int steps = 0; r.data < r.end && steps < 200; steps++)
		step(&r);
	state_free(r.s);
	model_free(r.m);
	fake_free(r.f);
	return 0;
}

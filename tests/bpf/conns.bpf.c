// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The table of connections by itself: what fl_xdp and its programs do with it,
 * driven by a script instead of packets, as fast as a CPU can. conns_test.c
 * fills the script and looks at what is in the table afterwards.
 */
#include <stdbool.h>
#include <stddef.h>

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "lib/nat.h"

#include "conns.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, STEPS_MAX);
	__type(key, __u32);
	__type(value, struct step);
} steps SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, CPUS);
	__type(key, __u32);
	__type(value, struct script);
} scripts SEC(".maps");

static __always_inline struct script *script_get(void)
{
	__u32 cpu = bpf_get_smp_processor_id() % CPUS;

	return bpf_map_lookup_elem(&scripts, &cpu);
}

static __always_inline enum result result_of(int why)
{
	switch (why) {
	case REASON_NONE:
		return RESULT_DONE;
	case REASON_NO_ROOM:
		return RESULT_NO_ROOM;
	case REASON_NO_PORT:
		return RESULT_NO_PORT;
	default:
		return RESULT_OTHER;
	}
}

static __always_inline enum result open(struct scratch *s)
{
	const __u32 entry = 1;
	const struct service *svc = bpf_map_lookup_elem(&services, &entry);

	if (nat_of_client(&s->pkt, s))
		return RESULT_KNOWN;
	s->pkt.from.link = 1;
	return svc ? result_of(nat_open(&s->pkt, svc, ORIGIN_ELSEWHERE)) :
		     RESULT_OTHER;
}

static __always_inline enum result drop(struct scratch *s)
{
	struct conn_ref r = conn_find(&s->pkt.flow, s->pkt.hash);

	return r.head && conn_drop(r.position, r.word) ? RESULT_DONE :
							 RESULT_MISSING;
}

/* A packet of the step's flow. */
static __always_inline void packet_of(const struct step *step, struct pkt *p)
{
	p->flow = step->flow;
	p->number = step->number;
	p->offers = step->kind == STEP_REPLY && step->number;
	p->opens = step->kind == STEP_OPEN;
	p->closes = step->kind == STEP_CLIENT_FIN ||
		    step->kind == STEP_REPLY_FIN;
	p->tcp_flags = p->closes;	/* FIN is the first of them */
	p->is_error = 0;
	p->unrecorded = 0;
	p->dst_sum = hash_dst(hash_key, &p->flow.dst);
	p->hash = flow_hash(hash_key, p->dst_sum, &p->flow);
}

static __always_inline enum result step_do(struct script *script, __u32 idx)
{
	struct step *step = bpf_map_lookup_elem(&steps, &idx);
	__u32 kind;
	struct scratch *s = map_only(scratch);

	if (!step || !s)
		return RESULT_OTHER;
	packet_of(step, &s->pkt);
	kind = step->kind;
	if (kind == STEP_CLIENT_FIN || kind == STEP_REPLY_FIN)
		step->kind = STEP_NONE;
	switch (kind) {
	case STEP_OPEN:
		return open(s);
	case STEP_CLIENT:
	case STEP_CLIENT_FIN:
		return nat_of_client(&s->pkt, s) ? RESULT_DONE :
						   RESULT_MISSING;
	case STEP_REPLY:
	case STEP_REPLY_FIN:
		return nat_of_reply(&s->pkt, &s->nat) ? RESULT_DONE :
							RESULT_MISSING;
	case STEP_NONE:
		return RESULT_DONE;
	default:
		return drop(s);
	}
}

static __always_inline int run(struct script *script, __u32 number)
{
	enum result result = step_do(script, script->base +
					     (number & script->mask));

	if (result < NR_RESULTS)
		script->results[result]++;
	return XDP_DROP;
}

/* One step after the other. */
SEC("xdp")
int conns_in_a_row(struct xdp_md *ctx)
{
	struct script *script = script_get();

	return script ? run(script, script->next++) : XDP_ABORTED;
}

/* Any; and what is known may end instead. */
SEC("xdp")
int conns_at_random(struct xdp_md *ctx)
{
	struct script *script = script_get();
	__u32 number = bpf_get_prandom_u32();
	struct scratch *s = map_only(scratch);

	if (!script || !s)
		return XDP_ABORTED;
	run(script, number);
	if (number >> 30 == 3 && s->pkt.opens)
		drop(s);
	return XDP_DROP;
}

/* All CPUs the same in the same microsecond. */
SEC("xdp")
int conns_at_once(struct xdp_md *ctx)
{
	struct script *script = script_get();

	return script ? run(script, bpf_ktime_get_ns() >> 10) : XDP_ABORTED;
}

char _license[] SEC("license") = "Dual BSD/GPL";

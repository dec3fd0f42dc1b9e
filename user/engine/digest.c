// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A hash of a definition, which tells whether it is the one that is in force:
 * see plan.h.
 */
#include <netinet/in.h>
#include <string.h>

#include <fairlead/hash.h>

#include "model/service_field.h"
#include "plan.h"

static __u64 digest_word(__u64 digest, __u64 word)
{
	return hash_mix(digest ^ word) + 0x9e3779b97f4a7c15ull;
}

static __u64 digest_addr(__u64 digest, const struct addr *addr)
{
	__u64 words[2];

	memcpy(words, addr, sizeof(words));
	return digest_word(digest_word(digest, words[0]), words[1]);
}

static __u64 digest_fronts(__u64 digest, const struct model_service *def)
{
	const struct model_front *f, *end = def->fronts + def->nr_fronts;

	for (f = def->fronts; f < end; f++) {
		digest = digest_addr(digest, &f->addr);
		digest = digest_word(digest, (__u64)f->port_first << 48 |
				     (__u64)f->port_last << 32 |
				     (__u32)f->prefix_len << 24 |
				     f->kind << 16 | f->flags);
		digest = digest_word(digest, f->tunnel << 1 | f->open);
	}
	return digest;
}

/* Of everything that the tables hold of a definition by itself. Never 0. */
static __u64 definition_digest(const struct model_service *def)
{
	const struct model_backend *b, *end = def->backends + def->nr_backends;
	__u64 digest = digest_fronts(def->nr_backends, def);

#define X(name, key, field, text) digest = digest_word(digest, def->field);
	SERVICE_FIELDS(X)
#undef X
	digest = digest_word(digest, admission_digest(def->sources,
						      def->nr_sources));
	for (b = def->backends; b < end; b++) {
		digest = digest_addr(digest, &b->addr);
		digest = digest_word(digest,
				     (__u64)b->port << 32 | b->flags << 24 |
					     b->weight << 8 | b->state);
	}
	return digest | 1;
}

/*
 * And of the node's idle time: equal digests save a comparison with entries
 * that are all over the memory. A definition that models share is not read
 * again, its backends are as far away. Never 0.
 */
__u64 service_digest(struct model_service *def, __u32 idle_s)
{
	__u64 digest = def->users ? def->digest : 0;

	if (!digest)
		digest = def->digest = definition_digest(def);
	return digest_word(digest, idle_s) | 1;
}

__u32 service_idle(const struct model *m, const struct model_service *def)
{
	if (def->idle_s)
		return def->idle_s;
	switch (def->proto) {
	case IPPROTO_UDP:
		return m->idle_udp_s;
	case IPPROTO_SCTP:
		return m->idle_sctp_s;
	default:
		return m->idle_tcp_s;
	}
}

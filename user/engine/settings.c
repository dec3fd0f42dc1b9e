// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See settings.h. */
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "books.h"
#include "settings.h"

/* Fields that struct model and struct runtime have alike. */
#define RUNTIME_FIELDS(X)						\
	X(tunnel4) X(tunnel6) X(tunnel4_bits) X(tunnel6_bits)		\
	X(nat_port_first) X(nat_port_last)				\
	X(gue_port) X(geneve_port) X(geneve_vni)			\
	X(syn_s) X(half_closed_s) X(closing_s) X(fragment_s)		\
	X(answers_per_s) X(answers_network_per_s)

/* The settings that these are of. */
static const enum setting runtime_settings[] = {
	SETTING_TUNNEL_SOURCE, SETTING_NAT_PORTS, SETTING_GUE_PORT,
	SETTING_GENEVE_PORT, SETTING_GENEVE_VNI, SETTING_SYN,
	SETTING_HALF_CLOSED, SETTING_CLOSING, SETTING_FRAGMENT,
	SETTING_ANSWERS, SETTING_ANSWERS_NETWORK,
};

/* What a source has not said yet stays as it is in force. */
static void node_write(struct runtime *rt, const struct model *m)
{
	rt->pods_by_interface = m->detect_local == DETECT_BRIDGE ||
				m->detect_local == DETECT_INTERFACES;
	if (m->pods4.is_set || !m->is_partial) {
		rt->pods4_len = m->pods4.is_set ? m->pods4.len : 0;
		rt->pods4 = m->pods4.addr;
	}
	if (m->pods6.is_set || !m->is_partial) {
		rt->pods6_len = m->pods6.is_set ? m->pods6.len : 0;
		rt->pods6 = m->pods6.addr;
	}
	if (!addr_is_zero(&m->node4) || !m->is_partial)
		rt->node4 = m->node4;
	if (!addr_is_zero(&m->node6) || !m->is_partial)
		rt->node6 = m->node6;
}

void settings_write(struct tables *t, const struct model *m)
{
	struct runtime want = *t->runtime;

#define X(field) want.field = m->field;
	RUNTIME_FIELDS(X)
#undef X
	node_write(&want, m);
	if (m->nr_services || m->is_partial)	/* else NAT gives none away */
		filter_ports(t, m->nat_port_first, m->nat_port_last);
	if (memcmp(t->runtime, &want, sizeof(want)))
		*t->runtime = want;
}

static int compare_addrs(const void *a, const void *b)
{
	return addr_compare(a, b);
}

/* Of one family, sorted; a table has more of them than a model can. */
static void picked_addrs(const struct tables *t, const __u8 *picks, __u32 count,
			 struct addr *list, size_t *ret_count)
{
	*ret_count = count < MODEL_NAT_ADDRS_MAX ? count : MODEL_NAT_ADDRS_MAX;
	for (size_t i = 0; i < *ret_count; i++)
		list[i] = t->nat_addrs[picks[i] % (2 * NAT_ADDRS_MAX + 1)];
	qsort(list, *ret_count, sizeof(*list), compare_addrs);
}

/* Of a family of which a model names none, the interfaces' own are taken:
 * those in force are as good as any. */
static unsigned int nat_addrs_diff(const struct tables *t,
				   const struct model *m, FILE *out)
{
	struct model old = {}, new = *m;

	if (m->nr_nat4)
		picked_addrs(t, t->runtime->nat_pick4, t->runtime->nat_addrs4,
			     old.nat4, &old.nr_nat4);
	if (m->nr_nat6)
		picked_addrs(t, t->runtime->nat_pick6, t->runtime->nat_addrs6,
			     old.nat6, &old.nr_nat6);
	qsort(new.nat4, new.nr_nat4, sizeof(*new.nat4), compare_addrs);
	qsort(new.nat6, new.nr_nat6, sizeof(*new.nat6), compare_addrs);
	return setting_diff(SETTING_NAT_ADDRESSES, &old, &new, out);
}

/* A key that nobody wrote is as good as any; what it is, is nobody's to see. */
static unsigned int hash_key_diff(const struct tables *t,
				  const struct model *m, FILE *out)
{
	if (!m->has_hash_key ||
	    !memcmp(t->hash_key, m->hash_key, sizeof(m->hash_key)))
		return 0;
	fprintf(out, "~ setting %s: another one, which needs \"fairlead cleanup\" first\n",
		setting_name(SETTING_HASH_KEY));
	return 1;
}

unsigned int settings_diff(const struct tables *t, const struct model *m,
			   FILE *out)
{
	struct model old = {};
	unsigned int count;

	if (!t->runtime->nat_port_last)
		return 0;	/* nothing was ever in force */
	count = hash_key_diff(t, m, out);
#define X(field) old.field = t->runtime->field;
	RUNTIME_FIELDS(X)
#undef X
	count += nat_addrs_diff(t, m, out);
	for (size_t i = 0; i < sizeof(runtime_settings) /
				       sizeof(*runtime_settings); i++)
		count += setting_diff(runtime_settings[i], &old, m, out);
	return count;
}

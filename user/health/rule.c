// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See rule.h. */
#include "rule.h"

static __u8 said_of(const struct model_health *h, const struct rule_member *m,
		    bool is_one_up, bool are_all_down)
{
	if (m->verdict == CHECK_UNKNOWN)
		return is_one_up ? BACKEND_DRAIN : 0;
	if (m->verdict == CHECK_UP ||
	    (are_all_down && h->all_down == ALL_DOWN_KEEP))
		return 0;
	return h->on_down == ON_DOWN_LEAVE ? BACKEND_DRAIN : BACKEND_DOWN;
}

void rule_find(const struct model_health *h, struct rule_member *list,
	       size_t count, struct rule_found *ret)
{
	const struct rule_member *end = list + count;
	__u64 weight = 0;
	bool is_one_up = false;

	*ret = (struct rule_found){};
	for (struct rule_member *m = list; m < end; m++) {
		ret->up += m->verdict == CHECK_UP;
		ret->down += m->verdict == CHECK_DOWN;
		ret->unknown += m->verdict == CHECK_UNKNOWN;
		is_one_up |= m->verdict == CHECK_UP && m->weight;
		weight += m->verdict == CHECK_UP ? m->weight : 0;
	}
	for (struct rule_member *m = list; m < end; m++)
		m->said = said_of(h, m, is_one_up, ret->down == count);
	ret->works = weight >= (h->minimum ?: 1);
	ret->is_known = !ret->unknown;
}

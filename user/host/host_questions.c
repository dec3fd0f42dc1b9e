// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What only the kernel can say (RTM_GETROUTE): where packets go when rules or
 * nexthop objects decide, and which source they have when no route names one.
 * Each answer is kept, and is asked for anew when something that it may depend
 * on has changed; until then the old one holds. nexthop.c does the asking.
 */
#include <stdlib.h>

#include <linux/rtnetlink.h>

#include "base/addr.h"
#include "base/netlink.h"
#include "host_private.h"

static bool question_is(const struct question *q, const struct question *like)
{
	return q->node.hash == like->node.hash && q->kind == like->kind &&
	       q->oif == like->oif && !addr_compare(&q->key, &like->key);
}

static struct question *question_get(struct host *h, enum question_kind kind,
				     const struct addr *key, __u32 oif)
{
	const struct question like = {
		.node.hash = hash_of(h, key, oif * 2 + kind),
		.kind = kind, .key = *key, .oif = oif,
	};
	struct node *node = *table_bucket(&h->questions, like.node.hash);
	struct question *q;

	for (; node; node = node->next) {
		if (question_is((struct question *)node, &like))
			return (struct question *)node;
	}
	q = malloc(sizeof(*q));
	if (!q)
		return NULL;
	*q = like;
	table_add(&h->questions, &q->node);
	return q;
}

static void enqueue(struct host *h, struct question *q)
{
	if (q->is_queued)
		return;
	q->is_queued = true;
	q->next_queued = NULL;
	if (h->last_question)
		h->last_question->next_queued = q;
	else
		h->first_question = q;
	h->last_question = q;
}

struct question *host_next_question(struct host *h)
{
	struct question *q = h->first_question;

	if (!q)
		return NULL;
	h->first_question = q->next_queued;
	if (!h->first_question)
		h->last_question = NULL;
	q->is_queued = false;
	q->asked = h->revision;
	return q;
}

bool host_has_questions(const struct host *h)
{
	return h->first_question;
}

const struct question *host_question(struct host *h, enum question_kind kind,
				     const struct addr *key,
				     const struct addr *dst, __u32 oif)
{
	struct question *q = question_get(h, kind, key, oif);

	if (!q)
		return NULL;
	if (!q->is_known || q->revision != h->revision) {
		q->dst = *dst;
		enqueue(h, q);
	}
	q->answer = h->answer;
	return q;
}

static bool is_same(const struct question *a, const struct question *b)
{
	return a->is_known == b->is_known && a->result == b->result &&
	       a->hop.ifindex == b->hop.ifindex &&
	       a->hop.has_via == b->hop.has_via &&
	       !addr_compare(&a->hop.via, &b->hop.via) &&
	       !addr_compare(&a->hop.source, &b->hop.source);
}

void host_question_told(struct host *h, struct question *q,
			const struct nlmsghdr *m, const bool is_awaited)
{
	const struct question before = *q;

	q->hop = (struct hop){};
	q->result = m ? host_route_told(m, &q->hop) : ROUTE_NONE;
	q->is_known = true;
	q->revision = q->asked;
	if ((before.is_known || is_awaited) && !is_same(&before, q))
		h->is_changed = true;
}

static void forget_unused(struct host *h, struct node *node)
{
	struct question *q = (struct question *)node;

	if (q->answer != h->answer && !q->is_queued)
		table_remove(&h->questions, node);
}

void host_forget_questions(struct host *h)
{
	table_each(h, &h->questions, forget_unused);
}

void question_put(const struct question *q, struct nlmsghdr *m)
{
	const bool is4 = addr_is4(&q->dst);
	struct rtmsg *header = mnl_nlmsg_put_extra_header(m, sizeof(*header));

	m->nlmsg_type = RTM_GETROUTE;
	header->rtm_family = is4 ? AF_INET : AF_INET6;
	header->rtm_dst_len = is4 ? 32 : 128;
	netlink_put_addr(m, RTA_DST, &q->dst);
	if (q->oif)
		mnl_attr_put_u32(m, RTA_OIF, q->oif);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which checks there are to be, by the model in force; what `fairlead: health`
 * says of them; and what follows from it for backends. The same check of the
 * same server is made once, whoever asks for it.
 */
#ifndef FAIRLEAD_CHECKING_H
#define FAIRLEAD_CHECKING_H

#include <jansson.h>
#include <stdbool.h>

#include "base/loop.h"
#include "health/health.h"
#include "health/rule.h"
#include "kept_verdicts.h"
#include "model/model.h"
#include "parts.h"
#include "refusal.h"

struct child;
struct spawner;

#define CHECKING_CHAINS 4096

/* A check that is made. */
struct checked {
	struct checked *next;	/* of its chain */
	__u64 key;		/* digest, and how often */
	__u64 digest;		/* probe_spec_digest() */
	struct health_order order;	/* its texts owned */
	struct health_result last;
	__s64 since_s;		/* CLOCK_REALTIME, of the verdict; 0: none */
	__u64 results[PROBE_NO_RESULT + 1];
	bool is_wanted;		/* somebody asks for it */
	bool is_told;
};

/* A backend that is checked. */
struct checked_backend {
	struct addr addr;
	__u16 port;		/* host order */
	__u16 weight;		/* 0: defined as drained, too */
	__u8 verdict, said;	/* see rule.h */
	__u64 changes;		/* of its verdict */
	struct checked **checks;	/* [of its service]; owned */
};

struct checked_service {
	char *name;		/* owned */
	struct model_health health;	/* its checks are not there */
	size_t nr_checks;
	struct checked_backend *backends;	/* sorted; owned */
	size_t nr_backends;
	struct rule_found found;
};

struct checking {
	const struct parts *parts;
	struct loop *loop;	/* NULL: not started */
	struct spawner *spawner;
	struct child *child;	/* NULL: nothing is checked */
	struct checked *chains[CHECKING_CHAINS];
	struct checked **by_id;	/* [HEALTH_CHECKS_MAX], owned */
	size_t nr_checks;
	__u32 last_id;
	struct checked_service *services;	/* sorted; owned */
	size_t nr_services;
	__u64 alive_ms;		/* when the process last said so; 0: never */
	__u64 results[PROBE_NO_RESULT + 1];	/* of all checks */
	bool is_news;		/* results came, on which nobody acted */
	bool has_looked;	/* at all that is in the tables */
	const char *kept_path;	/* outlives it; NULL: nothing is kept */
	struct kept_verdicts kept;	/* as read at the start */
	__u64 written_s;	/* CLOCK_BOOTTIME */
	struct refusal down;	/* what is not well, for `status` */
};

/* Before all else: verdicts are kept at path. Logs. */
void checking_keep(struct checking *c, const char *path);
/* m is about to come into force, or was and is so again. */
void checking_begin(struct checking *c, const struct model *m);
/* It is in force. */
void checking_settle(struct checking *c);
/* From now on; spawner stays the caller's. */
void checking_start(struct checking *c, struct loop *l,
		    struct spawner *spawner);
void checking_stop(struct checking *c);
/* Once a second. */
void checking_tick(struct checking *c);

/*
 * For who announces a service's addresses: does it work, which is: as much
 * weight is up as "minimum" says; and has each of its backends had its first
 * verdict (with the health process gone, the last ones stand)? False: service
 * has no checks, so that nothing is known of it.
 */
bool checking_find(const struct checking *c, const char *service,
		   bool *ret_works, bool *ret_is_known);

/* {"backends": [{"service", "backend", "health", "since", "why"} ...]}. */
json_t *checking_json(const struct checking *c);

#endif

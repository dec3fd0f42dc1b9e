/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Verdicts that outlive the daemon, in a file below /run: by the digest of the
 * question and its target, so that a check which is another one now starts
 * afresh. What is too old counts for nothing.
 */
#ifndef FAIRLEAD_KEPT_VERDICTS_H
#define FAIRLEAD_KEPT_VERDICTS_H

#include <stddef.h>

#include <linux/types.h>

#include "health/health.h"

#define KEPT_VERDICTS_MAX_AGE_S 600

struct kept_verdict {
	__u64 digest;
	__s64 since_s;		/* CLOCK_REALTIME */
	__u8 state;		/* enum check_state */
	__u8 flaps;
	__u8 pad[6];
	char why[HEALTH_WHY_MAX];
};

struct kept_verdicts {
	struct kept_verdict *list;	/* sorted by digest; owned */
	size_t count;
};

/* now_s: CLOCK_BOOTTIME. -ENOENT, -ESTALE: it is too old; -EBADMSG: it is no
 * such file. Then there are none. */
int kept_verdicts_read(const char *path, __u64 now_s,
		       struct kept_verdicts *ret);
/* In place of what was there; the list is sorted by that. -errno. */
int kept_verdicts_write(const char *path, __u64 now_s,
			struct kept_verdicts *k);
const struct kept_verdict *kept_verdicts_find(const struct kept_verdicts *k,
					      __u64 digest);
void kept_verdicts_clear(struct kept_verdicts *k);

#endif

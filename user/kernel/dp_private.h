/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the dp*.c files share; nobody else includes it. */
#ifndef FAIRLEAD_DP_PRIVATE_H
#define FAIRLEAD_DP_PRIVATE_H

#include "dp.h"
#include "fairlead.skel.h"

/* A map, or a piece of it, that is mapped for now. */
struct dp_memory {
	void *at;			/* NULL: not */
	size_t len;
};

struct dp {
	struct tables tables;		/* first: tables callbacks get it */
	struct fairlead_bpf *skel;	/* NULL: a view */
	int fd[NR_TABLES];
	struct dp_memory memory[NR_TABLES];
	__u32 hash_key[16];
	__u64 hz;
	__u64 jiffies_start;
	int nr_cpus;
	int old_counters;		/* of fewer reasons; -1: none */
	struct fragments *fragments;
	char root[128];			/* of all pins */
	char dir[160];			/* of this ABI's; empty: unpinned */
	unsigned int generation;	/* of pinned tables, in force; 0: none */
	unsigned int next_generation;	/* that waits for dp_switch(); 0: none */
	int lock_fd;			/* of root; -1: none */
};

#define DP_PATH_MAX 256

/* dp_maps.c */
int dp_map_fill_tables(struct dp *dp);	/* from fd[]; maps memory */
void dp_map_release(struct dp *dp);
int dp_map_entries(int fd, __u32 *ret);

/* dp_link.c */
int dp_link_replace_all(struct dp *dp);	/* programs of all pinned links */

/* dp_programs.c: the datapath's programs. The array of those that call one
 * another is filled after load, and pinned with the tables before links lead
 * to them. */
void dp_programs_choose(struct fairlead_bpf *skel);	/* before load */
int dp_programs_fill(struct fairlead_bpf *skel);

/* dp_tc.c: of a pinned link, whatever it is of. */
__u32 dp_link_ifindex(int link);	/* 0: of none */
int dp_link_update(const char *pin, int prog);

/* dp_tc.c: a program of tc, at one place. */
struct dp_tc {
	__u32 ifindex;
	int point;			/* COMPAT_TCX_* */
	char link[DP_PATH_MAX];		/* pin of a tcx link, or */
	char filter[DP_PATH_MAX];	/* of the program in a clsact filter */
};

/* Names of pins, before the index of the interface. */
#define DP_TCX_PREFIX "link_tcx_"
#define DP_CLSACT_IN_PREFIX "clsact_in_"
#define DP_CLSACT_OUT_PREFIX "clsact_out_"

/* None of them logs. -ENOENT: nothing of ours is there. */
void dp_tc_place(const char *dir, __u32 ifindex, int point, struct dp_tc *ret);
int dp_tc_attach(const struct dp_tc *at, int prog);	/* or replace */
int dp_tc_replace(const struct dp_tc *at, int prog);
int dp_tc_detach(const struct dp_tc *at);
bool dp_tc_is_attached(const struct dp_tc *at, enum dp_mechanism *ret);
/* If the pin at path stands for a filter, remove the filter. */
int dp_tc_release(const char *path);

/* dp_xdp.c: a program of XDP, on one interface. */
struct dp_xdp {
	__u32 ifindex;
	unsigned int priority;		/* in a dispatcher; low comes first */
	char link[DP_PATH_MAX];		/* pin of a link, or */
	char entry[DP_PATH_MAX];	/* of what a component calls into */
};

#define DP_XDP_PREFIX "link_xdp_"
#define DP_XDP_ENTRY_PREFIX "xdp_entry_"

/* libxdp's default. Decapsulation comes after it: what a tunnel brought has
 * been balanced already. */
#define DP_XDP_PRIORITY 50
#define DP_XDP_PRIORITY_DECAP 60

/* Before the program is loaded. */
void dp_xdp_prepare(struct bpf_program *prog);
/* As dp_tc_*. */
void dp_xdp_place(const char *dir, __u32 ifindex, struct dp_xdp *ret);
int dp_xdp_attach(const struct dp_xdp *at, int prog);
int dp_xdp_replace(const struct dp_xdp *at, int prog);
int dp_xdp_detach(const struct dp_xdp *at);
bool dp_xdp_is_attached(const struct dp_xdp *at, enum dp_mechanism *ret);
int dp_xdp_release(const char *path);

/* dp_dispatcher.c, for dp_xdp.c. -EOPNOTSUPP: no dispatcher can be had;
 * -EBUSY: a program without a dispatcher is there. leave() keeps the pin. */
int dp_dispatcher_attach(const struct dp_xdp *at, int prog);
int dp_dispatcher_replace(const struct dp_xdp *at, int prog);
int dp_dispatcher_leave(const struct dp_xdp *at);
bool dp_dispatcher_has(const struct dp_xdp *at, enum dp_mechanism *ret);

/* dp_clock.c: jiffies per second, and jiffies when the clock was 0. */
int dp_clock(__u64 *ret_hz, __u64 *ret_start);

/* dp_fragments.c */
void fragments_free(struct fragments *f);

/* dp_pin.c: make dir, on a bpffs, which is mounted if need be. Logs. */
int dp_bpffs_ensure(const char *dir);
/* A pin where one may be already, without a moment in which none is. */
int dp_pin_over(int fd, const char *path);
/* A descriptor that holds the lock of root while it is open; -EBUSY: somebody
 * else does. Not logged. */
int dp_pin_lock(const char *root);
/* Lock the pins and find the generation in force. Logs. */
int dp_pin_open(struct dp *dp);
/* A table of the generation in force; -ENOENT, not logged: it is not there. */
int dp_pin_get(const struct dp *dp, enum table_id id);
int dp_pin_get_all(struct dp *dp);	/* into dp->fd; without a lock */
/* Pin a new generation; make it the one in force; remove all others, when no
 * program needs them. They log. */
int dp_pin_tables(const struct dp *dp, const int fd[static NR_TABLES],
		  unsigned int *ret);
int dp_pin_switch(struct dp *dp, unsigned int generation);
void dp_pin_sweep(const struct dp *dp);

#endif

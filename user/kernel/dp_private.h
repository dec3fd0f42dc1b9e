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
	size_t off;			/* in the map */
	size_t end;			/* of a window: in the map, */
	size_t entry;			/* and bytes of an entry */
};

struct dp {
	struct tables tables;		/* first: tables callbacks get it */
	struct fairlead_bpf *skel;	/* NULL: a view */
	struct fairlead_bpf *older;	/* whose connections skel's table is to
					 * take over; NULL: none */
	bool is_resumed;		/* of a daemon that died at that */
	bool is_shadow;			/* attaches nothing, and says it has */
	int fd[NR_TABLES];
	struct dp_memory memory[NR_TABLES];
	__u32 hash_key[16];
	__u64 hz;
	__u64 jiffies_start;
	int nr_cpus;
	int old_counters;		/* of fewer reasons; -1: none */
	__u32 takeover_until_s;		/* 0: none */
	struct fragments *fragments;
	struct dp_events *events;
	struct dp_errors errors;
	char root[128];			/* of all pins */
	char dir[160];			/* of this ABI's; empty: unpinned */
	unsigned int generation;	/* of pinned tables in force; 0: none */
	unsigned int next_generation;	/* waits for dp_switch(); 0: none */
	int lock_fd;			/* of root; -1: none */
	int cgroup_fd;			/* see dp_cgroup_open(); -1: none */
};

#define DP_PATH_MAX 256

/* dp_maps.c */
int dp_map_fill_tables(struct dp *dp);	/* from fd[]; maps memory */
void dp_map_release(struct dp *dp);
int dp_map_entries(int fd, __u32 *ret);

/* dp_link.c */
int dp_link_replace_all(struct dp *dp);	/* programs of all pinned links */
bool dp_link_has_any(const struct dp *dp);	/* is one pinned? */

/* dp_programs.c: the datapath's programs. The array of those that call one
 * another is filled after load, and pinned with the tables before links lead
 * to them. */
void dp_programs_choose(struct fairlead_bpf *skel);	/* before load */
int dp_programs_fill(struct fairlead_bpf *skel);
/* What skel's programs do not know, older's are asked; or nobody is. */
int dp_programs_ask(struct fairlead_bpf *skel, struct fairlead_bpf *older);
int dp_programs_ask_nobody(struct fairlead_bpf *skel);
/* What older's programs do not know either, skel's record. */
int dp_programs_hand_over(struct fairlead_bpf *older,
			  struct fairlead_bpf *skel);

/* dp_takeover.c: for skel's programs, until dp->takeover_until_s. */
int dp_takeover_put(const struct dp *dp, const struct fairlead_bpf *skel);

/* dp_move.c: all connections of dp->older's table into dp's, while traffic
 * goes by both. Logs. */
int dp_move_conns(struct dp *dp);
/* What a daemon that died has left to be moved: before dp_switch(). Logs. */
int dp_move_resume(struct dp *dp);

struct dp_kind;

/* dp_hook.c */
struct dp_hook_row {
	const char *program;
	const struct dp_kind *kind;
	int point;			/* COMPAT_TCX_*; enum bpf_attach_type */
	unsigned int rank;		/* among others there; low is first */
	enum dp_need need;
};

extern const struct dp_hook_row dp_hook_rows[NR_DP_HOOKS];

/* A hook of one interface, and the pins that say that it is attached. */
struct dp_point {
	const struct dp_hook_row *hook;
	__u32 ifindex;
	int cgroup;			/* descriptor to attach to; -1: none */
	char link[DP_PATH_MAX];		/* of a link, or */
	char other[DP_PATH_MAX];	/* of what stands for it, by kind */
};

void dp_point_at(const char *dir, enum dp_hook hook, __u32 ifindex,
		 struct dp_point *ret);
bool dp_point_of_pin(const char *dir, const char *name, struct dp_point *ret);
bool dp_point_of_abi1(const char *dir, const char *name, struct dp_point *ret);

/* How programs of a kind are attached. None of these logs; -ENOENT: nothing of
 * ours is there. */
struct dp_kind {
	const char *other;		/* in the name of the other pin */
	int (*attach)(const struct dp_point *at, int prog); /* or replace */
	int (*replace)(const struct dp_point *at, int prog);
	int (*detach)(const struct dp_point *at);
	bool (*is_attached)(const struct dp_point *at, enum dp_mechanism *ret);
};

/* dp_xdp.c, dp_tc.c, dp_cgroup.c */
extern const struct dp_kind dp_kind_xdp, dp_kind_tc, dp_kind_cgroup;

void dp_xdp_prepare(struct bpf_program *prog);	/* before it is loaded */

/* dp_link.c: of a pinned link, whatever it is of. */
__u32 dp_link_ifindex(int link);	/* or for a cgroup; 0: of none */
int dp_link_update(const char *pin, int prog);
int dp_link_remove(const char *pin);

/* dp_dispatcher.c, for dp_xdp.c. -EOPNOTSUPP: no dispatcher can be had;
 * -EBUSY: a program without a dispatcher is there. leave() keeps the pin. */
int dp_dispatcher_attach(const struct dp_point *at, int prog);
int dp_dispatcher_replace(const struct dp_point *at, int prog);
int dp_dispatcher_leave(const struct dp_point *at);
bool dp_dispatcher_has(const struct dp_point *at, enum dp_mechanism *ret);


/* dp_events.c */
void dp_events_free(struct dp_events *e);

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
/* Say that the connections of the tables in force are on their way into those
 * of a generation, until that is the one in force; which one it is (0:
 * none). */
int dp_pin_moving(const struct dp *dp, unsigned int generation);
unsigned int dp_pin_moving_to(const struct dp *dp);
/* As dp_pin_get(), of any generation. */
int dp_pin_get_from(const struct dp *dp, unsigned int generation,
		    enum table_id id);

/* dp.c: larger tables in place of dp's; conns, replies: file descriptors of
 * those that a dead daemon has begun to fill, or -1. Logs. */
int dp_grow_into(struct dp *dp, const struct table_sizes *sizes, int conns,
		 int replies);

#endif

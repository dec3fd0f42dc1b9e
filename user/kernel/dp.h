/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The datapath as user/ sees it: programs, links and maps in the kernel.
 * dp*.c and compat.c are the only files that know libbpf and the skeleton.
 *
 * Functions return 0 or a negative errno, touch *ret only on success, and
 * log the cause of a failure (log_error) once, unless they say otherwise.
 */
#ifndef FAIRLEAD_DP_H
#define FAIRLEAD_DP_H

#include <stdbool.h>
#include <stddef.h>

#include <fairlead/config.h>
#include <fairlead/reasons.h>
#include <fairlead/types.h>

#include "model/tables.h"

#define DP_PIN_ROOT "/sys/fs/bpf/fairlead"

struct dp;

/* The file descriptor of a program, e.g. "fl_xdp", for BPF_PROG_TEST_RUN;
 * -ENOENT: none of that name is loaded. */
int dp_program_fd(const struct dp *dp, const char *name);

struct dp_opts {
	struct table_sizes sizes;	/* of what is not pinned yet */
	bool has_hash_key;	/* else: the pinned one, else a random one */
	__u32 hash_key[16];
	const char *pin_root;	/* NULL: DP_PIN_ROOT; tests have their own */
	bool unpinned;		/* tests: pin and adopt nothing */
	bool is_shadow;		/* what dp_attach() is asked for, is not done */
};

/*
 * Adopt what is pinned, or load the programs and create the maps, and pin
 * them. Programs that are pinned but differ from ours are replaced through
 * their links, atomically; maps and their contents stay. -EEXIST: a pinned
 * hash key differs from the wanted one; -EPROTO: what is pinned has another
 * layout (either needs `fairlead cleanup` first); -EBUSY: another daemon works
 * on these pins, which are locked until dp_close(), or a shadow was asked for
 * and something is attached.
 */
int dp_open(const struct dp_opts *opts, struct dp **ret);

/* The pinned maps of a datapath that may have no daemon: for reading
 * commands. -ENOENT, not logged: nothing is pinned; -EACCES:
 * others than root may not look. */
int dp_view(const char *pin_root, struct dp **ret);

void dp_close(struct dp *dp);	/* traffic goes on; NULL is fine */
void dp_closep(struct dp **dp);

struct tables *dp_tables(struct dp *dp);

/*
 * Larger tables, as each one's row in tables.h says: new maps with the old
 * contents, or empty (state_resize() places cells), or the same ones. Sizes
 * never shrink: a smaller one is the present one. dp_tables() is filled anew
 * and pointers into it are invalid. Traffic goes by the old tables until
 * dp_switch() hands it over, atomically, through the links.
 */
int dp_grow(struct dp *dp, const struct table_sizes *sizes);
int dp_switch(struct dp *dp);

/* Larger tables still wait for dp_switch(). */
bool dp_must_switch(const struct dp *dp);

/* Is all that was pinned still there? Somebody may have removed it, or have
 * unmounted the bpffs; dp_pin_repair() pins it again. The question costs two
 * dozen looks at names. */
bool dp_pin_is_whole(const struct dp *dp);
int dp_pin_repair(struct dp *dp);

/*
 * Where programs of ours are attached. A new one is a row here and a program
 * of this name in bpf/: load, attach, replace, detach, status and cleanup come
 * from the row. What it is attached by; its place among others there (the
 * dispatcher's run priority, clsact's priority: the lower comes first); and
 * when an interface needs it:
 *	ALWAYS		on every uplink
 *	LOCAL_NAT	on uplinks, while a backend on this host has NAT
 *	NODE		on uplinks, while services of a node are served; it and
 *			LOCAL_NAT also where else backends are reached by
 *	L3		on those of the latter without Ethernet headers, instead
 *	POD		on the interfaces of pods, likewise
 *	HOST		on the loopback, likewise
 *	SOCKET		on a cgroup, for the sockets of the processes in it
 *	DECAP		on a backend host, see dp_decap_attach()
 */
#define DP_HOOKS(X)							\
	X(fl_xdp,	 XDP,	 50,	ALWAYS)				\
	X(fl_uplink_out, TC_OUT, 0xf1,	LOCAL_NAT)			\
	X(fl_uplink_in,	 TC_IN,	 0xf2,	NODE)				\
	X(fl_l3_in,	 TC_IN,	 0xf2,	L3)				\
	X(fl_l3_out,	 TC_OUT, 0xf1,	L3)				\
	X(fl_pod_in,	 TC_IN,	 0xf2,	POD)				\
	X(fl_pod_out,	 TC_OUT, 0xf1,	POD)				\
	X(fl_host_out,	 TC_OUT, 0xf1,	HOST)				\
	X(fl_sock_connect4, CONNECT4, 0, SOCKET)			\
	X(fl_sock_connect6, CONNECT6, 0, SOCKET)			\
	X(fl_sock_sendmsg4, SENDMSG4, 0, SOCKET)			\
	X(fl_sock_sendmsg6, SENDMSG6, 0, SOCKET)			\
	X(fl_sock_recvmsg4, RECVMSG4, 0, SOCKET)			\
	X(fl_sock_recvmsg6, RECVMSG6, 0, SOCKET)			\
	X(fl_sock_getpeername4, GETPEERNAME4, 0, SOCKET)		\
	X(fl_sock_getpeername6, GETPEERNAME6, 0, SOCKET)		\
	X(fl_decap_xdp,	 XDP,	 60,	DECAP)				\
	X(fl_decap_tc,	 TC_IN,	 0xf1,	DECAP)

enum dp_hook {
#define X(name, kind, rank, need) DP_HOOK_##name,
	DP_HOOKS(X)
#undef X
	NR_DP_HOOKS,
};

/* An uplink that needs one of these needs those before it. */
enum dp_need { DP_NEED_ALWAYS, DP_NEED_LOCAL_NAT, DP_NEED_NODE, DP_NEED_L3,
	       DP_NEED_POD, DP_NEED_HOST, DP_NEED_SOCKET, DP_NEED_DECAP };

const char *dp_hook_name(enum dp_hook hook);	/* the program's */
enum dp_need dp_hook_need(enum dp_hook hook);

enum dp_mechanism { DP_XDP_NATIVE, DP_XDP_GENERIC, DP_XDP_DISPATCHER,
		    DP_XDP_DISPATCHER_GENERIC, DP_TCX, DP_CLSACT, DP_CGROUP };
const char *dp_mechanism_name(enum dp_mechanism mechanism);

struct dp_attachment {
	__u32 ifindex;		/* SOCKET: what stands for a cgroup */
	enum dp_hook hook;
	enum dp_mechanism mechanism;
};

/*
 * Attach to an interface, by the best mechanism that works; attached already:
 * the program is replaced if need be. Pinned, so it outlives us. Not logged.
 * -EEXIST: an interface above this one (a bridge that it is a port of, a VLAN
 * on it) has to be detached first. -EBUSY: a program of somebody else is there.
 */
int dp_attach(struct dp *dp, enum dp_hook hook, __u32 ifindex);
int dp_detach(struct dp *dp, enum dp_hook hook, __u32 ifindex); /* logs */
bool dp_is_attached(struct dp *dp, enum dp_hook hook, __u32 ifindex);

/* As dp_opts has it: then nothing is attached, and both above say that it is. */
bool dp_is_shadow(const struct dp *dp);

/* Why dp_attach() said err, and what would mend it. */
#define DP_ATTACH_TEXT_MAX 256
const char *dp_attach_text(enum dp_hook hook, __u32 ifindex, int err,
			   char text[static DP_ATTACH_TEXT_MAX]);

/*
 * The cgroup, of version 2, that hooks of SOCKET are to be attached to; path
 * NULL: the one that all others are in, where it is mounted. *ret stands for
 * it in place of an interface's index. -ENOENT: none is mounted; -EXDEV: a part
 * of it is, a container's; -EINVAL: path is none. Not logged.
 */
int dp_cgroup_open(struct dp *dp, const char *path, __u32 *ret);

/* Up to max of those on uplinks and the like; returns how many there are. */
int dp_attachments(struct dp *dp, struct dp_attachment *ret, size_t max);
/* Those of pods, likewise; but also those whose interface is gone. */
int dp_pods(struct dp *dp, struct dp_attachment *ret, size_t max);
/* And those on cgroups. */
int dp_sockets(struct dp *dp, struct dp_attachment *ret, size_t max);

/* Pods whose sockets are served, by their network namespace's cookie. Neither
 * logs. keep: of those that are there by now; the others go. */
int dp_socket_pod_set(struct dp *dp, __u64 cookie,
		      const struct socket_pod *pod);
void dp_socket_pods_sift(struct dp *dp, bool (*keep)(void *arg, __u64 cookie),
			 void *arg);

/* What a connected UDP socket was given, by its cookie; -ENOENT: nothing, as
 * far as is known. */
int dp_udp_peer(const struct dp *dp, __u64 cookie, struct socket_peer *ret);

/* Sums over all CPUs since the maps were made. */
int dp_counters(struct dp *dp, struct counter ret[static NR_REASONS]);

/* ret[i] for backend first + i. */
int dp_backend_stats(struct dp *dp, __u32 first, __u32 count,
		     struct backend_stats *ret);

/* Of the table of connections, sums of all CPUs. */
int dp_conn_stats(struct dp *dp, struct conn_stats *ret);

struct dp_map {
	char name[16];
	enum table_size size;	/* what measures it */
	__u32 entries;		/* room */
	__u32 entry_bytes;	/* key and value, all CPUs of a per-CPU map */
	__u64 bytes;		/* locked memory as the kernel tells it */
};

#define DP_MAPS_MAX 48
int dp_maps(struct dp *dp, struct dp_map ret[static DP_MAPS_MAX]);

/* Seconds as conn_head.time has them (CLOCK_MONOTONIC). */
__u32 dp_now_s(void);

/*
 * For so long, packets of TCP connections that conntrack knows and we do not
 * are the host's stack's: of a proxy that was here before us. Larger tables
 * keep it. -errno, not logged: this kernel cannot.
 */
int dp_takeover_begin(struct dp *dp, __u32 seconds);
void dp_takeover_end(struct dp *dp);
__u32 dp_takeover_left(const struct dp *dp);	/* seconds; 0: it is over */

/* Until every program that is at work now has ended. */
void dp_wait_for_programs(void);

/*
 * Fragments that came before their first one: the file descriptor to poll,
 * and what to do when it is readable. dp_fragments_retry() puts held ones
 * through fl_xdp again; call it every few ms while it returns true.
 */
int dp_fragments_fd(struct dp *dp);
int dp_fragments_read(struct dp *dp);
bool dp_fragments_retry(struct dp *dp);

/* ICMP errors about the size of tunnels' packets come the same way: from now
 * on dp_fragments_read() gives each to f, a whole Ethernet frame, from
 * anybody. */
struct dp_errors {
	void (*f)(void *arg, const __u8 *frame, size_t len);
	void *arg;
};
void dp_on_errors(struct dp *dp, const struct dp_errors *errors);

/*
 * Verdicts of policy: f is called for each, oldest first, by dp_events_read().
 * Once for a dp. Returns the file descriptor to poll, or -errno. Programs tell
 * them while runtime.policy_events is not 0.
 */
struct policy_event;
typedef void dp_event_fn(void *arg, const struct policy_event *e);
int dp_events_open(struct dp *dp, dp_event_fn *f, void *arg);
/* max at most; true: there may be more. */
bool dp_events_read(struct dp *dp, unsigned int max);

/* What this kernel has or lacks, by trying: name, and what it is for. */
struct dp_feature {
	const char *name;	/* "xdp native", "tcx", "freplace", ... */
	bool has;
	const char *otherwise;	/* what Fairlead does without it */
};

#define DP_FEATURES_MAX 16
int dp_features(struct dp_feature ret[static DP_FEATURES_MAX]);

/* "v1.1": of the library that is in use. */
const char *dp_library_version(void);

/* Remove every program, link, map and pin of every ABI. Says what it removed to
 * stdout when verbose. -EBUSY: a daemon works on them, nothing is removed. */
int dp_cleanup(const char *pin_root, bool verbose);

enum dp_decap_hook { DP_DECAP_XDP, DP_DECAP_TC };

struct dp_decap_opts {
	__u32 ifindex;
	enum dp_decap_hook hook;
	__u16 gue_port, geneve_port;	/* host order */
	/* outer destinations to open, DECAP_ADDRS_MAX at most; others pass */
	const struct addr *addrs;
	size_t nr_addrs;
	const char *pin_root;
};

/* The backend side of tunnels: attach (pinned) or detach decapsulation. One
 * that is attached already is replaced, without a packet lost. */
int dp_decap_attach(const struct dp_decap_opts *opts);
int dp_decap_detach(const struct dp_decap_opts *opts);

/* The program, attached nowhere: a file descriptor for BPF_PROG_TEST_RUN, the
 * caller's to close. */
int dp_decap_program(const struct dp_decap_opts *opts);

/* Jiffies per second, and jiffies64 when CLOCK_MONOTONIC was 0. Not logged. */
int dp_clock(__u64 *ret_hz, __u64 *ret_start);

#endif

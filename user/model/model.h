/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What somebody wants: services and their backends as plain structs, whatever
 * source they come from. No libbpf, no sockets; reconcile.c brings the kernel
 * in step with it. Everything here is valid: sources check before they fill.
 */
#ifndef FAIRLEAD_MODEL_H
#define FAIRLEAD_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include <fairlead/config.h>
#include <fairlead/types.h>

#include "check.h"

#define BACKEND_WEIGHT_MAX 1000
#define BACKENDS_PER_SERVICE_MAX 65535
#define FRONTS_PER_SERVICE_MAX 256
#define MODEL_NAT_ADDRS_MAX 16
#define MODEL_UPLINKS_MAX 32
#define MODEL_NODEPORT_PREFIXES_MAX 32
#define MODEL_NODE_NAME_MAX 253
#define MODEL_LINK_NAME_MAX 15

struct model_backend {
	struct addr addr;
	__u16 port;		/* host order; 0: what the client asked for */
	__u16 weight;		/* 0: drained; default 100 */
	__u8 state;		/* BACKEND_ACTIVE or BACKEND_DRAIN */
	__u8 flags;		/* of BACKEND_SET_FLAGS */
};

/* What decides about a client is the longest prefix that it is in. */
struct model_source {
	struct addr addr;	/* the first of the prefix */
	__u8 len;		/* bits of struct addr */
	bool allow;		/* else denied */
};

/* An address, or all of a network. */
struct model_prefix {
	struct addr addr;	/* the first */
	__u8 len;		/* bits of struct addr */
	bool is_set;		/* false: there is none */
};

/* Where to listen for those who ask how we are. */
struct model_listen {
	struct addr addr;	/* ::, of both families; 0.0.0.0, of IPv4 */
	__u16 port;		/* host order */
	bool is_set;		/* false: nothing was said */
	bool is_off;		/* nowhere */
};

/* Routes that say which addresses this node serves, for daemons of BGP to
 * read. */
struct model_announce {
	__u32 table;		/* 0: none are written */
	__u32 metric;
	__u32 hold_s, linger_s;
	__u8 protocol;		/* marks routes as ours */
	bool require_all;	/* of the services at an address */
	__u8 pad[2];
};

#define ANNOUNCE_TABLE 6180
#define ANNOUNCE_PROTOCOL 178
#define ANNOUNCE_METRIC_DRAINED 1000

/* How the packets of this node's pods are told from others. */
enum detect_local {
	DETECT_CLUSTER_CIDR,	/* by source, see cluster_cidr */
	DETECT_NODE_CIDR,	/* by source, as the Node object says */
	DETECT_BRIDGE,		/* by the interface pod_bridge */
	DETECT_INTERFACES,	/* by interfaces named pod_interfaces... */
};

/* Whose sockets are given backends, so that their packets need not be. */
enum socket_mode {
	SOCKETS_HOST,	/* of the node's own processes */
	SOCKETS_OFF,
};

/* Where a service is reached. */
struct model_front {
	struct addr addr;	/* of a CIDR: its first address; of a node port:
				 * node_addr() */
	__u16 port_first;	/* host order; "*" is 0 to 65535 */
	__u16 port_last;
	__u8 prefix_len;	/* bits of struct addr; 128: a single address */
	__u8 kind;		/* enum service_kind */
	__u16 flags;		/* of SERVICE_FRONT_FLAGS */
	__u8 tunnel;		/* enum forward, see struct service */
	bool open;		/* to every client: no sources of the service */
};

/*
 * Models have services in common: the same pointer in two of them is the same
 * contents.
 */
struct model_service {
	char *name;		/* unique; owned */
	/*
	 * Owned; sorted by model_front_compare(), one at least, none of them
	 * overlaps another. All of one family unless a tunnel forwards.
	 */
	struct model_front *fronts;
	size_t nr_fronts;
	__u8 proto;		/* IPPROTO_TCP, _UDP, _SCTP; of every front */
	enum forward forward;	/* default FORWARD_NAT */
	enum algorithm algorithm;
	bool stateless;		/* udp: stateless */
	__u32 affinity_s;	/* 0: none */
	__u32 idle_s;		/* 0: the node's default for the protocol */
	struct model_health health;
	/*
	 * Owned; sorted by address, length, each once; of the families of
	 * fronts. A client that none has is let in unless another is allowed.
	 */
	struct model_source *sources;
	size_t nr_sources;
	struct model_backend *backends; /* owned; sorted by address, port */
	size_t nr_backends;

	/* 0: one model has it, made by hand, where it may be written. Else
	 * it is as it is. */
	unsigned int users;
	__u64 digest;		/* of the contents, by who compares; 0: none */
	bool is_in_set;		/* or was, of service_set.h */
};

struct service_set;
struct policy_set;

/* A Service whose load balancers ask each node for endpoints of its own, by
 * family: [0] IPv6, [1] IPv4. */
struct model_health_port {
	char *namespace, *name;	/* owned */
	__u16 port;		/* host order */
	bool has[2];		/* it is served in that family */
	__u32 local[2];		/* ready endpoints here, by their addresses */
};

enum model_node_state {
	MODEL_NODE_UNKNOWN,	/* no Node of our name */
	MODEL_NODE_FINE,
	MODEL_NODE_LEAVES,	/* it is deleted, or is about to be */
};

struct model {
	char *node;		/* owned; NULL: host name */
	char *uplinks[MODEL_UPLINKS_MAX]; /* owned; none: the default route's */
	size_t nr_uplinks;
	bool has_hash_key;
	__u32 hash_key[16];	/* SHA-256 based expansion of "hash-key:" */
	struct addr tunnel4, tunnel6; /* all zero: the link's own address */
	__u32 tunnel4_bits, tunnel6_bits; /* host bits of "tunnel-source:" */
	struct addr nat4[MODEL_NAT_ADDRS_MAX]; /* none: the link's address */
	struct addr nat6[MODEL_NAT_ADDRS_MAX];
	size_t nr_nat4, nr_nat6;
	__u16 nat_port_first, nat_port_last; /* host order; 1024, 65535 */
	__u16 gue_port, geneve_port;	/* default 6080, 6081 */
	__u32 geneve_vni;
	__u32 idle_tcp_s, idle_udp_s, idle_sctp_s; /* default 900, 60, 900 */
	__u32 syn_s, half_closed_s, closing_s;	/* default 60, 3600, 10 */
	__u32 fragment_s;			/* default 30 */
	__u32 max_services, max_backends, max_slots, max_conns; /* 0: none */
	__u32 answers_per_s, answers_network_per_s; /* 0: no limit; default
						     * 10000 and 100 */
	struct model_announce announce;
	/* A Kubernetes node's, as kube-proxy is told them. */
	char hostname_override[MODEL_NODE_NAME_MAX + 1]; /* "": see node */
	__u8 detect_local;	/* enum detect_local */
	struct model_prefix cluster_cidr4, cluster_cidr6;
	char pod_bridge[MODEL_LINK_NAME_MAX + 1];
	char pod_interfaces[MODEL_LINK_NAME_MAX + 1]; /* how they begin */
	struct model_prefix nodeport[MODEL_NODEPORT_PREFIXES_MAX];
	__u32 nr_nodeport;	/* 0: the node's primary addresses */
	bool masquerade_all;	/* what goes to cluster IPs too */
	bool network_policy;	/* the API's is followed: we enforce it */
	struct model_listen healthz, metrics;
	__u8 sockets;		/* enum socket_mode */
	/* Pods at these addresses have no proxy in them: unless sockets are
	 * off, theirs are given backends, too. */
	struct model_prefix socket_pods[MODEL_NODEPORT_PREFIXES_MAX];
	__u32 nr_socket_pods;
	/* What of it the Node object says, or cluster_cidr does. */
	struct model_prefix pods4, pods6; /* sources of pods; of this node's
					   * alone with DETECT_NODE_CIDR */
	struct addr node4, node6; /* primary addresses; zero: not known */
	enum model_node_state node_state;
	struct model_health_port *health_ports; /* owned; in any order */
	size_t nr_health_ports;
	/* Sorted by name. The set's; NULL set: owned, as is each of them. */
	struct model_service **services;
	size_t nr_services;
	struct service_set *set;	/* service_set.h; held */
	struct policy_set *policy;	/* policy.h; held; NULL: nothing is said,
					 * or, where it is_partial, not yet */
	/* A source has not said all yet: services that are not here may come,
	 * so that those in force stay. */
	bool is_partial;
	/* How much of what is said does not count, while this does. */
	unsigned int nr_refused;
	/*
	 * Of the file's bytes; of a directory: of what `sha256sum *.yaml ...`
	 * prints there in byte order of names, so that a change in one file of
	 * many costs no reading of all.
	 */
	__u8 sha256[32];
};

/* A model with every default and no service. NULL when out of memory. */
struct model *model_new(void);
void model_free(struct model *m); /* NULL is fine */
void model_freep(struct model **m);

/* Free what a service owns, and not the struct itself. */
void model_service_clear(struct model_service *s);

/* One that can be shared, with all that *s owns; *s is zeroed. Its first user
 * is the caller. NULL: out of memory, *s is as it was. */
struct model_service *model_service_share(struct model_service *s);
struct model_service *model_service_hold(struct model_service *s);
/* A user less; NULL is fine. */
void model_service_free(struct model_service *s);

/* For a model that is made by hand: a zeroed service behind all others. NULL:
 * out of memory. */
struct model_service *model_service_add(struct model *m);

/* The model's services are those of set from now on. */
void model_use(struct model *m, struct service_set *set);

/*
 * What differs between two models, service by service in order of names: those
 * that both have are passed by. Starts zeroed, but for the models; was may be
 * NULL, which has none.
 */
struct model_delta {
	const struct model *was, *is;
	size_t at_was, at_is;
};

/* False: no more. *ret_was NULL: it is new; *ret_is NULL: it is gone. */
bool model_delta_next(struct model_delta *d,
		      const struct model_service **ret_was,
		      const struct model_service **ret_is);

/* Our name among the cluster's nodes, as the API writes host names. */
void model_node_name(const struct model *m,
		     char ret[static MODEL_NODE_NAME_MAX + 1]);

/* Has it services of a Kubernetes node, as pods use them? */
bool model_has_node(const struct model *m);

/* The names of enum forward etc. as the file format spells them. */
const char *forward_name(enum forward forward);
const char *algorithm_name(enum algorithm algorithm);
const char *kind_name(enum service_kind kind);
const char *backend_state_name(enum backend_state state);
const char *proto_name(__u8 proto);
/* The IPPROTO_ that has such a name, in small letters or large ones; 0: none. */
__u8 proto_number(const char *name);

/* The sign of a after b: by address, prefix (the shorter first), ports. */
int model_front_compare(const struct model_front *a,
			const struct model_front *b);

/* "192.0.2.10:443/tcp", "[2001:db8::]/64:8000-8999/udp",
 * "10.0.0.1:any/sctp", "node port 30080/tcp". */
#define FRONT_TEXT_MAX 80
const char *model_front_text(const struct model_front *f, __u8 proto,
			     char text[static FRONT_TEXT_MAX]);

/* "198.51.100.0/24"; a single address without its length. */
#define SOURCE_TEXT_MAX 56
const char *model_source_text(const struct model_source *s,
			      char text[static SOURCE_TEXT_MAX]);

#endif

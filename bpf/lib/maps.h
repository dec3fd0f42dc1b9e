/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every map, with who writes it. Sizes here are the least; user/kernel/dp.c
 * sets the real ones before load. Weak, so that the linker folds the copies of
 * the entry files into one map each. BPF_F_MMAPABLE: user/ writes by plain
 * stores, and a look-up of an array compiles to an address computation.
 */
#ifndef FAIRLEAD_BPF_MAPS_H
#define FAIRLEAD_BPF_MAPS_H

#include <stdbool.h>

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include <fairlead/config.h>
#include <fairlead/conn.h>
#include <fairlead/policy.h>
#include <fairlead/reasons.h>
#include <fairlead/types.h>

/* Weak, as maps are. */
const volatile struct fairlead_config cfg __weak = {};

/* By user/: see struct runtime. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct runtime);
} runtime __weak SEC(".maps");

/* By user/: what may be at an address; 0: nothing of ours. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct vip_filter);
} vip_filter __weak SEC(".maps");

/* By user/: the way from (address, port, protocol) to an entry of services. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, struct service_bucket);
} cells __weak SEC(".maps");

/* By user/. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, struct service);
} services __weak SEC(".maps");

/* By user/ for itself: names and times, by service id. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, struct service_info);
} infos __weak SEC(".maps");

/* By user/: the tables of all services, end to end. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, struct slot);
} slots __weak SEC(".maps");

/* By user/. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, struct backend);
} backends __weak SEC(".maps");

/* By user/: interfaces that frames leave by. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, LINKS_MAX);
	__type(key, __u32);
	__type(value, struct link);
} links __weak SEC(".maps");

/* By user/: which frames are for us, and by which link they come. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, INGRESS_BUCKETS);
	__type(key, __u32);
	__type(value, struct word_bucket);
} ingress __weak SEC(".maps");

/* By user/: see struct own_filter. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct own_filter);
} own_filter __weak SEC(".maps");

/* By user/: see struct port_filter, and struct backend_filter. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct port_filter);
} port_filter __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct backend_filter);
} backend_filter __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, OWN_BUCKETS);
	__type(key, __u32);
	__type(value, struct word_bucket);
} own __weak SEC(".maps");

/* By user/: source addresses of NAT. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2 * NAT_ADDRS_MAX + 1);
	__type(key, __u32);
	__type(value, struct addr);
} nat_addrs __weak SEC(".maps");

/* By user/: CIDR VIPs; asked only if runtime.has_prefixes. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, struct prefix_key);
	__type(value, struct prefix);
} prefixes __weak SEC(".maps");

/* By user/: lists of who may use a service; asked for those that have one. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SOURCE_ENTRIES_MAX);
	__type(key, struct source_key);
	__type(value, __u32);		/* enum source_flag */
} sources __weak SEC(".maps");

/* By bpf/, see conn.h; read, and emptied, by user/. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, struct conn_bucket);
} conns __weak SEC(".maps");

/* Likewise: the cells by which replies find their connection. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, struct reply_bucket);
} replies __weak SEC(".maps");

/*
 * Network policy, see policy.h. By user/: who is behind which interface, and
 * what he is held to; by index.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, WORKLOADS_MAX);
	__type(key, __u32);
	__type(value, struct workload);
} workloads __weak SEC(".maps");

/* By user/: words of interfaces and indexes in workloads. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, WORKLOAD_BUCKETS);
	__type(key, __u32);
	__type(value, struct word_bucket);
} workload_cells __weak SEC(".maps");

/* By user/ for itself: names, by index in workloads. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, WORKLOADS_MAX);
	__type(key, __u32);
	__type(value, struct workload_info);
} workload_infos __weak SEC(".maps");

/* By user/: what a port is to any rule. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct port_classes);
} port_classes __weak SEC(".maps");

/* By user/: what an address is to any rule: class and enum peer_flag. Of who is
 * not there, the longest prefix says. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, POLICY_PEERS_MAX);
	__type(key, struct addr);
	__type(value, __u32);
} peers __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, POLICY_PREFIXES_MAX);
	__type(key, struct prefix_key);
	__type(value, __u32);
} peer_prefixes __weak SEC(".maps");

/* By user/. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, POLICY_TARGETS_MAX);
	__type(key, __u32);
	__type(value, struct target);
} targets __weak SEC(".maps");

/* By user/: the rules of a target that a class of peers, or of ports, is in. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, POLICY_MASKS_MAX);
	__type(key, struct mask_key);
	__type(value, struct rule_mask);
} peer_masks __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, POLICY_MASKS_MAX);
	__type(key, struct mask_key);
	__type(value, struct rule_mask);
} port_masks __weak SEC(".maps");

/* By bpf/: how often a rule decided; taken out by user/ with its target. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, POLICY_HITS_MAX);
	__type(key, struct hit_key);
	__type(value, __u64);
} policy_hits __weak SEC(".maps");

/* By bpf/; set to zero by user/ when an index is given away again. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, WORKLOADS_MAX);
	__type(key, __u32);
	__type(value, struct workload_limit);
} workload_limits __weak SEC(".maps");

/* By bpf/: struct policy_event. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, POLICY_EVENTS_BYTES);
} events __weak SEC(".maps");

/* By bpf/. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct conn_stats);
} conn_stats __weak SEC(".maps");

/* By bpf/, each with its socket: what one that is connected got. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct socket_peer);
} socket_peers __weak SEC(".maps");

/* And what one got that is not, and sends datagrams. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct socket_flows);
} socket_flows __weak SEC(".maps");

/* By bpf/: what is in socket_peers of UDP sockets, by their cookies, as the
 * kernel tells nobody what such a socket has with it. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, UDP_PEERS_MAX);
	__type(key, __u64);
	__type(value, struct socket_peer);
} udp_peers __weak SEC(".maps");

/* By user/: pods whose sockets are served, by their network namespace's
 * cookie. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SOCKET_PODS_MAX);
	__type(key, __u64);
	__type(value, struct socket_pod);
} socket_pods __weak SEC(".maps");

/* By bpf/: whose turn it is, by service id (round-robin). */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u64);
} turns __weak SEC(".maps");

/* By bpf/: packets by enum reason. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, NR_REASONS);
	__type(key, __u32);
	__type(value, struct counter);
} counters __weak SEC(".maps");

/* By bpf/; set to zero by user/ when an id is given away again. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, struct backend_stats);
} backend_stats __weak SEC(".maps");

/* By user/ for itself: which definitions are in force. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct applied);
} applied __weak SEC(".maps");

/* By bpf/: struct early_fragment, each with its frame, for user/ to keep. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} early_fragments __weak SEC(".maps");

/*
 * A function that the verifier checks once, by its types, instead of at every
 * call: arguments are the context, numbers, and pointers to plain structs.
 */
#define __global __noinline __weak

/* Keys may lie in read-only data; each on the stack would cost 8 bytes. */
const __u32 map_zero __weak = 0;

/* The one entry of an array of one. */
#define map_only(map) bpf_map_lookup_elem(&(map), &map_zero)

#endif

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
#   scripts/bench policy [--json FILE] [--quick]
#
# Network policy, between two pods of a node: what it costs by itself (policy.c
# measures the programs, and changes of policies), and from end to end, in CPU
# time of all that a connection, a round trip and a datagram pass through. Each
# way has a network of its own, as ways.sh has it:
#
#   none          nobody is policed: the kernel forwards
#   fairlead-N    Fairlead, with N policies (policies.sh), which allow it
#   nft-N         rules of nftables that say the same: one look-up finds those
#                 of a pod, another one whether its peer is in their set; what
#                 is established passes first
#
# Needs root; leaves nothing behind.
set -euo pipefail
ROOT=$(realpath "${0%/*}/../..")
B=$(realpath -m "${B:-$ROOT/build}")
NET=flpol$$
ROUNDS=40
QUICK_ROUNDS=10
REPORT=policy_report.py
SIZES=(0 1 100 1000)
# shellcheck source=tests/sandbox/sandbox.sh
. "$ROOT/tests/sandbox/sandbox.sh"
# shellcheck source=tests/bench/ways.sh
. "$ROOT/tests/bench/ways.sh"
# shellcheck source=tests/bench/policies.sh
. "$ROOT/tests/bench/policies.sh"

programs_measure() {
	local size args=()

	for size in "${SIZES[@]}"; do
		policies_write "$size" "$DIR/policies-$size"
		args+=("$size=$DIR/policies-$size")
	done
	taskset -c $CPU "$B/tests/bench/policy" ${QUICK:+"$QUICK"} "${args[@]}"
}

# way_add WAY: its network.
way_add() {
	local host

	for host in node pod web out; do
		host_add "$1-$host" 1
	done
	way_pods "$1"
	pair_add "$1-node" front 10.90.0.1/24 "$1-out" eth0 10.90.0.2/24
}

# fairlead_begin POLICIES
fairlead_begin() {
	local dir=$DIR/fairlead-$1-definitions

	cp -r "$DIR/policies-$1" "$dir"
	mkdir "$DIR/run-fairlead-$1-node"
	printf '%s\n' "uplinks: [front]" "cluster-cidr: 10.0.0.0/8" "sockets: off" \
		>"$dir/settings.yaml"
	node_object >"$dir/node.yaml"
	way_serve "fairlead-$1"
}

node_object() {
	cat <<-END
		apiVersion: v1
		kind: Node
		metadata: {name: node-1}
		spec: {podCIDRs: [10.244.1.0/24]}
		status: {addresses: [{type: InternalIP, address: 10.244.1.254}]}
	END
}

# nft_begin POLICIES
nft_begin() {
	nft_policies "$1" >"$DIR/nft"
	on "nft-$1-node" nft -f "$DIR/nft"
}

ways_begin() {
	local size

	way_add none
	for size in "${SIZES[@]}"; do
		echo "$size policies ..." >&2
		way_add "fairlead-$size"
		way_add "nft-$size"
		fairlead_begin "$size"
		nft_begin "$size"
	done
}

ways_end() {
	local size

	for size in "${SIZES[@]}"; do
		way_serve_end "fairlead-$size"
	done
}

# way_line WAY: as node_traffic reads it.
way_line() {
	echo "way $1 /run/netns/$NET-$1-pod /run/netns/$NET-$1-web" \
		"$CGROUP-plain"
	echo "10.244.1.3 8080"
}

ways() {
	local size

	way_line none
	for size in "${SIZES[@]}"; do
		way_line "fairlead-$size"
		way_line "nft-$size"
	done
}

# denied WAY: where anything passes, a closed port answers at once.
denied() {
	local status=0

	on "$1-pod" timeout 0.5 bash -c ': >/dev/tcp/10.244.1.3/9' \
		2>/dev/null || status=$?
	((status == 124))
}

check_denied() {
	local size way

	for size in "${SIZES[@]:1}"; do
		for way in "fairlead-$size" "nft-$size"; do
			denied "$way" && continue
			echo "bench: $way denies nothing" >&2
			return 1
		done
	done
}

measure_all() {
	local what

	echo "the programs ..." >&2
	programs_measure
	ways_begin
	check_denied
	for what in connections trips packets flows; do
		ways | traffic $what end '"family":4'
	done
	ways_end
}

ways_options "$@"
ways_main policy node_traffic

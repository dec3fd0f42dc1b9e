#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A node with two uplinks whose kernel drops what comes in by another one than
# its answer would leave by: it is said, with the command that mends it.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/node_lib.sh
. "$ROOT/tests/e2e/node_lib.sh"

# uplinks LIST
uplinks() {
	node_settings | sed "s/^uplinks:.*/uplinks: [$1]/" | put settings.yaml
	in_force
}

warnings() {
	fairlead status --json | jq -r '.warnings[]' | tee "$DIR/said"
}

# strict AT: rp_filter is said to be strict there; AT is a pattern.
strict() {
	warnings
	grep -E "rp_filter is strict at \"$1\", one of 2 uplinks" "$DIR/said"
	grep -E "sysctl net.ipv4.conf.$1.rp_filter=2" "$DIR/said"
}

nothing_is_strict() {
	warnings
	fails grep -F rp_filter "$DIR/said"
}

# rp_filter ALL ETH0 ETH1
rp_filter() {
	on balancer sysctl -qw "net.ipv4.conf.all.rp_filter=$1" \
		"net.ipv4.conf.eth0.rp_filter=$2" \
		"net.ipv4.conf.eth1.rp_filter=$3"
}

# The larger of both counts, and 2 is loose.
either_makes_it_strict() {
	rp_filter 1 0 0
	strict 'eth[01]'
	rp_filter 0 1 0
	strict eth0
	rp_filter 0 0 1
	strict eth1
}

the_command_mends_it() {
	rp_filter 1 0 0
	on balancer sysctl -qw net.ipv4.conf.eth0.rp_filter=2
	strict eth1
	on balancer sysctl -qw net.ipv4.conf.eth1.rp_filter=2
	nothing_is_strict
	rp_filter 0 0 0
	nothing_is_strict
}

one_uplink_is_fine() {
	rp_filter 1 1 1
	uplinks eth0
	nothing_is_strict
}

node_story pod-1
ip_on balancer <<-END
	link add eth1 type veth peer name eth1-peer
	link set eth1 up
	link set eth1-peer up
END
{
	service web 10
	endpoints web pod-1
} | put web.yaml
node_settings | sed "s/^uplinks:.*/uplinks: [eth0, eth1]/" | put settings.yaml
serve_node
it "the kernel's setting or the interface's own" either_makes_it_strict
it "what is said to mend it does" the_command_mends_it
it "one uplink is the way of all" one_uplink_is_fine
finish

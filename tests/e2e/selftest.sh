#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The self-test says what works here and which right is missing, and leaves
# nothing behind, however it ends; a daemon beside it does not notice.
# SHORT leaves out what does not depend on the kernel.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

# jq's word about the last self-test.
found() {
	jq -e "$@" "$DIR/selftest.json"
}

selftest() {
	fairlead selftest --json "$@" >"$DIR/selftest.json"
}

everything_works() {
	local mode forward

	selftest || (cat "$DIR/selftest.json" && return 1)
	found '.works and (.verdict | startswith("Fairlead works here"))'
	for mode in "xdp native" "xdp generic"; do
		for forward in nat l2 ipip gue gre geneve; do
			# shellcheck disable=SC2016
			found --arg mode "$mode" --arg forward "$forward" '
				[.checks[] | select(.name == $forward and
				.mode == $mode and .result == "ok")] |
				length == 1'
		done
	done
	found '[.checks[].name] | contains(["fl_xdp", "fl_uplink_out",
		"fl_decap_xdp", "fl_decap_tc", "uplink eth0"])'
}

# A table, and the verdict as the last line.
words_say_the_same() {
	fairlead selftest >"$DIR/selftest.text"
	grep -E '^nat +ok +xdp native' "$DIR/selftest.text"
	tail -n 1 "$DIR/selftest.text" | grep '^Fairlead works here'
}

# without CAPABILITY: the exit status and the words.
without() {
	local status=0

	on balancer setpriv --bounding-set="-$1" --inh-caps="-$1" \
		"$FAIRLEAD" selftest --json >"$DIR/selftest.json" || status=$?
	((status == 1))
	# shellcheck disable=SC2016
	found --arg name "CAP_${1^^}" '(.works | not) and
		(.verdict | startswith("Fairlead does not work here")) and
		(.verdict | contains($name)) and
		any(.checks[]; .name == "privileges" and .result == "no" and
			(.text | startswith($name + " is missing")))'
}

misuse() {
	local status=0

	fairlead selftest "$@" 2>"$DIR/misuse" || status=$?
	cat "$DIR/misuse"
	((status == 2))
}

# What a self-test that did not clean up would leave, by what is its alone: the
# size of its table of connections, its pins, its mount.
traces() {
	bpftool map list | grep -A 1 'name conns ' | grep 'max_entries 1024 '
	find /sys/fs/bpf -name '*selftest*'
	on balancer ip -o link | grep -vE '^[0-9]+: (lo|eth0)[@:]'
	lsns --type net --noheadings --output COMMAND |
		grep "$FAIRLEAD selftest"
}

no_traces() {
	[[ -z $(traces) ]]
}

mounts() {
	grep -c ' - bpf ' /proc/self/mountinfo
}

nothing_stays() {
	local before

	before=$(mounts)
	selftest
	wait_for 5 no_traces
	[[ $(mounts) == "$before" ]]
}

# It has left the network that it was started in for its own.
has_begun() {
	local pid

	pid=$(<"$DIR/selftest.pid")
	[[ $(readlink "/proc/$pid/exe") == "$FAIRLEAD" &&
		$(readlink "/proc/$pid/ns/net") != "$1" ]]
}

# killed SIGNAL: in the middle of it, before it has said anything.
killed() {
	local network

	network=$(on balancer readlink /proc/self/ns/net)
	start selftest balancer env --default-signal=INT "$FAIRLEAD" selftest
	wait_for 5 has_begun "$network"
	stop selftest "$1"
	[[ ! -s $DIR/selftest.log ]]
	wait_for 5 no_traces
}

told() {
	fairlead status --json | jq -c '[.applied.generation, .attachments,
		[.reasons[] | select(.verdict != "PASS") | .packets]]'
}

daemon_does_not_notice() {
	local before

	ask "$VIP4"
	before=$(told)
	selftest
	told
	[[ $(told) == "$before" ]]
	ask "$VIP4"
	found 'any(.checks[]; .name == "uplink eth0" and .result == "ok" and
		(.text | test("\"(fl_xdp|xdp_dispatcher)\"")))'
}

holder_is_named() {
	# a bridge's port, besides: that does not work
	fails fairlead_on router selftest --interface balancer --json \
		>"$DIR/selftest.json"
	found '(.works | not) and any(.checks[]; .name == "uplink balancer" and
		.result == "no" and (.text | contains("is attached there")))'
}

story 1
it "every mode of forwarding works, in native and in generic XDP" \
	everything_works
if [[ ! ${SHORT:-} ]]; then
	it "the same in words" words_say_the_same
	for right in net_admin sys_admin net_raw; do
		it "without CAP_${right^^}, it says so" without "$right"
	done
	it "an interface that is not there is misuse" \
		misuse --interface nosuch
	it "an argument is misuse" misuse eth0
	it "nothing stays" nothing_stays
	it "nothing stays after Ctrl-C" killed INT
fi
it "nothing stays after SIGKILL" killed KILL
services nat 1
BACKEND_PORT=8080 serve
it "a daemon does not notice" daemon_does_not_notice
it "another program on an uplink is named" holder_is_named
finish

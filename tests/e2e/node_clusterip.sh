#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Pods of a node and cluster IPs: whom a pod's server sees, itself among them,
# who is refused, and what a change does to connections. Checksums and segments
# are left to the veths, and the node's rp_filter is strict.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

# shellcheck source=tests/sandbox/node.sh
. "$ROOT/tests/sandbox/node.sh"

FAMILIES=("$IP4" "$IP6")

source_is_kept() {
	[[ $(ASKER=pod-1 ask "$1") == pod-2 ]]
	[[ $(seen_by pod-1 "$1") == $(pod_addr "$1" 1) ]]
}

# From a pod to itself: it sees the node.
hairpin() {
	[[ $(ASKER=pod-2 ask "$1") == pod-2 ]]
	is_nodes "$(seen_by pod-2 "$1")"
}

# From the port that a connection to the service has had just now, which the
# server has closed: to the endpoint by its own name.
direct_from_the_same_port() {
	local port=7074

	[[ $1 != *:* ]] || port=7076
	[[ $(ASKER=pod-1 ask "$1" --local-port "$port" \
		-H 'Connection: close') == pod-2 ]]
	[[ $(on pod-1 curl -sS --max-time $((5 * ${PATIENCE:-1})) \
		--local-port "$port" \
		"$(url "$(pod_addr "$1" 2)" 8080)") == pod-2 ]]
}

# Connections that live stay with an endpoint that has gone.
tcp_lives_on() {
	local vip

	endpoints 2
	for vip in "${FAMILIES[@]}"; do
		start "live-$vip" pod-1 "$B/tests/sandbox/load" \
			--mode keepalive --target "$vip" --every-ms 100 \
			--concurrency 4 --pause-ms 5 80
		wait_for 5 test -s "$DIR/live-$vip.log"
	done
	endpoints 3
	for vip in "${FAMILIES[@]}"; do
		[[ $(ASKER=pod-1 ask "$vip") == pod-3 ]]
		wait_for 5 load_is_past "live-$vip" \
			$(($(load_answers "live-$vip") + 20))
		load_stop "live-$vip"
		load_report "live-$vip" |
			jq -e '.moved == 0 and .connections == 4'
	done
}

# A flow of UDP goes on at the endpoint that there is.
udp_moves() {
	local vip

	endpoints 2
	for vip in "${FAMILIES[@]}"; do
		start "flow-$vip" pod-1 "$B/tests/sandbox/load" \
			--mode udp --target "$vip" --every-ms 100 \
			--concurrency 1 --pause-ms 5 80
		wait_for 5 test -s "$DIR/flow-$vip.log"
	done
	endpoints 3
	for vip in "${FAMILIES[@]}"; do
		wait_for 5 answered_by "flow-$vip" pod-3
		load_stop "flow-$vip"
	done
}

answered_by() {
	load_report "$1" | jq -e --arg name "$2" '.backends | has($name)'
}

# Interfaces come and go; each has two programs.
attached() {
	fairlead status --json | tee "$DIR/status.json" |
		jq -e --argjson n "$1" '.pods | length == 2 and
			all(.[]; .interfaces == $n)'
}

pods_come_and_go() {
	attached 3
	pod_add 4
	wait_for 5 attached 4
	wait_for 5 pod_answers 4
	endpoints 4
	[[ $(ASKER=pod-4 ask "$IP4") == pod-4 ]]
	[[ $(ASKER=pod-1 ask "$IP6") == pod-4 ]]
	endpoints 2
	ip netns pids "$NET-pod-4" | xargs -r kill
	ip netns del "$NET-pod-4"
	wait_for 5 attached 3
	[[ -z $(find "$PINS" -name "*_$(<"$DIR/index-4")") ]]
}

# Somebody takes one away: its interface's pin, and what it holds.
lost_ones_come_back() {
	local pin

	pin=$(compgen -G "$PINS/balancer/[0-9]*/fl_pod_in_*_$(<"$DIR/index-1")")
	rm "$pin"
	wait_for 10 attached 3
	[[ $(ASKER=pod-1 ask "$IP4") == pod-2 ]]
}

survives_the_daemon() {
	stop serve KILL
	[[ $(ASKER=pod-1 ask "$IP4") == pod-2 ]]
	[[ $(ASKER=pod-2 ask "$IP6") == pod-2 ]]
	serve --hostname-override node-1
	attached 3
	[[ $(ASKER=pod-1 ask "$IP4") == pod-2 ]]
}

cleaned() {
	stop serve
	fails nothing_attached
	fairlead cleanup --yes
	nothing_attached
	[[ -z $(find "$PINS" -type f) ]]
}

story 0
node_up
for pod in 1 2 3; do
	pod_add $pod
done
for pod in 1 2 3; do
	wait_for 5 pod_answers $pod
done
service_web
serve --hostname-override node-1
it "two programs on each pod's interface" attached 3
for vip in "${FAMILIES[@]}"; do
	it "nobody there at $vip is said at once" refused pod-1 "$vip"
done
endpoints 2
for vip in "${FAMILIES[@]}"; do
	it "a pod is seen as what it is by $vip" source_is_kept "$vip"
	it "a pod reaches itself by $vip" hairpin "$vip"
	it "and then the endpoint itself, after $vip" \
		direct_from_the_same_port "$vip"
	it "a large answer from $vip" large_answer pod-1 "$vip"
	it "a large answer to itself from $vip" large_answer pod-2 "$vip"
	it "a large request to $vip" large_request pod-1 "$vip"
	it "a large request to itself by $vip" large_request pod-2 "$vip"
	it "datagrams to $vip" datagrams pod-1 "$vip"
	it "datagrams to itself by $vip" datagrams pod-2 "$vip"
done
endpoints 2 3
for vip in "${FAMILIES[@]}"; do
	ASKER=pod-1 it "each of several endpoints answers at $vip" \
		all_answer "$vip" pod-2 pod-3
done
it "TCP lives on at an endpoint that is gone" tcp_lives_on
it "UDP moves to an endpoint that is there" udp_moves
endpoints 2
it "pods come and go" pods_come_and_go
it "what is taken away is made again" lost_ones_come_back
it "without the daemon it goes on, and a new one finds it" survives_the_daemon
it "cleanup detaches" cleaned
finish

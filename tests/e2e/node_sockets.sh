#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Sockets of the node's own processes: what they reach that packets do not, what
# they are told of whom they talk to, what a change does to them, and that they
# are attached where they should be, and nowhere else.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/node_lib.sh
. "${0%/*}/node_lib.sh"

PROGRAMS=8
RANGES="loadBalancerSourceRanges"
AFFINITY="sessionAffinity: ClientIP"

# web ENDPOINT...: its endpoints are these, and that is in force.
web() {
	endpoints web "$@" | put web-slices.yaml
	in_force
}

# socket TYPE ADDRESS/PORT: as the node's process hears it.
socket() {
	on balancer python3 "$ROOT/tests/e2e/sockets.py" "$1" "${2%/*}" "${2#*/}"
}

# says EXPECTED TYPE PLACE
says() {
	local got

	got=$(socket "$2" "$3")
	echo "$2 $3: $got"
	[[ $got == "$1" ]]
}

# A place is what it was called by, whichever way it is asked for.
is_called_as_dialled() {
	local place=$1

	says "pod-2 $place" tcp "$place"
	says "pod-2 $place $place" udp "$place"
	says "pod-2 $place" sendto "$place"
}

all_are_called_as_dialled() {
	local kind family

	for kind in cluster port lb external; do
		for family in 4 6; do
			is_called_as_dialled "$(front "$kind" 10 $family)"
		done
		is_called_as_dialled "::ffff:$(front "$kind" 10 4)"
	done
}

# 127.0.0.1, as kube-proxy's iptables mode has it; ::1 never.
loopback() {
	is_called_as_dialled 127.0.0.1/30010
	is_called_as_dialled ::ffff:127.0.0.1/30010
	says refused tcp ::1/30010
	says refused tcp 127.0.0.1/30011
	says "here 127.0.0.1/8080" tcp 127.0.0.1/8080
}

none_is_refused() {
	local family

	web
	for family in 4 6; do
		for kind in cluster port lb external; do
			says refused tcp "$(front "$kind" 10 $family)"
			says refused udp "$(front "$kind" 10 $family)"
			says refused sendto "$(front "$kind" 10 $family)"
		done
	done
	web pod-2
}

# An endpoint that has the node's own address.
backend_on_the_node() {
	local family addr

	for family in 4 6; do
		addr=NODE$family
		cat <<-END
			---
			apiVersion: discovery.k8s.io/v1
			kind: EndpointSlice
			metadata:
			  name: web-a$family
			  labels: {kubernetes.io/service-name: web}
			addressType: IPv$family
			ports: [{name: http, port: 8080}, {name: dns, port: 8080, protocol: UDP}]
			endpoints: [{addresses: ['${!addr}'], nodeName: node-1}]
		END
	done | put web-slices.yaml
	in_force
	for family in 4 6; do
		for kind in cluster port lb external; do
			addr=$(front $kind 10 $family)
			says "here $addr" tcp "$addr"
			says "here $addr $addr" udp "$addr"
		done
	done
	web pod-2
}

# Where somebody on the node has taken a cluster IP, he is asked.
taken_by_the_host() {
	ip_on balancer <<-END
		addr add 10.96.0.10/32 dev lo
		addr add fd96::10/128 dev lo nodad
	END
	start taken balancer "$B/tests/sandbox/server" taken 80
	wait_for 10 says "taken 10.96.0.10/80" tcp 10.96.0.10/80
	wait_for 10 says "taken fd96::10/80" tcp fd96::10/80
	says "pod-2 $NODE4/30010" tcp "$NODE4/30010"
	stop taken
	ip_on balancer <<-END
		addr del 10.96.0.10/32 dev lo
		addr del fd96::10/128 dev lo
	END
	wait_for 10 says "pod-2 10.96.0.10/80" tcp 10.96.0.10/80
}

# How many requests of sockets were given a backend.
given() {
	fairlead status --json |
		jq '.reasons[] | select(.name == "SOCKET").packets'
}

# Of whom programs of the cgroup see, but are not to serve.
others_are_left_alone() {
	local before

	before=$(given)
	row pod-1 cluster 10 from pod-1 to pod-2
	row client-1 lb 10 from node to pod-2
	[[ $(given) == "$before" ]]
	says "pod-2 10.96.0.10/80" tcp 10.96.0.10/80
	[[ $(given) == "$((before + 1))" ]]
}

# Pods that are said to have no proxy: their TCP, where it comes to the same. One
# that has had no connections by packets, whose ports they would keep a while.
pods_without_a_proxy() {
	local family before

	again --socket-pods 10.244.1.3,fd44:1::3
	wait_for 10 is_given pod-3 "$(front cluster 10 4)"
	for family in 4 6; do
		is_given pod-3 "$(front cluster 10 $family)"
		before=$(given)
		row pod-3 port 10 from node to pod-2
		ASKER=pod-2 pod_says "pod-2" "$(front cluster 10 $family)"
		[[ $(given) == "$before" ]]
	done
	row pod-3 cluster 10 from pod-3 to pod-2
	web pod-3
	row pod-3 cluster 10 from node to pod-3
	web
	row pod-3 cluster 10 refused
	web pod-2
	again
	fails is_given pod-3 "$(front cluster 10 4)"
}

# Is TCP of HOST to PLACE given a backend before there is a packet?
is_given() {
	local before

	before=$(given)
	ASKER=$1 pod_says pod-2 "$2"
	[[ $(given) == "$((before + 1))" ]]
}

# pod_says NAME PLACE: ASKER hears it, and calls it as it was dialled.
pod_says() {
	[[ $(on "$ASKER" python3 "$ROOT/tests/e2e/sockets.py" tcp "${2%/*}" \
		"${2#*/}") == "$1 $2" ]]
}

sticky() {
	local family protocol kind places

	service sticky 11 "$AFFINITY" | put sticky.yaml
	endpoints sticky pod-2 far-1 | put sticky-slices.yaml
	in_force
	for family in 4 6; do
		for protocol in tcp udp; do
			places=()
			for kind in cluster port lb external; do
				places+=("$protocol/$(front $kind 11 $family)")
			done
			probe node 8 "$ANSWER_MS" "${places[@]}" >"$DIR/seen"
			cat "$DIR/seen"
			[[ $(cut -d ' ' -f 2 "$DIR/seen" | sort -u) =~ ^(pod-2|far-1)$ ]]
		done
	done
}

# Packets decide about who may not; who may is served.
ranges() {
	service ranges 12 "$RANGES: [10.90.1.0/24, 'fd90:1::/64']" | put ranges.yaml
	endpoints ranges pod-2 | put ranges-slices.yaml
	in_force
	row node lb 12 silent
	row node port 12 from node to pod-2
	service ranges 12 "$RANGES: [10.91.0.0/24, 'fd91::/64']" | put ranges.yaml
	in_force
	row node lb 12 from node to pod-2
}

local_policy() {
	service local 13 "internalTrafficPolicy: Local" \
		"externalTrafficPolicy: Local" | put local.yaml
	endpoints local far-1 | put local-slices.yaml
	in_force
	row node cluster 13 silent
	row node port 13 from node to far-1
	endpoints local pod-2 far-1 | put local-slices.yaml
	in_force
	row node cluster 13 from node to pod-2
	row node port 13 from node to pod-2 far-1
}

# live NAME COMMAND...: on the node, until live_stop.
live() {
	start "$1" balancer "${@:2}"
	wait_for 10 test -s "$DIR/$1.log"
}

hears() {
	wait_for 10 last_is "$1" "$(wc -l <"$DIR/$1.log")" "$2"
}

# The line after the first COUNT may be of what was asked before.
last_is() {
	[[ $(tail -n "+$(($2 + 2))" "$DIR/$1.log" | tail -n 1) == "$3" ]]
}

# Connected, a socket is told to connect anew; else its next datagram moves.
udp_moves() {
	local family place

	for family in 4 6; do
		place=$(front cluster 10 $family)
		live "connected-$family" python3 "$ROOT/tests/e2e/packets.py" \
			flow "${place%/*}" "${place#*/}"
		live "sendto-$family" python3 "$ROOT/tests/e2e/sockets.py" \
			on "${place%/*}" "${place#*/}"
	done
	live sendto-mapped python3 "$ROOT/tests/e2e/sockets.py" \
		on ::ffff:10.96.0.10 80
	udp_is_at pod-2
	web far-1
	udp_is_at far-1
	web far-1,terminating pod-2
	udp_is_at far-1
	web
	udp_is_at refused
	web pod-2
	udp_is_at pod-2
	for family in 4 6; do
		stop "connected-$family"
		stop "sendto-$family"
	done
	stop sendto-mapped
}

udp_is_at() {
	local family source

	for family in 4 6; do
		source=" $(front cluster 10 $family)"
		[[ $1 != refused ]] || source=
		hears "connected-$family" "$1"
		hears "sendto-$family" "$1$source"
	done
	source=" ::ffff:10.96.0.10/80"
	[[ $1 != refused ]] || source=
	hears sendto-mapped "$1$source"
}

tcp_lives_on() {
	local family place

	for family in 4 6; do
		place=$(front port 10 $family)
		live "live-$family" "$B/tests/sandbox/load" --mode keepalive \
			--target "${place%/*}" --every-ms 50 --pause-ms 10 \
			--timeout-ms 20000 --concurrency 4 "${place#*/}"
	done
	web far-1
	says "far-1 10.96.0.10/80" tcp 10.96.0.10/80
	rm "$CONFIG/web.yaml"
	in_force
	says refused tcp "$NODE4/30010"
	for family in 4 6; do
		wait_for 10 load_is_past "live-$family" \
			$(($(load_answers "live-$family") + 20))
		load_stop "live-$family"
		load_report "live-$family" | jq -e '.connections == 4 and
			.moved == 0 and .backends == {"pod-2": .requests}'
	done
	service web 10 | put web.yaml
	web pod-2
}

# attached N: so many programs are, on the cgroup of this test alone.
attached() {
	local inode

	inode=$(stat -c %i "$CGROUP")
	fairlead status --json | tee "$DIR/status.json" |
		jq -e --argjson n "$1" --argjson cgroup "$((inode & 0xffffffff))" \
			'(.sockets | length) == $n and
			all(.sockets[]; .cgroup == $cgroup)'
	[[ $(bpftool cgroup show "$CGROUP" | grep -c fl_sock || true) == "$1" ]]
}

lost_ones_come_back() {
	rm "$(compgen -G "$PINS/balancer/[0-9]*/fl_sock_connect4_link_*")"
	wait_for 10 attached $PROGRAMS
	says "pod-2 $NODE4/30010" tcp "$NODE4/30010"
}

survives_the_daemon() {
	stop serve KILL
	says "pod-2 10.96.0.10/80" tcp 10.96.0.10/80
	serve_node
	attached $PROGRAMS
	says "pod-2 $NODE4/30010" tcp "$NODE4/30010"
}

again() {
	stop serve
	serve_node "$@"
}

off_and_on() {
	again --sockets off
	attached 0
	row node cluster 10 from node to pod-2
	[[ $(fairlead status --json | jq '.applied.hints') == "[]" ]]
	again
	attached $PROGRAMS
	says "pod-2 $NODE4/30010" tcp "$NODE4/30010"
}

# Nothing is lost but what sockets alone reach, and that is said.
no_cgroup() {
	again --cgroup-root "$DIR"
	wait_for 10 hinted "\"$DIR\" is no cgroup of version 2"
	row node cluster 10 from node to pod-2
	again
	attached $PROGRAMS
}

hinted() {
	fairlead status --json |
		jq -e --arg text "$1" 'any(.applied.hints[]; contains($text))'
}

# Without services of a node there is nothing to ask for.
node_no_more() {
	rm -f "$CONFIG"/{web,sticky,ranges,local}*.yaml
	in_force
	attached 0
	service web 10 | put web.yaml
	web pod-2
	attached $PROGRAMS
}

cleaned() {
	stop serve
	fairlead cleanup --yes
	[[ $(bpftool -j cgroup show "$CGROUP") != *fl_sock* ]]
	[[ -z $(find "$PINS" -type f) ]]
	says refused tcp "$NODE4/30010"
}

node_story pod-1 pod-2 pod-3 far-1
[[ -n $CGROUP ]] || skip_all "no cgroup of version 2 can be made"
start here balancer "$B/tests/sandbox/server" here 8080
wait_for 10 on balancer curl -so /dev/null "$NODE4:8080"
service web 10 | put web.yaml
endpoints web pod-2 | put web-slices.yaml
serve_node
it "they are attached to the cgroup" attached $PROGRAMS
it "a service is called as it was dialled" all_are_called_as_dialled
it "node ports at 127.0.0.1, for the node" loopback
it "nobody there is said by the call itself" none_is_refused
it "an endpoint in the node's own network" backend_on_the_node
it "a cluster IP that the host has is the host's" taken_by_the_host
it "other namespaces' sockets are left alone" others_are_left_alone
it "pods that are said to have no proxy" pods_without_a_proxy
it "affinity holds for all front ends" sticky
it "source ranges" ranges
it "policy Local, with and without an endpoint here" local_policy
it "UDP moves" udp_moves
it "TCP lives on, without its endpoint and its Service" tcp_lives_on
it "what is taken away is made again" lost_ones_come_back
it "without the daemon they go on, and a new one finds them" survives_the_daemon
it "--sockets off, and on again" off_and_on
it "where they cannot be had, packets are served, and it is said" no_cgroup
it "they go with the last Service, and come back" node_no_more
it "cleanup detaches" cleaned
finish

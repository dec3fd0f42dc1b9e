#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Session affinity: whoever dials a Service, at whichever of its front ends, goes
# to the endpoint that he went to before, until that is not to be used any more,
# or his time is over. Over TCP and UDP, IPv4 and IPv6.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/node_lib.sh
. "${0%/*}/node_lib.sh"

KINDS="cluster port lb external"

# sticky SECONDS [FIELD...]: the Service, so from now on.
sticky() {
	service web 10 "sessionAffinity: ClientIP" \
		"sessionAffinityConfig: {clientIP: {timeoutSeconds: $1}}" \
		"${@:2}" | put web.yaml
	in_force
}

web() {
	endpoints web "$@" | put web-slices.yaml
	in_force
}

# servers ORIGIN FAMILY PROTOCOL [KIND...]: who answers there, several times at
# each: a name a line.
servers() {
	local kind places=()

	# shellcheck disable=SC2086 # words
	for kind in ${@:4}; do
		places+=("$3/$(front "$kind" 10 "$2")")
	done
	probe "$1" 4 "$ANSWER_MS" "${places[@]}" | cut -d ' ' -f 2 | sort -u
}

# each_flow COMMAND [ARGUMENT...]: for each origin, family and protocol.
each_flow() {
	local origin family protocol

	for origin in pod-1 node client-1 client-2; do
		for family in 4 6; do
			for protocol in tcp udp; do
				"$1" "$origin" "$family" "$protocol" "${@:2}"
			done
		done
	done
}

# One server, at whatever front end; into $DIR/at-ORIGIN-...
sticks() {
	local all

	# shellcheck disable=SC2086 # words
	all=$(servers "$1" "$2" "$3" $KINDS)
	echo "$*:" $all
	[[ $all == pod-* || $all == far-* ]]
	(($(wc -w <<<"$all") == 1))
	echo "$all" >"$DIR/at-$1-$2-$3"
}

sticks_where_it_was() {
	local before

	before=$(<"$DIR/at-$1-$2-$3")
	sticks "$@"
	[[ $(<"$DIR/at-$1-$2-$3") == "$before" ]]
}

# sticks_to NAME is its server, by itself.
sticks_to() {
	sticks "$1" "$2" "$3"
	[[ $(<"$DIR/at-$1-$2-$3") == "$4" ]]
}

all_front_ends_share() {
	sticky 3600
	web pod-2 pod-3 far-1
	each_flow sticks
	each_flow sticks_where_it_was
}

# Neither other endpoints nor the daemon's end move anybody.
changes_move_nobody() {
	web pod-2 pod-3 far-1 far-2
	each_flow sticks_where_it_was
	stop serve KILL
	each_flow sticks_where_it_was
	serve_node
	each_flow sticks_where_it_was
	web pod-2 pod-3 far-1
	each_flow sticks_where_it_was
}

# And who has left gets nobody back by coming again.
an_endpoint_goes() {
	web pod-3
	each_flow sticks_to pod-3
	web pod-2 pod-3 far-1
	each_flow sticks_to pod-3
	web pod-2 pod-3,terminating
	each_flow sticks_to pod-2
}

# Local clients of the Local policy have but local ones; pods have all.
a_policy_comes_first() {
	sticky 3600 "externalTrafficPolicy: Local"
	web far-1
	KINDS=cluster each_flow sticks_to far-1
	web pod-2 far-1
	KINDS="port lb external" sticks_to client-1 4 tcp pod-2
	KINDS="port lb external" sticks_to client-1 6 udp pod-2
	KINDS="cluster port" sticks_to pod-1 4 tcp far-1
}

# moves ORIGIN FAMILY PROTOCOL: after more than a second of silence, who comes
# again may go elsewhere: in one of two cases he does. (To ask sooner would begin
# the second anew; it is told in whole ones.)
moves() {
	local before now

	before=$(servers "$1" "$2" "$3" cluster)
	sleep 2.1
	now=$(servers "$1" "$2" "$3" port)
	echo "$*: $before, then $now"
	(($(wc -w <<<"$before $now") == 2))
	[[ $before != "$now" ]]
}

time_is_over() {
	sticky 1
	web pod-2 pod-3
	sticks pod-1 4 tcp
	wait_for 120 moves pod-1 4 tcp
	wait_for 120 moves client-1 6 udp
}

# Without affinity, everybody is anybody's again; and back.
it_is_switched() {
	spec
	web pod-2 pod-3
	row pod-1 cluster 10 from pod-1 to pod-2 pod-3
	row client-1 port 10 from node to pod-2 pod-3
	sticky 3600
	each_flow sticks
}

node_story pod-1 pod-2 pod-3 far-1 far-2
service web 10 "sessionAffinity: ClientIP" | put web.yaml
endpoints web pod-2 | put web-slices.yaml
serve_node
it "all front ends of a port share who went where" all_front_ends_share
it "nobody moves while his endpoint is there" changes_move_nobody
it "an endpoint that goes loses its clients for good" an_endpoint_goes
it "the policy's set comes before where a client was" a_policy_comes_first
it "a client is free again when his time is over" time_is_over
it "affinity comes and goes with the definition" it_is_switched
finish

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Datagrams larger than the way reach a node's services whole, in whatever order
# their fragments come, from pods and from outside, and so do the answers; and
# those that nobody said must not be cut are cut where a pod's interface is
# narrower.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/node_lib.sh
. "${0%/*}/node_lib.sh"

# sends ORIGIN KIND FAMILY SIZE ORDER
sends() {
	local place

	place=$(front "$2" 10 "$3")
	on "$1" "$ROOT/tests/e2e/packets.py" datagram "${place%/*}" \
		"${place#*/}" "$4" "$5" 1200
}

# As a program does that never asked for a path's MTU.
sends_plainly() {
	local place

	place=$(front "$2" 10 4)
	on "$1" "$ROOT/tests/e2e/packets.py" plain "${place%/*}" "${place#*/}" \
		"$3"
}

# reaches ORIGIN KIND FAMILY ORDER...
reaches() {
	local order

	for order in "${@:4}"; do
		[[ $(sends "$1" "$2" "$3" 4000 "$order") == pod-2 ]]
	done
}

node_story pod-1 pod-2
service web 10 >"$CONFIG/web.yaml"
endpoints web pod-2 | put web-slices.yaml
serve_node
orders=(forward first-last backward)
for family in 4 6; do
	it "pod to cluster IP, IPv$family" reaches pod-1 cluster $family \
		"${orders[@]}"
	it "outside to load balancer, IPv$family" reaches client-1 lb $family \
		"${orders[@]}"
	# what comes early to an address of the host may be the host's
	it "pod to node port, IPv$family" reaches pod-1 port $family forward
	it "outside to node port, IPv$family" reaches client-1 port $family \
		forward
done
ip -n "$NET-balancer" link set pod-2 mtu 1300
narrow() {
	wait_for 10 sends_plainly "$1" port 1400
	[[ $(sends_plainly "$1" port 1400) == pod-2 ]]
}
it "a pod's is cut for a narrower one" narrow pod-1
it "so is one from outside" narrow client-1
finish

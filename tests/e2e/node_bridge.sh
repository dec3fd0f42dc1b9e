#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Pods that are ports of a bridge, and one network: what one answers another goes
# there without the node's routing, and is translated all the same. Who is on
# the bridge is a pod, as --detect-local-mode BridgeInterface has it.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/sandbox/node.sh
. "$ROOT/tests/sandbox/node.sh"

bridge_up() {
	ip_on balancer <<-END
		link add cni0 type bridge
		link set cni0 up
		addr add ${POD4}254/24 dev cni0
		addr add ${POD6}fe/64 dev cni0 nodad
	END
}

bridged_pod_add() {
	host_add "pod-$1"
	ip_on balancer <<-END
		link add pod-$1 type veth peer name eth0 netns $NET-pod-$1
		link set pod-$1 master cni0 up
	END
	ip_on "pod-$1" <<-END
		link set eth0 up
		addr add $POD4$1/24 dev eth0
		addr add $POD6$1/64 dev eth0 nodad
		route add default via ${POD4}254
		route add default via ${POD6}fe
	END
	pod_serves "pod-$1" 8080
}

attached() {
	fairlead status --json | jq -e --argjson n "$1" '.pods |
		length == 2 and all(.[]; .interfaces == $n)'
}

# A cluster IP keeps the pod's address; a load balancer's takes the node's.
pod_reaches() {
	[[ $(ASKER=pod-1 ask "$1") == pod-2 ]]
	[[ $(seen_by pod-1 "$1") == $(pod_addr "$1" 1) ]]
	[[ $(ASKER=pod-1 ask "$2") == pod-2 ]]
	is_nodes "$(seen_by pod-1 "$2")"
}

pod_reaches_itself() {
	local addr

	for addr in "$1" "$2"; do
		[[ $(ASKER=pod-2 ask "$addr") == pod-2 ]]
		is_nodes "$(seen_by pod-2 "$addr")"
	done
}

others_reach() {
	[[ $(ask "$2") == pod-2 ]]
	is_nodes "$(seen_by client-1 "$2")"
	[[ $(ASKER=balancer ask "$1") == pod-2 ]]
}

story 0
node_up
put native.yaml <<-END
	uplinks: [eth0]
	detect-local-mode: BridgeInterface
	pod-bridge-interface: cni0
END
bridge_up
bridged_pod_add 1
bridged_pod_add 2
for pod in 1 2; do
	wait_for 5 pod_answers $pod
done
service_web
endpoints 2
serve --hostname-override node-1
it "programs on the bridge's ports" attached 2
for family in 4 6; do
	ip=IP$family vip=VIP$family
	it "a pod reaches another over IPv$family" pod_reaches "${!ip}" "${!vip}"
	it "a pod reaches itself over IPv$family" \
		pod_reaches_itself "${!ip}" "${!vip}"
	it "others reach it over IPv$family" others_reach "${!ip}" "${!vip}"
	it "datagrams over IPv$family" datagrams pod-1 "${!ip}"
	it "a large answer over IPv$family" large_answer pod-1 "${!ip}"
	it "a large answer past the stack over IPv$family" \
		large_answer pod-1 "${!vip}"
done
finish

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Who comes to a node's services from outside, from pods and from the node
# itself, by each traffic policy; and endpoints that are pods here, another
# node's address, a pod behind an overlay, and this node's own address. By packets
# alone, and with sockets that are given their backends: then the node itself
# reaches its own node ports, and endpoints in its own network.
# Long: minutes, so that it begins before others.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/sandbox/node.sh
. "$ROOT/tests/sandbox/node.sh"

REMOTE=33		# a pod of the other node
NODE_PORT=30080

# policy POLICY: of who comes from outside.
policy() {
	service_web "type: LoadBalancer" "externalTrafficPolicy: $1"
}

# Node 2, backend-1: its pod, and the way there and back through a vxlan; but
# the node itself answers straight away, as rp_filter wants it.
overlay_up() {
	ip_on balancer <<-END
		link add overlay type vxlan id 7 local 10.91.0.2 remote 10.91.0.11 dstport 4789 dev eth0
		link set overlay address 02:00:00:00:77:01 up
		addr add 10.244.1.253/32 dev overlay
		addr add ${POD6}fd/128 dev overlay nodad
		route add 10.244.1.252/32 dev overlay
		route add ${POD6}fc/128 dev overlay
		route add $POD4$REMOTE/32 via 10.244.1.252 dev overlay onlink
		route add $POD6$REMOTE/128 via ${POD6}fc dev overlay onlink
	END
	ip_on backend-1 <<-END
		link add overlay type vxlan id 7 local 10.91.0.11 remote 10.91.0.2 dstport 4789 dev eth0
		link set overlay address 02:00:00:00:77:02 up
		addr add 10.244.1.252/32 dev overlay
		addr add ${POD6}fc/128 dev overlay nodad
		route add 10.244.1.253/32 dev overlay
		route add ${POD6}fd/128 dev overlay
		route add ${POD4}1/32 via 10.91.0.2
		route add ${POD6}1/128 via fd91::2
		route add ${POD4}1/32 via 10.244.1.253 dev overlay onlink table 7
		route add ${POD6}1/128 via ${POD6}fd dev overlay onlink table 7
		rule add from $POD4$REMOTE table 7
	END
	ip -6 -n "$NET-backend-1" rule add from "$POD6$REMOTE" table 7
	on backend-1 sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	pod_add $REMOTE backend-1
}

# asks HOST ADDRESS NAME SEEN: who answers; whom it saw: an address, or node.
asks() {
	local seen

	[[ $(ASKER=$1 ask "$2") == "$3" ]]
	seen=$(seen_by "$1" "$2")
	echo "$seen"
	if [[ $4 == node ]]; then
		is_nodes "$seen"
	else
		[[ $seen == "$4" ]]
	fi
}

client_addr() {
	[[ $1 == *:* ]] && echo fd90:1::2 || echo 10.90.1.2
}

# From outside, a pod and the node: all of them get through.
gets_through() {
	local name=$1 vip=$2 ip=$3

	asks client-1 "$vip" "$name" "$4"
	asks pod-1 "$vip" "$name" "$5"
	asks pod-1 "$ip" "$name" "$(pod_addr "$ip" 1)"
	asks balancer "$ip" "$name" node
	asks balancer "$vip" "$name" node
	large client-1 "$vip"
	large pod-1 "$ip"
	large pod-1 "$vip"
	large balancer "$ip"
	datagrams client-1 "$vip"
}

# node_port HOST ADDRESS NAME SEEN: at the node's address, as asks is.
node_port() {
	local answer seen

	answer=$(on "$1" curl -sS --max-time "$CURL_S" --include \
		"$(url "$2" "$NODE_PORT")" | tr -d '\r')
	echo "$answer"
	[[ ${answer##*$'\n'} == "$3" ]]
	seen=$(sed -n 's/^Client: \(::ffff:\)\?//p' <<<"$answer")
	if [[ $4 == node ]]; then
		is_nodes "$seen"
	else
		[[ $seen == "$4" ]]
	fi
}

node_ports() {
	local name=$1 addr

	for addr in 10.91.0.2 fd91::2; do
		node_port client-1 "$addr" "$name" node
		node_port pod-1 "$addr" "$name" node
		datagrams client-1 "$addr" "$NODE_PORT"
		[[ $(on client-1 curl -sS --max-time "$CURL_S" "$(url "$addr" 8080)") == here ]]
	done
}

# The node itself, at its own address and at cluster IPs.
node_asks_itself() {
	local name=$1 addr

	for addr in 10.91.0.2 fd91::2; do
		node_port balancer "$addr" "$name" node
		datagrams balancer "$addr" "$NODE_PORT"
	done
	for addr in "$IP4" "$IP6"; do
		asks balancer "$addr" "$name" node
		large balancer "$addr"
	done
}

# It has the node's address, and sees everybody's own.
node_ports_of_host() {
	local addr

	for addr in 10.91.0.2 fd91::2; do
		node_port client-1 "$addr" here "$(client_addr "$addr")"
		node_port pod-1 "$addr" here "$(pod_addr "$addr" 1)"
	done
	asks pod-1 "$IP4" here "$(pod_addr "$IP4" 1)"
	asks pod-1 "$IP6" here "$(pod_addr "$IP6" 1)"
	asks client-1 "$VIP4" here "$(client_addr "$VIP4")"
	asks client-1 "$VIP6" here "$(client_addr "$VIP6")"
}

node_ports_keep_the_source() {
	local addr

	for addr in 10.91.0.2 fd91::2; do
		node_port client-1 "$addr" pod-2 "$(client_addr "$addr")"
		node_port pod-1 "$addr" pod-2 "$(pod_addr "$addr" 1)"
	done
}

large() {
	large_answer "$@"
	large_request "$@"
}

# No local endpoint, but one elsewhere: packets from outside are dropped.
local_policy_drops() {
	local status=0

	on client-1 curl -sS --max-time 1 "$(url "$1")" || status=$?
	((status == 28))
	asks pod-1 "$1" "pod-$REMOTE" "$(pod_addr "$1" 1)"
	asks balancer "$1" "pod-$REMOTE" node
}

# all_of_it [OPTION...]: told to the daemon.
all_of_it() {
	policy Cluster
	endpoints
	serve --hostname-override node-1 "$@"
	for vip in "$VIP4" "$VIP6"; do
		for host in client-1 pod-1 balancer; do
			it "$host is refused at $vip" refused "$host" "$vip"
		done
	done
	endpoints 2
	it "a pod here is reached over IPv4" \
		gets_through pod-2 "$VIP4" "$IP4" node node
	it "a pod here is reached over IPv6" \
		gets_through pod-2 "$VIP6" "$IP6" node node
	it "its node port is served, and no other port" node_ports pod-2
	it "the node reaches its own node port" node_asks_itself pod-2
	endpoints node-1:2
	it "a pod in this node's network is reached" node_ports_of_host
	it "the node reaches itself by its services" node_asks_itself here
	endpoints node-2:11
	it "another node's address is reached over IPv4" \
		gets_through backend-1 "$VIP4" "$IP4" node node
	it "another node's address is reached over IPv6" \
		gets_through backend-1 "$VIP6" "$IP6" node node
	endpoints node-2:pod-$REMOTE
	it "a pod behind an overlay is reached over IPv4" \
		gets_through pod-$REMOTE "$VIP4" "$IP4" node node
	it "a pod behind an overlay is reached over IPv6" \
		gets_through pod-$REMOTE "$VIP6" "$IP6" node node
	it "its node port is served, too" node_ports pod-$REMOTE
	it "the node reaches it by its own node port" \
		node_asks_itself pod-$REMOTE
	policy Local
	it "a policy that has nobody here drops over IPv4" local_policy_drops "$VIP4"
	it "a policy that has nobody here drops over IPv6" local_policy_drops "$VIP6"
	endpoints 2 node-2:pod-$REMOTE
	for vip in "$VIP4" "$VIP6"; do
		it "policy Local shows a pod the client at $vip" \
			asks client-1 "$vip" pod-2 "$(client_addr "$vip")"
	done
	endpoints 2
	it "policy Local at node ports, too" node_ports_keep_the_source
	stop serve
}

story 1
node_up
pod_add 1
pod_add 2
overlay_up
start server-here balancer "$B/tests/sandbox/server" here 8080
for pod in 1 2 $REMOTE; do
	wait_for 5 pod_answers "$pod"
done
all_of_it --sockets off
WITH="with sockets: "
all_of_it --sockets host
finish

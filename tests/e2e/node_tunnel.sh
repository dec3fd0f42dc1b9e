#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A pod behind a device whose packets have no Ethernet header (a tun, as
# WireGuard and IP in IP have none): reached from outside, from a pod and from
# the node, by addresses of the tunnel's where the client's is replaced.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/sandbox/node.sh
. "$ROOT/tests/sandbox/node.sh"

REMOTE=33		# a pod of the other node

# tunnel_up HOST LOCAL REMOTE N: the interface tunnel, with addresses that end
# in 250 + N.
tunnel_up() {
	start "tunnel-$1" "$1" "$ROOT/tests/sandbox/tunnel.py" tunnel "$2" "$3" 5555
	wait_for 5 ip -n "$NET-$1" link set tunnel up mtu 1400
	ip_on "$1" <<-END
		addr add 10.244.1.25$4/32 dev tunnel
		addr add ${POD6}f$4/128 dev tunnel nodad
	END
}

ways_up() {
	ip_on balancer <<-END
		route add $POD4$REMOTE/32 dev tunnel src 10.244.1.251
		route add $POD6$REMOTE/128 dev tunnel src ${POD6}f1
	END
	ip_on backend-1 <<-END
		route add 10.244.1.251/32 dev tunnel
		route add ${POD6}f1/128 dev tunnel
		route add ${POD4}1/32 dev tunnel
		route add ${POD6}1/128 dev tunnel
	END
	on backend-1 sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	pod_add $REMOTE backend-1
}

# gets HOST ADDRESS...: the pod answers each.
gets() {
	local address

	for address in "${@:2}"; do
		[[ $(ASKER=$1 ask "$address") == "pod-$REMOTE" ]]
		large_answer "$1" "$address"
		large_request "$1" "$address"
	done
}

# The node itself is a backend as well: on one CPU, a packet without a header may
# be the one before.
by_turns() {
	local i address

	for ((i = 0; i < 20; i++)); do
		for address in "$IP4" "$IP6"; do
			on balancer taskset -c 0 curl -sS --max-time "$CURL_S" \
				"$(url "$address")"
			echo
		done
	done >"$DIR/turns"
	sort "$DIR/turns" | uniq -c
	[[ $(sed '/^$/d' "$DIR/turns" | sort -u | xargs) == "here pod-$REMOTE" ]]
	[[ $(sed '/^$/d' "$DIR/turns" | wc -l) == 40 ]]
}

story 1
node_up
start server-here balancer "$B/tests/sandbox/server" here 8080
pod_add 1
tunnel_up balancer 10.91.0.2 10.91.0.11 1
tunnel_up backend-1 10.91.0.11 10.91.0.2 2
ways_up
for pod in 1 $REMOTE; do
	wait_for 5 pod_answers "$pod"
done
service_web "type: LoadBalancer" "externalTrafficPolicy: Cluster"
endpoints node-2:pod-$REMOTE
serve --hostname-override node-1
it "from outside" gets client-1 "$VIP4" "$VIP6"
it "from a pod" gets pod-1 "$IP4" "$IP6" "$VIP4" "$VIP6"
it "from the node" gets balancer "$IP4" "$IP6"
stop serve
endpoints node-1:2 node-2:pod-$REMOTE
serve --hostname-override node-1 --sockets off
it "from the node, which is a backend too" by_turns
finish

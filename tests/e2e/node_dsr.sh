#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A Service whose annotation fairlead.io/forward names a tunnel, on two nodes:
# who comes from outside keeps its address, though the policy is Cluster and the
# endpoint on the other node, which answers it. Pods and nodes get there as
# before.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/node_lib.sh
. "${0%/*}/node_lib.sh"

# tunnel FORWARD ENDPOINT...: the Service web goes in it.
tunnel() {
	ANNOTATIONS="fairlead.io/forward: $1" service web 10 \
		"${AFFINITY:-sessionAffinity: None}" | put web.yaml
	endpoints web "${@:2}" | put web-slices.yaml
}

node_2() {
	cat <<-END
		apiVersion: v1
		kind: Node
		metadata: {name: node-2}
		spec: {podCIDRs: [10.244.2.0/24, 'fd44:2::/64']}
		status:
		  addresses:
		  - {type: InternalIP, address: 10.91.0.11}
		  - {type: InternalIP, address: 'fd91::11'}
	END
}

# Both nodes do what the files say.
both_in_force() {
	in_force
	fairlead_on backend-1 status --wait --timeout $((20 * PATIENCE)) \
		>"$DIR/status-2" || (cat "$DIR/serve-2.err" && return 1)
}

serve_both() {
	mkdir -p "$DIR/run-backend-1"
	start serve-2 backend-1 "$FAIRLEAD" serve --config "$CONFIG" \
		--hostname-override node-2 "$@"
	serve_node "$@"
	both_in_force
}

# The front end by which the tunnel is used by connections that live.
tunnels() {
	local kind family

	for kind in lb port; do
		for family in 4 6; do
			echo "$kind $family"
		done
	done
}

tunnels_start() {
	local kind family

	while read -r kind family; do
		live_start "live-$kind-$family" keepalive client-1 "$kind" \
			"$family" 6
	done < <(tunnels)
}

tunnels_go_on() {
	local load before

	for load in $(tunnels | sed 's/^/live-/; s/ /-/'); do
		wait_for 10 test -s "$DIR/$load.log"
		before=$(load_answers "$load")
		wait_for 10 load_is_past "$load" $((before + 12))
	done
}

# None failed, none was made anew, none had another endpoint.
tunnels_stop() {
	local load

	for load in $(tunnels | sed 's/^/live-/; s/ /-/'); do
		load_stop "$load"
		load_report "$load" | jq -e '.connections == 6 and
			.moved == 0 and .failures == 0'
	done
}

is_listed() {
	fairlead service list | tee "$DIR/list"
	grep "^default/web:http/tcp .* $1 " "$DIR/list"
	fairlead service show default/web:http/tcp --json |
		jq -e '.front_ends | map(select(.kind != "cluster-ip").forward) |
			unique == ["'"$1"'"]'
}

large() {
	local vip

	vip=$(front lb 10 "$1")
	head -c 3000000 /dev/zero >"$DIR/body"
	on client-1 curl -sS --max-time "$CURL_S" --data-binary "@$DIR/body" \
		"$(url "${vip%/*}")" >/dev/null
	[[ $(on client-1 curl -sS --max-time "$CURL_S" \
		"$(url "${vip%/*}")1000000" | wc -c) == 1000000 ]]
}

fragments() {
	local place

	place=$(front lb 10 "$1")
	[[ $(on client-1 "$ROOT/tests/e2e/packets.py" datagram "${place%/*}" \
		"${place#*/}" 4000 forward 1200) == far-* ]]
}

# The way back is narrower than the endpoint knows, as the client says nothing.
narrow_client() {
	ip -n "$NET-router" link set client-1 mtu 1400
	ip_on client-1 <<-END
		link set eth0 mtu 1400
		route change default via 10.90.1.1 advmss 1460
		route change default via fd90:1::1 advmss 1440
	END
	large 4
	large 6
}

sticks() {
	local place

	for place in $(places lb 10); do
		probe client-1 8 "$ANSWER_MS" "$place" | tee "$DIR/stuck"
		[[ $(wc -l <"$DIR/stuck") == 1 ]]
	done
}

# far-1 is for client-1 alone.
policies() {
	cat <<-END
		apiVersion: v1
		kind: Namespace
		metadata: {name: default}
		---
		apiVersion: v1
		kind: Pod
		metadata: {name: far-1, namespace: default, labels: {app: far}}
		spec: {nodeName: node-2}
		status: {phase: Running, podIP: 10.244.2.1, podIPs: [{ip: 10.244.2.1}, {ip: 'fd44:2::1'}]}
		---
		apiVersion: networking.k8s.io/v1
		kind: NetworkPolicy
		metadata: {name: one, namespace: default}
		spec:
		  podSelector: {matchLabels: {app: far}}
		  policyTypes: [Ingress]
		  ingress:
		  - from: [{ipBlock: {cidr: 10.90.1.0/24}}, {ipBlock: {cidr: 'fd90:1::/64'}}]
	END
}

policed() {
	tunnel ipip far-1
	policies | put policies.yaml
	both_in_force
	row client-1 lb 10 from client-1 to far-1
	row client-2 lb 10 silent
	rm "$CONFIG/policies.yaml"
	tunnel ipip far-1 far-2
	both_in_force
}

# fairlead diff, of what is to come.
differs() {
	cp -r "$CONFIG" "$DIR/next"
	sed -i 's/forward: ipip/forward: gue/' "$DIR/next/web.yaml"
	echo "hostname-override: node-1" >>"$DIR/next/settings.yaml"
	fairlead diff "$DIR/next" >"$DIR/diff" || (($? == 1))
	cat "$DIR/diff"
	[[ $(grep -c '^~ address .* ipip -> gue$' "$DIR/diff") == 12 ]]
}

hints_at_tunnels() {
	fairlead status --json | jq -e --arg hints "$1" \
		'[.applied.hints[] | select(test("fairlead.io/forward"))] |
			length == ($hints | tonumber)'
}

# far-2 behind an interface that XDP does not send by.
overlaid() {
	ip_on balancer <<-END
		link add overlay type vxlan id 7 local 10.91.0.2 remote 10.91.0.11 dstport 4789 dev eth0
		link set overlay up
		neigh add 10.244.1.252 lladdr 02:00:00:00:77:02 dev overlay
		route add 10.244.2.2/32 via 10.244.1.252 dev overlay onlink
	END
	wait_for 10 hints_at_tunnels 1
	fairlead status --json | jq -c .applied.hints
	ip -n "$NET-balancer" link del overlay
	wait_for 10 hints_at_tunnels 0
}

# What client-2 wraps itself, to the endpoint: for the cluster IP.
strangers() {
	local status=0

	start wrap client-2 "$ROOT/tests/sandbox/tunnel.py" wrapped 10.90.2.2 \
		10.244.2.1 6080
	wait_for 5 ip -n "$NET-client-2" link show wrapped
	ip_on client-2 <<-END
		link set wrapped up mtu 1400
		route add 10.96.0.10/32 dev wrapped src 10.90.2.2
		route add 192.0.2.10/32 dev wrapped src 10.90.2.2
	END
	on client-2 curl -sS --max-time 1 http://10.96.0.10/ || status=$?
	((status == 28))
	fairlead_on backend-1 status --json | jq -e \
		'.reasons[] | select(.name == "STRAY_TUNNEL").packets > 0'
	[[ $(on client-2 curl -sS --max-time "$CURL_S" http://192.0.2.10/) == far-1 ]]
}

node_story pod-1 pod-2 far-1 far-2
node_2 | put node-2.yaml
on backend-1 sysctl -qw net.ipv4.conf.all.rp_filter=1
on backend-1 ethtool -K eth0 gro on >/dev/null
tunnel ipip pod-2 far-1 far-2

cat >"$DIR/rows" <<'END'
client-1	lb,external,port	web:10	from own to pod-2 far-1 far-2
pod-1		lb,external,port	web:10	from node to pod-2 far-1 far-2
node		lb			web:10	from node to pod-2 far-1 far-2
pod-1		cluster			web:10	from own to pod-2 far-1 far-2
END
serve_both --sockets off
rows <"$DIR/rows"
it "it is listed" is_listed ipip
it "a change of it is told ahead" differs
tunnels_start
it "connections go on" tunnels_go_on
for forward in gue gre geneve; do
	tunnel "$forward" far-1 far-2
	both_in_force
	it "by $forward" row client-1 lb 10 from client-1 to far-1 far-2
done
for family in 4 6; do
	it "large requests and answers, IPv$family" large $family
	it "datagrams in fragments, IPv$family" fragments $family
done
it "an answer that is too large is told of" narrow_client
it "policies judge the client" policed
AFFINITY="sessionAffinity: ClientIP" tunnel ipip far-1 far-2
both_in_force
it "clients that stick have one endpoint" sticks
it "it is said where it cannot be" overlaid
it "nothing else is taken out of tunnels" strangers
rm "$CONFIG/web.yaml"
both_in_force
it "connections go on without their service" tunnels_go_on
it "none was cut" tunnels_stop
finish

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What changes do to connections of pods, the node and outside: TCP lives on,
# whatever happens; UDP moves at its next packet, or is refused. Then settings,
# objects that are wrong beside others, a daemon that is killed, and cleanup.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/node_lib.sh
. "${0%/*}/node_lib.sh"

RANGES="loadBalancerSourceRanges"
EXTERNAL_LOCAL="externalTrafficPolicy: Local"

# New connections go where they are to go, old ones stay.
tcp_lives_on() {
	web pod-2
	lives_start
	web pod-3
	row pod-1 cluster 10 from pod-1 to pod-3
	lives_go_on
	web pod-3 pod-2,gone
	lives_go_on
	web
	row pod-1 cluster 10 refused
	lives_go_on
	web far-1
	spec "$EXTERNAL_LOCAL" "$RANGES: [10.90.2.0/24]"
	in_force
	row client-1 port 10 silent
	lives_go_on
	lives_stop
}

# A socket that keeps its port and asks again and again.
flow_start() {
	local place

	place=$(front "$2" 10 "$3")
	start "flow-$1-$2-$3" "$(host_of "$1")" python3 \
		"$ROOT/tests/e2e/packets.py" flow "${place%/*}" "${place#*/}"
}

# flows COMMAND [ARGUMENT...]: with each one's origin, kind and family.
flows() {
	local origin kind family

	while read -r origin kind family; do
		"$1" "$origin" "$kind" "$family" "${@:2}"
	done < <(lives)
}

# What it hears from now on is of this server, or "refused".
flow_hears() {
	local log=$DIR/flow-$1-$2-$3.log

	wait_for 30 flow_heard "$log" "$(wc -l <"$log")" "$4"
}

# The line after the first COUNT may be of what was asked before.
flow_heard() {
	[[ $(tail -n "+$(($2 + 2))" "$1" | tail -n 1) == "$3" ]]
}

flow_stop() {
	stop "flow-$1-$2-$3"
}

udp_moves() {
	web pod-2
	flows flow_start
	flows flow_hears pod-2
	web pod-3 pod-2,terminating
	flows flow_hears pod-2
	web pod-3 pod-2,gone
	flows flow_hears pod-3
	web far-1
	flows flow_hears far-1
	web
	flows flow_hears refused
	web pod-2
	flows flow_hears pod-2
	flows flow_stop
}

# Of a Service that is no more its node port is the node's, which refuses.
udp_ends() {
	web pod-2
	flow_start pod-1 port 4
	flow_start pod-1 port 6
	flow_hears pod-1 port 4 pod-2
	flow_hears pod-1 port 6 pod-2
	rm "$CONFIG/web.yaml"
	in_force
	flow_hears pod-1 port 4 refused
	flow_hears pod-1 port 6 refused
	flow_stop pod-1 port 4
	flow_stop pod-1 port 6
}

# label KEY: it takes a Service away, its end gives it back.
label() {
	web pod-2
	row client-1 lb 10 from node to pod-2
	LABELS="service.kubernetes.io/$1: other" spec
	in_force
	[[ $(fairlead service list --json) == "[]" ]]
	spec
	in_force
	row client-1 lb 10 from node to pod-2
}

zone_changes() {
	web pod-2,for-zone-a far-1,for-zone-b
	row pod-1 cluster 10 from pod-1 to pod-2
	node node-1 zone-b | put node.yaml
	in_force
	row pod-1 cluster 10 from pod-1 to far-1
	node node-1 zone-a | put node.yaml
	in_force
}

policy_changes() {
	web pod-2 far-1
	row client-1 port 10 from node to pod-2 far-1
	spec "$EXTERNAL_LOCAL"
	in_force
	row client-1 port 10 from client-1 to pod-2
	spec
	in_force
	row client-1 port 10 from node to pod-2 far-1
}

# One object is wrong: it is named, and the others' changes are in force.
wrong_beside_right() {
	web pod-2
	service bad 11 "externalTrafficPolicy: Sideways" | put bad.yaml
	endpoints web far-1 | put web-slices.yaml
	fails fairlead status --wait --timeout 10 2>"$DIR/said"
	cat "$DIR/said"
	grep -q 'bad.yaml.*Service default/bad' "$DIR/said"
	row pod-1 cluster 10 from pod-1 to far-1
	rm "$CONFIG/bad.yaml"
	in_force
}

# Native services are served beside those of manifests.
native_beside() {
	web far-1
	put native.yaml <<-END
		services:
		- {name: edge4, address: $VIP4, port: 8000, backends: [{address: 10.244.1.2, port: 8080}]}
		- {name: edge6, address: '$VIP6', port: 8000, backends: [{address: 'fd44:1::2', port: 8080}]}
	END
	in_force
	[[ $(ask_port "$VIP4" 8000) == pod-2 ]]
	[[ $(ask_port "$VIP6" 8000) == pod-2 ]]
	row client-1 lb 10 from node to far-1
	rm "$CONFIG/native.yaml"
	in_force
}

ask_port() {
	on client-1 curl -sS --max-time "$CURL_S" "$(url "$1" "$2")"
}

daemon_is_killed() {
	web pod-2
	lives_start
	stop serve KILL
	lives_go_on
	row pod-1 cluster 10 from pod-1 to pod-2
	row client-1 port 10 from node to pod-2
	serve_node
	lives_go_on
	endpoints web pod-3 | put web-slices.yaml
	in_force
	row pod-1 cluster 10 from pod-1 to pod-3
	lives_go_on
	lives_stop
}

# again OPTION...: the daemon, told so.
again() {
	stop serve
	serve_node "$@"
}

masquerade_all() {
	web pod-2 far-1
	again --masquerade-all
	row pod-1 cluster 10 from node to pod-2 far-1
	again
	row pod-1 cluster 10 from pod-1 to pod-2 far-1
}

# Who has no prefix of pods, by the cluster's or otherwise, is told nothing: what
# is asked of cluster IPs is never masqueraded, and no pod takes a short circuit.
no_detector() {
	spec "$EXTERNAL_LOCAL"
	echo "uplinks: [eth0]" | put settings.yaml
	web pod-2
	again
	row client-1 cluster 10 from client-1 to pod-2
	row far-1 cluster 10 from far-1 to pod-2
	row pod-1 cluster 10 from pod-1 to pod-2
	row pod-2 cluster 10 from node to pod-2
	row client-1 lb 10 from client-1 to pod-2
	web far-1
	row pod-1 lb 10 silent
	row node lb 10 from node to far-1
	web pod-2
	again --masquerade-all
	row client-1 cluster 10 from node to pod-2
	row pod-1 cluster 10 from node to pod-2
	node_settings | put settings.yaml
	again
}

# The cluster's CIDR has other nodes' pods as well, nothing else has.
pods_of_other_nodes() {
	spec "$EXTERNAL_LOCAL"
	web pod-2
	row far-1 cluster 10 from far-1 to pod-2
	row far-1 port 10 from far-1 to pod-2
	row far-1 lb 10 from far-1 to pod-2
	spec
	in_force
	row far-1 lb 10 from node to pod-2
	again --masquerade-all
	row far-1 cluster 10 from node to pod-2
	again
}

# No cluster-cidr: the Node's CIDRs, or interfaces by name.
detectors() {
	local detector

	spec "$EXTERNAL_LOCAL"
	echo "uplinks: [eth0]" | put settings.yaml
	for detector in "--detect-local-mode=NodeCIDR" \
		"--detect-local-mode=InterfaceNamePrefix --pod-interface-name-prefix=pod-"; do
		web pod-2 far-1
		# shellcheck disable=SC2086
		again $detector
		row client-1 cluster 10 from node to pod-2 far-1
		row far-1 cluster 10 from node to pod-2 far-1
		row far-1 lb 10 from far-1 to pod-2
		row pod-1 cluster 10 from pod-1 to pod-2 far-1
		row pod-1 lb 10 from pod-1 to pod-2 far-1
	done
}

# Of the node's addresses those that are wanted serve node ports.
node_port_addresses() {
	node_settings | put settings.yaml
	web pod-2
	ip_on balancer <<-END
		addr add 203.0.113.2/32 dev lo
		addr add 2001:db8:2::2/128 dev lo nodad
	END
	ip_on router <<-END
		route add 203.0.113.2/32 via $NODE4
		route add 2001:db8:2::2/128 via $NODE6
	END
	names_of balancer node
	again
	row client-1 port 10 from node to pod-2
	[[ $(second_addresses) == refused ]]
	again --nodeport-addresses=203.0.113.0/24,2001:db8:2::/64
	row client-1 port 10 refused
	[[ $(second_addresses) == "pod-2 node" ]]
	again
}

second_addresses() {
	probe client-1 2 "$ANSWER_MS" tcp/203.0.113.2/30010 udp/203.0.113.2/30010 \
		tcp/2001:db8:2::2/30010 udp/2001:db8:2::2/30010 |
		cut -d ' ' -f 2- | sort -u
}

loopback_trusts() {
	[[ $(on balancer cat /proc/sys/net/ipv4/conf/lo/accept_local) == "$1" ]]
}

# What is not a service's goes on: pods are reached as before.
cleaned() {
	stop serve
	loopback_trusts 1
	fails nothing_attached
	fairlead cleanup --yes
	loopback_trusts 0
	nothing_attached
	[[ -z $(find "$PINS" -type f) ]]
	[[ $(on pod-1 curl -sS --max-time "$CURL_S" "http://$(pod_addr pod-2 4):8080") == pod-2 ]]
	[[ $(on client-1 curl -sS --max-time "$CURL_S" "http://[$(pod_addr pod-2 6)]:8080") == pod-2 ]]
	row client-1 port 10 refused
}

# change WHAT COMMAND: a case, which begins with the Service as it is usual.
change() {
	it "$1" started_with "${@:2}"
}

started_with() {
	spec
	"$@"
}

node_story pod-1 pod-2 pod-3 far-1
spec
endpoints web pod-2 | put web-slices.yaml
serve_node
change "TCP lives on, whatever changes" tcp_lives_on
change "UDP moves with its next packet, or is refused" udp_moves
change "UDP of a Service that is deleted is translated no more" udp_ends
change "a Service that gets another proxy's label, and loses it" label service-proxy-name
change "... or the label headless" label headless
change "the Node changes its zone" zone_changes
change "the traffic policy changes" policy_changes
change "what is wrong is named, the rest is in force" wrong_beside_right
change "native services beside manifests" native_beside
change "the daemon is killed, and comes back" daemon_is_killed
change "--masquerade-all" masquerade_all
change "pods of other nodes, by the cluster's CIDR" pods_of_other_nodes
change "nothing tells pods from others" no_detector
change "other ways to tell pods" detectors
change "node ports at the addresses that are wanted" node_port_addresses
change "cleanup leaves what was there before" cleaned
finish

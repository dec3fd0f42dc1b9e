#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Kubernetes manifests beside native documents: Services with their slices are
# in force, a change of one reaches it alone, and what is wrong is refused alone.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

# put FILE: standard input, in one step.
put() {
	cat >"$CONFIG/$1.new"
	mv "$CONFIG/$1.new" "$CONFIG/$1"
}

# slice NAME FAMILY ADDRESS...: ready endpoints of web.
slice() {
	local addr

	cat <<-END
		---
		apiVersion: discovery.k8s.io/v1
		kind: EndpointSlice
		metadata:
		  name: $1
		  labels: {kubernetes.io/service-name: web}
		addressType: $2
		ports: [{name: http, port: 80}, {name: dns, port: 80, protocol: UDP}]
		endpoints:
	END
	for addr in "${@:3}"; do
		echo "- {addresses: ['$addr'], nodeName: other}"
	done
}

# manifest KIND NAME SPEC
manifest() {
	echo "---"
	echo "{apiVersion: v1, kind: $1, metadata: {name: $2}, spec: {$3}}"
}

web() {
	manifest Service web "clusterIP: $VIP4, clusterIPs: [$VIP4, '$VIP6'],
		ipFamilies: [IPv4, IPv6], ports: [{name: http, port: 80},
		{name: dns, port: 80, protocol: UDP}]"
}

listed() {
	fairlead service list --json | jq -r '.[] | "\(.name) \(.address) \(.ports) \(.backends_active)"'
}

cluster_ips() {
	listed | tee "$DIR/listed"
	diff "$DIR/listed" - <<-END
		default/web:dns/udp $VIP4 80 2
		default/web:dns/udp6 $VIP6 80 2
		default/web:http/tcp $VIP4 80 2
		default/web:http/tcp6 $VIP6 80 2
		edge 192.0.2.99 80 1
	END
	fairlead service show default/web:http/tcp6 --json |
		jq -e '.front_ends[0].kind == "cluster-ip"'
}

# Answered at the node's address, which the Node says, and nowhere else.
node_ports() {
	manifest Service web "clusterIP: $VIP4, clusterIPs: [$VIP4, '$VIP6'],
		ipFamilies: [IPv4, IPv6], type: NodePort,
		ports: [{name: http, port: 80, nodePort: 30080},
		{name: dns, port: 80, protocol: UDP}]" | put web.yaml
	cat <<-END | put node.yaml
		{apiVersion: v1, kind: Node, metadata: {name: node-1}, status:
		 {addresses: [{type: InternalIP, address: $NODE4},
		  {type: InternalIP, address: '$NODE6'}]}}
	END
	fairlead status --wait
	fairlead service show default/web:http/tcp --json |
		jq -e '.front_ends | map(.kind) | sort == ["cluster-ip", "node-port"]'
	for node in "$NODE4" "$NODE6"; do
		node_answers "$node" backend-1 backend-2
	done
	# not a port of the node's
	fails on client-1 curl -sS --max-time 2 "$(url "$NODE4" 30081)"
}

# node_answers ADDRESS NAME...: these, and no others, at the node port.
node_answers() {
	local i

	for ((i = 0; i < 40; i++)); do
		on client-1 curl -sS --max-time "$CURL_S" "$(url "$1" 30080)"
	done | sort -u >"$DIR/answers"
	printf '%s\n' "${@:2}" | diff "$DIR/answers" -
}

# A new address has them at once, however many there are.
new_address() {
	{
		sed 's/^uplinks:.*/&\nnodeport-addresses: [10.91.0.0\/24]/' \
			"$CONFIG/native.yaml"
	} | put native.yaml
	fairlead status --wait
	ip -n "$NET-balancer" addr add 10.91.0.77/24 dev eth0
	wait_for 10 node_answers 10.91.0.77 backend-1 backend-2
	ip -n "$NET-balancer" addr del 10.91.0.77/24 dev eth0
	node_answers "$NODE4" backend-1 backend-2
}

one_goes() {
	slice web-4 IPv4 10.91.0.12 | put web-4.yaml
	fairlead status --wait
	all_answer "$VIP4" backend-2
	all_answer "$VIP6" backend-1 backend-2
}

# What is wrong is said, by kind and name; the rest of the files counts.
refused() {
	manifest Service bad "clusterIP: 10.96.0.7, ports: [{port: 99999}]" |
		put bad.yaml
	slice web-4 IPv4 10.91.0.11 | put web-4.yaml
	fails fairlead status --wait --timeout 5 2>"$DIR/said"
	cat "$DIR/said"
	grep -q 'bad.yaml:2:[0-9]*: Service default/bad: spec.ports\[\].port "99999"' "$DIR/said"
	grep -q 'Service default/bad' "$DIR/serve.err"
	fairlead status --json | jq -e '.applied.synced == false'
	all_answer "$VIP4" backend-1
}

# A slice that is wrong now: its endpoints stay, as they were.
keeps_what_was() {
	rm "$CONFIG/bad.yaml"
	fairlead status --wait
	slice web-4 IPv4 nonsense | put web-4.yaml
	fails fairlead status --wait --timeout 5
	all_answer "$VIP4" backend-1
	slice web-4 IPv4 10.91.0.11 10.91.0.12 | put web-4.yaml
	fairlead status --wait
	all_answer "$VIP4" backend-1 backend-2
}

# Started with a slice that is wrong, the daemon withdraws nothing.
started_with_it() {
	stop serve
	manifest Service web "clusterIP: nonsense, ports: [{port: 80}]" |
		put web.yaml
	start serve balancer "$FAIRLEAD" serve --config "$CONFIG" \
		--cluster-cidr 10.244.0.0/16,fd00:244::/56
	wait_for 10 grep -q 'Service default/web' "$DIR/serve.err"
	wait_for 10 refused_by_status
	all_answer "$VIP4" backend-1 backend-2
	web | put web.yaml
	fairlead status --wait
}

refused_by_status() {
	fairlead status --json | jq -e '.applied.synced == false and
		(.applied.error | contains("Service default/web"))'
}

deleted() {
	rm "$CONFIG/web.yaml"
	fairlead status --wait
	[[ $(listed) == "edge 192.0.2.99 80 1" ]]
	fails ask "$VIP4" --max-time 1
}

checked() {
	fairlead check "$CONFIG" | tee "$DIR/said"
	grep -q "ok: 5 services, 9 backends" "$DIR/said"
}

story 2
NODE4=10.91.0.2
NODE6=fd91::2
CONFIG=$DIR/definitions
mkdir "$CONFIG"
put native.yaml <<-END
	uplinks: [eth0]
	services:
	- {name: edge, address: 192.0.2.99, port: 80, backends: [{address: 10.91.0.11}]}
END
web | put web.yaml
slice web-4 IPv4 10.91.0.11 10.91.0.12 | put web-4.yaml
slice web-6 IPv6 fd91::11 fd91::12 | put web-6.yaml
it "check knows them" checked
# clients are no pods of the cluster: what they ask of cluster IPs is masqueraded
serve --hostname-override node-1 --cluster-cidr 10.244.0.0/16,fd00:244::/56
it "cluster IPs of both families are listed" cluster_ips
it "they answer over IPv4" all_answer "$VIP4" backend-1 backend-2
it "they answer over IPv6" all_answer "$VIP6" backend-1 backend-2
it "datagrams are answered" datagrams_are_answered "$VIP4" 2
it "node ports are at the node's addresses" node_ports
it "an address that comes has them" new_address
it "an endpoint that goes gets nothing more" one_goes
it "a wrong object is refused alone" refused
it "what was in force of a wrong object stays" keeps_what_was
it "a start with a wrong object withdraws nothing" started_with_it
it "what is deleted is served no more" deleted
finish

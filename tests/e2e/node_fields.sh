#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What single fields of Services and EndpointSlices do to packets: source ranges,
# affinity, load balancers that are served elsewhere, conditions and hints of
# endpoints. Each row is TCP and UDP over IPv4 and IPv6.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/node_lib.sh
. "${0%/*}/node_lib.sh"

RANGES="loadBalancerSourceRanges: [' 10.90.1.0/24 ', 'fd90:1::/64']"
AFFINITY="sessionAffinity: ClientIP"
EXTERNAL_LOCAL="externalTrafficPolicy: Local"
INTERNAL_LOCAL="internalTrafficPolicy: Local"

# plain NAME NUMBER ENDPOINT...: policies are Cluster.
plain() {
	service "$1" "$2"
	endpoints "$1" "${@:3}"
}

ranges() {
	service ranges 10 "$RANGES"
	endpoints ranges pod-2
	service ranges-none 11 "$RANGES"
	endpoints ranges-none
	service ranges-zero 12 "loadBalancerSourceRanges: [0.0.0.0/0]"
	endpoints ranges-zero pod-2
}

addresses() {
	INGRESS="{ip: 198.51.100.13, ipMode: Proxy}, {ip: '2001:db8:1::13',
		ipMode: Proxy}, {hostname: lb.example}" service proxy 13
	endpoints proxy pod-2
	INGRESS="{ip: 192.0.2.14, ipMode: VIP}, {ip: '2001:db8::14', ipMode: VIP}" \
		service vip 14
	endpoints vip pod-2
	NODE_PORT='' service no-node-port 15 \
		"allocateLoadBalancerNodePorts: false"
	endpoints no-node-port pod-2
	ADDR4=10.96.0.016 service zeros 16
	endpoints zeros pod-2
}

# affinity [ENDPOINT...]: of the one whose endpoints change.
affinity() {
	(($#)) || set -- pod-2 far-1
	service sticky 17 "$AFFINITY"
	endpoints sticky "$@"
	service sticky-local 18 "$AFFINITY" "$EXTERNAL_LOCAL"
	endpoints sticky-local pod-2 far-1
}

conditions() {
	plain unready 20 pod-2,unready far-1
	plain terminating 21 pod-2,terminating far-1,gone
	plain one-terminates 22 pod-2,terminating far-1
	plain gone 23 pod-2,gone
	service local-terminates 24 "$EXTERNAL_LOCAL" "$INTERNAL_LOCAL"
	endpoints local-terminates pod-2,terminating far-1
	plain twice 25 pod-2,gone
	SLICE=b endpoints twice pod-2
	plain in-slices 26 pod-2
	SLICE=b PORT=8081 endpoints in-slices far-1
}

hints() {
	plain zone 30 pod-2,for-zone-a far-1,for-zone-b
	plain zone-of-some 31 pod-2,for-zone-a far-1
	plain zone-elsewhere 32 pod-2,for-zone-b far-1,for-zone-b
	plain for-node 33 pod-2,for-node-2 far-1,for-node-1
	plain zone-of-ready 34 pod-2,for-zone-a far-1,unready
	service zone-local 35 "$EXTERNAL_LOCAL"
	endpoints zone-local pod-2,for-zone-b far-1,for-zone-a
}

# What pods reach where the node serves nothing: a load balancer elsewhere.
load_balancer_elsewhere() {
	ip_on router <<-END
		addr add 198.51.100.13/32 dev lo
		addr add 2001:db8:1::13/128 dev lo nodad
	END
	start elsewhere router "$B/tests/sandbox/server" elsewhere 80
	wait_for 10 on client-1 curl -so /dev/null 198.51.100.13
}

# one_endpoint ORIGIN NUMBER FAMILY PROTOCOL KIND...: answers at all of these.
one_endpoint() {
	local kind addrs=()

	for kind in "${@:5}"; do
		addrs+=("$4/$(front "$kind" "$2" "$3")")
	done
	probe "$1" 8 "$ANSWER_MS" "${addrs[@]}" >"$DIR/seen"
	cat "$DIR/seen"
	[[ $(wc -l <"$DIR/seen") == "${#addrs[@]}" ]]
	[[ $(cut -d ' ' -f 2 "$DIR/seen" | sort -u) =~ ^(pod-2|far-1)$ ]]
}

# A client has one at whichever front end, of each protocol and family.
sticky() {
	local origin family

	for origin in pod-1 client-1 client-2; do
		for family in 4 6; do
			one_endpoint "$origin" "$1" "$family" tcp "${@:2}"
			one_endpoint "$origin" "$1" "$family" udp "${@:2}"
		done
	done
}

# An endpoint that is gone holds nobody.
sticky_moves() {
	local origin

	affinity pod-2 | put affinity.yaml
	in_force
	for origin in pod-1 client-1 client-2; do
		row "$origin" lb 17 from node to pod-2
	done
	affinity far-1 | put affinity.yaml
	in_force
	for origin in pod-1 client-1 client-2; do
		row "$origin" lb 17 from node to far-1
		sticky 17 cluster port lb external
	done
}

node_story pod-1 pod-2 far-1
load_balancer_elsewhere
for part in ranges addresses affinity conditions hints; do
	$part | put $part.yaml
done
serve_node

# origins	kinds			service		what is to come of it
rows <<'END'
client-1	lb			ranges:10	from node to pod-2
client-2,pod-1,node	lb		ranges:10	silent
client-2	cluster,external	ranges:10	from node to pod-2
pod-1		external		ranges:10	from node to pod-2
client-1	lb			ranges-none:11	refused
client-2	lb			ranges-none:11	silent
client-2	external,cluster	ranges-none:11	refused
client-2,pod-1,node	lb		ranges-zero:12	from node to pod-2

pod-1		proxy			proxy:13	from own to elsewhere
client-1	cluster,external	proxy:13	from node to pod-2
client-1	lb			vip:14		from node to pod-2
client-1	lb			no-node-port:15	from node to pod-2
client-1	port			no-node-port:15	refused
pod-1		cluster			zeros:16	from own to pod-2
pod-1,node,client-1	lacks		zeros:16	refused

client-1	lb			sticky-local:18	from own to pod-2

pod-1,client-1	lb			unready:20	from node to far-1
pod-1		lb			terminating:21	from node to pod-2
pod-1,client-1	cluster,lb		gone:23		refused
client-1	lb			local-terminates:24	from own to pod-2
pod-1		lb			local-terminates:24	from own to far-1
pod-1		cluster			local-terminates:24	from own to pod-2
pod-1		cluster			one-terminates:22	from own to far-1
pod-1		cluster			twice:25	from own to pod-2
pod-1		cluster			in-slices:26	from own to pod-2 far-1

pod-1		cluster			zone:30		from own to pod-2
client-1	lb			zone:30		from node to pod-2
pod-1		cluster			zone-of-some:31	from own to pod-2 far-1
pod-1		cluster			zone-elsewhere:32	from own to pod-2 far-1
pod-1		cluster			for-node:33	from own to far-1
pod-1		cluster			zone-of-ready:34	from own to pod-2
client-1	lb			zone-local:35	from own to pod-2
pod-1		cluster,lb		zone-local:35	from own to far-1
END
it "a client has one endpoint at all front ends" sticky 17 cluster port lb external
it "and another one when that is gone" sticky_moves
finish

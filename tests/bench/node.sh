#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
#   scripts/bench node [--json FILE] [--quick]
#
# A Kubernetes node's services by different means: what a connection, a round
# trip and a datagram cost, in CPU time of all that they pass through. From a pod
# to a cluster IP, and from outside to a node port, whose endpoints are here or
# on another node. Each way has a network of its own, with the same addresses,
# so that all can be asked in turn, round by round:
#
#   client eth0 ── front node back ── eth0 far
#   10.90.0.2  10.90.0.1      10.92.0.1  10.92.0.2, and all of 10.244.2.0/24
#                   pod           web
#              10.244.1.2     10.244.1.3, and all of 10.244.1.128/25
#
#   none        no proxy: the endpoint itself is dialled
#   sockets     Fairlead, which gives the pod's TCP sockets an endpoint
#   packets     Fairlead, which translates packets alone
#   beside      the same, but the endpoint itself is dialled: what it costs who
#               asks no service
#   nft         rules as kube-proxy's nftables mode makes them
#   iptables    and its iptables mode
#
# Of four services one after the other, one is TCP with endpoints here, one TCP
# elsewhere, two are UDP likewise. Needs root; leaves nothing behind.
set -euo pipefail
ROOT=$(realpath "${0%/*}/../..")
B=$(realpath -m "${B:-$ROOT/build}")
NET=flnode$$
ROUNDS=50
QUICK_ROUNDS=15
REPORT=node_report.py
NODE_PORTS=2500	# services that have one: no more fit into 30000 to 32767
WAYS=(none sockets packets beside nft iptables)
# shellcheck source=tests/sandbox/sandbox.sh
. "$ROOT/tests/sandbox/sandbox.sh"

# shellcheck source=tests/bench/ways.sh
. "$ROOT/tests/bench/ways.sh"

# way_network WAY
way_network() {
	local host

	for host in client node far pod web; do
		host_add "$1-$host" 1
	done
	wire_add "$1-client" eth0 10.90.0.2/24 "$1-node" front 10.90.0.1/24
	wire_add "$1-node" back 10.92.0.1/24 "$1-far" eth0 10.92.0.2/24
	way_pods "$1"
	ip -n "$NET-$1-client" route add default via 10.90.0.1
	ip_on "$1-node" <<-END
		route add 10.244.1.128/25 via 10.244.1.3 dev web onlink
		route add 10.244.2.0/24 via 10.92.0.2
	END
	ip -n "$NET-$1-web" route add local 10.244.1.128/25 dev lo
	ip_on "$1-far" <<-END
		route add default via 10.92.0.1
		route add local 10.244.2.0/24 dev lo
	END
	dials "$1-client"
}

# Service s, in awk: its address, protocol and endpoints; each has two.
# shellcheck disable=SC2016
SERVICES='
	function address(s) {
		return sprintf("10.96.%d.%d", (s + 1) / 256, (s + 1) % 256)
	}
	function protocol(s) {
		return int(s / 2) % 2 ? "udp" : "tcp"
	}
	function endpoint(s, i) {
		if (s % 2)
			return sprintf("10.244.2.%d", 1 + (s + i) % 250)
		return sprintf("10.244.1.%d", 128 + (s / 2 + i) % 120)
	}
	function node_port(s) {
		return s < node_ports ? 30000 + s : 0
	}'

# services_awk SIZE PROGRAM
services_awk() {
	awk -v size="$1" -v node_ports="$NODE_PORTS" "$SERVICES $2"
}

manifests() {
	# shellcheck disable=SC2016
	services_awk "$1" 'BEGIN {
		for (s = 0; s < size; s++) {
			port = node_port(s)
			printf "---\napiVersion: v1\nkind: Service\n" \
				"metadata: {name: s%05d}\nspec:\n" \
				"  type: %s\n  clusterIP: %s\n" \
				"  ports:\n  - {port: 80, protocol: %s%s}\n", s,
				port ? "NodePort" : "ClusterIP", address(s),
				toupper(protocol(s)),
				port ? ", nodePort: " port : ""
			printf "---\napiVersion: discovery.k8s.io/v1\n" \
				"kind: EndpointSlice\nmetadata:\n" \
				"  name: s%05d-x\n" \
				"  labels: {kubernetes.io/service-name: s%05d}\n" \
				"addressType: IPv4\n" \
				"ports: [{port: 8080, protocol: %s}]\n" \
				"endpoints:\n", s, s, toupper(protocol(s))
			for (i = 0; i < 2; i++)
				printf "- {addresses: [%s], nodeName: %s}\n",
					endpoint(s, i),
					s % 2 ? "node-2" : "node-1"
		}
	}'
}

node_object() {
	cat <<-END
		apiVersion: v1
		kind: Node
		metadata: {name: node-1}
		spec: {podCIDRs: [10.244.1.0/24]}
		status:
		  addresses:
		  - {type: InternalIP, address: 10.90.0.1}
	END
}

# serves WAY SETTING...
serves() {
	local dir=$DIR/$1-definitions

	mkdir "$dir" "$DIR/run-$1-node"
	printf '%s\n' "uplinks: [front, back]" "cluster-cidr: 10.244.0.0/16" \
		"${@:2}" >"$dir/settings.yaml"
	node_object >"$dir/node.yaml"
}

# fairlead_begin WAY SIZE
fairlead_begin() {
	manifests "$2" >"$DIR/$1-definitions/services.yaml"
	way_serve "$1"
}

none_begin() { :; }
none_end() { :; }
sockets_begin() { fairlead_begin sockets "$1"; }
sockets_end() { way_serve_end sockets; }
packets_begin() { fairlead_begin packets "$1"; }
packets_end() { way_serve_end packets; }
beside_begin() { fairlead_begin beside "$1"; }
beside_end() { way_serve_end beside; }

# Chains, and what leads to them.
nft_rules() {
	# shellcheck disable=SC2016
	services_awk "$1" 'BEGIN {
		print "table ip kube-proxy {"
		print "chain mark-for-masquerade {"
		print "meta mark set meta mark | 0x4000\n}"
		for (s = 0; s < size; s++) {
			p = protocol(s)
			for (i = 0; i < 2; i++)
				printf "chain endpoint-%d-%d {\n" \
					"ip saddr %s jump mark-for-masquerade\n" \
					"meta l4proto %s dnat to %s:8080\n}\n",
					s, i, endpoint(s, i), p, endpoint(s, i)
			printf "chain service-%d {\n" \
				"ip daddr %s %s dport 80 ip saddr !=" \
				" 10.244.0.0/16 jump mark-for-masquerade\n" \
				"numgen random mod 2 vmap { 0 : goto" \
				" endpoint-%d-0, 1 : goto endpoint-%d-1 }\n}\n",
				s, address(s), p, s, s
			if (node_port(s))
				printf "chain external-%d {\n" \
					"jump mark-for-masquerade\n" \
					"goto service-%d\n}\n", s, s
			ips = ips sprintf("%s . %s . 80 : goto service-%d,\n",
				address(s), p, s)
			if (node_port(s))
				ports = ports sprintf("%s . %d : goto" \
					" external-%d,\n", p, node_port(s), s)
		}
		print "map service-ips {"
		print "type ipv4_addr . inet_proto . inet_service : verdict"
		print "elements = {" ips "}\n}\nmap service-nodeports {"
		print "type inet_proto . inet_service : verdict"
		print "elements = {" ports "}\n}\nchain services {"
		print "ip daddr . meta l4proto . th dport vmap @service-ips"
		print "fib daddr type local meta l4proto . th dport vmap" \
			" @service-nodeports\n}"
		print "chain nat-prerouting {"
		print "type nat hook prerouting priority dstnat; jump services\n}"
		print "chain nat-output {"
		print "type nat hook output priority -100; jump services\n}"
		print "chain nat-postrouting {"
		print "type nat hook postrouting priority srcnat"
		print "meta mark & 0x4000 == 0 return"
		print "meta mark set meta mark ^ 0x4000"
		print "masquerade fully-random\n}\n}"
	}'
}

nft_begin() {
	nft_rules "$1" >"$DIR/nft"
	on nft-node nft -f "$DIR/nft"
}

nft_end() {
	on nft-node nft delete table ip kube-proxy
}

iptables_rules() {
	# shellcheck disable=SC2016
	services_awk "$1" '
	function chains(s, i) {
		print ":KUBE-SVC-" s " -"
		print ":KUBE-EXT-" s " -"
		for (i = 0; i < 2; i++)
			print ":KUBE-SEP-" s "-" i " -"
	}
	function service(s, i, to) {
		to = "-d " address(s) "/32 -p " protocol(s) " --dport 80"
		print "-A KUBE-SERVICES", to, "-j KUBE-SVC-" s
		print "-A KUBE-SVC-" s, "! -s 10.244.0.0/16", to,
			"-j KUBE-MARK-MASQ"
		print "-A KUBE-SVC-" s, "-m statistic --mode random",
			"--probability 0.5 -j KUBE-SEP-" s "-0"
		print "-A KUBE-SVC-" s, "-j KUBE-SEP-" s "-1"
		for (i = 0; i < 2; i++) {
			print "-A KUBE-SEP-" s "-" i, "-s", endpoint(s, i),
				"-j KUBE-MARK-MASQ"
			print "-A KUBE-SEP-" s "-" i, "-p", protocol(s),
				"-j DNAT --to-destination", endpoint(s, i) ":8080"
		}
		if (!node_port(s))
			return
		print "-A KUBE-NODEPORTS -p", protocol(s), "--dport",
			node_port(s), "-j KUBE-EXT-" s
		print "-A KUBE-EXT-" s, "-j KUBE-MARK-MASQ"
		print "-A KUBE-EXT-" s, "-j KUBE-SVC-" s
	}
	BEGIN {
		print "*filter\n:KUBE-FORWARD -\n:KUBE-SERVICES -"
		print "-A FORWARD -j KUBE-FORWARD"
		print "-A FORWARD -m conntrack --ctstate NEW -j KUBE-SERVICES"
		print "-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP"
		print "-A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT"
		print "-A KUBE-FORWARD -m conntrack --ctstate" \
			" RELATED,ESTABLISHED -j ACCEPT"
		print "COMMIT\n*nat\n:KUBE-SERVICES -\n:KUBE-NODEPORTS -"
		print ":KUBE-POSTROUTING -\n:KUBE-MARK-MASQ -"
		for (s = 0; s < size; s++)
			chains(s)
		print "-A PREROUTING -j KUBE-SERVICES"
		print "-A OUTPUT -j KUBE-SERVICES"
		print "-A POSTROUTING -j KUBE-POSTROUTING"
		print "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000"
		print "-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN"
		print "-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0"
		print "-A KUBE-POSTROUTING -j MASQUERADE --random-fully"
		for (s = 0; s < size; s++)
			service(s)
		print "-A KUBE-SERVICES -m addrtype --dst-type LOCAL" \
			" -j KUBE-NODEPORTS"
		print "COMMIT"
	}'
}

iptables_begin() {
	iptables_rules "$1" >"$DIR/iptables"
	on iptables-node iptables-legacy-restore "$DIR/iptables"
}

iptables_end() {
	printf '*filter\nCOMMIT\n*nat\nCOMMIT\n' |
		on iptables-node iptables-legacy-restore
}

# places WAY PROTOCOL LOCAL|REMOTE KIND SIZE: what is dialled, all services of
# that sort in turn. KIND: cluster or port.
places() {
	local limit=$5

	[[ $4 == cluster ]] || limit=$(($5 < NODE_PORTS ? $5 : NODE_PORTS))
	# shellcheck disable=SC2016
	awk -v way="$1" -v wanted="$2" -v remote="$3" -v kind="$4" \
		-v size="$limit" -v node_ports="$NODE_PORTS" "$SERVICES"'
		BEGIN {
			for (s = remote; s < size; s += 2) {
				if (protocol(s) != wanted)
					continue
				if (way == "none" || way == "beside")
					print endpoint(s, s / 4 % 2), 8080
				else if (kind == "cluster")
					print address(s), 80
				else
					print "10.90.0.1", node_port(s)
			}
		}'
}

# CASE: who asks, whether what answers is remote, and at what kind of place.
declare -A CASES=([pod]="pod 0 cluster" [local]="client 0 port"
	[remote]="client 1 port")

# Sockets are served as a pod's TCP alone.
has_way() {
	[[ $3 != sockets ]] || [[ $1 == pod && $2 != packets && $2 != flows ]]
}

# ways CASE WHAT SIZE: as node_traffic reads them.
ways() {
	local from remote kind to=web protocol=tcp way cgroup

	read -r from remote kind <<<"${CASES[$1]}"
	((remote == 0)) || to=far
	case $2 in packets | flows) protocol=udp ;; esac
	for way in "${WAYS[@]}"; do
		has_way "$1" "$2" "$way" || continue
		cgroup=$CGROUP-plain
		[[ $way != sockets ]] || cgroup=$CGROUP
		echo "way $way /run/netns/$NET-$way-$from" \
			"/run/netns/$NET-$way-$to $cgroup"
		places "$way" $protocol "$remote" "$kind" "$3"
	done
}

# measure CASE WHAT SIZE
measure() {
	ways "$@" | traffic "$2" node "\"case\":\"$1\",\"services\":$3"
}

size_measure() {
	local way case what

	for way in "${WAYS[@]}"; do
		echo "$1 services, $way ..." >&2
		"${way}_begin" "$1"
	done
	for case in pod local remote; do
		for what in connections trips packets flows; do
			measure $case $what "$1"
		done
	done
	for way in "${WAYS[@]}"; do
		"${way}_end" "$1"
	done
}

networks_make() {
	local way

	for way in "${WAYS[@]}"; do
		way_network "$way"
	done
	serves sockets "socket-pods: 10.244.1.2/32"
	serves packets "sockets: off"
	serves beside "sockets: off"
}

measure_all() {
	local size sizes=(4 1000 10000)

	[[ -z $QUICK ]] || sizes=(4 1000)
	networks_make
	for size in "${sizes[@]}"; do
		size_measure "$size"
	done
}

ways_options "$@"
ways_main node_traffic

# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# A Kubernetes node for the end-to-end tests, in the network of
# tests/sandbox/network.sh; who includes this has included lib.sh.
#
#	node_story pods		# pods here: pod-1 pod-2 ...; elsewhere: far-1 ...
#	service web 10		# manifests: the Service with number 10,
#	endpoints web pod-2 far-1 | put web-slices.yaml
#	serve_node
#	row pod-1 cluster 10 from pod-1 to pod-2 far-1
#
# The balancer's host is the node, node-1; backend-1 is node-2, with the pods
# far-N. Outside are client-1 and client-2. Pods are routed, as the CNI plugin
# ptp does it, and the node knows the way to the other's.
#
#		pods		cluster IPs	load balancers	external IPs
#	IPv4	10.244.NODE.N	10.96.0.N	192.0.2.N	192.0.2.1N
#	IPv6	fd44:NODE::N	fd96::N		2001:db8::N	2001:db8::1N
#
# Service N (10 to 99) has port 80, TCP and UDP, and node port 300N. Load
# balancers of ipMode Proxy are 198.51.100.N and 2001:db8:1::N, elsewhere.

# shellcheck source=tests/sandbox/pod.sh
. "$ROOT/tests/sandbox/pod.sh"

NODE4=10.91.0.2
NODE6=fd91::2

# What nothing is expected to come of is waited for so long; whether it was
# dropped by us is asked of the counters, where it matters.
SILENCE_MS=300
ANSWER_MS=${ANSWER_MS:-10000}
PROBES=32	# of 2 endpoints, chosen at random, one is missed in 2^31 runs

# pod_host NAME: the host that has the pod.
pod_host() {
	[[ $1 == far-* ]] && echo backend-1 || echo balancer
}

# pod_addr NAME FAMILY
pod_addr() {
	local node=1

	[[ $1 != far-* ]] || node=2
	if (($2 == 4)); then
		echo "10.244.$node.${1#*-}"
	else
		echo "fd44:$node::${1#*-}"
	fi
}

# pod_add NAME
pod_add() {
	local addr4 addr6

	addr4=$(pod_addr "$1" 4)
	addr6=$(pod_addr "$1" 6)
	pod_routed "$(pod_host "$1")" "$1" "$addr4" "$addr6" 8080 8081
	echo "$addr4 $1" >>"$DIR/names"
	echo "$addr6 $1" >>"$DIR/names"
}

pod_answers() {
	pod_is_heard "$(pod_host "$1")" "$(pod_addr "$1" 4)" \
		"$(pod_addr "$1" 6)"
}

# names_of HOST NAME: whoever is seen with an address of HOST is NAME.
names_of() {
	ip -n "$NET-$1" -json addr show |
		jq -r --arg name "$2" '.[].addr_info[].local + " " + $name' \
			>>"$DIR/names"
}

routes_add() {
	on backend-1 sysctl -qw net.ipv4.ip_forward=1 \
		net.ipv6.conf.all.forwarding=1
	ip_on balancer <<-END
		route add 10.244.2.0/24 via 10.91.0.11
		route add fd44:2::/64 via fd91::11
	END
	ip_on backend-1 <<-END
		route add 10.244.1.0/24 via $NODE4
		route add fd44:1::/64 via $NODE6
		route add 10.96.0.0/16 via $NODE4
		route add fd96::/64 via $NODE6
	END
	ip_on router <<-END
		route add 10.96.0.0/16 via $NODE4
		route add fd96::/64 via $NODE6
		route add 10.244.1.0/24 via $NODE4
		route add fd44:1::/64 via $NODE6
		route add 10.244.2.0/24 via 10.91.0.11
		route add fd44:2::/64 via fd91::11
	END
}

# node_story POD...: the network, two clients, and these pods.
node_story() {
	local pod

	story 1 2
	mkdir "$CONFIG"
	: >"$DIR/names"
	on balancer sysctl -qw net.ipv4.conf.all.rp_filter=1
	routes_add
	for pod; do
		pod_add "$pod"
	done
	names_of balancer node
	names_of client-1 client-1
	names_of client-2 client-2
	for pod; do
		wait_for 10 pod_answers "$pod"
	done
	node_settings | put settings.yaml
	node node-1 zone-a | put node.yaml
}

# Answers have no limit: more is refused here in a second than is usual.
node_settings() {
	cat <<-END
		uplinks: [eth0]
		cluster-cidr: [10.244.0.0/16, 'fd44::/16']
		answers: {per-second: 0, per-network: 0}
	END
}

serve_node() {
	serve --hostname-override node-1 "$@"
}

# node NAME [ZONE]
node() {
	cat <<-END
		---
		apiVersion: v1
		kind: Node
		metadata: {name: $1, labels: {topology.kubernetes.io/zone: '${2-}'}}
		spec: {podCIDRs: [10.244.1.0/24, 'fd44:1::/64']}
		status:
		  addresses:
		  - {type: InternalIP, address: $NODE4}
		  - {type: InternalIP, address: '$NODE6'}
	END
}

# service NAME NUMBER [FIELD...]: front ends of every kind; more of its spec, as
# "externalTrafficPolicy: Local". INGRESS is the status' list, ADDR4 the cluster
# IP as written, LABELS its labels, ANNOTATIONS likewise; an empty NODE_PORT
# takes the node port away.
service() {
	local field port="${NODE_PORT-300$2}"
	local ingress="{ip: 192.0.2.$2}, {ip: '2001:db8::$2'}"

	cat <<-END
		---
		apiVersion: v1
		kind: Service
		metadata: {name: $1, labels: {${LABELS-}}, annotations: {${ANNOTATIONS-}}}
		status: {loadBalancer: {ingress: [${INGRESS-$ingress}]}}
		spec:
		  type: LoadBalancer
		  clusterIP: ${ADDR4-10.96.0.$2}
		  clusterIPs: [${ADDR4-10.96.0.$2}, 'fd96::$2']
		  ipFamilies: [IPv4, IPv6]
		  externalIPs: [192.0.2.1$2, '2001:db8::1$2']
		  ports:
		  - {name: http, port: 80${port:+, nodePort: $port}}
		  - {name: dns, port: 80, protocol: UDP${port:+, nodePort: $port}}
	END
	for field in "${@:3}"; do
		echo "  $field"
	done
}

# endpoints NAME [ENDPOINT...]: both slices of a Service. An ENDPOINT is a pod's
# name, and after commas words of endpoint_words. PORT is theirs, of both
# protocols.
endpoints() {
	local family endpoint

	for family in 4 6; do
		cat <<-END
			---
			apiVersion: discovery.k8s.io/v1
			kind: EndpointSlice
			metadata:
			  name: $1-${SLICE:-a}$family
			  labels: {kubernetes.io/service-name: $1}
			addressType: IPv$family
			ports:
			- {name: http, port: ${PORT:-8080}}
			- {name: dns, port: ${PORT:-8080}, protocol: UDP}
			endpoints:
		END
		(($# > 1)) || echo "  []"
		for endpoint in "${@:2}"; do
			endpoint_of "$family" "$endpoint"
		done
	done
}

endpoint_of() {
	local pod=${2%%,*} node=1

	[[ $pod != far-* ]] || node=2
	echo "- addresses: ['$(pod_addr "$pod" "$1")']"
	echo "  nodeName: node-$node"
	[[ $2 != *,* ]] || endpoint_words "${2#*,}"
}

# Conditions and hints, by short names.
endpoint_words() {
	local word

	for word in ${1//,/ }; do
		case $word in
		unready) echo "  conditions: {ready: false}" ;;
		terminating) echo "  conditions:" \
			"{ready: false, serving: true, terminating: true}" ;;
		gone) echo "  conditions:" \
			"{ready: false, serving: false, terminating: true}" ;;
		for-node-*) echo "  hints: {forNodes: [{name: ${word#for-}}]}" ;;
		for-zone-*) echo "  hints: {forZones: [{name: ${word#for-}}]}" ;;
		*) return 1 ;;
		esac
	done
}

# front KIND NUMBER FAMILY: address/port of a Service's front end; "lacks" is a
# port that the cluster IP has not.
front() {
	local port=80 addr

	case $1$3 in
	cluster4) addr=10.96.0.$2 ;;
	cluster6) addr=fd96::$2 ;;
	lacks4) addr=10.96.0.$2 port=81 ;;
	lacks6) addr=fd96::$2 port=81 ;;
	port4) addr=$NODE4 port=300$2 ;;
	port6) addr=$NODE6 port=300$2 ;;
	lb4) addr=192.0.2.$2 ;;
	lb6) addr=2001:db8::$2 ;;
	proxy4) addr=198.51.100.$2 ;;
	proxy6) addr=2001:db8:1::$2 ;;
	external4) addr=192.0.2.1$2 ;;
	external6) addr=2001:db8::1$2 ;;
	esac
	echo "$addr/$port"
}

# places KIND NUMBER: both protocols in both families.
places() {
	local family protocol

	for family in 4 6; do
		for protocol in tcp udp; do
			echo "$protocol/$(front "$1" "$2" $family)"
		done
	done
}

# host_of ORIGIN
host_of() {
	[[ $1 == node ]] && echo balancer || echo "$1"
}

# probe ORIGIN COUNT WAIT_MS PLACE...: what came of each, once, addresses by
# their owners' names: "PLACE server seen-as", "PLACE refused" ...
probe() {
	on "$(host_of "$1")" env UDP_PORTS="$DIR/udp-ports" \
		"$B/tests/sandbox/probe" "${@:2}" |
		awk -v names="$DIR/names" '
			BEGIN {
				while ((getline line < names) > 0) {
					split(line, word, " ")
					name[word[1]] = word[2]
				}
			}
			NF == 3 && $3 in name { $3 = name[$3] }
			{ $1 = $1; print }' | sort -u
}

# outcome PLACES OUTCOME...: how probe prints that each place had each of them.
outcome() {
	local place text

	for ((place = 1; place <= $1; place++)); do
		for text in "${@:2}"; do
			echo "$place $text"
		done
	done | sort -u
}

# row ORIGIN KIND NUMBER refused|silent
# row ORIGIN KIND NUMBER from SEEN to NAME...: each of these answers, nobody
# else, and sees the connections come from SEEN. Both protocols and families.
row() {
	local origin=$1 expected=$4 seen=${5-} count=4 wait=$ANSWER_MS all=()

	mapfile -t all < <(places "$2" "$3")
	if [[ $expected == from ]]; then
		set -- "${@:7}"
		set -- "${@/%/ $seen}"
	else
		set -- "$expected"
	fi
	(($# == 1)) || count=$PROBES
	[[ $expected != refused ]] || count=2
	[[ $expected != silent ]] || count=2 wait=$SILENCE_MS
	outcome ${#all[@]} "$@" >"$DIR/expected"
	probe "$origin" $count "$wait" "${all[@]}" >"$DIR/seen"
	echo "- expected, + seen; places: ${all[*]}"
	diff -U 99 "$DIR/expected" "$DIR/seen"
}

# rows: a table from standard input, a case for each row and each word of the
# comma lists in its first three columns: ORIGINS KINDS SERVICE[:NUMBER] what
# row expects, where "own" stands for the origin.
rows() {
	local origins kinds service expected origin kind

	while read -r origins kinds service expected; do
		[[ -n $origins && $origins != "#"* ]] || continue
		for origin in ${origins//,/ }; do
			for kind in ${kinds//,/ }; do
				# shellcheck disable=SC2086
				it "$origin, $kind ${service%:*}: ${expected/own/$origin}" \
					row "$origin" "$kind" "${service#*:}" \
					${expected/own/$origin}
			done
		done
	done
}

# web ENDPOINT...: its endpoints are these, and that is in force.
web() {
	endpoints web "$@" | put web-slices.yaml
	in_force
}

# spec [FIELD...]: so the Service is defined now, once the daemon has read it.
spec() {
	service web 10 "$@" | put web.yaml
}

# Connections to the Service web, number 10, that live: "ORIGIN KIND FAMILY".
lives() {
	local family

	for family in 4 6; do
		echo "pod-1 cluster $family"
		echo "pod-1 port $family"
		echo "node cluster $family"
		echo "client-1 lb $family"
		echo "client-1 port $family"
	done
}

# live_start NAME MODE ORIGIN KIND FAMILY CONCURRENCY
live_start() {
	local place

	place=$(front "$4" 10 "$5")
	start "$1" "$(host_of "$3")" "$B/tests/sandbox/load" --mode "$2" \
		--target "${place%/*}" --every-ms 50 --pause-ms 10 \
		--timeout-ms 20000 --concurrency "$6" "${place#*/}"
}

lives_start() {
	local origin kind family

	while read -r origin kind family; do
		live_start "live-$origin-$kind-$family" keepalive \
			"$origin" "$kind" "$family" 4
	done < <(lives)
	lives_go_on
}

# Each has answers from now on.
lives_go_on() {
	local load before

	for load in $(lives | sed 's/^/live-/; s/ /-/g'); do
		wait_for 10 test -s "$DIR/$load.log"
		before=$(load_answers "$load")
		wait_for 10 load_is_past "$load" $((before + 12))
	done
}

# None failed, none was made anew, none had another endpoint.
lives_stop() {
	local load failed=0

	for load in $(lives | sed 's/^/live-/; s/ /-/g'); do
		load_stop "$load" || failed=1
		load_kept_all "$load" || failed=1
	done
	return "$failed"
}

load_kept_all() {
	load_report "$1" |
		jq -e '.connections == 4 and .moved == 0 and .failures == 0'
}

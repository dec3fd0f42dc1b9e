# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# A node that holds its workloads to network policies, in the network of
# tests/sandbox/network.sh; who includes this has included lib.sh.
#
#	policy_story
#	pod_add bridged shop/web 1	# on a bridge of the node's
#	pod_add routed shop/db 2	# behind a veth that it routes to
#	pod_add far blog/web 3		# on another node
#	serve --hostname-override here
#
# The balancer's host is the node, "here"; backend-1 is another one,
# "elsewhere"; client-1 and client-2 are outside. Who they all are stands in
# $HOSTS, for policy_matrix.
#
#		bridged		far		routed
#	IPv4	10.244.1.N	10.244.2.N	10.244.3.N
#	IPv6	fd44:1::N	fd44:2::N	fd44:3::N

# shellcheck source=tests/sandbox/pod.sh
. "$ROOT/tests/sandbox/pod.sh"

HOSTS=$DIR/hosts
MATRIX=$B/tests/e2e/policy_matrix

# host_line NAME KIND HOST ADDR4 ADDR6 PLACE [INTERFACE]
host_line() {
	echo "$1 $2 /run/netns/$NET-$3 ${*:4}" >>"$HOSTS"
}

bridge_up() {
	ip_on balancer <<-END
		link add cni0 type bridge
		link set cni0 up
		addr add 10.244.1.254/24 dev cni0
		addr add fd44:1::fe/64 dev cni0 nodad
	END
}

other_node_up() {
	host_add backend-1 1
	segment_add backend-1 11
	ip_on backend-1 <<-END
		route add 10.244.0.0/16 via 10.91.0.2
		route add fd44::/16 via fd91::2
	END
	ip_on balancer <<-END
		route add 10.244.2.0/24 via 10.91.0.11
		route add fd44:2::/64 via fd91::11
	END
}

policy_story() {
	[[ -x $MATRIX ]] || skip_all "$MATRIX is not built"
	story 0 2
	mkdir "$CONFIG"
	bridge_up
	other_node_up
	ip_on router <<-END
		route add 10.244.0.0/16 via 10.91.0.2
		route add fd44::/16 via fd91::2
		route add 10.244.2.0/24 via 10.91.0.11
		route add fd44:2::/64 via fd91::11
	END
	host_line here node balancer 10.91.0.2 fd91::2 here
	host_line elsewhere node backend-1 10.91.0.11 fd91::11 elsewhere
	host_line client-1 outside client-1 10.90.1.2 fd90:1::2 elsewhere
	host_line client-2 outside client-2 10.90.2.2 fd90:2::2 elsewhere
	put settings.yaml <<-END
		uplinks: [eth0]
		cluster-cidr: [10.244.0.0/16, 'fd44::/16']
	END
}

pod_bridged() {
	ip_on balancer <<-END
		link add $1 type veth peer name eth0 netns $NET-$1
		link set $1 master cni0 up
	END
	ip_on "$1" <<-END
		link set eth0 up
		addr add 10.244.1.$2/24 dev eth0
		addr add fd44:1::$2/64 dev eth0 nodad
		route add default via 10.244.1.254
		route add default via fd44:1::fe
	END
}

# veth_routed NODE NAME SEGMENT N: NODE's end of the veth is the pod's gateway.
veth_routed() {
	ip_on "$1" <<-END
		link add $2 type veth peer name eth0 netns $NET-$2
		link set $2 up
		addr add 10.244.$3.254/32 dev $2
		addr add fd44:$3::fe/128 dev $2 nodad
		route add 10.244.$3.$4/32 dev $2
		route add fd44:$3::$4/128 dev $2
	END
	ip_on "$2" <<-END
		link set eth0 up
		addr add 10.244.$3.$4/32 dev eth0
		addr add fd44:$3::$4/128 dev eth0 nodad
		route add 10.244.$3.254/32 dev eth0
		route add fd44:$3::fe/128 dev eth0
		route add default via 10.244.$3.254
		route add default via fd44:$3::fe
	END
}

# pod_add bridged|routed|far NAMESPACE/NAME N
pod_add() {
	local host=${2/\//-} segment place=here

	host_add "$host"
	case $1 in
	bridged)
		segment=1
		pod_bridged "$host" "$3"
		;;
	far)
		segment=2 place=elsewhere
		veth_routed backend-1 "$host" 2 "$3"
		;;
	routed)
		segment=3
		veth_routed balancer "$host" 3 "$3"
		;;
	esac
	host_line "$2" pod "$host" "10.244.$segment.$3" "fd44:$segment::$3" \
		"$place" "$host"
}

# Until what is defined is in force: a command, for who is in any namespace.
apply_command() {
	echo "nsenter --net=/run/netns/$NET-balancer env" \
		"FAIRLEAD_PIN_ROOT='$PINS/balancer'" \
		"FAIRLEAD_RUN_DIR='$DIR/run-balancer'" \
		"'$FAIRLEAD' status --wait --timeout" \
		"$((20 * ${PATIENCE:-1})) --json >'$DIR/status.json'"
}

# pod_manifest NAMESPACE/NAME LABELS [PORTS]: of a host in $HOSTS. PORTS are
# elements of a list, such as "{name: http, containerPort: 80}".
pod_manifest() {
	local addr4 addr6 place interface

	read -r addr4 addr6 place interface < <(
		awk -v name="$1" '$1 == name { print $4, $5, $6, $7 }' "$HOSTS")
	cat <<-END
		---
		apiVersion: v1
		kind: Pod
		metadata:
		  namespace: ${1%/*}
		  name: ${1#*/}
		  labels: {$2}
		  annotations: {fairlead.io/interface: $interface}
		spec:
		  nodeName: $place
		  containers: [{name: c, ports: [${3-}]}]
		status: {phase: Running, podIPs: [{ip: $addr4}, {ip: '$addr6'}]}
	END
}

# namespace_manifest NAME LABELS
namespace_manifest() {
	cat <<-END
		---
		apiVersion: v1
		kind: Namespace
		metadata: {name: $1, labels: {kubernetes.io/metadata.name: $1${2:+, $2}}}
	END
}

# reaches: as standard input says who reaches whom (policy_matrix --expect).
# Whoever is on a node reaches it and is reached by it.
reaches() {
	{
		cat
		echo "allow here * *"
		echo "allow * here *"
	} >"$DIR/expected"
	"$MATRIX" --hosts "$HOSTS" --expect "$DIR/expected"
}

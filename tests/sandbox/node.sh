# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# A Kubernetes node for the end-to-end tests: the balancer of network.sh, with
# pods on veths that it routes to, and manifests in a directory.

CONFIG=$DIR/definitions
POD4=10.244.1.
POD6=fd44::

# pod_add N [NODE]: routed, as many CNIs do it; the veth's end on the node is
# the pod's gateway.
pod_add() {
	local node=${2:-balancer}

	host_add "pod-$1"
	ip_on "$node" <<-END
		link add pod-$1 type veth peer name eth0 netns $NET-pod-$1
		link set pod-$1 up
		addr add ${POD4}254/32 dev pod-$1
		addr add ${POD6}fe/128 dev pod-$1 nodad
		route add $POD4$1/32 dev pod-$1
		route add $POD6$1/128 dev pod-$1
	END
	ip_on "pod-$1" <<-END
		link set eth0 up
		addr add $POD4$1/32 dev eth0
		addr add $POD6$1/128 dev eth0 nodad
		route add ${POD4}254/32 dev eth0
		route add ${POD6}fe/128 dev eth0
		route add default via ${POD4}254
		route add default via ${POD6}fe
	END
	ip -n "$NET-$node" -json link show "pod-$1" | jq '.[0].ifindex' \
		>"$DIR/index-$1"
	start "server-$1" "pod-$1" "$B/tests/sandbox/server" "pod-$1" 8080
}

# pod_answers N: to its node, and whoever has a route by way of that.
pod_answers() {
	on balancer curl -so /dev/null --max-time 1 "$POD4$1:8080" &&
		on balancer curl -so /dev/null --max-time 1 "[$POD6$1]:8080"
}

# put FILE: standard input, in one step.
put() {
	cat >"$CONFIG/$1.new"
	mv "$CONFIG/$1.new" "$CONFIG/$1"
}

# endpoints ENDPOINT...: of the Service web, each a pod of this node (3), or an
# address' last part on its segment with the node that it is on (node-2:11).
endpoints() {
	local family prefix pod node
	# shellcheck disable=SC2034 # by their names, as family says
	local segment4=10.91.0. segment6=fd91::

	for family in 4 6; do
		prefix=POD$family
		node=segment$family
		cat <<-END
			---
			apiVersion: discovery.k8s.io/v1
			kind: EndpointSlice
			metadata:
			  name: web-$family
			  labels: {kubernetes.io/service-name: web}
			addressType: IPv$family
			ports: [{name: http, port: 8080}, {name: dns, port: 8080, protocol: UDP}]
			endpoints:
		END
		for pod; do
			case $pod in
			*:pod-*) echo "- {addresses: ['${!prefix}${pod#*:pod-}'], nodeName: ${pod%%:*}}" ;;
			*:*) echo "- {addresses: ['${!node}${pod#*:}'], nodeName: ${pod%%:*}}" ;;
			*) echo "- {addresses: ['${!prefix}$pod'], nodeName: node-1}" ;;
			esac
		done
		(($#)) || echo "  []"
	done | put endpoints.yaml
	! running serve || in_force
}

# Whom the server saw that HOST got an answer from: seen_by HOST ADDRESS
seen_by() {
	ASKER=$1 ask "$2" --include | tr -d '\r' |
		sed -n 's/^Client: \(::ffff:\)\?//p'
}

# An address of pod N, of the family of $1.
pod_addr() {
	[[ $1 == *:* ]] && echo "$POD6$2" || echo "$POD4$2"
}

is_nodes() {
	ip -n "$NET-balancer" -json addr show |
		jq -e --arg a "$1" 'any(.[].addr_info[]; .local == $a)'
}

# At once, and not because nobody answers: refused HOST ADDRESS
refused() {
	local error status=0

	on "$1" curl -sS --max-time 5 "$(url "$2")" || status=$?
	((status == 7))
	error=$(on "$1" timeout 5 bash -c "
		exec 3<>/dev/udp/$2/80
		while echo hello >&3; do sleep 0.01; done" 2>&1 || true)
	echo "$error"
	[[ $error == *refused* ]]
}

node_up() {
	mkdir "$CONFIG"
	on balancer sysctl -qw net.ipv4.conf.all.rp_filter=1
	put native.yaml <<-END
		uplinks: [eth0]
		cluster-cidr: [10.244.0.0/16, 'fd44::/64']
		nodeport-addresses: [10.91.0.0/24, 'fd91::/64']
	END
}

# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# A Kubernetes node for the end-to-end tests: the balancer of network.sh, with
# pods on veths that it routes to, and manifests in a directory.

# shellcheck source=tests/sandbox/pod.sh
. "$ROOT/tests/sandbox/pod.sh"

POD4=10.244.1.
POD6=fd44::
IP4=10.96.0.10		# cluster IPs of the Service web
IP6=fd96::10

# pod_add N [NODE]
pod_add() {
	local node=${2:-balancer}

	pod_routed "$node" "pod-$1" "$POD4$1" "$POD6$1" 8080
	ip -n "$NET-$node" -json link show "pod-$1" | jq '.[0].ifindex' \
		>"$DIR/index-$1"
}

# pod_answers N: to its node, and whoever has a route by way of that.
pod_answers() {
	pod_is_heard balancer "$POD4$1" "$POD6$1"
}

# service_web [FIELD...]: HTTP and datagrams, at cluster IPs and at what the
# router sends here as LB VIPs; more of its spec, as "type: LoadBalancer".
# NODE_PORT: of both, if it is set.
service_web() {
	local field port="${NODE_PORT:+, nodePort: $NODE_PORT}"

	{
		cat <<-END
			apiVersion: v1
			kind: Service
			metadata: {name: web}
			status: {loadBalancer: {ingress: [{ip: $VIP4}, {ip: '$VIP6'}]}}
			spec:
			  clusterIP: $IP4
			  clusterIPs: [$IP4, '$IP6']
			  ipFamilies: [IPv4, IPv6]
			  ports:
			  - {name: http, port: 80$port}
			  - {name: dns, port: 80, protocol: UDP$port}
		END
		for field; do
			echo "  $field"
		done
	} | put web.yaml
	! running serve || in_force
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

# Flows of UDP, each of which one server answers: datagrams HOST ADDRESS [PORT]
datagrams() {
	on "$1" "$B/tests/sandbox/load" --mode udp --target "$2" --seconds 1 \
		--concurrency 30 --pause-ms 20 --timeout-ms "${CURL_S}000" \
		"${3:-80}" |
		tee "$DIR/udp"
	jq -e '.failures == 0 and .moved == 0' "$DIR/udp"
}

# large_answer HOST ADDRESS
large_answer() {
	local bytes

	bytes=$(on "$1" curl -sS --max-time "$CURL_S" "$(url "$2")1000000" |
		wc -c)
	echo "$bytes bytes"
	((bytes == 1000000))
}

# A body that HOST sends in segments for the device to cut.
large_request() {
	head -c 3000000 /dev/zero >"$DIR/body"
	on "$1" curl -sS --max-time "$CURL_S" --data-binary "@$DIR/body" \
		"$(url "$2")" >/dev/null
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

	on "$1" curl -sS --max-time "$CURL_S" "$(url "$2")" || status=$?
	((status == 7))
	error=$(on "$1" timeout "$CURL_S" bash -c "
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

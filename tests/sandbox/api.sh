# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# A stand-in for a Kubernetes API server (apiserver.py) on the balancer, at
# 127.0.0.1:8001, and what it is told.

# api_start [OPTION...]: until it answers.
api_start() {
	start api balancer /usr/bin/python3 "$ROOT/tests/sandbox/apiserver.py" \
		--port 8001 --log "$DIR/api.requests" "$@"
	wait_for 20 control '{}'
}

# control JSON; CONTROL_PORT where it is another one.
control() {
	on balancer curl -sSf --max-time "$CURL_S" -o /dev/null --data "$1" \
		"http://127.0.0.1:${CONTROL_PORT:-8001}/control"
}

put() {
	control "{\"put\": $(cat)}"
}

delete() {
	control "{\"delete\": $(cat)}"
}

# slice NAME FAMILY ADDRESS...: ready endpoints of web.
slice() {
	jq -n --arg name "$1" --arg family "$2" '{kind: "EndpointSlice",
		metadata: {namespace: "default", name: $name,
			labels: {"kubernetes.io/service-name": "web"}},
		addressType: $family,
		ports: [{name: "http", port: 80, protocol: "TCP"}],
		endpoints: [$ARGS.positional[] | {addresses: [.],
			conditions: {ready: true}, nodeName: "other"}]}' \
		--args "${@:3}"
}

# service NAME ADDRESS [ADDRESS6]
service() {
	jq -n --arg name "$1" '{kind: "Service",
		metadata: {namespace: "default", name: $name},
		spec: {type: "ClusterIP", clusterIP: $ARGS.positional[0],
			clusterIPs: $ARGS.positional,
			ipFamilies: (["IPv4", "IPv6"][:$ARGS.positional | length]),
			ports: [{name: "http", port: 80, protocol: "TCP"}]}}' \
		--args "${@:2}"
}

# What every test begins with: web with two endpoints in each family.
objects() {
	service web "$VIP4" "$VIP6" | put
	slice web-4 IPv4 10.91.0.11 10.91.0.12 | put
	slice web-6 IPv6 fd91::11 fd91::12 | put
	echo '{"kind": "Node", "metadata": {"name": "node-1"}}' | put
}

# How serve tells pods; empty: files say it.
CLUSTER_CIDR=10.244.0.0/16,fd00:244::/56

# serve_start [OPTION...]: the daemon, which follows it as node-1.
serve_start() {
	mkdir -p "$DIR/run-balancer"
	start serve balancer "$FAIRLEAD" serve --kubernetes \
		${CLUSTER_CIDR:+--cluster-cidr="$CLUSTER_CIDR"} \
		--hostname-override node-1 "${@:---master=http://127.0.0.1:8001}"
}

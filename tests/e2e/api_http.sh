#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What a node that follows an API server says over HTTP without being told to,
# and the Events that it leaves at the server: a stand-in for one.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/sandbox/api.sh
. "$ROOT/tests/sandbox/api.sh"
# shellcheck source=tests/e2e/http_lib.sh
. "${0%/*}/http_lib.sh"

NODES=(10.91.0.2 "[fd91::2]")

well() {
	says 200 client-1 "${NODES[0]}:10256/healthz"
}

# kube-proxy's own addresses.
by_default() {
	says 200 client-1 "${NODES[1]}:10256/healthz"
	jq -e '.nodeEligible and .healthy' "$DIR/body"
	says 200 balancer 127.0.0.1:10249/proxyMode
	says 200 balancer 127.0.0.1:10249/metrics
	grep -x 'fairlead_kubernetes_following{kind="services"} 1' "$DIR/body"
	refuses client-1 "${NODES[0]}:10249/metrics"
}

# node SPEC [METADATA]
node() {
	echo "{\"kind\": \"Node\", \"metadata\": {\"name\": \"node-1\" ${2-}},
		\"spec\": {$1}, \"status\": {\"addresses\": [
		{\"type\": \"InternalIP\", \"address\": \"10.91.0.2\"},
		{\"type\": \"InternalIP\", \"address\": \"fd91::2\"}]}}" | put
}

not_eligible() {
	says 503 client-1 "${NODES[0]}:10256/healthz"
	jq -e '(.nodeEligible | not) and .healthy' "$DIR/body"
	says 200 client-1 "${NODES[0]}:10256/livez"
}

the_node_comes_and_goes() {
	node '"taints": [{"key": "ToBeDeletedByClusterAutoscaler", "effect": "NoSchedule"}]'
	wait_for 10 not_eligible
	node ""
	wait_for 10 well
	node "" ', "deletionTimestamp": "2026-11-30T00:00:00Z"'
	wait_for 10 not_eligible
	echo '{"kind": "Node", "metadata": {"name": "node-1"}}' | delete
	wait_for 10 not_eligible
	node ""
	wait_for 10 well
}

# local_service PORT ADDRESS...: a load balancer's, with these endpoints here.
local_service() {
	service local 10.96.0.70 fd96::70 |
		jq --argjson port "$1" '.spec += {type: "LoadBalancer",
			externalTrafficPolicy: "Local",
			healthCheckNodePort: $port}' | put
	slice local-4 IPv4 "${@:2}" |
		jq --arg now "$(date -u +%Y-%m-%dT%H:%M:%S.%NZ)" '
			.metadata.labels["kubernetes.io/service-name"] = "local" |
			.metadata.annotations["endpoints.kubernetes.io/last-change-trigger-time"] = $now |
			.endpoints[].nodeName = "node-1"' | put
}

weighs() {
	says 200 client-1 "${NODES[0]}:31010/"
	header X-Load-Balancing-Endpoint-Weight "$1"
}

a_health_check_port() {
	local_service 31010 10.91.0.11
	wait_for 10 weighs 1
	local_service 31010 10.91.0.11 10.91.0.12
	wait_for 10 weighs 2
	says 503 client-1 "${NODES[1]}:31010/"
}

latencies() {
	says 200 balancer 127.0.0.1:10249/metrics >"$DIR/said"
	awk '$1 == "kubeproxy_network_programming_duration_seconds_count{ip_family=\"IPv4\"}" {
		print $2 }' "$DIR/body"
}

more_latencies() {
	(($(latencies) > $1))
}

endpoints_are_timed() {
	local before

	before=$(latencies)
	local_service 31010 10.91.0.11
	wait_for 10 more_latencies "$before"
}

event() {
	grep -F "POST /apis/events.k8s.io/v1/namespaces/default/events " \
		"$DIR/api.requests" | cut -d ' ' -f 3- | jq -s -e "map(select($1)) | length == ${2:-1}"
}

a_start_is_an_event() {
	wait_for 10 event '.reason == "Starting" and .type == "Normal" and
		.kind == "Event" and .apiVersion == "events.k8s.io/v1" and
		.regarding == {apiVersion: "v1", kind: "Node",
			name: "node-1", uid: "node-1"} and
		.reportingController == "fairlead" and
		.reportingInstance == "fairlead-node-1" and
		(.metadata.name | startswith("node-1.")) and
		.metadata.namespace == "default" and
		(.eventTime | test("^[0-9-]{10}T[0-9:]{8}[.][0-9]{6}Z$"))'
}

# Said once for each address, however often it is tried.
a_port_that_is_taken_is_an_event() {
	start thief balancer "$B/tests/sandbox/server" thief 31013
	wait_for 10 says 200 balancer "${NODES[0]}:31013/"
	local_service 31013 10.91.0.11
	wait_for 10 event '.reason == "FailedToStartServiceHealthcheck" and
		.type == "Warning" and .action == "Listen" and
		.note == "cannot listen at 10.91.0.2:31013: Address already in use" and
		.regarding.kind == "Service" and .regarding.name == "local" and
		.regarding.namespace == "default"'
	stop thief
	wait_for 30 says 200 client-1 "${NODES[0]}:31013/"
}

# counted CODE METHOD: requests to the server.
counted() {
	says 200 balancer 127.0.0.1:10249/metrics >"$DIR/said"
	grep -E "^rest_client_requests_total\{code=\"$1\",host=\"127.0.0.1:8001\",method=\"$2\"\} [1-9][0-9]*$" \
		"$DIR/body"
}

requests_are_counted() {
	wait_for 10 counted 200 GET
	wait_for 10 counted 201 POST
}

# Events are of no consequence: a server that takes none changes nothing.
events_are_not_taken() {
	stop serve
	control '{"mode": {"events": "no"}}'
	serve_start
	wait_for 30 well
	wait_for 30 grep "^REFUSED" "$DIR/api.requests"
	control '{"mode": {"events": ""}}'
	wait_for 60 event '.reason == "Starting"' 2
}

# A server that is away is no fault of the node's.
without_the_server() {
	stop api
	wait_for 30 says 200 balancer 127.0.0.1:10249/metrics
	wait_for 60 not_following
	wait_for 10 counted "<error>" GET
	well
	says 200 client-1 "${NODES[0]}:10256/livez"
}

not_following() {
	says 200 balancer 127.0.0.1:10249/metrics >"$DIR/said"
	grep -x 'fairlead_kubernetes_following{kind="services"} 0' "$DIR/body"
}

switched_off() {
	stop serve
	serve_start --master=http://127.0.0.1:8001 --healthz-bind-address= \
		--metrics-bind-address "10.91.0.2:9000"
	wait_for 30 says 200 client-1 "${NODES[0]}:9000/metrics"
	refuses client-1 "${NODES[0]}:10256/healthz"
	refuses balancer 127.0.0.1:10249/metrics
}

story 2
api_start
objects
node ""
serve_start
wait_for 30 well
it "a node answers where kube-proxy does" by_default
it "its start is an Event" a_start_is_an_event
it "a Node that comes and goes" the_node_comes_and_goes
it "a health check port" a_health_check_port
it "changes of endpoints are timed" endpoints_are_timed
it "a port that is taken is an Event" a_port_that_is_taken_is_an_event
it "requests are counted as kube-proxy counts them" requests_are_counted
it "a server that takes no Events" events_are_not_taken
it "a server that is away" without_the_server
it "other addresses, or none" switched_off
finish

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What network policy needs of an API server: followed when it is asked for, and
# services do not wait for it.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/sandbox/api.sh
. "$ROOT/tests/sandbox/api.sh"

SERVER=--master=http://127.0.0.1:8001

# kinds COUNT: so many are followed, and nothing is wrong.
kinds() {
	fairlead status --json | tee "$DIR/said" |
		jq -e --argjson count "$1" '.applied.synced and
			([.kubernetes.kinds[].state] |
			 length == $count and all(. == "following"))'
}

asked_for() {
	grep -F "$1" "$DIR/api.requests"
}

not_asked_for() {
	! asked_for "$1"
}

# object KIND NAME REST: with spec, status ... of namespace default.
object() {
	jq -n --arg kind "$1" --arg name "$2" --argjson rest "$3" \
		'{kind: $kind, metadata: {namespace: "default", name: $name}} + $rest'
}

policy_objects() {
	object Namespace default '{}' | put
	object Pod web-1 '{"spec": {"nodeName": "node-1"},
		"status": {"podIP": "10.244.0.5"}}' | put
	object NetworkPolicy web '{"spec": {"podSelector": {}}}' | put
	object ClusterNetworkPolicy all '{"spec": {"tier": "Admin", "priority": 1,
		"subject": {"namespaces": {}}}}' | put
}

answers() {
	all_answer "$VIP4" backend-1 backend-2
}

begins_again() {
	stop serve
	: >"$DIR/api.requests"
	serve_start "$SERVER" "$@"
}

off_until_asked() {
	wait_for 20 kinds 3
	answers
	not_asked_for /api/v1/pods
	asked_for "/api/v1/nodes?resourceVersion=0&fieldSelector=metadata.name%3Dnode-1"
}

when_asked() {
	begins_again --network-policy
	wait_for 20 kinds 7
	answers
	asked_for "/api/v1/pods?resourceVersion=0&fieldSelector=status.phase%21%3DSucceeded%2Cstatus.phase%21%3DFailed"
	asked_for "/api/v1/namespaces?resourceVersion=0"
	asked_for "/apis/networking.k8s.io/v1/networkpolicies?watch=1"
	asked_for "/apis/policy.networking.k8s.io/v1alpha2/clusternetworkpolicies?watch=1"
	grep -E "/api/v1/nodes\?resourceVersion=0 " "$DIR/api.requests"
}

said_wrong() {
	fairlead status --json |
		jq -e --arg words "$1" '.applied.error // "" | contains($words)'
}

# It says what is wrong, and what was in force stays.
a_policy_that_is_wrong() {
	object NetworkPolicy web '{"spec": {"podSelector": {},
		"ingress": [{"from": [null]}]}}' | put
	wait_for 10 said_wrong "NetworkPolicy default/web: ingress[0].from[0]: a peer needs keys and values, not nothing"
	object NetworkPolicy web '{"spec": {"podSelector": {},
		"ingress": [{"from": [{"someone": {}}]}]}}' | put
	wait_for 10 said_wrong "unknown field \"someone\" in a peer: it is closed"
	object NetworkPolicy web '{"spec": {"podSelector": {}}}' | put
	wait_for 20 kinds 7
}

policies_are() {
	fairlead policy list --json | jq -e --argjson all "$1" \
		'[.[] | select(.tier == "network") | {name, mode}] == $all'
}

# Nobody knows what it was: it is closed, and the others are in force.
wrong_after_a_restart() {
	object NetworkPolicy bad '{"spec": {"podSelector": {},
		"ingress": [{"from": [null]}]}}' | put
	object NetworkPolicy maybe '{"metadata": {"namespace": "default",
		"name": "maybe", "annotations": {"fairlead.io/audit": "maybe"}},
		"spec": {"podSelector": {}}}' | put
	begins_again --network-policy
	wait_for 20 policies_are '[{"name": "bad", "mode": "enforce"},
		{"name": "maybe", "mode": "enforce"},
		{"name": "web", "mode": "enforce"}]'
	said_wrong "NetworkPolicy default/"
	object NetworkPolicy bad '{}' | delete
	object NetworkPolicy maybe '{}' | delete
	wait_for 20 kinds 7
	policies_are '[{"name": "web", "mode": "enforce"}]'
}

# A cluster that has no such policies has none.
without_cluster_policies() {
	control '{"set": {"cluster_policies": false}}'
	begins_again --network-policy
	wait_for 20 kinds 7
	asked_for "/apis/policy.networking.k8s.io/v1alpha2/clusternetworkpolicies"
	control '{"set": {"cluster_policies": true}}'
}

behind() {
	fairlead status --json | jq -e --arg words "$1" \
		'[.kubernetes.kinds[] | select(.state == "behind") | .error |
			contains($words)] | any'
}

# One that may not see pods serves all the same, and says so.
services_do_not_wait() {
	control '{"mode": {"pods": "forbidden"}}'
	begins_again --network-policy
	wait_for 20 behind "pods: the server says 403"
	wait_for 20 answers
	service other 10.96.0.77 | put
	wait_for 10 listed default/other
	service other 10.96.0.77 | delete
	control '{"mode": {"pods": ""}}'
	wait_for 60 kinds 7
}

listed() {
	fairlead service list | grep -F "$1"
}

write() {
	printf '%s\n' "services: []" "$@" >"$DIR/conf.new"
	mv "$DIR/conf.new" "$DIR/conf.yaml"
}

# While it runs, by a file.
on_and_off() {
	write
	begins_again --config "$DIR/conf.yaml"
	wait_for 20 kinds 3
	write "network-policy: true"
	wait_for 20 kinds 7
	write "network-policy: false"
	wait_for 20 kinds 3
	answers
	write "network-policy: true"
	wait_for 20 kinds 7
	answers
}

other_pid() {
	local pid

	pid=$(worker_pid source) && [[ -n $pid && $pid != "$1" ]]
}

# The next one is told what to follow, too.
source_dies() {
	local pid

	pid=$(worker_pid source)
	kill -KILL "$pid"
	wait_for 10 other_pid "$pid"
	wait_for 30 kinds 7
}

story 2
api_start
objects
policy_objects
serve_start
it "it is off until it is asked for" off_until_asked
it "all that it needs is followed" when_asked
it "a policy that is wrong is said" a_policy_that_is_wrong
it "one that is wrong when it begins keeps nobody waiting" wrong_after_a_restart
it "a cluster without cluster policies" without_cluster_policies
it "services do not wait for it" services_do_not_wait
it "a file turns it on and off" on_and_off
it "a source that dies" source_dies
finish

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Nine workloads in three namespaces, on a bridge and behind routed veths, one on
# another node, two hosts outside and both nodes: who reaches whom, over both
# families, TCP, UDP, SCTP where the kernel has it, and echoes, is what the API's
# text says, under the examples of the Kubernetes documentation and policies made
# at random; what was open before a change is cut by its next packet or goes on;
# and a daemon that dies and comes back lets nothing through, and cuts nothing.
#
# SETS=200 SEED=7: more sets of policies, or those that differed again.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/policy_lib.sh
. "${0%/*}/policy_lib.sh"

random_sets() {
	"$MATRIX" --hosts "$HOSTS" --config "$CONFIG/world.yaml" \
		--apply "$(apply_command)" ${SETS:+--sets "$SETS"} \
		${SEED:+--seed "$SEED"} ${SETS:---seconds 8} | tail -n 120
}

world() {
	{
		namespace_manifest shop "project: myproject, purpose: production"
		namespace_manifest blog "user: alice, purpose: testing"
		namespace_manifest ops "team: operations"
		pod_manifest shop/db "role: db"
		pod_manifest shop/web "app: web, role: frontend" \
			"{name: http, containerPort: 81}"
		pod_manifest shop/job ""
		pod_manifest blog/web "app: web" \
			"{name: http, containerPort: 80}"
		pod_manifest blog/client "role: client"
		pod_manifest blog/job ""
		pod_manifest blog/far "role: client"
		pod_manifest ops/monitor "type: monitoring"
		pod_manifest ops/client "role: client"
		pod_manifest ops/job ""
	} | put world.yaml
}

# recipe NAMESPACE SPEC EXPECTED: with one NetworkPolicy of that spec, in one
# line; EXPECTED are lines of policy_matrix --expect.
recipe() {
	put recipe.yaml <<-END
		apiVersion: networking.k8s.io/v1
		kind: NetworkPolicy
		metadata: {name: recipe, namespace: $1}
		spec: {$2}
	END
	in_force
	reaches <<<"$3"
}

recipes() {
	it "the default: deny all ingress" recipe shop \
		"podSelector: {}, policyTypes: [Ingress]" \
		"deny * shop/* *"
	it "the default: allow all ingress" recipe shop \
		"podSelector: {}, ingress: [{}], policyTypes: [Ingress]" ""
	it "the default: deny all egress" recipe shop \
		"podSelector: {}, policyTypes: [Egress]" \
		"deny shop/* * *"
	it "the default: allow all egress" recipe shop \
		"podSelector: {}, egress: [{}], policyTypes: [Egress]" ""
	it "the default: deny all" recipe shop \
		"podSelector: {}, policyTypes: [Ingress, Egress]" \
		"deny * shop/* *
deny shop/* * *"
	it "the example of the documentation" recipe shop \
		"podSelector: {matchLabels: {role: db}},
		policyTypes: [Ingress, Egress],
		ingress: [{from: [
		  {ipBlock: {cidr: 10.90.0.0/16, except: [10.90.1.0/24]}},
		  {ipBlock: {cidr: 'fd90::/16', except: ['fd90:1::/32']}},
		  {namespaceSelector: {matchLabels: {user: alice}}},
		  {podSelector: {matchLabels: {role: frontend}}}],
		  ports: [{protocol: TCP, port: 80}]}],
		egress: [{to: [{ipBlock: {cidr: 10.91.0.0/24}},
		  {ipBlock: {cidr: 'fd91::/64'}}],
		  ports: [{protocol: TCP, port: 81}]}]" \
		"deny * shop/db *
allow client-2 shop/db tcp/80
allow blog/* shop/db tcp/80
allow shop/web shop/db tcp/80
deny shop/db * *
allow shop/db elsewhere tcp/81"
	it "a range of ports" recipe shop \
		"podSelector: {matchLabels: {role: db}}, policyTypes: [Egress],
		egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}},
		  {ipBlock: {cidr: '::/0'}}],
		  ports: [{protocol: TCP, port: 81, endPort: 32768}]}]" \
		"deny shop/db * *
allow shop/db * tcp/81"
	it "a namespace by its name" recipe shop \
		"podSelector: {matchLabels: {app: web}}, ingress: [{from: [
		  {namespaceSelector: {matchExpressions: [
		  {key: kubernetes.io/metadata.name, operator: In,
		  values: [blog, ops]}]}}]}]" \
		"deny * shop/web *
allow blog/* shop/web *
allow ops/* shop/web *"
}

# The well-known ones.
more_recipes() {
	it "deny all to an application" recipe shop \
		"podSelector: {matchLabels: {app: web}}, ingress: []" \
		"deny * shop/web *"
	it "limit who reaches an application" recipe shop \
		"podSelector: {matchLabels: {role: db}}, ingress: [{from: [
		  {podSelector: {matchLabels: {app: web}}}]}]" \
		"deny * shop/db *
allow shop/web shop/db *"
	it "deny other namespaces" recipe shop \
		"podSelector: {}, ingress: [{from: [{podSelector: {}}]}]" \
		"deny * shop/* *
allow shop/* shop/* *"
	it "allow all namespaces" recipe shop \
		"podSelector: {matchLabels: {app: web}},
		ingress: [{from: [{namespaceSelector: {}}]}]" \
		"deny * shop/web *
allow */* shop/web *"
	it "allow one kind of namespaces" recipe shop \
		"podSelector: {matchLabels: {app: web}}, ingress: [{from: [
		  {namespaceSelector: {matchLabels: {purpose: testing}}}]}]" \
		"deny * shop/web *
allow blog/* shop/web *"
	it "allow some pods of another namespace" recipe shop \
		"podSelector: {matchLabels: {app: web}}, ingress: [{from: [
		  {namespaceSelector: {matchLabels: {team: operations}},
		  podSelector: {matchLabels: {type: monitoring}}}]}]" \
		"deny * shop/web *
allow ops/monitor shop/web *"
	it "allow what is external as well" recipe shop \
		"podSelector: {matchLabels: {app: web}},
		ingress: [{from: []}]" ""
	it "allow one port by number" recipe shop \
		"podSelector: {matchLabels: {app: web}},
		ingress: [{ports: [{port: 80}]}]" \
		"deny * shop/web *
allow * shop/web tcp/80"
	it "allow one port by name" recipe blog \
		"podSelector: {matchLabels: {role: client}},
		policyTypes: [Egress],
		egress: [{to: [{namespaceSelector: {}}],
		  ports: [{port: http}]}]" \
		"deny blog/client * *
allow blog/client shop/web tcp/81
allow blog/client blog/web tcp/80"
	it "allow by several selectors" recipe shop \
		"podSelector: {matchLabels: {role: db}}, ingress: [{from: [
		  {podSelector: {matchLabels: {app: web}}},
		  {namespaceSelector: {}, podSelector:
		  {matchLabels: {role: client}}}]}]" \
		"deny * shop/db *
allow shop/web shop/db *
allow */client shop/db *
allow blog/far shop/db *"
	it "deny all but names to an application" recipe shop \
		"podSelector: {matchLabels: {role: db}}, policyTypes: [Egress],
		egress: [{ports: [{port: 80, protocol: UDP},
		  {port: 80, protocol: TCP}]}]" \
		"deny shop/db * *
allow shop/db * ???/80"
	it "deny what is external" recipe shop \
		"podSelector: {matchLabels: {role: db}}, policyTypes: [Egress],
		egress: [{to: [{namespaceSelector: {}}]}]" \
		"deny shop/db * *
allow shop/db */* *"
}

hold_start() {
	printf '%s\n' "deny * shop/db *" "allow shop/web shop/db tcp/80" \
		"allow here * *" "allow * here *" >"$DIR/expected"
	recipe shop "podSelector: {matchLabels: {role: db}}, ingress: [{from: [
		{podSelector: {matchLabels: {app: web}}}], ports: [{port: 80}]}]" \
		"$(<"$DIR/expected")"
	start hold router "$MATRIX" --hosts "$HOSTS" \
		--expect "$DIR/expected" --hold
	rounds_go_on
}

rounds() {
	grep -c ^round "$DIR/hold.log" || true
}

rounds_past() {
	(($(rounds) > $1))
}

# One at least begins and ends from now on.
rounds_go_on() {
	wait_for 60 rounds_past $(($(rounds) + 1))
}

hold_ends_well() {
	stop hold
	cat "$DIR/hold.log"
	grep -q 'all as they should be' "$DIR/hold.log"
}

killed_and_restarted() {
	hold_start
	kill -KILL "$(<"$DIR/serve.pid")"
	wait_for 10 gone serve
	rounds_go_on
	serve --hostname-override here
	rounds_go_on
	stop serve
	rounds_go_on
	serve --hostname-override here
	rounds_go_on
	hold_ends_well
}

policy_story
number=0
for pod in shop/db shop/web shop/job blog/web blog/client blog/job \
	ops/monitor ops/client ops/job; do
	number=$((number + 1))
	((number % 3)) && kind=bridged || kind=routed
	pod_add $kind $pod $number
done
pod_add far blog/far 10
world
serve --hostname-override here
it "without a policy everybody reaches everybody" reaches <<<""
recipes
more_recipes
it "a daemon that dies and comes back changes nothing" killed_and_restarted
rm "$CONFIG/recipe.yaml"
it "policies made at random do what the API says" random_sets
finish

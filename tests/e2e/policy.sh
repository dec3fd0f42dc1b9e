#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Two containers on a bridge and one policy in a YAML file, without Kubernetes:
# what it forbids is denied, with its name; what it allows, passes; without it,
# everything does.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/policy_lib.sh
. "${0%/*}/policy_lib.sh"

DECISIONS='fairlead_policy_decisions_total{namespace="default",policy="web-from-front",tier="network",verdict="denied"} [1-9]'

# would CHANGE FROM TO: says simulate of what stands in $DIR/new.yaml.
would() {
	fairlead policy simulate --json "$DIR/new.yaml" |
		jq -e --arg change "$1" --arg from "$2:" --arg to "$3" 'any(.[];
			.change == $change and .to == $to and
			(.from | startswith($from)))'
}

# Of files that would let in somebody else.
a_change_is_tried() {
	reaches <<<"deny * default/web *
allow default/front default/web tcp/80"
	{ workloads && policies; } >"$DIR/new.yaml"
	fails would cut 10.244.1.2 10.244.1.1:80
	fails would opened 10.244.1.3 10.244.1.1:80
	{ workloads && policies; } |
		sed 's/app: front}}}/app: other}}}/; s/default-other,/default-other, labels: {app: other},/' \
			>"$DIR/new.yaml"
	would cut 10.244.1.2 10.244.1.1:80
	would opened 10.244.1.3 10.244.1.1:80
}

workloads() {
	cat <<-END
		workloads:
		  - {name: web, interface: default-web, labels: {app: web},
		     addresses: [10.244.1.1, 'fd44:1::1']}
		  - {name: front, interface: default-front, labels: {app: front},
		     addresses: [10.244.1.2, 'fd44:1::2']}
		  - {name: other, interface: default-other,
		     addresses: [10.244.1.3, 'fd44:1::3']}
	END
}

policies() {
	cat <<-END
		policies:
		  - name: web-from-front
		    spec:
		      podSelector: {matchLabels: {app: web}}
		      ingress:
		      - from: [{podSelector: {matchLabels: {app: front}}}]
		        ports: [{port: 80}]
	END
}

put_all() {
	cat | put world.yaml
	in_force
}

with_policy() {
	{ workloads && policies; } | put_all
	reaches <<<"deny * default/web *
allow default/front default/web tcp/80"
}

without_policy() {
	workloads | put_all
	reaches <<<""
}

# was_denied JQ: somebody was, and what is said of it is so.
was_denied() {
	fairlead monitor --once --json | jq -es "any(.[]; .verdict == \"denied\" and
		$1)" >/dev/null
}

denials_are_named() {
	wait_for 5 was_denied '.direction == "ingress" and
		.from.workload == "default/other" and
		.to.workload == "default/web" and
		.why == "isolated by default/web-from-front"'
	fairlead policy list
	fairlead policy list --json |
		jq -e '.[] | select(.name == "web-from-front") | .denied > 0'
	on balancer curl -sS 127.0.0.1:10249/metrics | grep "$DECISIONS"
}

# map_is NAME JQ: so it is with a map's row in status.
map_is() {
	fairlead status --json |
		jq -e --arg name "$1" ".maps[] | select(.name == \$name) | $2"
}

occupancy_is_shown() {
	map_is workloads '.used == 3 and .room == 4096'
	map_is targets '.used == 1'
	map_is peers '.used >= 6 and .used < .room'
	map_is peer_masks '.used == 1'
	map_is port_masks '.used == 1'
	map_is peer_prefixes '.used == 0'
	map_is policy_hits '.used > 0'
	fairlead status | grep -E '^peers +65536 +[1-9]'
	on balancer curl -sS 127.0.0.1:10249/metrics >"$DIR/metrics"
	grep 'fairlead_map_entries{map="workloads"} 3' "$DIR/metrics"
	grep 'fairlead_map_entries{map="targets"} 1' "$DIR/metrics"
	grep 'fairlead_map_entries_max{map="peers"} 65536' "$DIR/metrics"
}

is_shown() {
	fairlead policy show web-from-front
	fairlead policy show default/web-from-front --json | jq -e '
		.workloads == ["default/web"] and .selects == "pods(app=web)" and
		(.rules[0] | .who == "pods(app=front)" and .ports == "tcp:80" and
			.allowed > 0 and .denied == 0) and
		(.rules[1] | .rule == null and .action == "deny" and .denied > 0)'
	fails fairlead policy show nobody
}

talk_is_listed() {
	reaches <<<"deny * default/web *
allow default/front default/web tcp/80"
	fairlead conn list --json |
		jq -e 'any(.[]; .service == null and
			(.client | startswith("10.244.1.2:")) and
			.address == "10.244.1.1:80")'
}

# explains VERDICT FROM TO WHAT [OPTION...]
explains() {
	fairlead policy explain --json "${@:2}" |
		jq -e ".allowed == ($1 == \"allowed\")"
}

explained() {
	local option

	for option in "" "--config=$CONFIG"; do
		# shellcheck disable=SC2086 # none, or one
		explains '"denied"' other web tcp/80 $option
		# shellcheck disable=SC2086
		explains '"denied"' default/front 10.244.1.1 udp/80 $option
		# shellcheck disable=SC2086
		explains '"allowed"' front web tcp/80 $option
	done
	fairlead policy explain other web tcp/80 |
		grep "isolated by default/web-from-front"
	fails fairlead policy explain nobody web tcp/80
	fails fairlead policy explain other web tcp/0
}

# One port a rule: more than can be.
too_many() {
	cat <<-END
		  - name: many
		    spec:
		      podSelector: {matchLabels: {app: web}}
		      ingress:
	END
	for ((i = 0; i < 1100; i++)); do
		echo "      - ports: [{port: $((i + 1))}]"
	done
}

is_hinted() {
	fairlead status --json |
		jq -e --arg text "$1" 'any(.applied.hints[]; contains($text))'
}

# What it may is what the first ones say, and others have what is theirs.
too_many_are_its_own() {
	{
		workloads && policies && too_many
		echo "  - {name: no-front, spec: {podSelector: {matchLabels: {app: front}}}}"
	} | put_all
	reaches <<<"deny * default/front *
deny * default/web *
allow * default/web tcp/80
allow * default/web tcp/81"
	wait_for 5 is_hinted 'workload "default/web" has 1102 rules of ingress'
	fairlead status --json | jq -e .applied.synced
	fairlead policy list 2>&1 | grep 'workload "default/web" has 1102 rules'
	with_policy
	wait_for 5 fails is_hinted '1102 rules'
}

# Without a daemon, and of what is in no file that it reads.
is_checked() {
	{ workloads && policies; } >"$DIR/new.yaml"
	"$FAIRLEAD" policy check "$DIR/new.yaml" |
		grep -x 'ok: 1 policies, 3 workloads'
	{ workloads && policies && too_many; } >"$DIR/new.yaml"
	"$FAIRLEAD" policy check --json "$DIR/new.yaml" >"$DIR/out" && return 1
	jq -e '(.ok | not) and .policies == 2 and (.errors | length == 1) and
		(.errors[0] | contains("\"default/web\" has 1102 rules"))' \
		"$DIR/out"
	{ workloads && policies | sed 's/app: front/app: [front]/'; } \
		>"$DIR/new.yaml"
	"$FAIRLEAD" policy check "$DIR/new.yaml" 2>"$DIR/out" && return 1
	grep "^$DIR/new.yaml:13:" "$DIR/out"
}

limit() {
	cat <<-END
		  - {name: greedy, interface: default-other, limits: {connections: $1},
		     addresses: [10.244.1.3, 'fd44:1::3']}
	END
}

asks() {
	on default-other curl -so /dev/null --max-time 1 http://10.244.1.1:8080/
}

refused_for_now() {
	! asks
}

# A limit of open connections: what it has goes on, more is not begun; and what
# ends makes room.
as_many_as_it_may() {
	start server default-web "$B/tests/sandbox/server" web 8080
	{ workloads | sed '/name: other/,$d'; limit 30; } | put_all
	wait_for 5 asks
	start many default-other "$B/tests/sandbox/load" --mode keepalive \
		--target 10.244.1.1 --concurrency 40 --pause-ms 50 \
		--every-ms 100 8080
	wait_for 20 refused_for_now
	fairlead status --json | jq -e '.reasons[] |
		select(.name == "WORKLOAD_LIMIT") | .packets > 0'
	stop many
	load_report many | jq -e '.requests > .failures'
	wait_for 30 asks
}

policy_story
pod_add bridged default/web 1
pod_add bridged default/front 2
pod_add bridged default/other 3
{ workloads && policies; } | put world.yaml
serve --hostname-override here --metrics-bind-address 127.0.0.1:10249
it "what the policy allows passes, and nothing else" with_policy
it "what was denied is told with its policy" denials_are_named
it "a policy is shown with what each rule decided" is_shown
it "how full the maps are is shown" occupancy_is_shown
it "what would be is explained, from files as well" explained
it "who talks under policies is listed" talk_is_listed
it "a change is tried on who talks, and who asked" a_change_is_tried
it "without it everything passes" without_policy
it "with it again, it is so again" with_policy
it "more rules than can be are of who has them" too_many_are_its_own
it "policies are checked before they are put in force" is_checked
it "as many connections as it may have, and no more" as_many_as_it_may
finish

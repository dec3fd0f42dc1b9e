#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# fairlead-cni at the end of a chain of CNI plugins, as a container runtime
# calls it: what they make is held to its policy before anything runs in it, and
# closed as long as nobody says what it is.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/sandbox/pod.sh
. "$ROOT/tests/sandbox/pod.sh"

PLUGINS=/usr/lib/cni
PLUGIN=$B/fairlead-cni

# plugin PATH COMMAND NAME: as a runtime has it, on the balancer; standard input
# is its configuration.
plugin() {
	on balancer env CNI_COMMAND="$2" CNI_CONTAINERID="$3" \
		CNI_NETNS="/run/netns/$NET-$3" CNI_IFNAME=eth0 \
		CNI_PATH=$PLUGINS FAIRLEAD_RUN_DIR="$DIR/run-balancer" \
		CNI_ARGS="IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=$3" \
		"$1"
}

# conf TYPE [JQ]: of one plugin of the chain.
conf() {
	jq -n --arg type "$1" --arg dir "$DIR/ipam" '{cniVersion: "0.4.0",
		name: "test", type: $type, bridge: "cni0", isGateway: true,
		ipam: {type: "host-local", dataDir: $dir, ranges: [
			[{subnet: "10.77.0.0/24"}], [{subnet: "fd77::/64"}]],
			routes: [{dst: "0.0.0.0/0"}, {dst: "::/0"}]}}'
}

# chain TYPE NAME: a container with one interface; the result is in $DIR/NAME.
chain() {
	conf "$1" | plugin "$PLUGINS/$1" ADD "$2" >"$DIR/made-$2"
	conf fairlead-cni | jq --slurpfile made "$DIR/made-$2" \
			'del(.ipam) + {prevResult: $made[0]}' |
		plugin "$PLUGIN" ADD "$2" >"$DIR/$2"
}

# addr NAME FAMILY
addr() {
	jq -r --arg v "$2" '.ips[].address | select(contains(":") == ($v == "6"))
		| split("/")[0]' "$DIR/$1"
}

container() {
	host_add "$2"
	chain "$1" "$2"
	cmp <(jq -S . "$DIR/made-$2") <(jq -S . "$DIR/$2")
}

# reaches FROM NAME: over both families.
reaches() {
	local family

	for family in 4 6; do
		on "$1" curl -so /dev/null --max-time "${TRIES_S:-5}" \
			"$(url "$(addr "$2" $family)" 8080)" || return 1
	done
}

reaches_neither() {
	local family

	for family in 4 6; do
		fails on "$1" curl -so /dev/null --max-time 1 \
			"$(url "$(addr "$2" $family)" 8080)"
	done
}

# is NAME APP: a workload of the definitions.
is() {
	echo "  - {name: $1, namespace: shop, labels: {app: $2}, addresses: [$(addr "$1" 4), '$(addr "$1" 6)']}"
}

known() {
	local name

	{
		(($# == 0)) || echo "workloads:"
		for name; do
			is "$name" "$name"
		done
		cat <<-END
			policies:
			  - name: web-from-front
			    namespace: shop
			    spec:
			      podSelector: {matchLabels: {app: web}}
			      ingress:
			      - from: [{podSelector: {matchLabels: {app: front}}}]
			        ports: [{port: 8080}]
		END
	} >"$CONFIG/policies.yaml.new"
	mv "$CONFIG/policies.yaml.new" "$CONFIG/policies.yaml"
	! running serve || in_force
}

made_and_closed() {
	container bridge web
	pod_serves web 8080
	container bridge front
	container ptp other
	wait_for 5 reaches balancer web
	reaches_neither front web
	reaches_neither other web
}

named_and_held() {
	known front other web
	wait_for 5 reaches front web
	reaches_neither other web
	reaches balancer web
}

# Some plugins say no more than the host's end, as Calico's does.
no_mac() {
	conf fairlead-cni | jq --slurpfile made "$DIR/made-web" 'del(.ipam) +
			{prevResult: ($made[0] | .interfaces |=
				[.[] | select(.sandbox == null) | del(.mac)])}' |
		plugin "$PLUGIN" ADD web >"$DIR/again"
	wait_for 5 reaches front web
	reaches_neither other web
}

# Nobody is there who could hold it to anything.
no_daemon() {
	stop serve
	host_add late
	fails chain bridge late
	jq -e '.code == 11' "$DIR/late"
}

versions_are_told() {
	plugin "$PLUGIN" VERSION late </dev/null |
		jq -e '.supportedVersions | index("0.4.0")'
	plugin "$PLUGIN" DEL late </dev/null
}

is_refused() {
	fails plugin "$PLUGIN" ADD late >"$DIR/refused"
	jq -e ".code == $1" "$DIR/refused"
}

nonsense_is_refused() {
	is_refused 7 <<<'{"cniVersion": "0.4.0"'
	is_refused 7 <<<'{"cniVersion": "0.4.0", "prevResult": {}}'
	is_refused 7 <<<'{"prevResult": {"interfaces": [{"name": "../etc"}]}}'
}

[[ -x $PLUGINS/bridge ]] || skip_all "no plugins of CNI (containernetworking-plugins)"
story 0
mkdir -p "$CONFIG.d"
CONFIG=$CONFIG.d
known
serve
it "a container that nobody names is closed from the start" made_and_closed
it "one that is named is held to its policies" named_and_held
it "a result without a MAC address will do" no_mac
it "without a daemon no container starts" no_daemon
it "versions are told, and the end needs nobody" versions_are_told
it "what is no configuration is refused with a code" nonsense_is_refused
finish

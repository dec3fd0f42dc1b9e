#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A node where much happens at once: a Service comes and goes a hundred times, in
# files and at an API server, and the daemon is killed amid of it, while loads run
# to it and to one that stays. None of their connections ends.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/node_lib.sh
. "${0%/*}/node_lib.sh"

FLAPS=100

# A Service that is another one each time, or none.
flap() {
	if (($1 % 4 == 3)); then
		rm -f "$CONFIG/flap.yaml"
		return
	fi
	case $(($1 % 4)) in
	0) service flap 20 && endpoints flap pod-2 ;;
	1) service flap 20 "externalTrafficPolicy: Local" &&
		endpoints flap pod-3 far-1 ;;
	2) service flap 20 && endpoints flap ;;
	esac | put flap.yaml
}

flap_loads() {
	local family kind place

	for family in 4 6; do
		for kind in cluster port; do
			place=$(front "$kind" 20 "$family")
			"$1" "flap-$kind-$family" pod-1 \
				"$B/tests/sandbox/load" --mode keepalive \
				--target "${place%/*}" --every-ms 50 \
				--pause-ms 10 --timeout-ms 20000 \
				--concurrency 4 "${place#*/}"
		done
	done
}

flap_load_goes_on() {
	local before

	wait_for 10 test -s "$DIR/$1.log"
	before=$(load_answers "$1")
	wait_for 10 load_is_past "$1" $((before + 12))
}

flap_load_ends() {
	flap_load_goes_on "$1"
	load_stop "$1"
	load_kept_all "$1"
}

# Whether or not each of them has been in force, the daemon dies at some.
flapping() {
	local i

	flap 0
	web pod-2
	lives_start
	flap_loads start
	flap_loads flap_load_goes_on
	for ((i = 1; i <= FLAPS; i++)); do
		flap "$i"
		if ((i % 10 == 0)); then
			stop serve KILL
			start serve balancer "$FAIRLEAD" serve \
				--config "$CONFIG" --hostname-override node-1
		fi
		((i % 5)) || in_force
	done
	flap 3
	in_force
	flap_loads flap_load_goes_on
	flap 0
	in_force
	row pod-1 cluster 20 from pod-1 to pod-2
	row client-1 port 20 from node to pod-2
	flap_loads flap_load_ends
	lives_go_on
	lives_stop
}

api_service() {
	service web "$(front_addr cluster 4)" "$(front_addr cluster 6)"
}

front_addr() {
	local place

	place=$(front "$1" 10 "$2")
	echo "${place%/*}"
}

# api_slice FAMILY POD...
api_slice() {
	local pod addrs=()

	for pod in "${@:2}"; do
		addrs+=("$(pod_addr "$pod" "$1")")
	done
	slice "web-$1" "IPv$1" "${addrs[@]}" | jq '.ports[0].port = 8080'
}

api_flap() {
	if (($1 % 2)); then
		api_service | delete
		api_slice 4 | delete
		api_slice 6 | delete
		return
	fi
	api_service | put
	api_slice 4 pod-$((2 + $1 / 2 % 2)) | put
	api_slice 6 pod-$((2 + $1 / 2 % 2)) | put
}

web_has() {
	fairlead service list --json |
		jq -e --argjson count "$1" 'length == $count'
}

api_load_goes_on() {
	local before

	before=$(load_answers "api-$1")
	wait_for 10 load_is_past "api-$1" $((before + 12))
}

api_flapping() {
	local i family

	api_flap 0
	wait_for 20 web_has 2
	for family in 4 6; do
		start "api-$family" pod-1 "$B/tests/sandbox/load" \
			--mode keepalive --target "$(front_addr cluster "$family")" \
			--every-ms 50 --pause-ms 10 --timeout-ms 20000 \
			--concurrency 4 80
		wait_for 10 test -s "$DIR/api-$family.log"
		api_load_goes_on "$family"
	done
	for ((i = 1; i < FLAPS; i++)); do
		api_flap "$i"
	done
	wait_for 20 web_has 0
	api_load_goes_on 4
	api_load_goes_on 6
	api_flap 102
	wait_for 20 web_has 2
	[[ $(servers_now) == pod-3 ]]
	for family in 4 6; do
		api_load_goes_on "$family"
		load_stop "api-$family"
		load_kept_all "api-$family"
	done
}

servers_now() {
	probe pod-1 8 "$ANSWER_MS" "tcp/$(front_addr cluster 4)/80" \
		"tcp/$(front_addr cluster 6)/80" | cut -d ' ' -f 2 | sort -u
}

node_story pod-1 pod-2 pod-3 far-1
spec
endpoints web pod-2 | put web-slices.yaml
serve_node
it "a Service comes and goes $FLAPS times, and the daemon dies" flapping
stop serve
rm "$CONFIG"/{web,web-slices,flap,node}.yaml
# its put, service and slice take the place of those above
# shellcheck source=tests/sandbox/api.sh
. "$ROOT/tests/sandbox/api.sh"
CLUSTER_CIDR=
api_start
echo '{"kind": "Node", "metadata": {"name": "node-1"}}' | put
serve_start --master=http://127.0.0.1:8001 --config "$CONFIG"
it "objects of an API server do so" api_flapping
finish

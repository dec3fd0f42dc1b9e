#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A backend that does not answer gets no connections, and gets them again when
# it does; over both families, with the daemon or the process that checks killed
# in between. Two services with the same server make one check of it.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

# checked HEALTH: two services of each family on the same servers.
checked() {
	local name vip port backend net

	echo "metrics-bind-address: 127.0.0.1:10249"
	echo "services:"
	for vip in "$VIP4" "$VIP6"; do
		net=10.91.0.
		[[ $vip == *:* ]] && net=fd91::
		for port in 80 81; do
			name=web4-$port
			[[ $vip == *:* ]] && name=web6-$port
			echo "  - name: $name"
			echo "    address: \"$vip\""
			echo "    port: $port"
			echo "    protocol: tcp"
			echo "    forward: nat"
			[[ -z $1 ]] || echo "    health: {$1}"
			echo "    backends:"
			for backend in 1 2; do
				echo "      - {address: \"${net}1$backend\", port: 80}"
			done
		done
	done
}

FAST="type: tcp, interval: 300ms, fast: 100ms, timeout: 200ms, rise: 2, fall: 2"

# health_is BACKEND STATE: by all services that have it.
health_is() {
	fairlead backend list --json >"$DIR/backends" || return
	cat "$DIR/backends"
	jq -es --arg at "1$1" --arg state "$2" 'flatten |
		map(select(.address | endswith($at))) |
		length == 4 and all(.health == $state)' "$DIR/backends"
}

backend_dies() {
	stop server-1
	wait_for 5 health_is 1 down
	for vip in "${FAMILIES[@]}"; do
		all_answer "$vip" backend-2
	done
	jq -es 'flatten | map(select(.address | endswith("11"))) |
		all(.state == "down" and (.why | contains("refused")))' \
		"$DIR/backends"
	fairlead status --json | jq -e '.. | .hints? // empty |
		tostring | contains("1 of 2 backends down")'
}

backend_comes_back() {
	start server-1 backend-1 "$B/tests/sandbox/server" backend-1 80 8080
	wait_for 10 health_is 1 up
	for vip in "${FAMILIES[@]}"; do
		all_answer "$vip" backend-1 backend-2
	done
}

opens() {
	on backend-2 nstat -asz TcpPassiveOpens | awk '/Opens/ { print $2 }'
}

results() {
	fairlead backend list --json | jq -s 'flatten |
		map(select(.address | endswith("12"))) | unique_by(.address) |
		map(.checks_passed) | add'
}

past() {
	(($(results) > $1))
}

one_check_of_a_server() {
	local opened made

	opened=$(opens)
	made=$(results)
	wait_for 10 past $((made + 10))
	opened=$(($(opens) - opened))
	made=$(($(results) - made))
	echo "$opened connections, $made results"
	# two of them may be under way, of each family one
	((opened <= made + 4 && opened + 4 >= made))
}

process_is_another() {
	local pid

	pid=$(worker_pid health)
	[[ -n $pid && $pid != "$1" ]]
}

killed_process_buries_nobody() {
	local pid

	pid=$(worker_pid health)
	kill -9 "$pid"
	health_is 1 up
	wait_for 10 process_is_another "$pid"
	backend_dies
}

# A process that stands still is another one soon.
frozen_process_is_replaced() {
	local pid

	pid=$(worker_pid health)
	kill -STOP "$pid"
	wait_for 15 process_is_another "$pid"
	fails kill -0 "$pid"
	health_is 2 up
}

killed_daemon_revives_nobody() {
	stop serve KILL
	for vip in "${FAMILIES[@]}"; do
		all_answer "$vip" backend-2
	done
	serve
	all_answer "$VIP4" backend-2
	all_answer "$VIP6" backend-2
	backend_comes_back
}

reload_without_checks_revives_all() {
	backend_dies
	checked "" | config
	in_force
	fairlead backend list --json |
		jq -es 'flatten | all(.state == "active")'
	checked "$FAST" | config
	in_force
	wait_for 5 health_is 1 down
}

all_down_rejects_all() {
	stop server-2
	wait_for 5 health_is 2 down
	for vip in "${FAMILIES[@]}"; do
		fails ask "$vip"
	done
}

metric_is() {
	on balancer curl -sS --max-time "$CURL_S" 127.0.0.1:10249/metrics \
		>"$DIR/metrics"
	grep "^fairlead_backend_up\|^fairlead_checks" "$DIR/metrics"
	grep -F "fairlead_backend_up{service=\"web4-80\",backend=\"10.91.0.1$1:80\"} $2" \
		"$DIR/metrics"
	grep "^fairlead_checks_total{result=\"pass\"} [1-9]" "$DIR/metrics"
}

metrics_tell() {
	wait_for 5 metric_is 2 1
	wait_for 5 metric_is 1 0
}

# of_way NAME HEALTH WHY: of a service whose servers are behind backend-2.
of_way() {
	fairlead backend list "$1" --json >"$DIR/backends" || return
	cat "$DIR/backends"
	jq -e --arg health "$2" --arg why "$3" 'length > 0 and
		all(.[]; .health == $health and (.why | contains($why)))' \
		"$DIR/backends"
}

# A router that has no way on says that servers are down; that this host has
# none itself, says nothing of them.
way_is_lost() {
	local kind

	on backend-2 sysctl -qw net.ipv4.ip_forward=1
	on backend-2 ip route del default
	on balancer ip route add 10.99.0.0/24 via 10.91.0.12
	{
		echo "services:"
		for kind in tcp http; do
			echo "  - {name: far-$kind, address: 192.0.2.30, port: $((${#kind} * 10)),"
			echo "     health: {type: $kind, interval: 300ms, fast: 100ms, timeout: 200ms, fall: 2},"
			echo "     backends: [{address: 10.99.0.5}]}"
		done
	} | config
	in_force
	wait_for 10 of_way far-tcp down "network unreachable"
	wait_for 10 of_way far-http down "network unreachable"
	on balancer ip route del 10.99.0.0/24
	on balancer ip route del default
	wait_for 10 of_way far-tcp down "no route from here"
	wait_for 10 of_way far-http down "no route from here"
}

story 2
checked "$FAST" | config
serve
it "finds all backends up" wait_for 10 health_is 1 up
it "takes a backend that dies out" backend_dies
it "tells it in metrics" metrics_tell
it "takes one that comes back in" backend_comes_back
it "makes one check of a server for two services" one_check_of_a_server
it "goes on when the process that checks is killed" killed_process_buries_nobody
it "replaces a process that stands still" frozen_process_is_replaced
it "keeps verdicts when the daemon is killed" killed_daemon_revives_nobody
it "obeys checks that go and come" reload_without_checks_revives_all
it "rejects when all are down" all_down_rejects_all
it "believes routers on the way, and blames no server for its own" way_is_lost
finish

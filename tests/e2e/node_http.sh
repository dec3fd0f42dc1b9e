#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What a node says over HTTP of itself: its health, its Services' health check
# ports, its metrics; to whom; and what hostile clients, and processes that die
# or stand still, change about that.
# Long: minutes, so that it begins before others.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/node_lib.sh
. "${0%/*}/node_lib.sh"
# shellcheck source=tests/e2e/http_lib.sh
. "${0%/*}/http_lib.sh"

NODES=("$NODE4" "[$NODE6]")

node_is_well() {
	local node

	for node in "${NODES[@]}"; do
		says 200 client-1 "$node:10256/healthz"
		header Content-Type application/json
		header X-Content-Type-Options nosniff
		jq -e '.nodeEligible and .healthy and
			(.status | keys == ["IPv4", "IPv6"]) and
			.status.IPv4.healthy and .status.IPv6.healthy' "$DIR/body"
		grep -qE '^\{"lastUpdated":"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\.[0-9]{1,9})?Z","currentTime":"[^"]*Z","nodeEligible":true,"healthy":true,"status":\{"IPv4":\{"lastUpdated":"[^"]*Z","healthy":true\},"IPv6":\{"lastUpdated":"[^"]*Z","healthy":true\}\}\}$' "$DIR/body"
		says 200 client-1 "$node:10256/livez"
		jq -e '(has("nodeEligible") | not) and .healthy' "$DIR/body"
		says 404 client-1 "$node:10256/"
		says 404 client-1 "$node:10256/metrics"
		says 200 client-1 "$node:10256/healthz" -X POST -d hello
	done
}

not_eligible() {
	says 503 client-1 "$NODE4:10256/healthz"
	jq -e '(.nodeEligible | not) and .healthy' "$DIR/body"
}

# node_leaves MANIFEST-LINE: load balancers are to go elsewhere, nobody is to
# start us anew.
node_leaves() {
	{
		node node-1 zone-a | sed "s|^metadata: {|&$1|; s|^spec: {|&$2|"
	} | put node.yaml
	wait_for 10 not_eligible
	says 200 client-1 "[$NODE6]:10256/livez"
	node node-1 zone-a | put node.yaml
	wait_for 10 says 200 client-1 "$NODE4:10256/healthz"
}

# checked STATUS ENDPOINTS: at both families' health check ports.
checked() {
	local node

	for node in "${NODES[@]}"; do
		says "$1" client-1 "$node:31010/any/path"
		header X-Load-Balancing-Endpoint-Weight "$2"
		header Content-Type application/json
		header X-Content-Type-Options nosniff
		printf '{\n\t"service": {\n\t\t"namespace": "default",\n\t\t"name": "web"\n\t},\n\t"localEndpoints": %d,\n\t"serviceProxyHealthy": true\n}' \
			"$2" | cmp - "$DIR/body"
	done
}

# web HEALTH-CHECK-PORT ENDPOINT...
web() {
	service web 10 "externalTrafficPolicy: Local" \
		"healthCheckNodePort: $1" | put web.yaml
	endpoints web "${@:2}" | put web-slices.yaml
}

endpoints_here_count() {
	web 31010 pod-1 far-1
	wait_for 10 checked 200 1
	web 31010 pod-1 pod-2 far-1
	wait_for 10 checked 200 2
	web 31010 pod-1,terminating pod-2,unready far-1
	wait_for 10 checked 503 0
	web 31010 far-1
	wait_for 10 checked 503 0
	says 503 client-1 "$NODE4:31010/" -X POST -d hello
	web 31010 pod-1
	wait_for 10 checked 200 1
}

# Where node ports are, and nowhere else.
at_node_addresses() {
	says 200 balancer "$NODE4:31010/"
	refuses balancer "127.0.0.1:31010/"
	refuses balancer "[::1]:31010/"
}

the_port_follows_the_service() {
	web 31011 pod-1
	wait_for 10 says 200 client-1 "[$NODE6]:31011/"
	wait_for 10 refuses client-1 "$NODE4:31010/"
	service web 10 "externalTrafficPolicy: Cluster" \
		"healthCheckNodePort: 31011" | put web.yaml
	wait_for 10 refuses client-1 "$NODE4:31011/"
	web 31010 pod-1
	wait_for 10 checked 200 1
	rm "$CONFIG/web.yaml"
	wait_for 10 refuses client-1 "$NODE4:31010/"
	web 31010 pod-1
	wait_for 10 checked 200 1
}

hinted() {
	fairlead status --json | jq -e --arg text "$1" \
		'.applied.hints | map(contains($text)) | any'
}

# Somebody else has it: that is said, and it is ours when he is gone.
the_port_is_taken() {
	start thief balancer "$B/tests/sandbox/server" thief 31012
	wait_for 10 says 200 balancer "$NODE4:31012/"
	web 31012 pod-1
	wait_for 10 hinted ":31012: Address already in use"
	grep "cannot listen at $NODE4:31012: Address already in use" "$DIR/serve.err"
	in_force
	stop thief
	wait_for 30 says 200 client-1 "$NODE4:31012/"
	fails hinted 31012
	web 31010 pod-1
	wait_for 10 checked 200 1
}

metric() {
	says 200 balancer 127.0.0.1:10249/metrics >/dev/null
	grep -E "^$1 " "$DIR/body" | tee /dev/stderr | awk '{ print $2 }'
}

# what is known from elsewhere as well
metrics_are_right() {
	says 200 balancer 127.0.0.1:10249/metrics
	header Content-Type "text/plain; version=0.0.4; charset=utf-8"
	[[ $(metric fairlead_services) == "$(fairlead service list --json | jq length)" ]]
	[[ $(metric 'kubeproxy_proxy_healthz_total\{code="200"\}') -gt 0 ]]
	[[ $(metric 'kubeproxy_sync_proxy_rules_duration_seconds_count\{ip_family="IPv6"\}') -gt 0 ]]
	[[ $(metric 'kubeproxy_sync_proxy_rules_endpoint_changes_pending\{ip_family="IPv4"\}') == 0 ]]
	[[ $(metric 'kubeproxy_sync_proxy_rules_service_changes_total') -gt 0 ]]
	reload_is 1
	says 200 balancer 127.0.0.1:10249/healthz
	[[ $(<"$DIR/body") == ok ]]
	says 200 balancer 127.0.0.1:10249/proxyMode
	[[ $(<"$DIR/body") == fairlead ]]
	says 200 balancer 127.0.0.1:10249/configz
	header Content-Type application/json
	jq -e '."kubeproxy.config.k8s.io" | .hostnameOverride == "node-1" and
		.clusterCIDR == "10.244.0.0/16, fd44::/16" and
		.metricsBindAddress == "127.0.0.1:10249"' "$DIR/body"
	refuses client-1 "$NODE4:10249/metrics"
	says 404 balancer 127.0.0.1:10249/debug/pprof/
}

no_local_is() {
	[[ $(metric "kubeproxy_sync_proxy_rules_no_local_endpoints_total\{traffic_policy=\"external\"\}") == "$1" ]]
}

metrics_follow() {
	no_local_is 0
	web 31010 far-1
	wait_for 10 no_local_is 4
	web 31010 pod-1
	wait_for 10 no_local_is 0
}

check_metrics() {
	command -v promtool >/dev/null || {
		echo "promtool (Debian's prometheus) is not installed"
		return 77
	}
	says 200 balancer 127.0.0.1:10249/metrics >/dev/null
	promtool check metrics <"$DIR/body"
}

http_pid() {
	worker_pid http
}

# Nobody's user, no capability, filtered calls, no map, no file.
has_no_rights() {
	local pid

	pid=$(http_pid)
	cat "/proc/$pid/status"
	ls -l "/proc/$pid/fd"
	grep -E '^Uid:	[1-9][0-9]*	' "/proc/$pid/status"
	[[ $(grep -cE '^Cap(Eff|Prm|Bnd|Inh|Amb):	0+$' "/proc/$pid/status") == 5 ]]
	grep -E '^NoNewPrivs:	1$' "/proc/$pid/status"
	grep -E '^Seccomp:	2$' "/proc/$pid/status"
	grep -E '^Groups:	 *$' "/proc/$pid/status"
	[[ -z $(find "/proc/$pid/fd" -lname '*bpf*') ]]
	[[ -z $(find "/proc/$pid/fd" -lname '/*' ! -lname /dev/null) ]]
}

# hostile PORT: as many as can be of who says nothing, a little, or no end.
hostile() {
	start "hostile-$1" client-2 python3 "$ROOT/tests/sandbox/slowloris.py" \
		"$NODE4" "$1" 400
	wait_for 20 grep -q ready "$DIR/hostile-$1.log"
}

answers_all() {
	local node

	for node in "${NODES[@]}"; do
		says 200 client-1 "$node:10256/healthz"
		says 200 client-1 "$node:31010/"
	done
	says 200 balancer 127.0.0.1:10249/metrics >/dev/null
}

open_files() {
	find "/proc/$1/fd" -type l | wc -l
}

rss_kb() {
	awk '/^VmRSS/ { print $2 }' "/proc/$1/status"
}

hostile_clients_keep_nobody_out() {
	local pid i before

	pid=$(http_pid)
	before=$(generation)
	hostile 10256
	hostile 31010
	for ((i = 0; i < 5; i++)); do
		answers_all
	done
	[[ $(http_pid) == "$pid" ]]
	echo "$(open_files "$pid") files, $(rss_kb "$pid") KB"
	(($(open_files "$pid") < 600))
	(($(rss_kb "$pid") < 65536))
	web 31010 pod-1 pod-2
	wait_for 10 checked 200 2
	web 31010 pod-1
	wait_for 10 checked 200 1
	(($(generation) > before))
	stop hostile-10256
	stop hostile-31010
}

# raw FILE: what the server says to these bytes.
raw() {
	on client-1 timeout 20 bash -c "
		exec 3<>/dev/tcp/$NODE4/10256
		cat <&3 & cat '$1' >&3 2>/dev/null; wait \$!" || true
}

odd_requests_are_refused() {
	printf 'GET /healthz HTTP/1.1\r\nHost: x\r\n' >"$DIR/request"
	head -c 20000 /dev/zero | tr '\0' a | sed 's/^/X: /' >>"$DIR/request"
	raw "$DIR/request" | tee /dev/stderr | head -n 1 | grep -E ' 4[0-9][0-9] '
	printf 'GET /%s HTTP/1.1\r\nHost: x\r\n\r\n' \
		"$(head -c 20000 /dev/zero | tr '\0' a)" >"$DIR/request"
	raw "$DIR/request" | tee /dev/stderr | head -n 1 | grep -E ' 4[0-9][0-9] '
	printf 'nonsense\r\n\r\n' >"$DIR/request"
	raw "$DIR/request"
	head -c 100000 /dev/urandom >"$DIR/request"
	raw "$DIR/request" >/dev/null
	answers_all
}

parent_of() {
	awk '/^PPid/ { print $2 }' "/proc/$1/status"
}

other_http() {
	local pid

	pid=$(http_pid) && [[ -n $pid && $pid != "$1" ]]
}

# Its sockets stay open: who asks meanwhile waits, and is answered.
http_dies() {
	local pid

	pid=$(http_pid)
	kill -KILL "$pid"
	answers_all
	other_http "$pid"
	wait_for 10 grep -F 'the process "fairlead: http" was ended by signal 9' \
		"$DIR/serve.err"
	pid=$(http_pid)
	on balancer pkill -KILL -f -P "$(parent_of "$pid")" "^fairlead: http"
	answers_all
	checked 200 1
}

# Who does nothing any more is not well, and what it said before is not true
# for ever.
serve_stands_still() {
	kill -STOP "$(<"$DIR/serve.pid")"
	says 200 client-1 "$NODE4:10256/healthz"
	wait_for 20 says 503 balancer 127.0.0.1:10249/metrics || stands_up
	wait_for 90 says 503 client-1 "$NODE4:10256/livez" || stands_up
	says 503 client-1 "$NODE4:31010/" || stands_up
	jq -e '.serviceProxyHealthy | not' "$DIR/body" || stands_up
	kill -CONT "$(<"$DIR/serve.pid")"
	wait_for 10 answers_all
}

stands_up() {
	kill -CONT "$(<"$DIR/serve.pid")"
	return 1
}

no_http() {
	! kill -0 "$1"
}

serve_dies() {
	local pid

	pid=$(http_pid)
	stop serve KILL
	wait_for 10 no_http "$pid"
	refuses client-1 "$NODE4:10256/healthz"
	serve_node "${OPTIONS[@]}"
	wait_for 10 answers_all
}

# Addresses come and go, and so does who is answered there.
the_port_follows_addresses() {
	stop serve
	serve_node "${OPTIONS[@]}" --nodeport-addresses 10.91.0.0/24,fd91::/64
	wait_for 10 checked 200 1
	refuses balancer 127.0.0.1:31010/
	ip -n "$NET-balancer" address add 10.91.0.77/24 dev eth0
	wait_for 10 says 200 client-1 10.91.0.77:31010/
	ip -n "$NET-balancer" address del 10.91.0.77/24 dev eth0
	checked 200 1
	stop serve
	serve_node "${OPTIONS[@]}" --nodeport-addresses 0.0.0.0/0,fd91::/64
	wait_for 10 says 200 balancer 127.0.0.1:31010/
	refuses balancer "[::1]:31010/"
	checked 200 1
}

reload_is() {
	[[ $(metric fairlead_config_last_reload_successful) == "$1" ]]
}

# What cannot come into force is seen to wait; after a minute of that the node
# is not well, which is told apart from here in tests/unit/web.
a_change_waits() {
	put broken.yaml <<<"colour: red"
	wait_for 10 reload_is 0
	says 200 client-1 "$NODE4:10256/livez"
	rm "$CONFIG/broken.yaml"
	wait_for 10 reload_is 1
}

# A balancer without Kubernetes has no such process, or metrics if it wants to.
balancer_is_asked() {
	stop serve
	rm "$CONFIG"/*.yaml
	echo "uplinks: [eth0]
services:
- {name: web, address: 192.0.2.99, port: 80, protocol: tcp,
   backends: [{address: 10.91.0.11}]}" | put balancer.yaml
	serve_node
	[[ -z $(http_pid) ]]
	refuses balancer 127.0.0.1:10249/metrics
	echo "metrics-bind-address: '$NODE4:9000'" | put metrics.yaml
	wait_for 10 says 200 client-1 "$NODE4:9000/metrics"
	grep -x "fairlead_services 1" "$DIR/body"
	fails grep kubeproxy "$DIR/body"
	refuses client-1 "$NODE4:10256/healthz"
	rm "$CONFIG/metrics.yaml"
	wait_for 10 refuses client-1 "$NODE4:9000/metrics"
	wait_for 10 http_is_gone
}

http_is_gone() {
	[[ -z $(http_pid) ]]
}

# Without who makes it anew, at least it is said.
who_makes_it_anew_is_gone() {
	local pid

	pid=$(http_pid)
	kill -KILL "$(parent_of "$pid")"
	wait_for 10 no_http "$pid"
	wait_for 40 hinted 'the process "fairlead: http" is not there'
	in_force
	stop serve
	serve_node "${OPTIONS[@]}"
	wait_for 10 answers_all
}

OPTIONS=(--healthz-bind-address "[::]:10256"
	--metrics-bind-address 127.0.0.1:10249)
node_story pod-1 pod-2 far-1
web 31010 pod-1
serve_node "${OPTIONS[@]}"
wait_for 10 answers_all
it "a node that is well says so" node_is_well
it "a node that is deleted leaves" node_leaves \
	"deletionTimestamp: '2026-11-30T00:00:00Z', " ""
it "a node that is about to be deleted leaves" node_leaves "" \
	"taints: [{key: ToBeDeletedByClusterAutoscaler, effect: NoSchedule}], "
it "endpoints here are counted" endpoints_here_count
it "a health check port is where node ports are" at_node_addresses
it "a health check port follows its Service" the_port_follows_the_service
it "a health check port that somebody has" the_port_is_taken
it "metrics agree with what is known" metrics_are_right
it "metrics follow what changes" metrics_follow
it "a change that cannot come into force waits" a_change_waits
it "metrics are as Prometheus wants them" check_metrics
it "the process that answers has no rights" has_no_rights
it "hostile clients keep nobody out" hostile_clients_keep_nobody_out
it "odd requests are refused" odd_requests_are_refused
it "the process that answers dies" http_dies
it "a daemon that stands still is not well" serve_stands_still
it "a daemon that dies takes it along" serve_dies
it "a health check port follows the node's addresses" the_port_follows_addresses
it "who makes it anew is gone" who_makes_it_anew_is_gone
it "a balancer is asked if it wants to be" balancer_is_asked
finish

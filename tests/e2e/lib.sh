# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# The sandbox of an end-to-end test: a network of its own (scripts/lib/
# network.sh), pins, run directory and processes of its own, all named after
# the test's file, so that tests run side by side and what a killed run left
# is cleaned by the next one. A test is a story:
#
#	. "${0%/*}/lib.sh"
#	story 3				# backends
#	services nat			# what the balancer serves
#	serve
#	it "answers over IPv4" curl_ok 192.0.2.10
#	finish
#
# it runs one case, in a subshell that ends at the first failing command, and
# prints a line of TAP. Nothing sleeps and hopes: wait_for waits for what has to
# be.

set -euo pipefail
ROOT=$(realpath "${BASH_SOURCE[0]%/*}/../..")
B=$(realpath "${B:-$ROOT/build}")
FAIRLEAD=$B/fairlead
NAME=$(basename "$0" .sh)
NET=fl$(echo "$ROOT $NAME" | md5sum | cut -c 1-6)
DIR=/tmp/fairlead-test-$NET
PINS=/sys/fs/bpf/fairlead-test-$NET
CONFIG=$DIR/fairlead.yaml
FAMILIES=("$VIP4" "$VIP6")
CASES=0
FAILED=0
# shellcheck source=scripts/lib/network.sh
. "$ROOT/scripts/lib/network.sh"

skip_all() {
	echo "1..0 # SKIP $*"
	exit 77
}

tools_build() {
	local tool

	mkdir -p "$B/tests/e2e"
	exec 9>"$B/tests/e2e/lock"
	flock 9
	for tool in load server; do
		[[ $B/tests/e2e/$tool -nt $ROOT/tests/e2e/$tool.c ]] ||
			cc -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra \
				-o "$B/tests/e2e/$tool" \
				"$ROOT/tests/e2e/$tool.c"
	done
	exec 9>&-
}

sandbox_remove() {
	network_down
	rm -rf "$PINS" "$DIR"
}

# story BACKENDS [CLIENTS]: the network, and a server on every backend.
story() {
	local i

	((EUID == 0)) || skip_all "needs root"
	[[ -x $FAIRLEAD ]] || skip_all "$FAIRLEAD is not built"
	tools_build
	bpffs_mount
	sandbox_remove
	trap sandbox_remove EXIT
	trap 'exit 130' INT TERM
	mkdir -p "$DIR" "$PINS"
	network_up "$@"
	for ((i = 1; i <= $1; i++)); do
		start "server-$i" "backend-$i" \
			"$B/tests/e2e/server" "backend-$i" 80 8080
	done
	for ((i = 1; i <= $1; i++)); do
		wait_for 5 on "client-1" curl -so /dev/null "10.91.0.$((10 + i))"
	done
}

# start NAME HOST COMMAND...: in the background, output in $DIR/NAME.log.
start() {
	local name=$1 host=$2
	shift 2
	nsenter --net="/run/netns/$NET-$host" env \
		FAIRLEAD_PIN_ROOT="$PINS/$host" \
		FAIRLEAD_RUN_DIR="$DIR/run-$host" \
		"$@" >"$DIR/$name.log" 2>"$DIR/$name.err" </dev/null &
	echo $! >"$DIR/$name.pid"
	disown
}

running() {
	kill -0 "$(<"$DIR/$1.pid")" 2>/dev/null
}

gone() {
	! running "$1"
}

# stop NAME [SIGNAL]: and wait until it is gone.
stop() {
	kill -"${2:-TERM}" "$(<"$DIR/$1.pid")"
	wait_for 10 gone "$1"
}

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
	local end=$((${EPOCHREALTIME/./} + $1 * 1000000))
	shift
	until "$@" >"$DIR/wait.log" 2>&1; do
		if ((${EPOCHREALTIME/./} > end)); then
			echo "gave up waiting for: $*"
			cat "$DIR/wait.log"
			return 1
		fi
		sleep 0.01
	done
}

# fails COMMAND...: that it succeeds would be wrong. (set -e overlooks "!".)
fails() {
	if "$@"; then
		echo "succeeded, but must not: $*"
		return 1
	fi
}

# The product, on a host; each host has its own pins.
fairlead_on() {
	local host=$1
	shift
	on "$host" env FAIRLEAD_PIN_ROOT="$PINS/$host" \
		FAIRLEAD_RUN_DIR="$DIR/run-$host" "${BINARY:-$FAIRLEAD}" "$@"
}

fairlead() {
	fairlead_on balancer "$@"
}

# serve [OPTION...]: until the configuration is in force.
serve() {
	mkdir -p "$DIR/run-balancer"
	start serve balancer "${BINARY:-$FAIRLEAD}" serve --config "$CONFIG" "$@"
	in_force
}

# Wait until the daemon has read its files again and obeys them.
in_force() {
	fairlead status --wait --timeout 10 --json >"$DIR/status.json" ||
		(cat "$DIR/serve.err" && return 1)
}

generation() {
	fairlead status --json | jq .applied.generation
}

# The daemon by its own word, and its exit status does not matter.
serve_kill() {
	stop serve "${1:-TERM}"
}

# decap: every backend takes tunnels apart and owns the service addresses.
decap() {
	local i

	for i in "$@"; do
		mkdir -p "$DIR/run-backend-$i"
		fairlead_on "backend-$i" decap --interface eth0 --hook "${HOOK:-xdp}"
		own_vip "$i"
	done
}

# config: standard input becomes the definitions, in one step.
config() {
	{
		echo "uplinks: [eth0]"
		cat
	} >"$CONFIG.new"
	mv "$CONFIG.new" "$CONFIG"
}

# service NAME ADDRESS PROTOCOL FORWARD BACKEND[:WEIGHT|:drain]...: port 80 as
# YAML. Backends by number; their port is the service's, or BACKEND_PORT.
service() {
	local backend net=10.91.0. extra
	[[ $2 != *:* ]] || net=fd91::
	printf '  - {name: %s, address: "%s", port: 80, protocol: %s' "$1" "$2" "$3"
	printf ', forward: %s, backends: [\n' "$4"
	for backend in "${@:5}"; do
		case $backend in
		*:drain) extra=", state: drain" ;;
		*:*) extra=", weight: ${backend#*:}" ;;
		*) extra="" ;;
		esac
		printf '    {address: "%s%d", port: %d%s},\n' "$net" \
			$((10 + ${backend%%:*})) "${BACKEND_PORT:-80}" "$extra"
	done
	echo "  ]}"
}

# services FORWARD BACKEND...: TCP and UDP of both service addresses.
services() {
	{
		echo "services:"
		service tcp4 "$VIP4" tcp "$@"
		service tcp6 "$VIP6" tcp "$@"
		service udp4 "$VIP4" udp "$@"
		service udp6 "$VIP6" udp "$@"
	} | config
}

url() {
	[[ $1 == *:* ]] && echo "http://[$1]:${2:-80}/" || echo "http://$1:${2:-80}/"
}

# ask ADDRESS [CURL OPTION...]: the answering backend's name.
ask() {
	on client-1 curl -sS --max-time 5 "${@:2}" "$(url "$1")"
}

# ask_many COUNT ADDRESS: COUNT connections; how many each backend got.
ask_many() {
	local i
	for ((i = 0; i < $1; i++)); do
		ask "$2"
	done | sort | uniq -c
}

# load_start NAME MODE ADDRESS [OPTION...]; load_stop NAME: the report, and
# failure if a single request failed.
load_start() {
	start "$1" client-1 "$B/tests/e2e/load" --mode "$2" --target "$3" \
		--every-ms 100 "${@:4}" 80
	wait_for 5 test -s "$DIR/$1.log"
}

load_stop() {
	stop "$1"
	load_report "$1"
	jq -e '.requests > 0 and .failures == 0' <<<"$(load_report "$1")" >/dev/null
}

load_report() {
	tail -n 1 "$DIR/$1.log"
}

# Keep-alive and short connections, and datagrams, over both families.
loads() {
	local mode vip

	for mode in keepalive short udp; do
		for vip in "${FAMILIES[@]}"; do
			echo "$mode-$vip"
		done
	done
}

loads_start() {
	local load

	for load in $(loads); do
		load_start "$load" "${load%%-*}" "${load#*-}" \
			--concurrency 8 --pause-ms 5
	done
}

# Not one request failed; connections that live on stayed where they were.
loads_stop() {
	local load failed=0

	for load in $(loads); do
		load_stop "$load" || failed=1
		case $load in
		keepalive-*) load_kept "$load" || failed=1 ;;
		esac
	done
	return $failed
}

load_kept() {
	load_report "$1" | jq -e '.connections == 8 and .moved == 0' >/dev/null
}

load_answers() {
	load_report "$1" | jq ".requests - .failures"
}

# Every client gets answers now, after this call began.
loads_go_on() {
	local load before

	for load in $(loads); do
		before=$(load_answers "$load")
		wait_for 5 load_is_past "$load" $((before + 20))
	done
}

load_is_past() {
	(($(load_answers "$1") > $2))
}

artefacts() {
	local log

	fairlead status --json || true
	for log in "$DIR"/serve.err "$DIR"/serve.log; do
		[[ ! -s $log ]] || tail -n 40 "$log"
	done
}

# it DESCRIPTION COMMAND...
it() {
	local what=$1 rc=0
	shift
	CASES=$((CASES + 1))
	set +e
	(
		set -e
		"$@"
	) >"$DIR/case.log" 2>&1
	rc=$?
	set -e
	if ((rc == 0)); then
		echo "ok $CASES - $what"
	elif ((rc == 77)); then
		echo "ok $CASES - $what # SKIP $(tail -n 1 "$DIR/case.log")"
	else
		echo "not ok $CASES - $what"
		sed 's/^/# /' "$DIR/case.log"
		artefacts 2>&1 | sed 's/^/# /'
		FAILED=$((FAILED + 1))
	fi
}

finish() {
	echo "1..$CASES"
	exit $((FAILED > 0))
}

# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# An end-to-end test has a sandbox (tests/sandbox/sandbox.sh) named after its
# file, so that tests run side by side and what a killed run left is cleaned by
# the next one. A test is a story:
#
#	. "${0%/*}/lib.sh"
#	story 3				# backends
#	services nat 1 2 3		# what the balancer serves
#	serve
#	it "answers over IPv4" ask "$VIP4"
#	finish
#
# it runs one case, in a subshell that ends at the first failing command, and
# prints a line of TAP. Nothing sleeps and hopes: wait_for waits for what has to
# be.

set -euo pipefail
shopt -s inherit_errexit
ROOT=$(realpath "${BASH_SOURCE[0]%/*}/../..")
B=$(realpath "${B:-$ROOT/build}")
NAME=$(basename "$0" .sh)
NET=fl$(echo "$ROOT $NAME" | md5sum | cut -c 1-6)
# shellcheck source=tests/sandbox/sandbox.sh
. "$ROOT/tests/sandbox/sandbox.sh"
# How many times as long as usual whatever has to happen may take, on a machine
# that does much else.
PATIENCE=${PATIENCE:-3}
CURL_S=$((5 * PATIENCE))
CASES=0
FAILED=0
WITH=
FAMILIES=("$VIP4" "$VIP6")

skip_all() {
	echo "1..0 # SKIP $*"
	exit 77
}

# story BACKENDS [CLIENTS]: the network, and a server on every backend.
story() {
	local i

	((EUID == 0)) || skip_all "needs root"
	[[ -x $FAIRLEAD ]] || skip_all "$FAIRLEAD is not built"
	tools_build
	bpffs_mount
	sandbox_claim
	trap sandbox_end EXIT
	trap 'exit 130' INT TERM
	sandbox_make "$@"
	for ((i = 1; i <= $1; i++)); do
		start "server-$i" "backend-$i" \
			"$B/tests/sandbox/server" "backend-$i" 80 8080
	done
	for ((i = 1; i <= $1; i++)); do
		wait_for 5 on "client-1" curl -so /dev/null "10.91.0.$((10 + i))"
	done
}

# fails COMMAND...: that it succeeds would be wrong. (set -e overlooks "!".)
fails() {
	if "$@"; then
		echo "succeeded, but must not: $*"
		return 1
	fi
}

# The balancer's program: on the interface itself, or behind what stands for
# it in a dispatcher.
program_behind() {
	local entry

	entry=$(compgen -G "$PINS/balancer/[0-9]*/fl_xdp_entry_*") || {
		ip -n "$NET-balancer" -json link show eth0 |
			jq '.[0].xdp.prog.id'
		return
	}
	bpftool -j map dump pinned "$entry" | jq -c '.[0].value'
}

# worker_pid NAME: the process of the daemon's that is called "fairlead: NAME".
worker_pid() {
	local spawner

	for spawner in $(pgrep -P "$(<"$DIR/serve.pid")"); do
		pgrep -P "$spawner" -f "^fairlead: $1" || true
	done
}

# Programs at interfaces of a host; bpftool 7.1 does not see those by TCX.
programs_at() {
	on "$1" bpftool -j net | jq -c '.[0][][]' &&
		on "$1" python3 "$ROOT/tests/e2e/tcx.py"
}

# nothing_attached [HOST]
nothing_attached() {
	local programs

	programs=$(programs_at "${1:-balancer}") || return
	echo "$programs"
	[[ -z $programs ]]
}

generation() {
	fairlead status --json | jq .applied.generation
}

url() {
	[[ $1 == *:* ]] && echo "http://[$1]:${2:-80}/" || echo "http://$1:${2:-80}/"
}

# ask ADDRESS [CURL OPTION...]: the answering backend's name. ASKER, where it is
# set, asks: a client whose ports no other connections have had.
ask() {
	on "${ASKER:-client-1}" curl -sS --max-time "$CURL_S" "${@:2}" \
		"$(url "$1")"
}

# ask_many COUNT ADDRESS: COUNT connections; how many each backend got.
ask_many() {
	local i
	for ((i = 0; i < $1; i++)); do
		ask "$2"
	done | sort | uniq -c
}

# all_answer ADDRESS NAME...: these backends do, and no others.
all_answer() {
	local answers name

	answers=$(ask_many 40 "$1")
	echo "$answers"
	for name in "${@:2}"; do
		grep -q " $name\$" <<<"$answers"
	done
	[[ $(wc -l <<<"$answers") == $(($# - 1)) ]]
}

# Segments that a device is to cut, checksums that it is to complete.
large_answer_arrives() {
	local bytes

	bytes=$(on client-1 curl -sS --max-time "$CURL_S" \
		"$(url "$1")1000000" | wc -c)
	echo "$bytes bytes"
	((bytes == 1000000))
}

# datagrams_are_answered ADDRESS BACKENDS: by so many, each flow by one alone.
datagrams_are_answered() {
	on client-1 "$B/tests/sandbox/load" --mode udp --target "$1" --seconds 1 \
		--concurrency 30 --pause-ms 20 --timeout-ms "${CURL_S}000" 80 |
		tee "$DIR/udp"
	jq -e --argjson backends "$2" '.failures == 0 and .moved == 0 and
		(.backends | length) == $backends' "$DIR/udp"
}

# load_start NAME MODE ADDRESS [OPTION...]; load_stop NAME: the report, and
# failure if a single request failed.
load_start() {
	start "$1" client-1 "$B/tests/sandbox/load" --mode "$2" --target "$3" \
		--every-ms 100 "${@:4}" 80
	wait_for 5 test -s "$DIR/$1.log"
}

load_stop() {
	stop "$1"
	load_report "$1"
	cat "$DIR/$1.err"
	load_report "$1" |
		jq -e '.requests > 0 and .failures == 0' >/dev/null
}

# The last that is written whole.
load_report() {
	tail -n 2 "$DIR/$1.log" | grep '}}$' | tail -n 1
}

# Keep-alive and short connections, and datagrams, over both families; each
# client waits LOAD_PAUSE_MS (5) before it asks again.
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
			--concurrency 8 --pause-ms "${LOAD_PAUSE_MS:-5}"
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

# it DESCRIPTION COMMAND...: WITH is said before each.
it() {
	local what=$WITH$1 rc=0
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

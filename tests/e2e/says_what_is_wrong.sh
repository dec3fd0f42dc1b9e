#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A command that failed says so, in the terms of who ran it: a disk that is
# full, a right that is missing, a log's level.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

disk_full() {
	local command

	for command in reasons version help "check $ROOT/user/man/example.yaml" \
		"status --json" "service list" "backend list --json" \
		"diff $CONFIG"; do
		echo "$command"
		# shellcheck disable=SC2086
		fails fairlead $command >/dev/full 2>"$DIR/said"
		grep -q 'No space left on device' "$DIR/said"
	done
}

# lacks RIGHT: in one line, and with no words of the verifier.
lacks() {
	fails setpriv --bounding-set "-sys_admin,-$1" --inh-caps "-$1" \
		env FAIRLEAD_RUN_DIR="$DIR/run-lacking" \
		FAIRLEAD_PIN_ROOT="$PINS/lacking" "$FAIRLEAD" serve --once \
		--config "$ROOT/user/man/example.yaml" 2>"$DIR/said"
	cat "$DIR/said"
	[[ $(wc -l <"$DIR/said") == 1 ]]
	grep -qi "this process lacks cap_$1: Operation not permitted" "$DIR/said"
}

# A daemon that is stuck: what the tables say is shown, within seconds.
stuck() {
	local pid

	pid=$(<"$DIR/serve.pid")
	kill -STOP "$pid"
	# shellcheck disable=SC2064
	trap "kill -CONT $pid" EXIT
	fails timeout 20 env FAIRLEAD_PIN_ROOT="$PINS/balancer" \
		FAIRLEAD_RUN_DIR="$DIR/run-balancer" nsenter \
		--net="/run/netns/$NET-balancer" "$FAIRLEAD" status --json \
		>"$DIR/said"
	jq -e '.daemon.running and (.daemon.answers | not) and
		(.applied.synced | not) and .services == 4' "$DIR/said"
	fails fairlead status >"$DIR/said"
	grep 'daemon: *does not answer' "$DIR/said"
	kill -CONT "$pid"
	fairlead status --json |
		jq -e '.daemon.answers and .applied.synced'
}

levels() {
	fails fairlead serve --log-level loud --config "$CONFIG" 2>"$DIR/said"
	grep -q 'none of error, warning, info, debug' "$DIR/said"
	stop serve
	start serve balancer "$FAIRLEAD" serve --log-level error \
		--config "$CONFIG"
	in_force
	cat "$DIR/serve.err"
	[[ ! -s $DIR/serve.err ]]
}

story 1
services nat 1
serve
it "a disk that is full" disk_full
for right in bpf perfmon net_admin; do
	it "a process without cap_$right" lacks "$right"
done
it "a daemon that is stuck" stuck
it "levels of the log" levels
finish

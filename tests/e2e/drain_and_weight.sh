#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A drained backend keeps its connections and gets no new ones; weights are
# obeyed; both by definition and by hand, and by hand survives a restart.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

REQUESTS=300

# shares ADDRESS: what each backend got of many connections, as JSON. By a client
# that has none yet. Slowly enough not to come round to its ports: Linux (seen on
# 6.18) resets one in some 20 000 connections by itself, also without a balancer,
# where its ACK and the data behind it come in on two CPUs in one moment.
shares() {
	fairlead conn flush --client 10.90.2.2 >&2
	fairlead conn flush --client fd90:2::2 >&2
	on client-2 "$B/tests/sandbox/load" --mode short --target "$1" \
		--concurrency 8 --seconds 2 \
		--pause-ms 5 80 >"$DIR/shares" || true
	cat "$DIR/shares" >&2
	jq -e ".failures == 0 and .requests > $REQUESTS" "$DIR/shares" >&2
	jq -c .backends "$DIR/shares"
}

# new_connections EXPRESSION: of jq, about the backends' shares.
new_connections() {
	local vip got

	for vip in "${FAMILIES[@]}"; do
		got=$(shares "$vip")
		echo "$vip: $got"
		jq -e "$1" <<<"$got"
	done
}

drained_in_the_file() {
	services nat 1:drain 2
	in_force
	new_connections 'keys == ["backend-2"]'
	loads_go_on
}

back_in_the_file() {
	services nat 1 2
	in_force
	new_connections '."backend-1" / ."backend-2" | . > 0.67 and . < 1.5'
}

weighted_in_the_file() {
	services nat 1:300 2:100
	in_force
	new_connections '."backend-1" / ."backend-2" | . > 2.1 and . < 4.3'
}

no_weight_is_drained() {
	services nat 1:0 2:100
	in_force
	new_connections 'keys == ["backend-2"]'
	loads_go_on
}

by_hand() {
	local what=$1

	fairlead backend "$what" tcp4 10.91.0.11:80 "${@:2}"
	fairlead backend "$what" tcp6 "[fd91::11]:80" "${@:2}"
}

drained_by_hand() {
	services nat 1 2
	in_force
	by_hand drain
	new_connections 'keys == ["backend-2"]'
	loads_go_on
}

hand_survives() {
	stop serve
	serve
	new_connections 'keys == ["backend-2"]'
}

back_by_hand() {
	by_hand undrain
	new_connections 'length == 2'
}

weighted_by_hand() {
	by_hand weight 300
	new_connections '."backend-1" / ."backend-2" | . > 2.1 and . < 4.3'
	fairlead backend list tcp4
}

back_to_the_definition() {
	by_hand default
	new_connections '."backend-1" / ."backend-2" | . > 0.67 and . < 1.5'
}

unknown_backend() {
	fails fairlead backend drain tcp4 10.91.0.99:80 2>"$DIR/error"
	cat "$DIR/error"
	grep -q 10.91.0.99 "$DIR/error"
}

story 2 2
services nat 1 2
serve
loads_start
it "drained in the file: no new connections" drained_in_the_file
it "back in the file" back_in_the_file
it "weights of the file are obeyed" weighted_in_the_file
it "weight 0 is drained" no_weight_is_drained
it "drained by hand" drained_by_hand
it "what was set by hand survives a restart" hand_survives
it "back by hand" back_by_hand
it "weighted by hand" weighted_by_hand
it "back to what the file says" back_to_the_definition
it "a backend that does not exist is an error" unknown_backend
it "no request failed, no connection moved" loads_stop
finish

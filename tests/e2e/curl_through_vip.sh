#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A client reaches every backend through the service address, over both
# families, in every forwarding mode (or those in FORWARDS); and reaches the
# hosts past the balancer.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

# By NAT backends see the balancer; by all else, the client.
client_is_seen() {
	local expected=10.90.1.2 headers

	[[ $2 != *:* ]] || expected=fd90:1::2
	[[ $1 != nat ]] || expected=10.91.0.2
	[[ $1 != nat || $2 != *:* ]] || expected=fd91::2
	headers=$(ask "$2" --include)
	echo "$headers"
	grep -qE "^Client: (::ffff:)?$expected"$'\r' <<<"$headers"
}

stranger_passes() {
	[[ $(ask "$1") == backend-1 ]]
}

story 3
services nat 1 2 3
serve
for hop in 10.91.0.11 fd91::11; do
	it "a backend's own address $hop is left alone" stranger_passes "$hop"
done
decap 1 2 3
for mode in ${FORWARDS:-nat l2 ipip gue gre geneve}; do
	port=80
	[[ $mode != nat ]] || port=8080
	BACKEND_PORT=$port services "$mode" 1 2 3
	in_force
	for vip in "${FAMILIES[@]}"; do
		it "$mode: all backends answer at $vip" all_answer "$vip" \
			backend-{1,2,3}
		it "$mode: whom backends see" client_is_seen "$mode" "$vip"
		it "$mode: a large answer from $vip" large_answer_arrives "$vip"
		it "$mode: datagrams to $vip" \
			datagrams_are_answered "$vip" 3
	done
done
finish

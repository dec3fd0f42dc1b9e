#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A thousand edits in a row: backends come and go and change their weights,
# under load, and not one request is lost. Tunnels differ in nothing but what
# is put before a packet: fewer do there.
# Long: minutes, so that it begins before others.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

declare -A CHANGES=([nat]=400 [l2]=200)
TUNNEL_CHANGES=100
BLIND_CHANGES=1000

# What edit number $1 makes of the backends: every one leaves, drains, and has
# other weights, in turn; never all at once.
backends() {
	local i

	for i in 1 2 3 4; do
		case $((($1 + 3 * i) % 11)) in
		0) ;;
		1) echo "$i:drain" ;;
		*) echo "$i:$((1 + ($1 * 37 + i * 91) % 1000))" ;;
		esac
	done
}

# edits MODE COUNT
edits() {
	local i

	for ((i = 0; i < $2; i++)); do
		# shellcheck disable=SC2046
		services "$1" $(backends "$i")
		in_force
	done
}

edits_counted() {
	local before after

	before=$(generation)
	edits "$@"
	after=$(generation)
	echo "generation $before, then $after"
	((after - before == $2))
}

edits_blindly() {
	local i

	for ((i = 0; i < BLIND_CHANGES; i++)); do
		# shellcheck disable=SC2046
		services "$1" $(backends $((7 * i)))
	done
	in_force
}

everybody_is_back() {
	services "$1" 1 2 3 4
	in_force
	[[ $(ask_many 80 "$VIP6" | wc -l) == 4 ]]
}

story 4
decap 1 2 3 4
for mode in nat l2 ipip gue gre geneve; do
	services "$mode" 1 2 3 4
	if running serve; then in_force; else serve; fi
	count=${CHANGES[$mode]:-$TUNNEL_CHANGES}
	loads_start
	it "$mode: $count edits, each waited for" edits_counted "$mode" "$count"
	it "$mode: everybody serves after the last" everybody_is_back "$mode"
	it "$mode: no request failed, no connection moved" loads_stop
done
loads_start
it "$BLIND_CHANGES edits as fast as they can be written" edits_blindly geneve
it "everybody serves after these" everybody_is_back geneve
it "no request failed then" loads_stop
finish

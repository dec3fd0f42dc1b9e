#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A backend opens what is for its own addresses, or for those that it is told;
# the command run again replaces what was said before.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

opens() {
	fairlead_on backend-1 decap --interface eth0 --hook "$1" "${@:2}"
}

answers() {
	[[ $(ask "$1") == backend-1 ]]
}

is_silent() {
	fails on client-1 curl -sS --max-time 1 "$(url "$1")"
}

is_refused() {
	local rc=0

	opens xdp --address "$1" 2>"$DIR/refused" || rc=$?
	cat "$DIR/refused"
	((rc == 2)) && grep -q "$2" "$DIR/refused"
}

story 1
own_vip 1
services ipip 1
serve
mkdir -p "$DIR/run-backend-1"
for hook in xdp tc; do
	it "$hook: the host's own addresses" opens "$hook"
	it "$hook: $VIP4 answers" answers "$VIP4"
	it "$hook: $VIP6 answers" answers "$VIP6"
	it "$hook: others alone" \
		opens "$hook" --address 10.91.0.99,10.91.0.98,fd91::99
	it "$hook: $VIP4, whose backend is not among them" is_silent "$VIP4"
	it "$hook: $VIP6, whose backend is not among them" is_silent "$VIP6"
	it "$hook: one of both" opens "$hook" --address 10.91.0.99,10.91.0.11
	it "$hook: $VIP4 answers again" answers "$VIP4"
	it "$hook: $VIP6 does not" is_silent "$VIP6"
	it "$hook: detached" opens "$hook" --detach
done
it "what is no address is said" is_refused 10.91.0.11,nonsense '"nonsense"'
it "nor is nothing" is_refused 10.91.0.11, '""'
finish

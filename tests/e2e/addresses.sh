#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# One service at several addresses: of both families through a tunnel, and
# clients that stay with their backend, whichever address they ask.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

ALSO4=192.0.2.11

# web FORWARD NETWORK ADDRESS ADDRESS [KEY: VALUE]: backends 1 to 3.
web() {
	local list
	list=$(printf '"%s", ' "${@:3:2}")
	config <<-END
		services:
		  - name: web
		    addresses: [$list]
		    port: 80
		    forward: $1
		    ${5:-"algorithm: maglev"}
		    backends:
		      - {address: ${2}1, port: 80}
		      - {address: ${2}2, port: 80}
		      - {address: ${2}3, port: 80}
	END
}

shown_with() {
	fairlead service show web --json | tee "$DIR/shown"
	jq -e "$1" "$DIR/shown"
}

listed_in_a_line() {
	fairlead service list | tee "$DIR/list"
	[[ $(grep -c web "$DIR/list") == 1 ]]
	grep -q "$VIP4 +1" "$DIR/list"
}

sticks_at_both() {
	local first answers

	first=$(ask "$VIP4")
	answers=$(ask_many 20 "$ALSO4")
	echo "$first, then $answers"
	[[ $answers =~ ^\ *20\ $first$ ]]
}

one_address_goes() {
	config <<-END
		services:
		  - {name: web, addresses: [$VIP4], port: 80, backends: [
		    {address: 10.91.0.11, port: 80}]}
	END
	in_force
	[[ $(ask "$VIP4") == backend-1 ]]
	! ask "$ALSO4" --connect-timeout 1
}

refused() {
	web nat 10.91.0.1 "$VIP4" "$VIP6"
	fairlead check "$CONFIG" 2>"$DIR/said" && return 1
	cat "$DIR/said"
	grep -q 'forward "nat" needs one family' "$DIR/said"
}

story 3
web ipip 10.91.0.1 "$VIP4" "$VIP6"
serve
decap 1 2 3
for vip in "${FAMILIES[@]}"; do
	it "a tunnel takes both families: $vip" all_answer "$vip" backend-{1,2,3}
done
it "both are shown, as one" shown_with \
	'[.front_ends[].address] == ["'"$VIP4"'", "'"$VIP6"'"] and
	 .front_ends_total == 2 and .connections >= 80'
it "a line tells how many" listed_in_a_line
web nat 10.91.0.1 "$VIP4" "$ALSO4" $'algorithm: random\n    affinity: {client: 1h}'
in_force
it "a client stays with its backend at either" sticks_at_both
it "an address is withdrawn, the other goes on" one_address_goes
it "NAT of two families is refused" refused
finish

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The table of connections grows under traffic, twice: who is connected stays
# with its backend, who comes gets in, nothing is there twice. What is
# translated, and what is but chosen (round-robin), over both families. And a
# limit that cannot be put in force says so, and harms nobody.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

# limit CONNECTIONS: the same services with another one.
limit() {
	{
		echo "limits: {connections: $1}"
		cat "$DIR/services"
	} | config
}

# Every choice of the tunnels is recorded.
definitions() {
	local id

	{
		echo "services:"
		service tcp4 "$VIP4" tcp nat 1 2 3
		service tcp6 "$VIP6" tcp nat 1 2 3
		service udp4 "$VIP4" udp l2 1 2 3
		service udp6 "$VIP6" udp l2 1 2 3
	} | sed '/udp[46],/s/, forward/, algorithm: round-robin&/' \
		>"$DIR/services"
}

has_room_for() {
	fairlead status --json >"$DIR/status.json"
	jq -c .connections "$DIR/status.json"
	jq -e --argjson limit "$1" '.connections.limit >= $limit and
		.connections.limit < $limit * 1.1' "$DIR/status.json"
}

grown_to() {
	limit "$1"
	in_force
	has_room_for "$1"
	jq -e '.applied.synced' "$DIR/status.json"
	grep -c 'has room for' "$DIR/serve.err"
}

# Nor a client's flow, nor a source towards a backend.
none_twice() {
	fairlead conn list --json --limit 100000 >"$DIR/conns.json"
	jq -e '[.[] | [.protocol, .client, .address]] |
		length > 100 and length == (unique | length)' "$DIR/conns.json"
	jq -e '[.[] | select(.nat_source) | [.protocol, .backend, .nat_source]]
		| length == (unique | length)' "$DIR/conns.json"
}

lives_through() {
	loads_start
	loads_go_on
	grown_to "$1"
	loads_go_on
	grown_to "$2"
	loads_go_on
	loads_stop
	none_twice
}

# Also with what a daemon that starts finds.
lives_through_start() {
	loads_start
	loads_go_on
	stop serve
	limit "$1"
	serve
	has_room_for "$1"
	loads_go_on
	loads_stop
	none_twice
}

too_many() {
	loads_start
	limit 260000000
	fails in_force
	fairlead status --json | jq -r .applied.error |
		grep 'limits: connections: cannot make a table for 260000000'
	loads_go_on
	loads_stop
}

smaller_says_so() {
	limit 3000
	in_force
	fairlead status | grep '"limits: connections: 3000" is not in force'
	grep 'limits: connections: 3000 is not in force' "$DIR/serve.err"
}

story 3
for i in 1 2 3; do
	own_vip "$i"
done
definitions
limit 2000
serve
it "grows twice" lives_through 5000 50000
it "grows when the daemon starts" lives_through_start 120000
it "more than there is memory for" too_many
it "less than there is" smaller_says_so
finish

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A flood of forged first packets, alone and with forged acknowledgements: who is
# connected loses nothing, who comes gets in, meanwhile and afterwards.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

SECONDS_LONG=4
RATE=50000
LIMIT=5000

# A small table, so that the flood is many times as large.
definitions() {
	{
		echo "limits: {connections: $LIMIT}"
		echo "services:"
		service tcp4 "$VIP4" tcp nat 1 2
		service tcp6 "$VIP6" tcp nat 1 2
	} | config
}

balancer_mac() {
	ip -n "$NET-balancer" -json link show eth0 | jq -r '.[0].address'
}

# flood ADDRESS [ack]: prints how many were sent.
flood() {
	on client-1 "$B/tests/sandbox/flood" eth0 "$(balancer_mac)" "$1" 80 \
		"$SECONDS_LONG" "$RATE" "${@:2}"
}

# Of those that came during the flood, at least 99 in 100 got in.
got_in() {
	stop short
	load_report short
	load_report short | jq -e '.requests >= 50 and
		.failures * 100 <= .requests' >/dev/null
}

# flooded ADDRESS [ack]
flooded() {
	local sent

	load_start kept keepalive "$1" --concurrency 8 --pause-ms 5
	load_start short short "$1" --concurrency 4 --pause-ms 5
	sent=$(flood "$@")
	echo "$sent forged packets"
	((sent > 4 * LIMIT))
	got_in
	load_stop kept
	load_kept kept
}

# Also of the answers that nobody waits for.
all_get_in_afterwards() {
	local i

	for ((i = 0; i < 50; i++)); do
		ask "$1"
	done
}

status_tells() {
	fairlead status --json >"$DIR/status.json"
	jq -c .connections "$DIR/status.json"
	jq -e ".connections.limit >= $LIMIT and .connections.half_open + .connections.closing > 0 and
		(.connections.full | not)" "$DIR/status.json"
}

story 2
definitions
serve
for vip in "${FAMILIES[@]}"; do
	it "first packets to $vip" flooded "$vip"
	it "afterwards" all_get_in_afterwards "$vip"
	it "and forged acknowledgements" flooded "$vip" ack
	it "afterwards" all_get_in_afterwards "$vip"
done
it "status tells" status_tells
finish

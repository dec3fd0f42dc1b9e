#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A flood of forged first packets, alone and with forged acknowledgements: who is
# connected loses nothing, who comes gets in, meanwhile and afterwards.
# As large as a busy machine makes it; what is to be withstood, on a machine
# that does nothing else (what cannot be sent in time is left out, hence more):
#	RATE=215000 SECONDS_LONG=20 LIMIT=50000 tests/e2e/flood.sh
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

SECONDS_LONG=${SECONDS_LONG:-4}
RATE=${RATE:-20000}
LIMIT=${LIMIT:-5000}

# A small table, so that the flood is many times as large. At port 81 nobody
# answers.
definitions() {
	{
		echo "limits: {connections: $LIMIT}"
		echo "services:"
		service tcp4 "$VIP4" tcp nat 1 2
		service tcp6 "$VIP6" tcp nat 1 2
		echo "  - {name: silent4, address: $VIP4, port: 81, protocol: tcp,"
		echo "     forward: nat, backends: [{address: 10.91.0.99}]}"
		echo "  - {name: silent6, address: '$VIP6', port: 81, protocol: tcp,"
		echo "     forward: nat, backends: [{address: 'fd91::99'}]}"
	} | config
}

# Whoever has the MAC address is not there.
silent_backends() {
	local addr

	for addr in 10.91.0.99 fd91::99; do
		ip -n "$NET-balancer" neighbour replace "$addr" \
			lladdr 02:00:00:00:00:99 nud permanent \
			dev "$(ip -n "$NET-balancer" -json route get "$addr" |
				jq -r '.[0].dev')"
	done
}

balancer_mac() {
	ip -n "$NET-balancer" -json link show eth0 | jq -r '.[0].address'
}

# Only who has the MAC address gets a frame, and answers to nobody go nowhere:
# else the bridge and the router make several packets of each forged one.
forged_packets_end() {
	local port

	for port in balancer backend-1 backend-2; do
		bridge -n "$NET-router" link set dev "$port" flood off
	done
	ip -n "$NET-router" route add blackhole 198.18.0.0/15
	ip -n "$NET-router" route add blackhole 2001:db8:f1::/48
}

# The hosts have no CPU of their own here, and a cable holds no more than 256
# packets, which are lost when whoever is to receive them waits for a CPU. So
# receiving has a thread for each cable, and none of them waits for who sends.
# Where there are no such threads, it goes on without.
receiving_comes_first() {
	local before host

	before=$(pgrep '^napi/' || true)
	for host in router balancer; do
		# shellcheck disable=SC2016 # expands where /sys is the host's
		ip netns exec "$NET-$host" sh -c \
			'for i in /sys/class/net/*/threaded; do
				echo 1 >"$i"
			done' 2>/dev/null || true
	done
	pgrep '^napi/' | grep -vxF "${before:-none}" |
		xargs -rn 1 chrt --fifo --pid 1 || true
}

# From the router, next to the balancer: its clients' cables are slower.
# flood ADDRESS PORT [ack]: prints how many were sent.
flood() {
	on router "$B/tests/sandbox/flood" balancer "$(balancer_mac)" "$1" "$2" \
		"$SECONDS_LONG" "$RATE" "${@:3}"
}

# Of those that came during the flood, at least 99 in 100 got in.
got_in() {
	stop short
	load_report short | jq -r '"# new connections: \(.requests), of which "
		+ "failed \(.failures), the slowest \(.longest_ms) ms"' >&3
	load_report short
	load_report short | jq -e '.requests >= 50 and
		.failures * 100 <= .requests' >/dev/null
}

forwarded() {
	fairlead status --json |
		jq '.reasons[] | select(.name == "FORWARDED").packets'
}

# flooded ADDRESS PORT [ack]
flooded() {
	local sent before

	before=$(forwarded)
	load_start kept keepalive "$1" --concurrency 8 --pause-ms 5
	load_start short short "$1" --concurrency 4 --pause-ms 5
	sent=$(flood "$@")
	echo "# $((sent / SECONDS_LONG)) forged packets a second" >&3
	((sent > 4 * LIMIT))
	# and they have come
	(($(forwarded) - before > 4 * LIMIT))
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
	jq -e '.connections.evicted > 0 and (.connections.top | length) >= 2 and
		(.connections.top[0].service | test("^(tcp|silent)[46]$"))' \
		"$DIR/status.json"
	fairlead status | grep 'made room for others: [1-9]'
}

full() {
	fairlead status --json |
		jq -e '.connections | .full and .refused.no_room > 0'
}

# More live ones than there are records: who comes now learns why not.
a_full_table_says_so() {
	stop serve
	fairlead cleanup --yes
	LIMIT=100
	definitions
	serve
	load_start many keepalive "$VIP4" --concurrency 200 --pause-ms 50
	wait_for 30 full
	fairlead status | tee "$DIR/status.text"
	grep 'refused: [1-9][0-9]* packets, as the table was full' \
		"$DIR/status.text"
	grep 'raise "limits: connections"' "$DIR/status.text"
	grep 'most are of: tcp4 1' "$DIR/status.text"
	stop many
}

exec 3>&1
story 2
definitions
silent_backends
forged_packets_end
receiving_comes_first
serve
for vip in "${FAMILIES[@]}"; do
	for port in 80 81; do
		it "first packets to $vip, port $port" flooded "$vip" "$port"
		it "afterwards" all_get_in_afterwards "$vip"
		it "and forged acknowledgements" flooded "$vip" "$port" ack
		it "afterwards" all_get_in_afterwards "$vip"
	done
done
it "status tells" status_tells
it "a full table says so" a_full_table_says_so
finish

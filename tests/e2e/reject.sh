#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What is not served is refused at once, so that nobody waits: TCP by a reset,
# UDP by port unreachable. Echo requests are answered for service addresses,
# and for them alone.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

# Refused, and not by the patience of the client.
refused() {
	local mode=$1 vip=$2 port=$3

	fails on client-1 "$B/tests/sandbox/load" --mode "$mode" --target "$vip" \
		--seconds 1 --timeout-ms 10000 "$port" >"$DIR/refused"
	cat "$DIR/refused"
	jq -e '.errors | keys == ["Connection refused"]' "$DIR/refused"
	jq -e '.failures > 1' "$DIR/refused"
}

echo_answered() {
	on client-1 "$ROOT/tests/e2e/packets.py" ping "$1"
}

# Nobody owns the address: it must not answer.
echo_left_alone() {
	fails echo_answered "$1"
}

port_of_the_host_answers() {
	start host balancer "$B/tests/sandbox/server" balancer 8080
	wait_for 5 on client-1 curl -so /dev/null "$(url "$1" 8080)"
	stop host
}

without_backends() {
	config <<-END
		services:
		  - {name: none4, address: $VIP4, port: 80}
		  - {name: none6, address: "$VIP6", port: 80}
		  - {name: udp4, address: $VIP4, port: 80, protocol: udp}
		  - {name: udp6, address: "$VIP6", port: 80, protocol: udp}
	END
	in_force
}

story 1
services nat 1
serve
for vip in "${FAMILIES[@]}"; do
	it "$vip: TCP to a port without service is reset" refused short "$vip" 81
	it "$vip: UDP to a port without service is refused" refused udp "$vip" 81
	it "$vip: echo is answered" echo_answered "$vip"
done
it "192.0.2.99: no echo for a stranger" echo_left_alone 192.0.2.99
it "2001:db8::99: no echo for a stranger" echo_left_alone 2001:db8::99
for host in 10.91.0.2 fd91::2; do
	it "$host: the balancer's own echo" echo_answered "$host"
	it "$host: the balancer's own ports" port_of_the_host_answers "$host"
done
it "services without backends are definitions" without_backends
for vip in "${FAMILIES[@]}"; do
	it "$vip: TCP without backends is reset" refused short "$vip" 80
	it "$vip: UDP without backends is refused" refused udp "$vip" 80
	it "$vip: echo is answered all the same" echo_answered "$vip"
done
finish

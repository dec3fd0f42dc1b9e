#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A backend on the balancer itself, by NAT: it answers through the host's
# stack, and clients see the service's address all the same.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

HERE=-8		# backend N is 10.91.0.10+N, and the balancer 10.91.0.2
COMES=40	# an address that the balancer gets later

uplink_out() {
	fairlead status --json |
		jq -r '.attachments[] | select(.program == "fl_uplink_out") |
			.interface + " " + .mechanism'
}

attached() {
	uplink_out
	[[ $(uplink_out) == eth0\ @(tcx|clsact) ]]
}

not_attached() {
	uplink_out
	[[ -z $(uplink_out) ]]
}

# It is not the balancer's address that a backend here sees.
client_is_seen() {
	local expected=10.90.1.2 headers

	[[ $1 != *:* ]] || expected=fd90:1::2
	headers=$(ask "$1" --include)
	echo "$headers"
	grep -qE "^Client: (::ffff:)?$expected"$'\r' <<<"$headers"
}

# The host's "port unreachable" is about a packet that the client never sent.
refused() {
	on client-1 timeout "$CURL_S" bash -c "
		exec 3<>/dev/udp/$1/80
		while echo hello >&3; do sleep 0.01; done" 2>&1 |
		tee "$DIR/refused"
	grep -q 'Connection refused' "$DIR/refused"
}

own_address_is_left_alone() {
	[[ $(ask "$1") == here ]]
}

answers_without_the_daemon() {
	stop serve KILL
	[[ $(ask "$VIP4") == here ]]
	[[ $(ask "$VIP6") == here ]]
	serve
	attached
	[[ $(ask "$VIP4") == here ]]
}

comes_later() {
	BACKEND_PORT=8080 services nat "$COMES"
	in_force
	not_attached
	ip_on balancer <<-END
		addr add 10.91.0.50/32 dev lo
		addr add fd91::50/128 dev lo nodad
	END
	wait_for 5 attached
	[[ $(ask "$1") == here ]]
	[[ $(ask "$2") == here ]]
}

goes_with_its_service() {
	{
		echo "services:"
		service other4 "$VIP4" tcp nat 1
	} | config
	in_force
	wait_for 5 not_attached
}

cleaned() {
	BACKEND_PORT=8080 services nat "$HERE"
	in_force
	attached
	stop serve
	fails nothing_attached
	fairlead cleanup --yes
	nothing_attached
	[[ -z $(find "$PINS" -type f) ]]
}

story 1
start server-here balancer "$B/tests/sandbox/server" here 80 8080
wait_for 5 on client-1 curl -so /dev/null 10.91.0.2
BACKEND_PORT=8080 services nat 1
serve
it "nothing at egress without a backend here" not_attached
BACKEND_PORT=8080 services nat 1 "$HERE"
in_force
it "attached for a backend here" attached
for vip in "${FAMILIES[@]}"; do
	it "both backends answer at $vip" \
		all_answer "$vip" backend-1 here
done
BACKEND_PORT=8080 services nat "$HERE"
in_force
for vip in "${FAMILIES[@]}"; do
	it "whom the backend here sees at $vip" client_is_seen "$vip"
	it "a large answer from $vip" large_answer_arrives "$vip"
	it "datagrams to $vip" datagrams_are_answered "$vip" 1
done
for hop in 10.91.0.2 fd91::2; do
	it "the balancer's own address $hop is left alone" \
		own_address_is_left_alone "$hop"
done
it "answers go on without the daemon" answers_without_the_daemon
BACKEND_PORT=9 services nat "$HERE"
in_force
for vip in "${FAMILIES[@]}"; do
	it "a closed port refuses datagrams to $vip" refused "$vip"
done
it "detached when the service goes" goes_with_its_service
it "a backend that becomes the host's own" comes_later "$VIP4" "$VIP6"
it "cleanup detaches" cleaned
finish

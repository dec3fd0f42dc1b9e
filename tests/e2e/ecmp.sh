#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Two balancers share the services' addresses: a router spreads flows over what
# both announce. One goes, and comes back: with tunnels and one hash key no
# connection is lost, as both choose alike.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/announce_lib.sh
. "${0%/*}/announce_lib.sh"

second_add() {
	host_add balancer-2 1
	segment_add balancer-2 3
	ip -n "$NET-router" link set balancer-2 \
		xdp object "$PASS_PROGRAM" section xdp
	mkdir -p "$PINS" "$DIR/run-balancer-2"
}

definitions() {
	{
		echo "announce: {hold: 1s, linger: 1s}"
		echo "hash-key: \"one key for all of these nodes\""
		echo "services:"
		service tcp4 "$VIP4" tcp ipip 1 2 3
		service tcp6 "$VIP6" tcp ipip 1 2 3
		service udp4 "$VIP4" udp ipip 1 2 3
		service udp6 "$VIP6" udp ipip 1 2 3
	} | config
}

forwarded() {
	fairlead_on "$1" status --json |
		jq '.reasons[] | select(.name == "FORWARDED") | .packets'
}

is_past() {
	(($(forwarded "$1") > $2))
}

# more_through HOST: it forwards packets now.
more_through() {
	local before

	before=$(forwarded "$1")
	wait_for 10 is_past "$1" $((before + 50))
}

both_share() {
	wait_for 20 both_reach 2
	wait_for 20 both_reach 3
	loads_start
	more_through balancer
	more_through balancer-2
	loads_go_on
}

one_goes() {
	fairlead_on balancer-2 node drain
	wait_for 20 none_reaches 3
	both_reach 2
	ip -n "$NET-router" link set balancer-2 down
	loads_go_on
}

# Its connections of BGP end when it does; what was there is not cleaned up.
one_dies() {
	stop serve-2 KILL
	stop bird-balancer-2 KILL
	wait_for 20 none_reaches 3
	ip -n "$NET-router" link set balancer-2 down
	loads_go_on
}

one_starts() {
	ip -n "$NET-router" link set balancer-2 up
	start serve-2 balancer-2 "$FAIRLEAD" serve --config "$CONFIG"
	bird_start balancer-2
	wait_for 20 both_reach 3
	more_through balancer-2
	loads_go_on
}

one_comes() {
	ip -n "$NET-router" link set balancer-2 up
	fairlead_on balancer-2 node undrain
	wait_for 20 both_reach 3
	more_through balancer-2
	loads_go_on
}

need bird birdc
story 3
decap 1 2 3
second_add
routes_forget
on router sysctl -qw net.ipv4.fib_multipath_hash_policy=1 \
	net.ipv6.fib_multipath_hash_policy=1
balancer_bird balancer 2 65001
balancer_bird balancer-2 3 65001
router_bird 2:65001 3:65001 >"$DIR/router.bird"
bird_start router
bird_start balancer
bird_start balancer-2
definitions
serve
start serve-2 balancer-2 "$FAIRLEAD" serve --config "$CONFIG"
it "both share the load" both_share
it "one is drained, and goes" one_goes
it "it comes back" one_comes
it "it dies" one_dies
it "another one is added" one_starts
it "no request failed, no connection moved" loads_stop
finish

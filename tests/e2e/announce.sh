#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What works is announced, by a real BIRD to a real router of its own, and
# nothing else: both families, through failures, drains and the daemon's end.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/announce_lib.sh
. "${0%/*}/announce_lib.sh"

ANNOUNCE="announce: {hold: 2s, linger: 1s}"

# serves BACKEND...: all four services, and that they are announced.
serves() {
	{
		echo "$ANNOUNCE"
		echo "services:"
		service tcp4 "$VIP4" tcp nat "$@"
		service tcp6 "$VIP6" tcp nat "$@"
	} | config
}

# ours: routes of ours on the balancer, both families, by a line each.
ours() {
	ip -n "$NET-balancer" -4 route show table "$TABLE" proto 178 || true
	ip -n "$NET-balancer" -6 route show table "$TABLE" proto 178 || true
}

ours_are() {
	local routes

	routes=$(ours 2>/dev/null)
	echo "$routes"
	[[ $(grep -c . <<<"$routes") == "$1" ]]
}

announced_by_bgp() {
	wait_for 20 both_reach 2
	ours_are 2
	for vip in "${FAMILIES[@]}"; do
		ask "$vip"
	done
	fairlead announce list --json |
		jq -e 'length == 2 and all(.[]; .announced and .metric == 100)'
	fairlead announce --exabgp --once >"$DIR/exabgp"
	diff "$DIR/exabgp" - <<-END
		announce route $VIP4/32 next-hop self med 100
		announce route $VIP6/128 next-hop self med 100
	END
}

# is_told WHAT: `status` says so, and why.
is_told() {
	fairlead status >"$DIR/told"
	grep -F "$1" "$DIR/told"
}

down_is_withdrawn() {
	serves 1:drain 2:drain
	in_force
	wait_for 10 none_reaches 2
	ours_are 0
	is_told "service \"tcp4\" has no backend that works"
	fairlead announce list --json |
		jq -e 'all(.[]; .state == "down" and (.announced | not))'
}

back_after_hold() {
	serves 1 2
	in_force
	fairlead announce list --json |
		jq -e 'all(.[]; .state == "held" and (.announced | not))'
	ours_are 0
	wait_for 10 both_reach 2
}

killed_stays() {
	stop serve KILL
	ours_are 2
	both_reach 2
	serve
	ours_are 2
	both_reach 2
	fails grep "route added" "$DIR/serve.err"
}

# A route of a service that went while no daemon ran goes; those of others stay.
strays_go() {
	stop serve
	ip_on balancer <<-END
		route add blackhole 192.0.2.77/32 table "$TABLE" proto 178 metric 100
		route add blackhole 192.0.2.78/32 table "$TABLE" proto 4 metric 100
	END
	serve
	wait_for 5 ours_are 2
	ip -n "$NET-balancer" route show table "$TABLE" | grep 192.0.2.78
	ip -n "$NET-balancer" route del 192.0.2.78 table "$TABLE"
}

put_back() {
	ip -n "$NET-balancer" route flush table "$TABLE"
	ip -n "$NET-balancer" -6 route flush table "$TABLE"
	wait_for 5 ours_are 2
	wait_for 10 both_reach 2
}

has_community() {
	birdc_on router show route all "$1" >"$DIR/community"
	cat "$DIR/community"
	grep -F "(65535,0)" "$DIR/community"
}

drained() {
	fairlead node drain
	wait_for 10 has_community "for $VIP4"
	wait_for 10 has_community "for $VIP6"
	is_told "the node is drained"
	wait_for 10 none_reaches 2
	ours_are 0
	loads_of_the_past_go_on
	stop serve
	serve
	is_told "the node is drained by hand"
	ours_are 0
}

# Forwarding does not end with the route.
loads_of_the_past_go_on() {
	ip -n "$NET-router" route add "$VIP4" via 10.91.0.2 metric 5
	ask "$VIP4"
	ip -n "$NET-router" route del "$VIP4" via 10.91.0.2 metric 5
}

undrained() {
	fairlead node undrain
	wait_for 5 ours_are 2
	wait_for 10 both_reach 2
}

uplink_down() {
	ip_on balancer <<-END
		link add other0 type veth peer name other1
		link set other0 up
		link set other1 up
	END
	sed -i 's/uplinks: .*/uplinks: [other0]/' "$CONFIG"
	in_force
	ours_are 2
	ip -n "$NET-balancer" link set other0 down
	wait_for 10 ours_are 0
	is_told "no uplink is up"
	ip -n "$NET-balancer" link set other0 up
	sed -i 's/uplinks: .*/uplinks: [eth0]/' "$CONFIG"
	in_force
	wait_for 20 both_reach 2
}

prefixes() {
	service net4 198.51.100.0/24 tcp nat 1 >>"$CONFIG"
	service net6 2001:db8:1::/64 tcp nat 1 >>"$CONFIG"
	in_force
	wait_for 5 ours_are 4
	ours | grep "blackhole 198.51.100.0/24"
	ours | grep "blackhole 2001:db8:1::/64"
	fairlead announce list --json |
		jq -e 'map(.address) | contains(["2001:db8:1::/64"])'
	serves 1 2
	in_force
	wait_for 5 ours_are 2
}

is_empty() {
	local routes

	routes=$(ip -n "$NET-balancer" route show table "$1")
	[[ -z $routes ]]
}

moved() {
	sed -i 's/^announce: .*/announce: {table: 7000, hold: 2s, linger: 1s}/' \
		"$CONFIG"
	in_force
	wait_for 5 ours_are 0
	ip -n "$NET-balancer" route show table 7000 | grep "$VIP4"
	sed -i '/^announce:/d' "$CONFIG"
	in_force
	wait_for 5 is_empty 7000
	serves 1 2
	in_force
	wait_for 5 ours_are 2
}

metrics_say() {
	on balancer curl -sS --max-time "$CURL_S" http://127.0.0.1:10249/metrics \
		>"$DIR/metrics"
	grep -F "fairlead_route_announced{address=\"$VIP4/32\"} 1" "$DIR/metrics"
	grep -F "fairlead_route_announced{address=\"$VIP6/128\"} 1" "$DIR/metrics"
}

withdrawn() {
	fairlead withdraw
	ours_are 0
	fairlead node undrain
	wait_for 5 ours_are 2
	stop serve
	ours_are 2
	fairlead withdraw
	ours_are 0
	serve
	wait_for 5 ours_are 2
}

cleaned_up() {
	stop serve
	ours_are 2
	fairlead cleanup --yes
	ours_are 0
	wait_for 10 none_reaches 2
}

need bird birdc
story 2
routes_forget
balancer_bird balancer 2 65001
router_bird 2:65001 >"$DIR/router.bird"
bird_start router
bird_start balancer
serves 1 2
serve --metrics-bind-address 127.0.0.1:10249
it "what works is announced" announced_by_bgp
it "metrics say so" metrics_say
it "what does not is withdrawn" down_is_withdrawn
it "it is announced again once it has worked for a while" back_after_hold
it "a daemon that is killed leaves its routes" killed_stays
it "what nobody serves any more goes, routes of others stay" strays_go
it "what somebody else deletes is put back" put_back
it "a drained node is avoided, then withdrawn, and forwards" drained
it "undrained, it is announced" undrained
it "no way in, no route" uplink_down
it "of a prefix service, the prefix" prefixes
it "another table, and none" moved
it "withdrawn at once, with a daemon and without" withdrawn
it "after cleanup nothing is announced" cleaned_up
finish

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Backends behind another uplink than the one that clients come in by, side by
# side with backends on the same: in every mode, and on when either uplink's
# program is attached later or taken away.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

INNER4=10.92.0
INNER6=fd92:

# inner_add: a host on a segment of its own, the balancer's eth1.
inner_add() {
	host_add inner
	ip_on balancer <<-END
		link add eth1 type veth peer name eth0 netns $NET-inner
		addr add $INNER4.2/24 dev eth1
		addr add $INNER6:2/64 dev eth1 nodad
		link set eth1 up
	END
	ip_on inner <<-END
		addr add $INNER4.11/24 dev eth0
		addr add $INNER6:11/64 dev eth0 nodad
		link set eth0 up
	END
	on balancer ethtool -K eth1 tx off >/dev/null
	on inner ethtool -K eth0 tx off gro on >/dev/null
	start server-inner inner "$B/tests/sandbox/server" inner 80 8080
	wait_for 5 on balancer curl -so /dev/null "$INNER4.11"
}

# The way back of what is not translated.
inner_routes() {
	ip_on inner <<-END
		route add default via $INNER4.2
		route add default via $INNER6:2
		addr add $VIP4/32 dev lo
		addr add $VIP6/128 dev lo nodad
	END
	on inner sysctl -qw net.ipv4.conf.all.arp_ignore=1
	mkdir -p "$DIR/run-inner"
	fairlead_on inner decap --interface eth0
}

# both FORWARD: one backend on either side.
both() {
	local vip inner outer port=80

	[[ $1 != nat ]] || port=8080
	{
		echo "uplinks: [eth0, eth1]"
		echo "services:"
		for vip in "${FAMILIES[@]}"; do
			inner=$INNER4.11 outer=10.91.0.11
			[[ $vip != *:* ]] || inner=$INNER6:11 outer=fd91::11
			for proto in tcp udp; do
				echo "  - {name: $proto-${vip//[:.]/-}," \
					"address: \"$vip\", port: 80," \
					"protocol: $proto, forward: $1," \
					"backends: [" \
					"{address: \"$inner\", port: $port}," \
					"{address: \"$outer\", port: $port}]}"
			done
		done
	} >"$CONFIG.new"
	mv "$CONFIG.new" "$CONFIG"
}

large_answers_arrive() {
	for _ in {1..6}; do	# from either side, most likely
		large_answer_arrives "$1"
	done
}

# mode_works MODE ADDRESS
mode_works() {
	it "$1: both backends answer at $2" all_answer "$2" inner backend-1
	it "$1: large answers from $2" large_answers_arrive "$2"
	it "$1: datagrams to $2" datagrams_are_answered "$2" 2
}

# Each backend sees the address that the balancer has on its side.
sources_are_the_links_own() {
	local seen

	seen=$(for _ in {1..30}; do ask "$1" --include; done |
		sed -nE 's/^Client: (::ffff:)?(.*)\r$/\2/p' | sort -u)
	echo "$seen"
	[[ $seen == "$2"$'\n'"$3" ]]
}

both_uplinks_are_attached() {
	fairlead status --json | jq -e '[.attachments[] |
		select(.program == "fl_xdp") | .interface] | sort ==
		["eth0", "eth1"]'
}

# An interface goes, and its name comes back as another one.
an_uplink_comes_back() {
	ip -n "$NET-balancer" link del eth1
	ip netns pids "$NET-inner" | xargs -r kill -9
	ip netns del "$NET-inner"
	wait_for 5 fails both_uplinks_are_attached
	[[ $(ask 10.91.0.11) == backend-1 ]]
	inner_add
	wait_for 5 both_uplinks_are_attached
	wait_for 5 all_answer "$VIP4" inner backend-1
	all_answer "$VIP6" inner backend-1
}

# The daemon follows the list of uplinks.
one_uplink_less() {
	sed -i 's/^uplinks:.*/uplinks: [eth0]/' "$CONFIG"
	in_force
	fairlead status --json | jq -e '[.attachments[] |
		select(.program == "fl_xdp") | .interface] == ["eth0"]'
	on client-1 curl -sS --max-time "$CURL_S" -o /dev/null "http://$VIP4/"
}

hints() {
	fairlead status --json | jq -r '.applied.hints[]'
}

hint_is() {
	hints
	hints | grep "$1"
}

# Answers of backends behind what is no uplink would be seen by nobody.
backend_behind_no_uplink() {
	both nat
	sed -i 's/^uplinks:.*/uplinks: [eth0]/' "$CONFIG"
	in_force
	wait_for 10 hint_is '"eth1".*add it to uplinks'
	fairlead status | grep '^hint: .*"eth1"'
	grep -q '"eth1".*add it to uplinks' "$DIR/serve.err"
}

backend_behind_no_route() {
	sed -i "s/$INNER4.11/100.64.9.9/" "$CONFIG"
	ip -n "$NET-balancer" route add unreachable 100.64.9.0/24
	in_force
	wait_for 10 hint_is '100.64.9.9: no route'
}

# By default: where the default routes of both families lead, all hops.
default_uplinks() {
	both nat
	sed -i '/^uplinks:/d' "$CONFIG"
	ip -n "$NET-balancer" route replace default \
		nexthop via 10.91.0.1 dev eth0 nexthop via "$INNER4.11" dev eth1
	wait_for 10 both_uplinks_are_attached
	in_force
	wait_for 10 fails hint_is eth1
	ip -n "$NET-balancer" route replace default via 10.91.0.1
	wait_for 10 fails both_uplinks_are_attached
	ip -n "$NET-balancer" -6 route replace default via "$INNER6:11"
	wait_for 10 both_uplinks_are_attached
}

story 1
inner_add
both nat
serve
# What would change is said before it does.
settings_differ() {
	sed 's/^uplinks:.*/uplinks: [eth0]\ngue-port: 7000/' "$CONFIG" >"$DIR/other.yaml"
	fairlead diff "$DIR/other.yaml" | tee "$DIR/diff"
	[[ $(<"$DIR/diff") == "~ setting uplinks: eth0, eth1 -> eth0
~ setting gue-port: 6080 -> 7000" ]]
	[[ $(fairlead diff "$CONFIG") == "no difference" ]]
}

it "attached to both uplinks" both_uplinks_are_attached
it "diff names settings" settings_differ
for vip in "${FAMILIES[@]}"; do
	mode_works nat "$vip"
done
it "nat: backends see their side's address" \
	sources_are_the_links_own "$VIP4" 10.91.0.2 "$INNER4.2"
it "nat: backends see their side's address of IPv6" \
	sources_are_the_links_own "$VIP6" fd91::2 "$INNER6:2"
it "an uplink that goes and comes back serves again" an_uplink_comes_back
decap 1
inner_routes
for mode in l2 ipip gue gre geneve; do
	both "$mode"
	in_force
	for vip in "${FAMILIES[@]}"; do
		mode_works "$mode" "$vip"
	done
done
it "an uplink that is listed no more is let go" one_uplink_less
it "a backend behind no uplink gives a hint" backend_behind_no_uplink
it "a backend that no route leads to gives one" backend_behind_no_route
it "default uplinks are those of all default routes" default_uplinks
finish

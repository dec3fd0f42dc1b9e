#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Interfaces that XDP cannot send by, or whose peers leave checksums to the
# device, are not called fit: selftest and status name them, and the command
# that mends it.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

# selftest INTERFACE: its row, and the verdict.
selftest() {
	on balancer "$FAIRLEAD" selftest --interface "$1" --json \
		>"$DIR/selftest.json" || true
	jq -c '.works, (.checks[] | select(.name | startswith("uplink")))' \
		"$DIR/selftest.json"
}

tells_features() {
	selftest lo
	jq -e 'any(.checks[]; .name == "uplink lo" and .mode != "unknown")' \
		"$DIR/selftest.json"
}

# selftest_names INTERFACE TEXT: and does not say that it works.
selftest_names() {
	selftest "$1"
	jq -e --arg name "uplink $1" --arg text "$2" '(.works | not) and
		any(.checks[]; .name == $name and .result == "no" and
			(.text | contains($text)))' "$DIR/selftest.json"
}

warns() {
	fairlead status --json | jq .warnings
	fairlead status --json | jq -e --arg text "$1" \
		'any(.warnings[]; contains($text))'
	fairlead status | grep -F "$1"
}

warns_not() {
	fairlead status --json | jq .warnings
	fairlead status --json | jq -e --arg text "$1" \
		'all(.warnings[]; contains($text) | not)'
}

# selftest_likes INTERFACE
selftest_likes() {
	selftest "$1"
	jq -e --arg name "uplink $1" 'any(.checks[];
		.name == $name and .result == "ok")' "$DIR/selftest.json"
}

# The peer of eth0 is on the router: what it does cannot be seen from here.
peer_is_elsewhere() {
	warns 'ethtool -K PEER tx off'
	selftest_likes eth0
	grep -F 'ethtool -K PEER tx off' "$DIR/selftest.json"
}

pair_add() {
	ip_on balancer <<-END
		link add pair0 type veth peer name pair1
		link set pair0 up
		link set pair1 up
	END
	on balancer ethtool -K pair1 tx on gro on >/dev/null
}

# uplinks LIST
uplinks() {
	sed -i "s/^uplinks:.*/uplinks: $1/" "$CONFIG"
	in_force
}

checksums() {
	selftest_names pair0 'ethtool -K pair1 tx off'
	uplinks "[eth0, pair0]"
	warns 'ethtool -K pair1 tx off'
	on balancer ethtool -K pair1 tx off >/dev/null
	warns_not 'ethtool -K pair1 tx off'
	selftest_likes pair0
}

frames() {
	tells_features || { echo "this kernel does not tell"; return 77; }
	on balancer ethtool -K pair1 gro off >/dev/null
	selftest_names pair0 'ethtool -K pair1 gro on'
	warns 'ethtool -K pair1 gro on'
	on balancer ethtool -K pair1 gro on >/dev/null
	warns_not 'ethtool -K pair1 gro on'
}

# As on a host whose addresses are its bridge's: the port is no uplink.
bridge_port() {
	tells_features || { echo "this kernel does not tell"; return 77; }
	ip_on balancer <<-END
		link add br7 type bridge
		link set br7 up
		link set eth0 master br7
		addr flush dev eth0
		addr add 10.91.0.2/24 dev br7
		addr add fd91::2/64 dev br7 nodad
		route replace default via 10.91.0.1
		route replace default via fd91::1
	END
	selftest_names eth0 'uplinks: [br7]'
	uplinks "[eth0]"
	wait_for 5 warns 'uplinks: [br7]'
	wait_for 5 warns 'backends are reached by "br7"'
	uplinks "[br7]"
	warns_not 'br7'
	wait_for 5 answers
}

answers() {
	[[ $(ask "$VIP4") == backend-1 && $(ask "$VIP6") == backend-1 ]]
}

story 1
services nat 1
serve
it "a veth whose peer is elsewhere" peer_is_elsewhere
pair_add
it "checksums that are left to the device" checksums
it "a peer that takes no frames of XDP" frames
it "a port of a bridge; the bridge serves" bridge_port
finish

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

router_ethtool() {
	on router ethtool -K balancer "$@" >/dev/null
}

# The peer of eth0 is on the router, which has a name under /run/netns: it is
# looked at there, and named as it is there.
peer_is_elsewhere() {
	warns_not 'ethtool'
	selftest_likes eth0
	router_ethtool tx on
	selftest_names eth0 'ethtool -K balancer tx off'
	warns 'ethtool -K balancer tx off'
	router_ethtool tx off
	warns_not 'ethtool'
	selftest_likes eth0
}

# A namespace that nobody can find: what cannot be known is said by selftest,
# and in the log, once; status gives no alarm for it.
peer_is_hidden() {
	without_names "$FAIRLEAD" selftest --interface eth0 |
		grep 'uplink eth0 .* ok .*ethtool -k PEER'
	without_names "$FAIRLEAD" status --json | jq -e '.warnings == []'
}

# without_names COMMAND...: on the balancer, where namespaces have no names.
without_names() {
	on balancer env FAIRLEAD_PIN_ROOT="$PINS/balancer" \
		FAIRLEAD_RUN_DIR="$DIR/run-balancer" unshare -m sh -c '
		mount -t tmpfs none /run/netns && exec "$@"' sh "$@"
}

# A peer that polls (GRO), but has no program: what XDP_TX puts into its ring
# stays there until something else wakes it.
peer_has_no_program() {
	ip -n "$NET-router" link set balancer xdp off
	router_ethtool gro on
	answers
	pings
	warns_not 'ethtool'
	ip -n "$NET-router" link set balancer xdp object "$PASS_PROGRAM" \
		section xdp
	answers
}

# What the balancer answers by itself goes back where it came from.
pings() {
	on client-1 "$ROOT/tests/e2e/packets.py" ping "$VIP4"
	on client-1 "$ROOT/tests/e2e/packets.py" ping "$VIP6"
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
	grep -F 'ethtool -K pair1 tx off' "$DIR/serve.err"
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
it "a veth whose peer cannot be found" peer_is_hidden
it "a veth whose peer polls without a program" peer_has_no_program
pair_add
it "checksums that are left to the device" checksums
it "a peer that takes no frames of XDP" frames
it "a port of a bridge; the bridge serves" bridge_port
finish

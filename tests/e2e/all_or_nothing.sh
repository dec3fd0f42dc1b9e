#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A change that cannot be put in force changes nothing at all: not services,
# not uplinks, not the addresses of NAT. Where the kernel wants one program off
# before it takes another, they change places, or stay where they were.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

# An interface that somebody else's program has to itself.
busy_add() {
	ip_on balancer <<-END
		link add busy0 type veth peer name busy1
		addr add 10.95.0.2/24 dev busy0
		addr add fd95::2/64 dev busy0 nodad
		link set busy0 up
		link set busy1 up
	END
	ip -n "$NET-balancer" link set busy0 xdpgeneric object "$PASS_PROGRAM" \
		section xdp
}

bridge_add() {
	ip_on balancer <<-END
		link add br7 type bridge
		link add port0 type veth peer name port1
		link set port0 master br7
		link set br7 up
		link set port0 up
		link set port1 up
	END
}

# wanted UPLINKS [LINE]: the services of before, another backend, and one more.
wanted() {
	{
		echo "uplinks: $1"
		echo "${2:-}"
		echo "services:"
		service tcp4 "$VIP4" tcp nat 2
		service tcp6 "$VIP6" tcp nat 2
		service more 192.0.2.11 tcp nat 1
	} >"$CONFIG.new"
	mv "$CONFIG.new" "$CONFIG"
}

attached() {
	fairlead status --json | jq -c '[.attachments[] |
		select(.program == "fl_xdp") | .interface] | sort'
}

is_attached() {
	[[ $(attached) == "$1" ]]
}

# refused UPLINKS TEXT [LINE]: and what was in force is.
refused() {
	local before on

	before=$(generation)
	on=$(attached)
	wanted "$1" "${3:-}"
	fails fairlead status --wait --timeout 3 2>"$DIR/said"
	cat "$DIR/said"
	grep -qF "$2" "$DIR/said"
	as_before "$before" "$on"
	# nor does the next try, a second later
	wait_for 5 tried_again
	as_before "$before" "$on"
}

tried_again() {
	fairlead status --json | jq -e '.applied.synced == false'
}

# as_before GENERATION ATTACHED: a try that is under way may have come as far as
# an uplink that is free, and takes it back.
as_before() {
	local vip

	[[ $(generation) == "$1" ]]
	wait_for 5 is_attached "$2"
	fairlead service list --json | tee "$DIR/services" |
		jq -e '[.. | .name? // empty] | index("more") == null'
	for vip in "${FAMILIES[@]}"; do
		[[ $(ask "$vip") == backend-1 ]]
	done
	loads_go_on
}

# A connection may be given a port of one that has closed just now, and go
# where that went.
answered_by() {
	[[ $(ask "$VIP4") == "$1" ]]
}

allowed_when_it_is_free() {
	ip -n "$NET-balancer" link set busy0 xdpgeneric off
	fairlead status --wait --timeout 10
	[[ $(attached) == '["busy0","eth0"]' ]]
	wait_for 5 answered_by backend-2
}

# moves UPLINKS ATTACHED
moves() {
	wanted "$1"
	fairlead status --wait --timeout 10
	[[ $(attached) == "$2" ]]
	wait_for 5 answered_by backend-2
}

# The bridge had to go first; that was in vain.
does_not_move() {
	ip -n "$NET-balancer" link set busy0 xdpgeneric object "$PASS_PROGRAM" \
		section xdp
	wanted "[eth0, port0, busy0]"
	fails fairlead status --wait --timeout 3
	wait_for 5 is_attached '["br7","eth0"]'
}

# A start that fails leaves what an earlier daemon has attached.
start_in_vain() {
	stop serve
	start serve balancer "$FAIRLEAD" serve --config "$CONFIG"
	wait_for 10 gone serve
	grep -q 'cannot attach fl_xdp to "busy0"' "$DIR/serve.err"
	[[ $(attached) == '["br7","eth0"]' ]]
	wait_for 5 answered_by backend-2
}

story 2
services nat 1
serve
busy_add
bridge_add
loads_start
it "an uplink that is busy, in place of the one in force" \
	refused "[busy0]" '"busy0"'
it "an uplink that is busy, beside it" refused "[eth0, busy0]" '"busy0"'
it "an uplink that is not there" refused "[eth0, eth7]" '"eth7"'
it "an uplink and one that is busy" refused "[eth0, br7, busy0]" '"busy0"'
it "an uplink that is free, and a limit that is not kept" \
	refused "[eth0, br7]" "max_services is 2" "limits: {services: 2}"
it "no request failed, no connection moved" loads_stop
wanted "[eth0, busy0]"
it "busy no more: in force" allowed_when_it_is_free
it "to a bridge" moves "[eth0, br7]" '["br7","eth0"]'
it "from a bridge to its port" moves "[eth0, port0]" '["eth0","port0"]'
it "and back" moves "[eth0, br7]" '["br7","eth0"]'
it "not to the port, if another uplink is busy" does_not_move
it "not at a start either" start_in_vain
finish

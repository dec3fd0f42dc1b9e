#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Attachments and pins are part of being in step: what somebody else takes away
# is made again within seconds, and what cannot be is said until it can.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

balancer_links() {
	ip -n "$NET-balancer" "$@"
}

attached() {
	fairlead status --json | jq -c '[.attachments[] |
		select(.program == "fl_xdp") | .interface] | sort'
}

# attached_to INTERFACE...: and in step.
attached_to() {
	[[ $(attached) == "$(jq -nc '$ARGS.positional | sort' --args "$@")" ]] &&
		fairlead status --json | jq -e .applied.synced
}

# out_of_step TEXT: for status, for who waits, and in the log.
out_of_step() {
	fairlead status --json | jq -e --arg text "$1" '.applied |
		(.synced | not) and (.error // "" | contains($text))' &&
		fails fairlead status --wait --timeout 1 &&
		grep -F "$1" "$DIR/serve.err"
}

link_pin() {
	compgen -G "$PINS/balancer/[0-9]*/fl_xdp_link_*"
}

detached_by_somebody() {
	local pin

	pin=$(link_pin) || { echo "not attached by a link"; return 77; }
	bpftool link detach pinned "$pin"
	wait_for 5 attached_to eth0
	grep 'fl_xdp is attached to "eth0" again' "$DIR/serve.err"
	[[ $(ask "$VIP4") == backend-1 ]]
}

# Another program comes in its place: it cannot be attached again until that
# one goes.
replaced_by_somebody() {
	local pin

	pin=$(link_pin) || { echo "not attached by a link"; return 77; }
	balancer_links link set eth0 down	# so that it loses the race
	kill -STOP "$(<"$DIR/serve.pid")"
	bpftool link detach pinned "$pin"
	balancer_links link set eth0 xdpgeneric object "$PASS_PROGRAM" section xdp
	balancer_links link set eth0 up
	kill -CONT "$(<"$DIR/serve.pid")"
	wait_for 5 out_of_step 'cannot attach fl_xdp to "eth0"'
	balancer_links link set eth0 xdpgeneric off
	balancer_routes
	wait_for 5 attached_to eth0
	wait_for 5 answers_again
}

# An interface that was down has lost some.
balancer_routes() {
	ip_on balancer <<-END
		addr replace fd91::2/64 dev eth0 nodad
		route replace default via 10.91.0.1
		route replace default via fd91::1
	END
}

answers_again() {
	[[ $(ask "$VIP4") == backend-1 && $(ask "$VIP6") == backend-1 ]]
}

pins_are_removed() {
	rm -r "$PINS/balancer"
	wait_for 5 attached_to eth0
	grep 'is gone: it is made again' "$DIR/serve.err"
	answers_again
	# what was pinned again is what a daemon of later finds
	stop serve KILL
	answers_again
	serve
	answers_again
}

renamed() {
	balancer_links link set eth0 name eth5
	wait_for 5 out_of_step 'uplink "eth0" is missing'
	balancer_links link set eth5 name eth0
	wait_for 5 attached_to eth0
	wait_for 5 answers_again
}

# down_since TIME: said with when that began.
down_since() {
	out_of_step 'uplink "eth0" is down' &&
		fairlead status --json |
		jq -e --argjson time "$1" '.applied.error_since >= $time' &&
		fairlead status |
		grep -E 'not in step .* since [-0-9: ]+: uplink'
}

set_down() {
	local start

	start=$(date +%s)
	balancer_links link set eth0 down
	wait_for 5 down_since "$start"
	balancer_links link set eth0 up
	balancer_routes
	wait_for 5 attached_to eth0
	fairlead status --json | jq -e '.applied.error_since == null'
	wait_for 5 answers_again
}

hints() {
	fairlead status --json | jq -e --arg text "$1" \
		'any(.applied.hints[]; contains($text))'
}

hints_not() {
	fairlead status --json | jq -e '.applied.hints == []'
}

without_carrier() {
	ip -n "$NET-router" link set balancer down
	wait_for 5 hints 'uplink "eth0" has no carrier'
	ip -n "$NET-router" link set balancer up
	wait_for 5 hints_not
	wait_for 5 answers_again
}

# One of two is not there when the daemon starts; then it comes.
started_without_one() {
	stop serve
	fairlead cleanup --yes
	sed -i 's/^uplinks:.*/uplinks: [eth0, eth7]/' "$CONFIG"
	start serve balancer "$FAIRLEAD" serve --config "$CONFIG"
	wait_for 10 out_of_step 'uplink "eth7" is missing'
	answers_again
	balancer_links link add eth7 up type veth peer name eth8
	balancer_links link set eth8 up
	wait_for 5 attached_to eth0 eth7
	balancer_links link del eth7
	wait_for 5 out_of_step 'uplink "eth7" is missing'
	answers_again
}

started_without_any() {
	stop serve
	sed -i 's/^uplinks:.*/uplinks: [eth7]/' "$CONFIG"
	start serve balancer "$FAIRLEAD" serve --config "$CONFIG"
	wait_for 10 gone serve
	grep 'uplink "eth7": no such interface' "$DIR/serve.err"
}

# The daemon has a bpffs of its own, over the one that everybody sees.
bpffs_is_unmounted() {
	sed -i 's/^uplinks:.*/uplinks: [eth0]/' "$CONFIG"
	fairlead cleanup --yes
	start serve balancer unshare -m --propagation private sh -c '
		mount -t bpf bpf /sys/fs/bpf && mkdir -p "$0" &&
		exec "$@"' "$PINS" "$FAIRLEAD" serve --config "$CONFIG"
	wait_for 10 answers_again
	nsenter -m -t "$(<"$DIR/serve.pid")" umount -l /sys/fs/bpf
	wait_for 5 attached_to eth0
	grep 'is gone: it is made again' "$DIR/serve.err"
	answers_again
}

story 1
services nat 1
serve
it "detached by somebody" detached_by_somebody
it "replaced by somebody" replaced_by_somebody
it "the pins are removed" pins_are_removed
it "an uplink is renamed" renamed
it "the uplink is set down" set_down
it "the uplink has no carrier" without_carrier
it "one of two uplinks is missing at the start" started_without_one
it "the only uplink is missing at the start" started_without_any
it "bpffs is unmounted" bpffs_is_unmounted
finish

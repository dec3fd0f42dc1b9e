#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The uplink belongs to others as well: through libxdp's dispatcher, a second
# program sees what Fairlead passes, whichever came first, and stays whatever
# becomes of Fairlead. Without a dispatcher, whoever came first has it alone.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

COUNTER=$B/tests/sandbox/count.bpf.o
OWN=10.91.0.2	# the balancer's own address

# neighbour_comes HOST PRIORITY INTERFACE [MODE]: Fairlead's priority is 50.
neighbour_comes() {
	rm -rf "$PINS/neighbour-$1"
	mkdir -p "$PINS/neighbour-$1"
	on "$1" xdp-loader load --mode "${4:-native}" --prio "$2" \
		--pin-path "$PINS/neighbour-$1" "$3" "$COUNTER"
}

# loaded HOST INTERFACE: "PRIORITY PROGRAM ID" of each component.
loaded() {
	on "$1" xdp-loader status "$2" |
		awk '$1 == "=>" { print $2, $3, $4 }'
}

neighbour_goes() {
	on "$1" xdp-loader unload "$2" \
		--id "$(loaded "$1" "$2" | awk '$2 == "count" { print $3 }')"
}

# seen HOST ADDRESS: how many packets to it came to the second program.
seen() {
	local IFS=. key

	# shellcheck disable=SC2086
	printf -v key '"0x%02x",' $2
	bpftool -j map dump pinned "$PINS/neighbour-$1/seen" |
		jq "[.[] | select(.key == [${key%,}]) | .formatted.value] |
			add // 0"
}

can_share() {
	neighbour_comes balancer 50 lo skb
	on balancer xdp-loader status lo
	on balancer xdp-loader status lo | grep xdp_dispatcher >/dev/null || {
		echo "this kernel cannot replace functions of programs"
		return 1
	}
	on balancer "$FAIRLEAD" selftest --json | jq -e '.checks[] | select(
		(.name == "attaching to XDP") and .mode == "xdp dispatcher")' || {
		echo "this libxdp's dispatcher has no program that changes packets"
		return 1
	}
}

# Nobody listens at the balancer itself: its stack has seen the packet, and
# refuses.
knock() {
	local status=0

	on client-1 curl -sS --max-time "$CURL_S" "$OWN:81" || status=$?
	((status == 7))
}

# What sees_passed HOST and sees_all HOST differ in: packets to the service.
sees_passed() {
	local own vip

	own=$(seen "$1" "$OWN")
	vip=$(seen "$1" "$VIP4")
	[[ $(ask "$VIP4") == backend-? ]]
	[[ $(ask "$VIP6") == backend-? ]]
	knock
	(($(seen "$1" "$OWN") >= own + 1))
	(($(seen "$1" "$VIP4") == vip))
}

sees_all() {
	local vip

	vip=$(seen "$1" "$VIP4")
	[[ $(ask "$VIP4") == backend-? ]]
	(($(seen "$1" "$VIP4") > vip))
}

mechanism() {
	fairlead status --json | jq -r '.attachments[] |
		select(.program == "fl_xdp") | .interface + " " + .mechanism'
}

attached_as() {
	mechanism
	[[ $(mechanism) == "eth0 $1" ]]
}

beside_who_was_there() {
	neighbour_comes balancer 70 eth0
	[[ $(loaded balancer eth0) == "70 count "* ]]
	serve
	attached_as "xdp dispatcher"
	sees_passed balancer
	fairlead status | grep 'eth0 .*xdp dispatcher$'
}

another_goes_and_comes_first() {
	neighbour_goes balancer eth0
	loads_go_on
	neighbour_comes balancer 10 eth0
	loads_go_on
	sees_all balancer
	attached_as "xdp dispatcher"
}

killed_and_started_again() {
	stop serve KILL
	loads_go_on
	serve
	loads_go_on
}

# The component stays what it is; the program behind it is another.
upgraded() {
	local program components

	program=$(program_behind)
	echo "$program"
	[[ $program != null ]]
	components=$(loaded balancer eth0)
	stop serve
	loads_go_on
	BINARY=$(upgrade) serve
	loads_go_on
	[[ $(program_behind) != "$program" ]]
	[[ $(loaded balancer eth0) == "$components" ]]
}

# By the other compiler, if it has built one.
upgrade() {
	[[ -x $ROOT/build-19/fairlead ]] && echo "$ROOT/build-19/fairlead" ||
		echo "$FAIRLEAD"
}

# After the daemon has dropped what privileges it could.
uplink_of_later() {
	local uplink

	for uplink in lo eth0; do
		sed -i "s/^uplinks:.*/uplinks: [$uplink]/" "$CONFIG"
		in_force
		mechanism
		[[ $(mechanism) == "$uplink xdp dispatcher"* ]]
	done
	[[ $(loaded balancer eth0) == *" fl_xdp_entry "* ]]
	[[ -z $(loaded balancer lo) ]]
	[[ $(ask "$VIP4") == backend-? ]]
	sees_all balancer
}

cleaned_up() {
	stop serve
	fairlead cleanup --yes
	loaded balancer eth0
	[[ $(loaded balancer eth0) == "10 count "* ]]
	[[ $(loaded balancer eth0 | wc -l) == 1 ]]
	sees_all_though_nobody_answers
}

sees_all_though_nobody_answers() {
	local vip

	vip=$(seen balancer "$VIP4")
	fails ask "$VIP4" --max-time 1
	(($(seen balancer "$VIP4") > vip))
}

# Tunnels are taken apart before the second program looks.
decapsulation_shares_too() {
	local own vip

	neighbour_comes backend-1 70 eth0
	decap 1
	loaded backend-1 eth0
	[[ $(loaded backend-1 eth0 | wc -l) == 2 ]]
	services ipip 1
	serve
	own=$(seen backend-1 10.91.0.11)
	vip=$(seen backend-1 "$VIP4")
	[[ $(ask "$VIP4") == backend-1 ]]
	(($(seen backend-1 "$VIP4") > vip))
	(($(seen backend-1 10.91.0.11) == own))
	fairlead_on backend-1 decap --interface eth0 --detach
	[[ $(loaded backend-1 eth0) == "70 count "* ]]
}

one_after_the_other() {
	it "beside a program that was there before" beside_who_was_there
	loads_start
	it "one that comes later may come first" another_goes_and_comes_first
	it "kill -9 and a new start" killed_and_started_again
	it "an upgrade changes what is behind the component" upgraded
	it "no request failed, no connection moved" loads_stop
	it "an uplink that is added later" uplink_of_later
	it "cleanup leaves the other program" cleaned_up
	it "decapsulation shares an interface, too" decapsulation_shares_too
}

alone_if_first() {
	serve
	attached_as "xdp native"
	fails neighbour_comes balancer 70 eth0
	[[ $(ask "$VIP4") == backend-? ]]
}

# Said, with who it is; the other's traffic is none of ours.
alone_if_second() {
	stop serve
	fairlead cleanup --yes
	wait_for 5 neighbour_comes balancer 70 eth0
	fails fairlead serve --once --config "$CONFIG" 2>"$DIR/said"
	cat "$DIR/said"
	grep -q 'cannot attach fl_xdp to "eth0"' "$DIR/said"
	grep -qE 'program "(count|xdp_dispatcher)" .* is attached there' \
		"$DIR/said"
	knock
	(($(seen balancer "$OWN") >= 1))
}

no_dispatcher() {
	tail -n 1 "$DIR/can_share"
	exit 77
}

each_alone() {
	it "sharing the uplink" no_dispatcher
	it "without a dispatcher, Fairlead has the uplink alone" alone_if_first
	it "or whoever came first, and Fairlead says who" alone_if_second
}

# libxdp's pins know nothing of a network namespace that goes.
leave() {
	local host interface

	for host in balancer backend-1; do
		for interface in lo eth0; do
			on "$host" xdp-loader unload "$interface" --all || true
		done
	done >/dev/null 2>&1
	sandbox_end
}

command -v xdp-loader >/dev/null || skip_all "xdp-loader is not installed"
story 2
trap leave EXIT
services nat 1 2
if can_share >"$DIR/can_share" 2>&1; then
	on balancer xdp-loader unload lo --all
	one_after_the_other
else
	on balancer xdp-loader unload lo --all
	each_alone
fi
finish

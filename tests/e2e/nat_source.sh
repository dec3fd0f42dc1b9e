#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What address NAT comes from, and that connections keep theirs: the uplink
# gains addresses while the daemon is away, one of them a service's own.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

# sources_are VIP ADDRESS: every new connection's.
sources_are() {
	local seen

	seen=$(for _ in {1..5}; do ask "$1" --include; done |
		sed -nE 's/^Client: (::ffff:)?(.*)\r$/\2/p' | sort -u)
	echo "$seen"
	[[ $seen == "$2" ]]
}

# What the kernel would send to ADDRESS from.
kernels_source() {
	ip -n "$NET-balancer" -json route get "$1" | jq -r '.[0].prefsrc'
}

# A newer address of the same subnet is the first that a new daemon reads, and
# for IPv6 the one that the kernel takes from now on.
addresses_gained_meanwhile() {
	stop serve
	ip_on balancer <<-END
		addr add fd91::102/64 dev eth0 nodad
		addr add 10.91.0.102/24 dev eth0
	END
	serve
	loads_go_on
	sources_are "$VIP4" "$(kernels_source 10.91.0.11)"
	sources_are "$VIP6" "$(kernels_source fd91::11)"
}

# The only address of the uplink, but for the one that clients dial.
vip_is_first() {
	stop serve
	ip_on balancer <<-END
		addr flush dev eth0
		addr add $VIP6/64 dev eth0 nodad
		addr add fd91::2/64 dev eth0 nodad
		addr add $VIP4/24 dev eth0
		addr add 10.91.0.2/24 dev eth0
		route replace default via 10.91.0.1
		route replace default via fd91::1
	END
	serve
	wait_for 5 ask "$VIP4"
	wait_for 5 ask "$VIP6"
	sources_are "$VIP4" 10.91.0.2
	sources_are "$VIP6" fd91::2
}

story 1
services nat 1
serve
loads_start
it "connections come from the uplink's address" sources_are "$VIP4" 10.91.0.2
it "and over IPv6" sources_are "$VIP6" fd91::2
it "addresses that the uplink gains move nobody" addresses_gained_meanwhile
it "no request failed, no connection was moved" loads_stop
it "a service's address is no source" vip_is_first
finish

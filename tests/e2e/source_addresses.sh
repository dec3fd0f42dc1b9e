#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What address NAT and tunnels come from, and that connections keep theirs: the
# uplink gains addresses while the daemon is away, one of them a service's own;
# it has none at all, as where routes go by link-local addresses alone.
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

# The only address of the uplink, but for the one that clients dial. Who begins
# anew within the closing time keeps the translation that it had.
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
	wait_for 30 sources_are "$VIP4" 10.91.0.2
	wait_for 30 sources_are "$VIP6" fd91::2
}

# The uplink's addresses are on lo, routes go by link-local ones.
unnumbered() {
	ip -n "$NET-balancer" addr flush dev eth0
	ip_on balancer <<-END
		addr add fe80::2/64 dev eth0 nodad
		addr add 10.91.9.1/32 dev lo
		addr add fd91:9::1/128 dev lo
		route replace 0.0.0.0/0 via inet6 fe80::1 dev eth0
		route replace default via fe80::1 dev eth0
	END
	ip_on router <<-END
		addr add fe80::1/64 dev br0 nodad
		route replace 10.91.9.1 via inet6 fe80::2 dev br0
		route replace fd91:9::1 via fe80::2 dev br0
		route replace 192.0.2.0/24 via inet6 fe80::2 dev br0
		route replace 2001:db8::/64 via fe80::2 dev br0
	END
}

unnumbered_uplink() {
	unnumbered
	wait_for 10 sources_are "$VIP4" 10.91.9.1
	wait_for 10 sources_are "$VIP6" fd91:9::1
}

unnumbered_tunnel() {
	decap 1
	services ipip 1
	in_force
	wait_for 10 ask "$VIP4"
	wait_for 10 ask "$VIP6"
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
it "an uplink without an address: NAT comes from lo's" unnumbered_uplink
it "and so do tunnels" unnumbered_tunnel
finish

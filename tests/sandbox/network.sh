# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# A small network in network namespaces, for the demo and the end-to-end tests.
# Who includes this sets NET, the prefix of the namespaces' names, and
# PASS_PROGRAM, an object with an XDP program that lets everything pass.
#
#   client-1 ... client-M      balancer   backend-1 ... backend-N
#   10.90.M.2  \    /             .2          .11         .10+N    10.91.0.0/24
#   fd90:M::2   router ══ bridge ══════════════════════════════    fd91::/64
#
# The router sends the service addresses, 192.0.2.0/24 and 2001:db8::/64, to
# the balancer. Every host calls its interface eth0.

VIP4=192.0.2.10
VIP6=2001:db8::10

# Unlike ip netns exec this leaves /sys alone, where bpffs is.
on() {
	local host=$1
	shift
	nsenter --net="/run/netns/$NET-$host" "$@"
}

# ip_on HOST: commands for ip(8) from standard input.
ip_on() {
	ip -n "$NET-$1" -batch -
}

host_add() {
	ip netns add "$NET-$1"
	on "$1" sysctl -qw \
		net.ipv4.conf.all.rp_filter=0 \
		net.ipv4.conf.default.rp_filter=0 \
		net.ipv4.icmp_ratelimit=0 \
		net.ipv4.icmp_msgs_per_sec=100000 \
		net.ipv6.conf.default.accept_dad=0 \
		net.ipv6.conf.default.accept_ra=0 \
		net.ipv6.icmp.ratelimit=0 \
		"net.ipv4.ip_forward=${2:-0}" \
		"net.ipv6.conf.all.forwarding=${2:-0}"
	ip -n "$NET-$1" link set lo up
}

# A cable from HOST's eth0 to the router's port of the host's name. XDP looks
# into packets before anybody completes a checksum that was left to hardware,
# hence tx off; GRO makes room for what XDP sends into a veth.
cable_add() {
	ip_on router <<-END
		link add $1 type veth peer name eth0 netns $NET-$1
		link set $1 up
	END
	ip -n "$NET-$1" link set eth0 up
	on router ethtool -K "$1" tx off gro on >/dev/null
	on "$1" ethtool -K eth0 tx off >/dev/null
}

# segment_add HOST NUMBER: a host on the bridge.
segment_add() {
	cable_add "$1"
	ip -n "$NET-router" link set "$1" master br0
	ip_on "$1" <<-END
		addr add 10.91.0.$2/24 dev eth0
		addr add fd91::$2/64 dev eth0 nodad
		route add default via 10.91.0.1
		route add default via fd91::1
	END
}

client_add() {
	host_add "client-$1"
	cable_add "client-$1"
	ip_on router <<-END
		addr add 10.90.$1.1/24 dev client-$1
		addr add fd90:$1::1/64 dev client-$1 nodad
	END
	ip_on "client-$1" <<-END
		addr add 10.90.$1.2/24 dev eth0
		addr add fd90:$1::2/64 dev eth0 nodad
		route add default via 10.90.$1.1
		route add default via fd90:$1::1
	END
}

# network_up BACKENDS [CLIENTS]
network_up() {
	local i

	host_add router 1
	ip_on router <<-END
		link add br0 type bridge
		link set br0 up
		addr add 10.91.0.1/24 dev br0
		addr add fd91::1/64 dev br0 nodad
		route add 192.0.2.0/24 via 10.91.0.2
		route add 2001:db8::/64 via fd91::2
	END
	host_add balancer 1
	segment_add balancer 2
	ip -n "$NET-router" link set balancer xdp object "$PASS_PROGRAM" section xdp
	for ((i = 1; i <= $1; i++)); do
		host_add "backend-$i"
		segment_add "backend-$i" $((10 + i))
	done
	for ((i = 1; i <= ${2:-1}; i++)); do
		client_add "$i"
	done
}

network_hosts() {
	local name

	while read -r name _; do
		[[ $name != "$NET"-* ]] || echo "$name"
	done < <(ip netns list)
}

# Nothing runs in the namespaces any more.
network_stop() {
	local name

	for name in $(network_hosts); do
		ip netns pids "$name" | xargs -r kill -9 2>/dev/null || true
	done
}

network_down() {
	local name

	network_stop
	for name in $(network_hosts); do
		ip netns del "$name"
	done
}

# own_vip N: backend N owns the service addresses, and does not say so.
own_vip() {
	on "backend-$1" sysctl -qw net.ipv4.conf.all.arp_ignore=1 \
		net.ipv4.conf.all.arp_announce=2
	ip_on "backend-$1" <<-END
		addr replace $VIP4/32 dev lo
		addr replace $VIP6/128 dev lo nodad
	END
}

bpffs_mount() {
	mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf
}

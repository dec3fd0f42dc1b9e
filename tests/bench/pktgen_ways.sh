# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# The balancers that scripts/bench pktgen compares, each in a network of its
# own, so that none inherits another's connections. On top of rivals.sh.
#
# A way that has begun has set PATH_TAKEN, what the packets go through.

PROGRAMS=$PINS/bench
CABLE_END=100

all_ways() {
	echo wire fairlead-{nat,l2,ipip,gue,gre,geneve}{,-generic} ipvs-masq \
		ipvs-ipip flowtable nft iptables forwarding
}

# A veth does native XDP only if it has a receive queue for each queue that its
# peer sends by; so one more there makes Fairlead take generic XDP.
sending_queues() {
	[[ $1 == *-generic ]] && echo $((THREADS + 1)) || echo "$THREADS"
}

# veth_add QUEUES HOST PORT[,index] OTHER-HOST OTHER-PORT: so many queues of
# PORT; the other has one for each thread.
veth_add() {
	local port=${3%,*} index=

	[[ $3 != *,* ]] || index="index ${3#*,}"
	ip_on "$2" <<-END
		link add name $port $index numtxqueues $1 numrxqueues $1 type veth peer name $5 netns $NET-$4 numtxqueues $THREADS numrxqueues $THREADS
	END
}

# The way back by hand: netns del would not give a card its name, and the sink's
# program would stay.
interfaces_return() {
	[[ ${TAKEN:-} ]] || return 0
	# shellcheck disable=SC2086
	set -- $TAKEN
	ip -n "$NET-client" link set eth0 down netns $$ name "$3"
	ip -n "$NET-$1" link set "$2" xdp off
	ip -n "$NET-$1" link set "$2" down netns $$ name "$4"
	TAKEN=
}

# interfaces_take HOST PORT SENDER BALANCER: cards instead of a veth pair.
interfaces_take() {
	ip link set "$3" down netns "$NET-client" name eth0
	ip link set "$4" down netns "$NET-$1" name "$2"
	TAKEN=$*
}

# front_add QUEUES HOST PORT: what the sender is joined to.
front_add() {
	if [[ $INTERFACES ]]; then
		# shellcheck disable=SC2086
		interfaces_take "$2" "$3" $INTERFACES
	else
		cable_lay "$1" "$2" "$3"
	fi
}

# cable_lay QUEUES HOST PORT: pktgen.bpf.c says why there is one. Frames get
# into a veth whose peer has GRO.
cable_lay() {
	host_add cable
	veth_add "$THREADS" client eth0 cable begin
	veth_add "$1" cable end,$CABLE_END "$2" "$3"
	ip -n "$NET-cable" link set end up
	on cable ip link set begin up xdpdrv pinned "$PROGRAMS/cable"
}

# up HOST PORT ADDRESS4/LENGTH ADDRESS6/LENGTH
up() {
	ip_on "$1" <<-END
		link set $2 addrgenmode none
		addr add $3 dev $2
		addr add $4 dev $2 nodad
		link set $2 up
	END
	on "$1" ethtool -K "$2" tx off gro on >/dev/null
}

neighbours_set() {
	neighbour_set balancer back 10.92.0.2 backend eth0
	neighbour_set balancer back fd92::2 backend eth0
	neighbour_set balancer front 10.90.0.2 client eth0
	neighbour_set balancer front fd90::2 client eth0
}

# There is room for a tunnel's headers behind the balancer. Service addresses
# have no route: what a balancer overlooks gets nowhere.
network_balancer() {
	host_add balancer 1
	front_add "$(sending_queues "$1")" balancer front
	veth_add "$(sending_queues "$1")" backend eth0 balancer back
	ip -n "$NET-balancer" link set back mtu 1600
	ip -n "$NET-backend" link set eth0 mtu 1600
	up client eth0 10.90.0.2/24 fd90::2/64
	up balancer front 10.90.0.1/24 fd90::1/64
	up balancer back 10.92.0.1/24 fd92::1/64
	up backend eth0 10.92.0.2/24 fd92::2/64
	neighbours_set
	ip_on balancer <<-END
		route add 10.100.0.0/16 via 10.92.0.2
		route add fd00:100::/64 via fd92::2
		route add 172.16.0.0/12 via 10.90.0.2
		route add fd16::/64 via fd90::2
	END
}

network_wire() {
	front_add "$THREADS" backend eth0
	up client eth0 10.90.0.2/24 fd90::2/64
	up backend eth0 10.90.0.1/24 fd90::1/64
}

# network WAY
network() {
	interfaces_return
	sandbox_remove
	mkdir -p "$DIR" "$PINS"
	bpftool prog loadall "$B/tests/bench/pktgen.bpf.o" "$PROGRAMS" \
		pinmaps "$PROGRAMS/maps"
	host_add client
	host_add backend
	if [[ $1 == wire ]]; then
		network_wire
	else
		network_balancer "$1"
	fi
}

# One for all, in tc: each packet has a socket buffer by then, whoever sent it.
sink() {
	on backend tc qdisc add dev eth0 clsact
	on backend tc filter add dev eth0 ingress bpf direct-action \
		pinned "$PROGRAMS/sink_tc"
}

# Where the sender's packets have to go.
gate_mac() {
	if [[ $PATH_TAKEN == wire ]]; then
		mac_of backend eth0
	else
		mac_of balancer front
	fi
}

# service_routes add|del ROUTE: of all service addresses.
service_routes() {
	local to=198.18.0.0/15 via=10.92.0.2

	((FAMILY == 4)) || to=2001:db8:18::/64 via=fd92::2
	if [[ $2 == local ]]; then
		ip -n "$NET-balancer" route "$1" local $to dev lo
	else
		ip -n "$NET-balancer" route "$1" $to via $via
	fi
}

# ipvs_begin KIND SERVICES: in kube-proxy's shape: the addresses are local.
ipvs_begin() {
	local kind=-m port=8080

	[[ $1 == masq ]] || kind=-i port=80
	service_routes add local
	each_service "$2" | addresses_awk -v kind=$kind -v port=$port '{
			print "-A -u", at($2, 80), "-s rr"
			for (i = 0; i < $4; i++)
				print "-a -u", at($2, 80), "-r",
					at(backend($3 + i), port), kind
		}' >"$DIR/ipvs"
	on balancer ipvsadm -R <"$DIR/ipvs"
}

# Which kind of XDP Fairlead got, for it takes what it can have.
xdp_kind() {
	on balancer ip -j link show front |
		jq -r '["none", "xdp native", "xdp generic"][.[0].xdp.mode // 0]'
}

fairlead_way_begin() {
	local mode=${1#fairlead-} want="xdp native"

	[[ $1 != *-generic ]] || want="xdp generic"
	fairlead_begin "${mode%-generic}" "$2" udp
	PATH_TAKEN=$(xdp_kind)
	[[ $PATH_TAKEN == "$want" ]] || die \
		"$1: Fairlead is attached by $PATH_TAKEN to \"front\", not $want"
}

# way_begin WAY SERVICES
way_begin() {
	network "$1"
	sink
	if [[ $1 == fairlead-* ]]; then
		fairlead_way_begin "$1" "$2"
		return
	fi
	PATH_TAKEN=stack
	case $1 in
	wire) PATH_TAKEN=wire ;;
	forwarding) service_routes add onward ;;
	ipvs-*) ipvs_begin "${1#ipvs-}" "$2" ;;
	*) "$1_begin" "$2" udp ;;
	esac
}

way_end() {
	[[ $PATH_TAKEN != xdp* ]] || fairlead_end
	interfaces_return
	sandbox_remove
}

# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# The same services by different means, between a client that sends and a
# backend that counts or answers. For scripts/bench, on top of sandbox.sh.
#
#   client eth0 ── front balancer back ── eth0 backend
#   10.90.0.2      10.90.0.1  10.92.0.1   10.92.0.2, and all of 10.100.0.0/16
#
# Services are at 198.18.0.1 and on, port 80, TCP and UDP; backends' port 8080.

# shellcheck source=tests/bench/wires.sh
. "$ROOT/tests/bench/wires.sh"

CPU=0
NFT_CHAIN='type nat hook prerouting priority dstnat; policy accept;'

# Two wires: one with a balancer in it, and one with nothing.
rivals_network() {
	sandbox_remove
	mkdir -p "$DIR" "$PINS"
	for host in client balancer backend source end; do
		host_add $host 1
	done
	wire_add client eth0 10.90.0.2/24 balancer front 10.90.0.1/24
	wire_add balancer back 10.92.0.1/24 backend eth0 10.92.0.2/24
	wire_add source eth0 10.93.0.1/24 end eth0 10.93.0.2/24
	ip -n "$NET-client" route add default via 10.90.0.1
	ip_on backend <<-END
		route add default via 10.92.0.1
		route add local 10.100.0.0/16 dev lo
		route add local 198.18.0.0/15 dev lo
	END
	ip -n "$NET-balancer" route add 10.100.0.0/16 via 10.92.0.2
	ip -n "$NET-balancer" route add 172.16.0.0/12 via 10.90.0.2
	ip -n "$NET-balancer" route add 198.18.0.0/15 via 10.92.0.2
	neighbour_set balancer back 10.92.0.2 backend eth0
	neighbour_set balancer front 10.90.0.2 client eth0
	start server backend taskset -c $CPU "$B/tests/sandbox/server" backend 80 \
		8080
}

mac_of() {
	ip -n "$NET-$1" -j link show "$2" | jq -r '.[0].address'
}

# neighbour_set HOST PORT ADDRESS OF_HOST OF_PORT
neighbour_set() {
	ip -n "$NET-$1" neigh replace "$3" dev "$2" nud permanent \
		lladdr "$(mac_of "$4" "$5")"
}

# What depends on the family: FAMILY is 4 unless somebody says 6.
FAMILY=4

# awk: addresses of service s and backend n, the first of them with a port.
# shellcheck disable=SC2016
ADDRESSES='
	function service(s) {
		if (family == 6)
			return sprintf("2001:db8:18::1:%x", s)
		return sprintf("198.18.%d.%d", (s + 1) / 256, (s + 1) % 256)
	}
	function backend(n) {
		if (family == 6)
			return sprintf("fd00:100::%x:%x", n / 65536,
				n % 65536 + 1)
		return sprintf("10.100.%d.%d", n / 250, n % 250 + 1)
	}
	function at(address, port) {
		return (family == 6 ? "[" address "]:" : address ":") port
	}'

addresses_awk() {
	awk -v family="$FAMILY" "${@:1:$#-1}" "$ADDRESSES ${*: -1}"
}

# each_service SERVICES: "number address first-backend backends", a line each.
each_service() {
	addresses_awk -v services="$1" 'BEGIN {
		backends = services > 1 ? 10 : 100
		for (s = 0; s < services; s++)
			printf "%d %s %d %d\n", s, service(s), s * backends,
				backends
	}'
}

# fairlead_begin MODE SERVICES PROTOCOL
fairlead_begin() {
	each_service "$2" | addresses_awk -v mode="$1" -v proto="$3" '
		BEGIN {
			print "uplinks: [front, back]\nservices:"
			port = mode == "nat" ? 8080 : 80
		}
		{
			printf "  - {name: s%05d, address: \"%s\", port: 80", $1,
				$2
			printf ", protocol: %s, forward: %s, backends: [", proto,
				mode
			for (i = 0; i < $4; i++)
				printf "{address: \"%s\", port: %d}, ",
					backend($3 + i), port
			print "]}"
		}' >"$CONFIG"
	serve
}

fairlead_end() {
	stop serve
	fairlead cleanup --yes >/dev/null
}

nft_family() {
	((FAMILY == 4)) && echo ip || echo ip6
}

# nft_begin SERVICES PROTOCOL: as kube-proxy's nftables mode does: a verdict
# map of all services, a chain for each, a random backend.
nft_begin() {
	each_service "$1" | addresses_awk -v proto="$2" -v chain="$NFT_CHAIN" \
		-v ip="$(nft_family)" '
		{
			goto_ = goto_ sprintf("%s . %s . 80 : goto s%d,\n", $2,
				proto, $1)
			chains = chains sprintf("chain s%d { meta l4proto %s" \
				" dnat %s to numgen random mod %d map {",
				$1, proto, ip, $4)
			for (i = 0; i < $4; i++)
				chains = chains sprintf("%d : %s . 8080,", i,
					backend($3 + i))
			chains = chains "}\n}\n"
		}
		END {
			print "table", ip, "bench {\n" chains
			print "map services {"
			printf "type ipv%d_addr . inet_proto . inet_service" \
				" : verdict\n", family
			print "elements = {" goto_ "}\n}"
			print "chain in {", chain
			print ip, "daddr . meta l4proto . th dport vmap @services"
			print "}\n}"
		}' >"$DIR/nft"
	on balancer nft -f "$DIR/nft"
}

nft_end() {
	on balancer nft delete table "$(nft_family)" bench
}

# The iptables or iptables-restore of the family.
iptables_command() {
	((FAMILY == 4)) && echo "iptables-legacy$1" || echo "ip6tables-legacy$1"
}

# iptables_begin SERVICES PROTOCOL: as kube-proxy's iptables mode: one rule
# after the other, then a chain of chances.
iptables_begin() {
	each_service "$1" | addresses_awk -v proto="$2" '
		BEGIN { print "*nat\n:PREROUTING ACCEPT [0:0]\n:SVC - [0:0]" }
		{ print ":S" $1 " - [0:0]"; lines[NR] = $0 }
		END {
			print "-A PREROUTING -j SVC"
			for (l = 1; l <= NR; l++) {
				$0 = lines[l]
				printf "-A SVC -d %s -p %s --dport 80" \
					" -j S%d\n", $2, proto, $1
				for (i = 0; i < $4; i++) {
					printf "-A S%d -p %s", $1, proto
					if (i < $4 - 1)
						printf " -m statistic --mode" \
							" random" \
							" --probability %.8f",
							1 / ($4 - i)
					printf " -j DNAT --to-destination" \
						" %s\n",
						at(backend($3 + i), 8080)
				}
			}
			print "COMMIT"
		}' >"$DIR/iptables"
	on balancer "$(iptables_command -restore)" "$DIR/iptables"
}

iptables_end() {
	on balancer "$(iptables_command "")" -t nat -F
	on balancer "$(iptables_command "")" -t nat -X
}

# As nft_begin, and connections that are established pass by the rules.
flowtable_begin() {
	nft_begin "$@"
	on balancer nft -f - <<-END
		table $(nft_family) bench {
			flowtable fast {
				hook ingress priority filter
				devices = { front, back }
			}
			chain established {
				type filter hook forward priority filter
				meta l4proto { tcp, udp } flow add @fast
			}
		}
	END
}

# Not every kernel has them.
flowtable_exists() {
	on balancer nft -c -f - 2>/dev/null <<-END
		table ip probe {
			flowtable fast {
				hook ingress priority filter
				devices = { front }
			}
		}
	END
}

flowtable_end() {
	nft_end
}

forwarding_begin() { :; }
forwarding_end() { :; }

# traffic FROM TO there|back MAC SERVICES: packets per second, sent and counted.
traffic() {
	on "$1" taskset -c $CPU "$B/tests/bench/traffic" \
		"/run/netns/$NET-$2" "$3" "$4" "$5" 0.5
}

# packets WAY SERVICES there|back: and through nothing, as the machine may be
# slower a minute later.
packets() {
	local end

	end=$(mac_of end eth0)
	echo "$(traffic source end "$3" "$end" "$2")" \
		"$(traffic client backend "$3" "$(mac_of balancer front)" "$2")" |
		jq -Rc --arg way "$1" --argjson services "$2" --arg trip "$3" '
		split(" ") | map(tonumber)
		| {section: ("packets-" + $trip), $way, $services, sent: .[2],
		   received: .[3], nothing: .[1],
		   ns: (1e9 / .[3] - 1e9 / .[1])}'
}

# connections WAY SERVICES
connections() {
	on client taskset -c $CPU "$B/tests/bench/requests" 198.18.0.1 80 "$2" \
		4 1 | jq -Rc --arg way "$1" --argjson services "$2" 'split(" ")
		| map(tonumber)
		| {section: "connections", $way, $services, per_s: .[0],
		   p50_us: .[1], p99_us: .[2]}'
}

# rival WAY SERVICES: without Fairlead.
rival() {
	"$1_begin" "$2" udp
	packets "$1" "$2" there
	packets "$1" "$2" back
	"$1_end"
	"$1_begin" "$2" tcp
	connections "$1" "$2"
	"$1_end"
}

# fairlead_rival MODE SERVICES
fairlead_rival() {
	fairlead_begin "$1" "$2" udp
	packets "fairlead $1" "$2" there
	[[ $1 != nat ]] || packets "fairlead $1" "$2" back
	fairlead_end
	[[ $1 == nat ]] || return 0
	fairlead_begin nat "$2" tcp
	connections "fairlead nat" "$2"
	fairlead_end
}

# rivals_round SERVICES FIRST: all of them, beginning with the one of that
# number: a slow minute of the machine is not always the same one's.
rivals_round() {
	local ways=(nat l2 ipip forwarding flowtable nft iptables) i way

	flowtable_exists || ways=("${ways[@]/flowtable/}")
	for ((i = 0; i < ${#ways[@]}; i++)); do
		way=${ways[($2 + i) % ${#ways[@]}]}
		case $way in
		"") ;;
		nat | l2 | ipip) fairlead_rival "$way" "$1" ;;
		*) rival "$way" "$1" ;;
		esac
	done
}

rivals_measure() {
	local services i rounds=5

	[[ -z $QUICK ]] || rounds=1
	rivals_network
	for services in 1 1000; do
		[[ -z $QUICK || $services == 1 ]] || break
		for ((i = 0; i < rounds; i++)); do
			rivals_round $services "$i"
		done
	done
}

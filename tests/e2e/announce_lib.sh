# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# Daemons of BGP in the sandbox's hosts: real ones, each with files of its own.
# The router is a neighbour of balancers, and has no other route to what they
# announce.

# shellcheck disable=SC2034 # the tests use it
TABLE=6180

need() {
	local tool

	for tool; do
		[[ -x $(command -v "$tool") ]] || skip_all "$tool is not installed"
	done
}

# routes_forget: the router knows of services by BGP alone.
routes_forget() {
	ip_on router <<-END
		route del 192.0.2.0/24 via 10.91.0.2
		route del 2001:db8::/64 via fd91::2
	END
}

# bird_start HOST: with the file $DIR/HOST.bird; in the foreground.
bird_start() {
	bird -p -c "$DIR/$1.bird"
	start "bird-$1" "$1" bird -f -c "$DIR/$1.bird" -s "$DIR/$1.ctl" \
		-P "$DIR/$1.birdpid"
}

birdc_on() {
	birdc -r -s "$DIR/$1.ctl" "${@:2}"
}

# balancer_bird HOST NUMBER AS: what a balancer has in bird.conf.
balancer_bird() {
	sed -e "s/@ID@/10.91.0.$2/; s/@AS@/$3/; s/@NEIGHBOR_AS@/65000/" \
		-e "s/@NEIGHBOR4@/10.91.0.1/; s/@NEIGHBOR6@/fd91::1/" \
		"$ROOT/scripts/packaging/routes/bird.conf" >"$DIR/$1.bird"
}

# router_bird NUMBER:AS...: neighbours on the bridge; ECMP over them.
router_bird() {
	local peer n

	cat <<-END
		router id 10.91.0.1;
		protocol device {}
		protocol kernel { merge paths on; ipv4 { export all; }; }
		protocol kernel { merge paths on; ipv6 { export all; }; }
	END
	for peer; do
		n=${peer%:*}
		cat <<-END
			protocol bgp four$n {
				local 10.91.0.1 as 65000;
				neighbor 10.91.0.$n as ${peer#*:};
				hold time 6; connect retry time 1; error wait time 1,2;
				connect delay time 1; direct;
				ipv4 { import all; export none; };
			}
			protocol bgp six$n {
				local fd91::1 as 65000;
				neighbor fd91::$n as ${peer#*:};
				hold time 6; connect retry time 1; error wait time 1,2;
				connect delay time 1; direct;
				ipv6 { import all; export none; };
			}
		END
	done
}

# reaches ADDRESS GATEWAY: the router sends it there, among others perhaps.
reaches() {
	local route

	route=$(ip -n "$NET-router" route show "$1" proto bird)
	[[ $1 != *:* ]] ||
		route=$(ip -n "$NET-router" -6 route show "$1" proto bird)
	echo "$route"
	[[ $route == *"via $2 "* ]]
}

both_reach() {
	reaches "$VIP4" "10.91.0.$1" && reaches "$VIP6" "fd91::$1"
}

none_reaches() {
	fails reaches "$VIP4" "10.91.0.$1" && fails reaches "$VIP6" "fd91::$1"
}

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# FRR announces what works as well, from the main table: both families.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/announce_lib.sh
. "${0%/*}/announce_lib.sh"

FRR=/usr/lib/frr

# frr_start: zebra and bgpd, by the file that we ship.
frr_start() {
	local daemon

	mkdir "$DIR/frr"
	sed -e "s/@ID@/10.91.0.2/; s/@AS@/65001/; s/@NEIGHBOR_AS@/65000/" \
		-e "s/@NEIGHBOR4@/10.91.0.1/; s/@NEIGHBOR6@/fd91::1/" \
		"$ROOT/scripts/packaging/routes/frr.conf" >"$DIR/frr/bgpd.conf"
	touch "$DIR/frr/zebra.conf"
	chown -R frr:frr "$DIR/frr"
	for daemon in zebra bgpd; do
		start "$daemon" balancer "$FRR/$daemon" -P 0 --log stdout \
			-f "$DIR/frr/$daemon.conf" -i "$DIR/frr/$daemon.pid" \
			-z "$DIR/frr/zserv" --vty_socket "$DIR/frr"
		[[ $daemon != zebra ]] || wait_for 10 test -S "$DIR/frr/zserv"
	done
}

serves() {
	{
		echo "announce: {table: main, hold: 1s, linger: 3s}"
		echo "services:"
		service tcp4 "$VIP4" tcp nat "$@"
		service tcp6 "$VIP6" tcp nat "$@"
	} | config
}

announced() {
	wait_for 30 both_reach 2
	for vip in "${FAMILIES[@]}"; do
		ask "$vip"
	done
}

withdrawn() {
	serves 1:drain
	in_force
	wait_for 20 none_reaches 2
	serves 1
	in_force
	wait_for 20 both_reach 2
}

has_community() {
	birdc_on router show route all "$1" >"$DIR/community"
	cat "$DIR/community"
	grep -F "(65535,0)" "$DIR/community"
}

drained() {
	fairlead node drain
	wait_for 10 has_community "for $VIP4"
	wait_for 10 has_community "for $VIP6"
	wait_for 20 none_reaches 2
	fairlead node undrain
	wait_for 20 both_reach 2
}

need bird birdc "$FRR/bgpd" "$FRR/zebra"
story 1
routes_forget
router_bird 2:65001 >"$DIR/router.bird"
bird_start router
frr_start
serves 1
serve
it "FRR announces what works" announced
it "and withdraws what does not" withdrawn
it "a drained node is avoided, then withdrawn" drained
finish

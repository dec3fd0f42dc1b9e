#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A router on the way to a backend takes smaller packets than the uplink does,
# and says so to the balancer, whose tunnel's packets they are: uploads pass,
# the client learns how much fits. The same where a route says how much.
#
#   balancer ══ bridge ══ .5 narrow .1 ── 1400 bytes ── .11 backend-9
#      10.91.0.0/24, fd91::/64              10.92.0.0/24, fd92::/64
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

FAR4=10.92.0.11
FAR6=fd92::11
declare -A overhead4=([ipip]=20 [gue]=28 [gre]=24 [geneve]=36)
declare -A overhead6=([ipip]=40 [gue]=48 [gre]=44 [geneve]=56)

narrow_add() {
	host_add narrow 1
	segment_add narrow 5
	host_add backend-9
	ip -n "$NET-narrow" link add far type veth \
		peer name eth0 netns "$NET-backend-9"
	ip_on narrow <<-END
		link set far mtu 1400 up
		addr add 10.92.0.1/24 dev far
		addr add fd92::1/64 dev far nodad
	END
	ip_on backend-9 <<-END
		link set eth0 mtu 1400 up
		addr add $FAR4/24 dev eth0
		addr add $FAR6/64 dev eth0 nodad
		route add default via 10.92.0.1
		route add default via fd92::1
	END
	on narrow ethtool -K far tx off gro on >/dev/null
	on backend-9 ethtool -K eth0 tx off >/dev/null
	way_is
	start server-9 backend-9 "$B/tests/sandbox/server" backend-9 80 8080
	wait_for 5 on balancer curl -so /dev/null "$FAR4"
}

# way_is [ROUTE OPTION...]: from the balancer to the far network.
way_is() {
	ip -n "$NET-balancer" route replace 10.92.0.0/24 via 10.91.0.5 "$@"
	ip -n "$NET-balancer" route replace fd92::/64 via fd91::5 "$@"
}

# far MODE ADDRESS4 ADDRESS6: services that nobody knows anything of yet.
far() {
	config <<-END
		services:
		  - {name: $1-4-$2, address: $VIP4, port: 80, forward: $1,
		     backends: [{address: "$2"}]}
		  - {name: $1-6-$3, address: "$VIP6", port: 80, forward: $1,
		     backends: [{address: "$3"}]}
	END
}

learned_mtu() {
	on client-1 ip -json route get "$1" | jq '.[0].metrics[0].mtu // 1500'
}

upload() {
	head -c 3000000 /dev/urandom >"$DIR/upload"
	[[ $(ask "$1" --max-time "$((2 * CURL_S))" -H Expect: \
		--data-binary "@$DIR/upload") == backend-9 ]]
}

# upload_learns ADDRESS MTU: so much fits in the tunnel.
upload_learns() {
	on client-1 ip route flush cache
	on client-1 ip -6 route flush cache
	upload "$1"
	echo "learned $(learned_mtu "$1"), expected $2"
	(($(learned_mtu "$1") == $2))
}

# list_says KEY VALUE: of every backend.
list_says() {
	fairlead backend list --json | tee "$DIR/backends"
	jq -e --arg key "$1" --argjson value "$2" \
		'length > 0 and all(.[]; .[$key] == $value)' "$DIR/backends"
}

# fits MODE ADDRESS WIDTH: in the tunnel to it, of so many bytes.
fits() {
	if [[ $2 == *:* ]]; then
		echo $(($3 - overhead6[$1]))
	else
		echo $(($3 - overhead4[$1]))
	fi
}

story 1
narrow_add
far ipip "$FAR4" "$FAR6"
serve
decap 9
for mode in ipip gue gre geneve; do
	for pair in "$FAR4 $FAR6" "$FAR6 $FAR4"; do
		read -r to4 to6 <<<"$pair"
		far "$mode" "$to4" "$to6"
		in_force
		it "$mode to $to4: an upload to $VIP4" \
			upload_learns "$VIP4" "$(fits $mode "$to4" 1400)"
		it "$mode to $to6: an upload to $VIP6" \
			upload_learns "$VIP6" "$(fits $mode "$to6" 1400)"
		it "$mode: what was learned is listed" list_says path_mtu 1400
	done
done
way_is mtu 1360
it "the route's MTU counts" wait_for 5 list_says mtu 1360
it "with it, an upload to $VIP4" upload_learns "$VIP4" "$(fits geneve "$FAR6" 1360)"
it "with it, an upload to $VIP6" upload_learns "$VIP6" "$(fits geneve "$FAR4" 1360)"
finish

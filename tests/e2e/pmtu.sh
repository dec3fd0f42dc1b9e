#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A tunnel's packets are larger than what came: the client is told how much
# fits, exactly, and what it sends arrives.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

# What each tunnel puts before a packet, by family of the outer header.
declare -A overhead4=([nat]=0 [l2]=0 [ipip]=20 [gue]=28 [gre]=24 [geneve]=36)
declare -A overhead6=([nat]=0 [l2]=0 [ipip]=40 [gue]=48 [gre]=44 [geneve]=56)

upload() {
	head -c 3000000 /dev/urandom >"$DIR/upload"
	[[ $(ask "$1" --max-time "$CURL_S" -H Expect: \
		--data-binary "@$DIR/upload") == backend-1 ]]
}

learned_mtu() {
	on client-1 ip -json route get "$1" |
		jq '.[0].metrics[0].mtu // 1500'
}

upload_and_learn() {
	local vip=$1 expected=$2 learned

	on client-1 ip route flush cache
	on client-1 ip -6 route flush cache
	upload "$vip"
	learned=$(learned_mtu "$vip")
	echo "learned $learned, expected $expected"
	((learned == expected))
}

large_download() {
	[[ $(on client-1 curl -sS --max-time "$CURL_S" "$(url "$1")1000000" |
		wc -c) == 1000000 ]]
}

story 1
decap 1
services nat 1
serve
for mode in nat l2 ipip gue gre geneve; do
	services "$mode" 1
	in_force
	it "$mode: $VIP4, an upload" \
		upload_and_learn "$VIP4" $((1500 - overhead4[$mode]))
	it "$mode: $VIP6, an upload" \
		upload_and_learn "$VIP6" $((1500 - overhead6[$mode]))
	for vip in "${FAMILIES[@]}"; do
		it "$mode: $vip, a download" large_download "$vip"
	done
done
finish

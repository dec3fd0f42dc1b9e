#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A node's table of connections, as full of live ones as it was made for: who
# comes now gets in, what is over makes room, who lives loses nothing, and
# status says how full it is.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/node_lib.sh
. "${0%/*}/node_lib.sh"

LIMIT=1000
HELD=()

table() {
	fairlead status --json | jq .connections
}

# table_is JQ: what jq says of it.
table_is() {
	table | jq -e "$1"
}

answers_of() {
	(($(load_answers "$1") >= $2))
}

# hold FAMILY COUNT: so many connections more, which say little. Who finds no
# room comes again from another port.
hold() {
	local name=held-$1-${#HELD[@]}

	start "$name" pod-1 "$B/tests/sandbox/load" --mode keepalive \
		--target "$(front cluster 10 "$1" | cut -d / -f 1)" \
		--concurrency "$2" --pause-ms 3000 --timeout-ms 5000 \
		--every-ms 200 80
	wait_for 60 test -s "$DIR/$name.log"
	wait_for 60 answers_of "$name" "$2"
	load_report "$name" | jq .failures >"$DIR/$name.failures"
}

# Whoever they are, and for long enough that what was over has made room for
# others.
new_ones_get_in() {
	local evicted family origin kind failed=0

	evicted=$(table | jq .evicted)
	while read -r origin kind family; do
		live_start "short-$origin-$kind-$family" short \
			"$origin" "$kind" "$family" 4
	done < <(lives)
	wait_for 60 table_is ".evicted > $evicted"
	while read -r origin kind family; do
		load_stop "short-$origin-$kind-$family" || failed=1
	done < <(lives)
	row pod-1 cluster 10 from pod-1 to pod-2 far-1
	row client-1 port 10 from node to pod-2 far-1
	row node lb 10 from node to pod-2 far-1
	return "$failed"
}

# A table as small as this one has buckets, by chance, that are full of live
# ones: of those that come, at least 99 in 100 get in.
nearly_all_get_in() {
	local evicted

	evicted=$(table | jq .evicted)
	start crowd pod-1 "$B/tests/sandbox/load" --mode short \
		--target 10.96.0.10 --concurrency 8 --timeout-ms 3000 \
		--every-ms 50 80
	wait_for 60 table_is ".evicted > $evicted + 500"
	stop crowd
	load_report crowd
	load_report crowd |
		jq -e '.requests >= 200 and .failures * 100 <= .requests'
}

# status_says PERCENT_MIN PERCENT_MAX FULL
status_says() {
	local said

	table
	table_is ".live * 100 / .limit | . >= $1 and . < $2"
	table_is ".full == $3"
	table_is '.top[0].service | test("^default/web:http/tcp6?$")'
	said=$(fairlead status |
		sed -n 's/^connections:.* \([0-9]*\) % of.*/\1/p')
	((said >= $1 && said < $2))
}

none_lost_anything() {
	local name count

	for name in "${HELD[@]}"; do
		count=${name#* } name=${name% *}
		# each asks once more
		wait_for 60 answers_of "$name" \
			$(($(load_answers "$name") + count))
		load_stop "$name" || true
		load_report "$name" | jq -e ".moved == 0 and
			.failures == $(<"$DIR/$name.failures")"
	done
}

# more COUNT: a case for each family.
more() {
	local family

	for family in 4 6; do
		it "$1 more over IPv$family" hold $family "$1"
		HELD+=("held-$family-${#HELD[@]} $1")
	done
}

node_story pod-1 pod-2 far-1
{
	node_settings
	echo "limits: {connections: $LIMIT}"
} | put settings.yaml
spec
endpoints web pod-2 far-1 | put web-slices.yaml
serve_node
room=$(table | jq .limit)
more $((room * 3 / 8))
it "status says that it is full by 75 %" status_says 74 85 false
it "at 75 % new ones get in" new_ones_get_in
more $((room / 8 + 1))
it "status says that it is full" status_says 100 110 true
it "at 100 % nearly all new ones get in" nearly_all_get_in
it "none of those that live lost anything" none_lost_anything
finish

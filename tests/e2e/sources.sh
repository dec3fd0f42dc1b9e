#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A service is for the clients that its definition lets in, from the first
# moment of a change on; a restart of the daemon opens nothing.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

# prefixes FAMILY WHO...: the network of a client, by number; or all.
prefixes() {
	local who

	for who in "${@:2}"; do
		case $1$who in
		4all) echo 0.0.0.0/0 ;;
		6all) echo ::/0 ;;
		4*) echo "10.90.$who.0/24" ;;
		6*) echo "fd90:$who::/64" ;;
		esac
	done | jq -Rnc '[inputs]'
}

# sources FORWARD ALLOW DENY: both service addresses, and who may come.
sources() {
	local family vip

	for family in 4 6; do
		vip=VIP$family
		service "tcp$family" "${!vip}" tcp "$1" 1 2 | sed '$d'
		# shellcheck disable=SC2086 # words
		echo "  ], sources: {allow: $(prefixes $family $2)," \
			"deny: $(prefixes $family $3)}}"
	done | {
		echo "services:"
		cat
	} | config
}

in_force_with() {
	sources "$@"
	in_force
}

# may CLIENT, may_not CLIENT: be served, over both families.
may() {
	local vip

	for vip in "${FAMILIES[@]}"; do
		on "client-$1" curl -sS --max-time "$CURL_S" "$(url "$vip")"
	done
}

may_not() {
	local vip

	for vip in "${FAMILIES[@]}"; do
		fails on "client-$1" curl -sS --max-time 0.5 "$(url "$vip")"
	done
}

dropped() {
	fairlead status --json |
		jq '.reasons[] | select(.name == "SOURCE").packets'
}

only_who_is_allowed() {
	local before

	before=$(dropped)
	may 1
	may_not 2
	(($(dropped) > before))
}

others_than_the_denied() {
	in_force_with nat "" 1
	may_not 1
	may 2
}

longest_prefix() {
	in_force_with nat all 2
	may 1
	may_not 2
}

# What client-1 had begun goes on; what client-2 begins is served.
turned_round_under_load() {
	in_force_with nat 1 ""
	load_start keep4 keepalive "$VIP4" --concurrency 4 --pause-ms 5
	load_start keep6 keepalive "$VIP6" --concurrency 4 --pause-ms 5
	in_force_with nat 2 ""
	may_not 1
	may 2
	wait_for 5 load_is_past keep4 $(($(load_answers keep4) + 20))
	wait_for 5 load_is_past keep6 $(($(load_answers keep6) + 20))
	load_stop keep4
	load_stop keep6
}

# Lists are found again; traffic is judged by them while there is no daemon.
restarted() {
	local before

	before=$(generation)
	stop serve
	may_not 1
	may 2
	serve
	may_not 1
	may 2
	[[ $(generation) == "$before" ]]
}

killed_and_changed() {
	stop serve KILL
	sources nat 1 ""
	may_not 1
	serve
	may 1
	may_not 2
}

without_nat() {
	decap 1 2
	in_force_with ipip 1 ""
	may 1
	may_not 2
}

# No request of a client that is let in all the while fails, whatever else
# changes: each list is whole when it is put in force.
many_changes() {
	local i

	load_start short4 short "$VIP4" --concurrency 4
	load_start short6 short "$VIP6" --concurrency 4
	for i in {1..15}; do
		in_force_with ipip 1 ""
		in_force_with ipip all 2
		in_force_with ipip "" ""
	done
	load_stop short4
	load_stop short6
	may 2
}

shown() {
	in_force_with ipip 1 2
	fairlead service show tcp4
	fairlead service show tcp4 |
		grep -E "^10\.90\.1\.0/24 +allow"
	fairlead service show tcp6 --json | jq -ce '.sources ==
		{"allow": ["fd90:1::/64"], "deny": ["fd90:2::/64"]}'
}

told_by_diff() {
	sed 's|10.90.1.0/24|10.90.3.0/24|; s|"fd90:1::/64"|"::/0"|' \
		"$CONFIG" >"$DIR/other.yaml"
	fairlead diff "$DIR/other.yaml" >"$DIR/diff"
	cat "$DIR/diff"
	grep -Fx -- "- source tcp4: allow 10.90.1.0/24" "$DIR/diff"
	grep -Fx -- "+ source tcp4: allow 10.90.3.0/24" "$DIR/diff"
	grep -Fx -- "- source tcp6: allow fd90:1::/64" "$DIR/diff"
	grep -Fx -- "+ source tcp6: allow ::/0" "$DIR/diff"
	(($(wc -l <"$DIR/diff") == 4))
}

# many COUNT FIRST: the service of IPv4, for client-1, with so many prefixes.
many() {
	{
		echo "services:"
		service tcp4 "$VIP4" tcp ipip 1 2 | sed '$d'
		echo "  ], sources: {allow: [10.90.1.0/24], deny: ["
		seq "$2" $(($1 + $2 - 2)) | awk '{ printf "11.%d.%d.%d,",
			$1 / 65536, $1 / 256 % 256, $1 % 256 }'
		echo "]}}"
		service tcp6 "$VIP6" tcp ipip 1 2 | sed '$d'
		echo "  ], sources: {deny: ['fd90:2::/64']}}"
	} | config
}

# The map has room for old and new ones side by side, and a view for all.
as_many_as_there_can_be() {
	many 65535 0
	in_force
	may 1
	many 65535 70000
	in_force
	may 1
	may_not 2
	fairlead service show tcp4 --json |
		jq -ce '.sources.deny | length == 65534 and .[0] == "11.1.17.112"'
	stop serve
	serve
	may 1
	many 65536 0
	fails in_force
	fairlead status --json | jq -re .applied.error | tee "$DIR/error"
	grep -q "65537 .* 65536" "$DIR/error"
	may 1
}

# There is no room for any number of old lists: the daemon waits for it, and
# who waits for the daemon does too.
as_fast_as_can_be() {
	local i

	for i in {1..6}; do
		many 65535 $((i * 70000))
		in_force
	done
	fairlead service show tcp4 --json |
		jq -ce '.sources.deny | length == 65534 and .[0] == "11.6.104.160"'
	may 1
}

story 2 2
sources nat 1 ""
serve
it "only who is allowed may come" only_who_is_allowed
it "everybody else than who is denied may" others_than_the_denied
it "the longest prefix decides" longest_prefix
it "connections go on when their client may no longer come" \
	turned_round_under_load
it "a restart changes nothing" restarted
it "a daemon that was killed obeys the file again" killed_and_changed
it "the same in a tunnel" without_nat
it "changes harm nobody who is let in" many_changes
it "service show shows the sources" shown
it "diff tells what changes" told_by_diff
it "as many prefixes as there can be, changed as fast" as_fast_as_can_be
it "as many prefixes as there can be, and one more" as_many_as_there_can_be
finish

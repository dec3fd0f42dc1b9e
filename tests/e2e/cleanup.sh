#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Cleanup leaves nothing: every program, map and link that was pinned is gone
# from the kernel, and the interfaces are as they were.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

# "prog 12", "map 7" ... of everything under the pins. bpftool finds out by
# itself what a pin is only where it lists, so ask for each kind.
pinned_ids() {
	local pin kind id

	while read -r pin; do
		for kind in prog map link; do
			id=$(bpftool -j "$kind" show pinned "$pin" 2>/dev/null |
				jq '.id // empty' 2>/dev/null) || continue
			[[ -z $id ]] || echo "$kind $id"
			[[ $kind != link || -z $id ]] || echo "prog $(
				bpftool -j link show id "$id" | jq .prog_id)"
		done
	done < <(find "$PINS" -type f) | sort -u
}

# Of a program, the maps that it alone may keep alive (its constants).
with_maps() {
	local kind id

	while read -r kind id; do
		echo "$kind $id"
		[[ $kind != prog ]] || bpftool -j prog show id "$id" |
			jq -r '.map_ids[]? | "map \(.)"'
	done | sort -u
}

none_left() {
	local kind id

	while read -r kind id; do
		if bpftool "$kind" show id "$id" >/dev/null 2>&1; then
			bpftool "$kind" show id "$id"
			return 1
		fi
	done <"$DIR/ids"
}

refused_while_the_daemon_runs() {
	fails fairlead cleanup --yes
	[[ $(ask "$VIP4") == backend-1 ]]
}

cleaned() {
	pinned_ids | with_maps >"$DIR/ids"
	cat "$DIR/ids"
	grep -q prog "$DIR/ids"
	grep -q map "$DIR/ids"
	stop serve
	fails nothing_attached balancer
	fails nothing_attached backend-1
	fairlead cleanup --yes
	fairlead_on backend-1 cleanup --yes
	wait_for 10 none_left
	nothing_attached balancer
	nothing_attached backend-1
	[[ -z $(find "$PINS" -type f) ]]
	fails ask "$VIP4" --max-time 1
}

once_more() {
	fairlead cleanup --yes
}

serves_again() {
	decap 1
	serve
	[[ $(ask "$VIP4") == backend-1 ]]
	[[ $(ask "$VIP6") == backend-1 ]]
}

story 1
services ipip 1
decap 1
serve
it "refused while the daemon runs" refused_while_the_daemon_runs
it "nothing is left in the kernel" cleaned
it "cleaning what is clean is no error" once_more
it "a new start from nothing" serves_again
finish

# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# What a test's TAP and exit status amount to. A test that ends badly without
# a word, or before its last case, has failed once more; a fuzz target speaks
# no TAP and is one case. cmocka 1.1 calls a skipped case "not ok".

count() {
	grep -cE "$1" "$2" || true
}

# verdict NAME STATUS LOG: how many cases passed, failed and were skipped.
verdict() {
	local status=$2 log=$3 ok bad skip planned

	if [[ $1 == fuzz/* ]]; then
		echo $((status == 0)) $((status != 0)) 0
		return
	fi
	skip=$(count '^(not )?ok .*# SKIP' "$log")
	ok=$(count '^ok ' "$log")
	bad=$(($(count '^(not )?ok ' "$log") - ok))
	ok=$((ok - $(count '^ok .*# SKIP' "$log")))
	bad=$((bad - $(count '^not ok .*# SKIP' "$log")))
	planned=$(awk -F '\\.\\.' '/^1\.\.[0-9]+/ { n += $2 } END { print n + 0 }' \
		"$log")
	if ((status == 77 && ok + bad + skip == 0)); then
		skip=1
	elif ((ok + bad + skip != planned || planned == 0)); then
		bad=$((bad + 1))
	elif ((status != 0 && bad == 0)); then
		bad=1
	fi
	echo "$ok $bad $skip"
}

# summary [FAILURES-MORE]: of all counts in $OUT, in one plain line.
summary() {
	cat "$OUT"/*.count 2>/dev/null | awk -v more="${1:-0}" '
		{ ok += $1; bad += $2; skip += $3 }
		END {
			bad += more
			printf "%d passed, %d failed", ok, bad
			if (skip)
				printf ", %d skipped", skip
			print ""
			exit bad > 0 || ok == 0
		}'
}

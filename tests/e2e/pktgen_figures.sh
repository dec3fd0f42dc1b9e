#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What scripts/bench pktgen makes of what pktgen says: the search for the
# highest rate, the packets, the report.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

case_of() {
	cd "$ROOT/tests/bench"
	python3 -B -m unittest -v "pktgen_test.$1" >"$DIR/said" 2>&1 ||
		(cat "$DIR/said" && return 1)
	! grep -o "skipped '.*'" "$DIR/said" || exit 77
}

mkdir -p "$DIR"
trap 'rm -rf "$DIR"' EXIT
class=
while read -r word name; do
	name=${name%%(*}
	if [[ $word == class ]]; then
		class=$name
	else
		name=${name#test_}
		it "${name//_/ }" case_of "$class.test_$name"
	fi
done < <(grep -oE '^class \w+\(unittest|^    def test_\w+\(' \
	"$ROOT/tests/bench/pktgen_test.py")
finish

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Alone: it measures how fast packets get through.
#
# scripts/bench pktgen finds rates for Fairlead and for IPVS, of both families,
# or says what the kernel lacks.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

WAYS=(fairlead-nat fairlead-ipip-generic ipvs-masq)

bench() {
	B=$B "$ROOT/scripts/bench" pktgen "$@"
}

refused() {
	fails bench --quick 2>"$DIR/said"
	cat "$DIR/said"
	grep -q "^bench: Linux .* has no .*pktgen\|^bench: .* no IPVS" "$DIR/said"
	grep -q '^hint: .*scripts/vm-test 6.1 scripts/bench pktgen$' "$DIR/said"
}

measured() {
	local ways=${WAYS[*]}

	bench --quick --repeats 1 --ways "${ways// /,}" --families 4,6 \
		--services 2 --flows 64 --json "$DIR/pktgen.json" \
		--picture "$DIR/pktgen.png"
	test -s "$DIR/pktgen.png"
}

# has_figure WAY FAMILY: a rate of 1000/s or more, and its cost.
has_figure() {
	jq -e --arg way "$1" --argjson family "$2" '.figures
		| map(select(.way == $way and .family == $family))
		| length == 1 and .[0].pps.median > 1000
			and .[0].cpu_ns.median > 0 and .[0].loss == 0' \
		"$DIR/pktgen.json"
}

left_nothing() {
	fails grep -q flpktgen <(ip netns list; ls /tmp /sys/fs/bpf)
}

no_such_way() {
	fails bench --ways fairlead-nit 2>"$DIR/said"
	grep -q '"fairlead-nit" is no way' "$DIR/said"
}

((EUID == 0)) || skip_all "needs root"
[[ -x $FAIRLEAD ]] || skip_all "$FAIRLEAD is not built"
mkdir -p "$DIR"
trap 'rm -rf "$DIR"' EXIT
it "a way that does not exist is refused" no_such_way
modprobe -qa pktgen ip_vs || true
if [[ ! -d /proc/net/pktgen || ! -e /proc/net/ip_vs ]]; then
	it "says what the kernel lacks, and where there is one" refused
	finish
fi
it "measures" measured
for way in "${WAYS[@]}"; do
	for family in 4 6; do
		it "has a rate for $way, IPv$family" has_figure "$way" $family
	done
done
it "leaves nothing behind" left_nothing
finish

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Alone: it measures time.
# Ten thousand services with a hundred thousand backends: how soon they are in
# force, what the daemon holds, how soon one more backend is.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

SERVICES=10000
BACKENDS=10
APPLY_MS_MAX=2000
CHANGE_MS_MAX=5
RESIDENT_KB_MAX=100000

now_ms() {
	echo $((${EPOCHREALTIME/./} / 1000))
}

# All services but the client's one, whose name is the last in order.
many_services() {
	awk -v services="$SERVICES" -v backends="$BACKENDS" 'BEGIN {
		print "services:"
		for (s = 0; s < services - 1; s++) {
			printf "  - name: s%05d\n    port: 80\n" \
				"    address: 198.18.%d.%d\n    backends:\n",
				s, s / 256, s % 256
			for (b = 0; b < backends; b++) {
				n = s * backends + b
				printf "      - {address: 10.%d.%d.%d," \
					" port: 8080}\n", 100 + n / 65536,
					n / 256 % 256, n % 256
			}
		}
	}'
}

all_in_force() {
	local start took

	many_services >"$DIR/many"
	service z "$VIP4" tcp nat 1 >>"$DIR/many"
	start=$(now_ms)
	mv "$DIR/many" "$CONFIG/many.yaml"
	in_force
	[[ $(ask "$VIP4") == backend-1 ]]
	took=$(($(now_ms) - start))
	echo "$SERVICES services were in force after $took ms"
	jq -e ".services == $SERVICES" "$DIR/status.json"
	((took < APPLY_MS_MAX))
}

started_with_all() {
	local start took

	stop serve
	start=$(now_ms)
	serve
	took=$(($(now_ms) - start))
	echo "adopted after $took ms"
	((took < APPLY_MS_MAX))
}

small_in_memory() {
	local kb

	kb=$(awk '$1 == "VmRSS:" { print $2 }' "/proc/$(<"$DIR/serve.pid")/status")
	echo "$kb kB resident"
	((kb < RESIDENT_KB_MAX))
}

# The daemon says what it applied when it is in force: how long after the file
# was put in its place? The median of several.
one_more_in_force() {
	local i

	for ((i = 0; i < 9; i++)); do
		{
			echo "services:"
			service one "$VIP6" tcp nat $((1 + i % 2)) 3
		} >"$DIR/one"
		python3 - "$DIR/one" "$CONFIG/one.yaml" "$DIR/serve.err" <<-'END'
			import os, sys, time
			new, place, log = sys.argv[1:]
			said = os.stat(log).st_size
			start = time.monotonic()
			os.rename(new, place)
			while os.stat(log).st_size == said:
			    if time.monotonic() - start > 10:
			        sys.exit("nothing happened in 10 s")
			print("%.1f" % (1000 * (time.monotonic() - start)))
		END
		in_force
	done | sort -n | tee "$DIR/times"
	awk -v max="$CHANGE_MS_MAX" 'NR == 5 { fast = $1 < max } END { exit !fast }' "$DIR/times"
}

story 3
CONFIG=$DIR/conf.d
mkdir "$CONFIG"
echo "uplinks: [eth0]" >"$CONFIG/node.yaml"
serve
it "$SERVICES services from a file" all_in_force
it "one backend more or less" one_more_in_force
it "a daemon that starts with them in the kernel" started_with_all
it "what the daemon holds in memory" small_in_memory
finish

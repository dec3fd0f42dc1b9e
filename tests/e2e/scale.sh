#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Ten thousand services with a hundred thousand backends: they come into force,
# one more backend does, a daemon that starts finds them, and they fit into
# memory. How long it takes is for scripts/bench control to say.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

SERVICES=10000
BACKENDS=10
RESIDENT_KB_MAX=100000

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
	many_services >"$DIR/many"
	service z "$VIP4" tcp nat 1 >>"$DIR/many"
	mv "$DIR/many" "$CONFIG/many.yaml"
	IN_FORCE_S=120 in_force
	[[ $(ask "$VIP4") == backend-1 ]]
	jq -e ".services == $SERVICES" "$DIR/status.json"
}

started_with_all() {
	stop serve
	IN_FORCE_S=120 serve
	[[ $(ask "$VIP4") == backend-1 ]]
	tail -n 1 "$DIR/serve.err"
	fails grep 'backends: .* added' "$DIR/serve.err"
}

small_in_memory() {
	local kb

	kb=$(awk '$1 == "VmRSS:" { print $2 }' "/proc/$(<"$DIR/serve.pid")/status")
	echo "$kb kB resident"
	((kb < RESIDENT_KB_MAX))
}

# And no more than that is written.
one_more_in_force() {
	local i

	for i in 1 2 1; do
		{
			echo "services:"
			service one "$VIP6" tcp nat "$i" 3
		} >"$DIR/one"
		mv "$DIR/one" "$CONFIG/one.yaml"
		IN_FORCE_S=120 in_force
		all_answer "$VIP6" "backend-$i" backend-3
	done
	grep 'services: 1 changed; backends: 1 added, 1 removed$' "$DIR/serve.err"
}

story 3
CONFIG=$DIR/conf.d
mkdir "$CONFIG"
printf 'uplinks: [eth0]\nservices: []\n' >"$CONFIG/node.yaml"
serve
it "$SERVICES services from a file" all_in_force
it "one backend more or less" one_more_in_force
it "a daemon that starts with them in the kernel" started_with_all
it "what the daemon holds in memory" small_in_memory
finish

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Traffic does not need the daemon: it is killed, started again, stopped and
# replaced by another build under load, and no request notices.
# Long: minutes, so that it begins before others.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

killed() {
	stop serve KILL
	loads_go_on
}

started_again() {
	local before

	before=$(generation)
	serve
	loads_go_on
	[[ $(generation) == "$before" ]]
}

stopped() {
	stop serve
	loads_go_on
}

replaced() {
	local before

	OTHER=$ROOT/build-19/fairlead
	[[ -x $OTHER && $OTHER != "$FAIRLEAD" ]] || {
		echo "no other build"
		exit 77
	}
	before=$(program_behind)
	stop serve
	BINARY=$OTHER serve
	loads_go_on
	[[ $(program_behind) != "$before" ]]
	stop serve
	serve
	loads_go_on
}

definitions_changed_meanwhile() {
	stop serve
	services "$mode" 1 2 3:drain
	loads_go_on
	serve
	loads_go_on
	ask_many 60 "$VIP4" >"$DIR/answers"
	fails grep backend-3 "$DIR/answers"
}

# Who begins anew from a port of an ended connection stays with its backend: who
# asks for new ones is not who makes all the others.
ASKER=client-2
story 3 2
decap 1 2 3
for mode in nat l2 ipip gue gre geneve; do
	services "$mode" 1 2 3
	if running serve; then in_force; else serve; fi
	loads_start
	it "$mode: kill -9, and requests are answered" killed
	it "$mode: started again, it adopts what is there" started_again
	it "$mode: SIGTERM, and requests are answered" stopped
	it "$mode: started once more" started_again
	it "$mode: another build replaces the programs" replaced
	it "$mode: changes made while it was away" definitions_changed_meanwhile
	it "$mode: no request failed, no connection moved" loads_stop
done
finish

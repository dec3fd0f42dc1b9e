#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Nobody but root can keep the daemon, or cleanup, from running: not by a lock
# of serve.pid, not by what he puts in its place. And one daemon is enough for
# what is pinned, whatever its run directory is.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

RUN=$DIR/run-balancer
NOBODY=(setpriv --reuid=65534 --regid=65534 --clear-groups)

# An earlier version's file, whose lock a local user holds.
held_by_nobody() {
	rm -f "$RUN/serve.pid"
	echo 1 >"$RUN/serve.pid"
	chmod 644 "$RUN/serve.pid"
	start nobody balancer "${NOBODY[@]}" flock -s "$RUN/serve.pid" \
		sleep 1000
	wait_for 5 fails flock -n "$RUN/serve.pid" true
}

starts_all_the_same() {
	held_by_nobody
	serve
	[[ $(ask "$VIP4") == backend-1 ]]
	[[ $(<"$RUN/serve.pid") == "$(<"$DIR/serve.pid")" ]]
}

nobody_can_hold_it_now() {
	stat -c '%a %U' "$RUN/serve.pid"
	[[ $(stat -c '%a %U' "$RUN/serve.pid") == "600 root" ]]
	fails "${NOBODY[@]}" flock -n -s "$RUN/serve.pid" true
}

no_second_one() {
	fails fairlead serve --once --config "$CONFIG" 2>"$DIR/said"
	grep 'another daemon runs here' "$DIR/said"
	fails fairlead cleanup --yes 2>"$DIR/said"
	grep 'a daemon runs' "$DIR/said"
}

elsewhere() {
	on balancer env FAIRLEAD_PIN_ROOT="$PINS/balancer" \
		FAIRLEAD_RUN_DIR="$DIR/run-other" "$FAIRLEAD" "$@"
}

# As when one container replaces another.
no_second_one_elsewhere() {
	local before

	before=$(generation)
	fails elsewhere serve --once --config "$CONFIG" 2>"$DIR/said"
	cat "$DIR/said"
	grep "another daemon works on the tables in \"$PINS/balancer\"" \
		"$DIR/said"
	fails elsewhere cleanup --yes 2>"$DIR/said"
	grep "a daemon works on the tables in \"$PINS/balancer\"" "$DIR/said"
	[[ $(generation) == "$before" ]]
	[[ $(ask "$VIP4") == backend-1 ]]
}

cleaned_all_the_same() {
	stop serve
	stop nobody KILL
	held_by_nobody
	fairlead cleanup --yes
	[[ ! -e $PINS/balancer ]]
}

not_through_a_link() {
	echo precious >"$DIR/precious"
	ln -sf "$DIR/precious" "$RUN/serve.pid"
	serve
	[[ $(<"$DIR/precious") == precious ]]
	[[ ! -L $RUN/serve.pid ]]
	stop serve
}

not_where_all_may_write() {
	chmod 777 "$RUN"
	fails fairlead serve --once --config "$CONFIG" 2>"$DIR/said"
	cat "$DIR/said"
	grep 'others than root may write to the run directory' "$DIR/said"
	chmod 755 "$RUN"
	serve
	[[ $(ask "$VIP4") == backend-1 ]]
}

as_nobody() {
	on balancer env FAIRLEAD_PIN_ROOT="$PINS/balancer" \
		FAIRLEAD_RUN_DIR="$DIR/run-none" "${NOBODY[@]}" "$FAIRLEAD" "$@"
}

# Who may not look at what is loaded is told so, not that nothing is.
not_loaded_is_not_said() {
	local command

	for command in status "status --json" "service list"; do
		# shellcheck disable=SC2086
		fails as_nobody $command >"$DIR/said" 2>&1
		cat "$DIR/said"
		grep 'cannot look into .*: Permission denied' "$DIR/said"
		fails grep 'loaded' "$DIR/said"
	done
}

story 1
mkdir -p "$RUN"
services nat 1
it "a lock that a local user holds" starts_all_the_same
it "the lock is root's alone" nobody_can_hold_it_now
it "a second daemon is refused" no_second_one
it "a second one with a run directory of its own, too" no_second_one_elsewhere
it "cleanup asks nobody" cleaned_all_the_same
it "a link in place of the file" not_through_a_link
it "a run directory that all may write to" not_where_all_may_write
it "who may not look is told so" not_loaded_is_not_said
finish

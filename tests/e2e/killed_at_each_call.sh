#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Death at any system call of a start, an upgrade and a growth of the tables,
# that of connections among them: what was served is served, the next start finds tables that belong together,
# and nothing is left over. A few deaths a phase, spread over the calls that
# change something; with ALL=1 at every call of every kind (an hour).
# Long: minutes, so that it begins before others.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

TRIES=${TRIES:-12}		# a phase
WRITES='bpf|mkdir|symlink|rename|renameat2|unlink|rmdir|sendto|sendmsg|flock'
MANY=1100			# services: more than there is room for at first

# once [COMMAND...]: the daemon puts the definitions in force, and ends.
once() {
	on balancer env FAIRLEAD_PIN_ROOT="$PINS/balancer" \
		FAIRLEAD_RUN_DIR="$DIR/run-balancer" \
		"$@" "$FAIRLEAD" serve --once --config "$CONFIG" \
		>>"$DIR/once.log" 2>&1
}

# Every call in turn, as "name n": the nth of its name.
calls() {
	once strace -qq -o "$DIR/calls" || return 1
	sed -nE 's/^([a-z0-9_]+)\(.*/\1/p' "$DIR/calls" |
		awk '{ print $1, ++seen[$1] }' |
		if [[ -n ${ALL:-} ]]; then cat; else
			grep -E "^($WRITES) " | awk -v tries="$TRIES" '
				{ line[NR] = $0 }
				END {
					step = NR / tries
					for (i = 1; i <= NR; i += step < 1 ? 1 : step)
						print line[int(i)]
				}'
		fi
}

# killed_at NAME N: it is, unless that call comes no more.
killed_at() {
	local rc=0

	once strace -qq -o /dev/null -e trace="$1" \
		-e inject="$1":signal=KILL:when="$2" || rc=$?
	((rc == 137 || rc == 0))
}

few() {
	services nat 1
}

many() {
	local i

	services nat 1
	{
		cat "$CONFIG"
		for ((i = 0; i < MANY; i++)); do
			echo "  - {name: s$i, address: 198.18.$((i / 250)).$((i % 250)),"
			echo "     port: 80, protocol: tcp, forward: nat, backends: ["
			echo "       {address: 10.91.0.11, port: 80}]}"
		done
	} >"$CONFIG.many"
	mv "$CONFIG.many" "$CONFIG"
}

answers() {
	local vip

	for vip in "${FAMILIES[@]}"; do
		[[ $(ask "$vip") == backend-[12] ]] || return 1
	done
}

# One generation, whose tables have the sizes that they should; nothing else.
whole() {
	[[ $(find "$PINS/balancer" -mindepth 2 -maxdepth 2 -type d | wc -l) == 1 ]]
	[[ -z $(find "$PINS/balancer" -name '*_next' -o -name 'moving_to') ]]
	[[ $(find "$PINS/balancer" -name 'fl_xdp_*' | wc -l) == 1 ]]
	fairlead status --json >"$DIR/status.json"
	jq -e '[.maps[] | select(.name | IN("services", "infos", "turns")) |
		.room] | unique | length == 1' "$DIR/status.json"
	jq -e --argjson services "$1" '.services == $services' "$DIR/status.json"
}

nothing() {
	fairlead cleanup --yes >>"$DIR/once.log" 2>&1
}

# each PREPARE AFTER SERVICES: prepare, be killed, after; for each call.
each() {
	local name n count=0

	"$1"
	calls >"$DIR/list"
	wc -l <"$DIR/list"
	while read -r name n; do
		echo "killed at $name $n"
		"$1"
		killed_at "$name" "$n"
		"$2"
		once
		answers
		whole "$3"
		count=$((count + 1))
	done <"$DIR/list"
	((count > 5))
}

before_start() {
	nothing
	few
}

before_upgrade() {
	few
	once
}

before_growth() {
	nothing
	few
	once
	many
}

# Each time to a larger one.
before_connections() {
	LIMIT=$((LIMIT + 700))
	services nat 1 2
	sed -i "1i limits: {connections: $LIMIT}" "$CONFIG"
}

connections_go_on() {
	local before vip

	for vip in "${FAMILIES[@]}"; do
		before=$(load_answers "kept-$vip")
		wait_for 5 load_is_past "kept-$vip" $((before + 20))
	done
}

connections_grow() {
	local vip

	LIMIT=2000
	nothing
	before_connections
	once
	for vip in "${FAMILIES[@]}"; do
		load_start "kept-$vip" keepalive "$vip" --concurrency 8 \
			--pause-ms 5
		load_start "short-$vip" short "$vip" --pause-ms 5
	done
	each before_connections connections_go_on 4
	fairlead status --json | jq -e ".connections.limit >= $LIMIT"
	for vip in "${FAMILIES[@]}"; do
		load_stop "kept-$vip"
		load_kept "kept-$vip"
		load_stop "short-$vip"
	done
}

# Once, and not once more for good measure.
tables_have_a_quarter_to_spare() {
	fairlead status --json | jq -e '[.maps[] |
		select(.name | IN("services", "infos")) |
		.room > 1024 and .room >= .used and .room < 1.3 * .used] | all'
}

upgrades_under_load() {
	nothing
	before_upgrade
	load_start keepalive keepalive "$VIP4" --concurrency 4 --pause-ms 5
	each before_upgrade answers 4
	load_stop keepalive
	load_report keepalive | jq -e '.connections == 4 and .moved == 0'
}

command -v strace >/dev/null || skip_all "needs strace"
story 2
mkdir -p "$DIR/run-balancer"
it "killed while it starts" each before_start true 4
it "killed while it upgrades, under load" upgrades_under_load
it "killed while its tables grow" each before_growth answers $((MANY + 4))
it "the tables grew by what is needed and a quarter" \
	tables_have_a_quarter_to_spare
it "killed while the table of connections grows, under load" connections_grow
finish

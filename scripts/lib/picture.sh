# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# The demo's picture of how requests spread, from the reports of its clients:
# a bar for each backend, of new connections and of those that are kept. On a
# terminal it is drawn over itself; elsewhere the last one of a step counts.

BAR=(████████████████████████ ························)
BAR_LENGTH=24
declare -A before now	# requests by "KIND BACKEND"
picture_lines=0

# What the clients of a kind have had from each backend so far: "NAME COUNT".
answers() {
	local log

	for log in "$DIR/$1"-*.log; do
		tail -n 2 "$log" | grep '}}$' | tail -n 1
	done | jq -rs 'map(.backends | to_entries[]) | group_by(.key)[] |
		"\(.[0].key) \(map(.value) | add)"'
}

# sum FIELD: over all clients.
sum() {
	local log

	for log in "$DIR"/{new,kept}-*.log; do
		tail -n 2 "$log" | grep '}}$' | tail -n 1
	done | jq -s "map(.$1) | add"
}

picture_read() {
	local kind name count

	for kind in new kept; do
		while read -r name count; do
			now["$kind $name"]=$count
		done < <(answers "$kind")
	done
}

# From here on is what the next picture shows.
picture_begin() {
	local key

	picture_read
	for key in "${!now[@]}"; do
		before[$key]=${now[$key]}
	done
	picture_lines=0
}

# row SHARE OF: a bar and its percentage.
row() {
	local length=0 percent=0

	if (($2 > 0)); then
		length=$((($1 * BAR_LENGTH + $2 / 2) / $2))
		percent=$((($1 * 100 + $2 / 2) / $2))
	fi
	printf '%s%s %3d %%' "${BAR[0]:0:length}" \
		"${BAR[1]:0:BAR_LENGTH - length}" $percent
}

# picture BACKENDS
picture() {
	local i kind total line lines=()
	local -A got=() totals=()

	picture_read
	for kind in new kept; do
		total=0
		for ((i = 1; i <= $1; i++)); do
			got[$kind$i]=$((${now["$kind backend-$i"]:-0} -
				${before["$kind backend-$i"]:-0}))
			total=$((total + got[$kind$i]))
		done
		totals[$kind]=$total
	done
	lines+=("               new connections                  kept connections")
	for ((i = 1; i <= $1; i++)); do
		lines+=("    backend-$i  $(row "${got[new$i]}" "${totals[new]}"
		)  $(row "${got[kept$i]}" "${totals[kept]}")")
	done
	lines+=("    $(sum requests) requests so far, $(sum failures) failed")
	if ((picture_lines)); then
		printf '\e[%dA' $picture_lines
	fi
	for line in "${lines[@]}"; do
		printf '%s' "$line"
		[[ ! -t 1 ]] || printf '\e[K'
		echo
	done
	picture_lines=${#lines[@]}
}

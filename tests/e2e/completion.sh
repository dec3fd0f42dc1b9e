#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Shells offer what may come next: commands, options, services that there are; and
# all is said at once to who is to find a fault.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

FILES=$ROOT/scripts/packaging/completion

# by_bash WORD... : what it offers in place of the last one.
by_bash() {
	local COMP_WORDS=(fairlead "$@") COMP_CWORD=$# COMPREPLY=()

	# shellcheck source=/dev/null
	. "$FILES/fairlead.bash"
	_fairlead "$FAIRLEAD"
	echo "${COMPREPLY[*]}"
}

bash_offers() {
	[[ $(by_bash se) == "serve service selftest" ]]
	[[ $(by_bash service "") == "list show" ]]
	[[ $(by_bash service list --j) == --json ]]
	[[ $(by_bash service show w) == "web web6" ]]
	[[ $(by_bash serve --config "") == "" ]]
}

fish_offers() {
	type -P fish >/dev/null || { echo "there is no fish"; return 77; }
	local offered

	offered=$(fish -c "source '$FILES/fairlead.fish'
		complete -C'$FAIRLEAD service s'" | cut -f 1)
	echo "$offered"
	grep -x show <<<"$offered"
	fails grep -x list <<<"$offered"
}

zsh_is_right() {
	type -P zsh >/dev/null || { echo "there is no zsh"; return 77; }
	zsh -n "$FILES/_fairlead"
}

# Everything, but what is secret.
report_tells_no_secret() {
	fairlead bugreport >"$DIR/report" 2>"$DIR/said"
	[[ ! -s $DIR/said ]]
	grep "^== fairlead backend list" "$DIR/report"
	grep "10.91.0.11" "$DIR/report"
	grep "^== /proc/version" "$DIR/report"
	fails grep -i "a-very-long-secret" "$DIR/report"
}

story 0 0
config <<-END
	hash-key: a-very-long-secret-that-nodes-share
	services:
	  - {name: web, address: $VIP4, port: 80, backends: [{address: 10.91.0.11}]}
	  - {name: web6, address: '$VIP6', port: 80, backends: []}
END
export FAIRLEAD_PIN_ROOT=$PINS/balancer
serve
it "bash offers what may come next" bash_offers
it "so does fish" fish_offers
it "zsh's file is right" zsh_is_right
it "a report for others has no secrets" report_tells_no_secret
finish

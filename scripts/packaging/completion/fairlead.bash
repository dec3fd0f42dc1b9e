# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# For bash-completion: what fairlead itself says may come next, else files.
_fairlead() {
	mapfile -t COMPREPLY < <("$1" complete \
		"${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _fairlead fairlead

# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# Pairs of veth between hosts of the sandbox, with an address at either end.

# pair_add HOST PORT ADDRESS HOST PORT ADDRESS
pair_add() {
	ip -n "$NET-$1" link add "$2" type veth peer name "$5" netns "$NET-$4"
	ip_on "$1" <<-END
		addr add $3 dev $2
		link set $2 up
	END
	ip_on "$4" <<-END
		addr add $6 dev $5
		link set $5 up
	END
}

# The same, for XDP, which wants whole checksums, and room on the other side.
wire_add() {
	pair_add "$@"
	on "$1" ethtool -K "$2" tx off gro on >/dev/null
	on "$4" ethtool -K "$5" tx off gro on >/dev/null
}

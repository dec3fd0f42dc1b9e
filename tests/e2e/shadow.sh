#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A shadow does all that serve does, but touches no packet; then serve takes
# over what it has prepared.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

ask_any() {
	on client-1 curl -so /dev/null --max-time 1 "http://$VIP4/"
}

says_so() {
	fairlead status --json | jq -e '.daemon.shadow and .services == 1 and
		.backends.active == 2 and .applied.synced'
	fairlead status | grep "^shadow:"
}

nothing_is_attached() {
	fails ask_any
	on balancer ip -json link show | jq -e 'all(.[]; .xdp == null)'
	[[ -z $(on balancer tc filter show dev eth0 ingress) ]]
	fairlead status --json | jq -e '.attachments == [] and
		all(.reasons[]; .packets == 0)'
	fairlead service list --json | jq -e 'length == 1'
}

# In force, and still served by nobody.
changes_are_followed() {
	config <<-END
		services:
		  - name: web
		    address: $VIP4
		    port: 80
		    backends: [{address: 10.91.0.11}]
	END
	in_force
	fairlead status --json | jq -e '.backends.active == 1'
	fails ask_any
}

serve_takes_over() {
	stop serve
	serve
	in_force
	wait_for 10 ask_any
	fairlead status --json | jq -e '.daemon.shadow | not'
}

# Two daemons at once no more than ever, nor one above what is served.
no_shadow_over_what_is_served() {
	stop serve
	ask_any
	fails fairlead_on balancer serve --shadow --once --config "$CONFIG" \
		2>"$DIR/said"
	grep "served already" "$DIR/said"
	ask_any
}

story 2 1
config <<-END
	services:
	  - name: web
	    address: $VIP4
	    port: 80
	    backends: [{address: 10.91.0.11}, {address: 10.91.0.12}]
END
serve --shadow
in_force
it "a shadow says that it is one" says_so
it "nothing is attached" nothing_is_attached
it "changes are followed" changes_are_followed
it "serve takes over" serve_takes_over
it "no shadow over what is served" no_shadow_over_what_is_served
finish

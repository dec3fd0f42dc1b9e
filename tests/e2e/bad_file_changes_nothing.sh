#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A file that is wrong is named with its place, and changes nothing.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

# The place, and what is wrong there, are said; the old definitions hold.
refused() {
	local before place=$1

	before=$(generation)
	config
	fails fairlead status --wait --timeout 5 2>"$DIR/said"
	cat "$DIR/said"
	grep -q "fairlead.yaml:$place:[0-9]*:" "$DIR/said"
	grep -q "fairlead.yaml:$place:[0-9]*:" "$DIR/serve.err"
	[[ $(generation) == "$before" ]]
	[[ $(ask "$VIP4") == backend-1 ]]
	[[ $(ask "$VIP6") == backend-1 ]]
}

checked() {
	fails fairlead check "$CONFIG" 2>"$DIR/said"
	cat "$DIR/said"
	grep -qE '(^|/)fairlead.yaml:[0-9]+:[0-9]+: ' "$DIR/said"
}

not_yaml() {
	refused 4 <<-END
		services:
		  - {name: web, address: 192.0.2.10
		  ]
	END
}

# A node's whose services an API server has.
settings_alone_are_right() {
	echo "cluster-cidr: 10.244.0.0/16" >"$DIR/settings.yaml"
	fairlead check "$DIR/settings.yaml" 2>"$DIR/said"
	grep -qF 'no "services" in it' "$DIR/said"
	fairlead check --json "$DIR/settings.yaml" | jq -e .ok
	echo "cluster-cidr: nowhere" >"$DIR/settings.yaml"
	fails fairlead check "$DIR/settings.yaml"
	: >"$DIR/settings.yaml"
	fails fairlead check "$DIR/settings.yaml"
}

unknown_key() {
	refused 3 <<-END
		services:
		  - {name: web, adress: 192.0.2.10, port: 80}
	END
}

wrong_address() {
	refused 3 <<-END
		services:
		  - {name: web, address: 192.0.2.300, port: 80}
	END
}

weight_of_letters() {
	refused 4 <<-END
		services:
		  - {name: web, address: 192.0.2.10, port: 80,
		     backends: [{address: 10.91.0.11, port: 80, weight: heavy}]}
	END
}

# unchanged_by WORDS: these are what the daemon says of the file as it is now.
unchanged_by() {
	fails fairlead status --wait --timeout 5 2>"$DIR/said"
	cat "$DIR/said"
	grep -qF "$1" "$DIR/said"
	[[ $(generation) == 1 ]]
	[[ $(ask "$VIP4") == backend-1 ]]
	[[ $(ask "$VIP6") == backend-1 ]]
}

emptied() {
	: >"$CONFIG"
	unchanged_by "says nothing"
}

cut_off() {
	config <<<"services:"
	unchanged_by "services needs a list, not nothing"
	echo "uplinks: [eth0]" >"$CONFIG"
	unchanged_by 'no "services" in it'
}

# Nobody writes into it: who waited for that would hear nothing else.
a_fifo() {
	rm "$CONFIG"
	mkfifo "$CONFIG"
	unchanged_by "is a FIFO"
	stop serve
	start serve balancer "$FAIRLEAD" serve --config "$CONFIG"
	wait_for 10 gone serve
	grep "is a FIFO" "$DIR/serve.err"
	rm "$CONFIG"
	services nat 1
	serve
}

vanished() {
	local before

	before=$(generation)
	rm "$CONFIG"
	fails fairlead status --wait --timeout 5
	[[ $(generation) == "$before" ]]
	[[ $(ask "$VIP4") == backend-1 ]]
}

# A daemon that starts with a wrong file takes nothing down either.
restarted_with_it() {
	stop serve
	config <<-END
		services: 7
	END
	start serve balancer "$FAIRLEAD" serve --config "$CONFIG"
	wait_for 5 gone serve
	grep -q 'fairlead.yaml:2:' "$DIR/serve.err"
	[[ $(ask "$VIP4") == backend-1 ]]
}

mended() {
	services nat 2
	serve
	[[ $(ask "$VIP4") == backend-2 ]]
}

story 2
services nat 1
serve
load_start keepalive keepalive "$VIP4" --pause-ms 5
it "a file that is not YAML" not_yaml
it "check says so, too" checked
it "settings alone are right for check" settings_alone_are_right
it "a key that does not exist" unknown_key
it "an address that does not exist" wrong_address
it "a weight that is no number" weight_of_letters
it "a file that was emptied" emptied
it "a file that was cut off at the end of a line" cut_off
it "a FIFO" a_fifo
it "a file that is gone" vanished
it "a daemon that starts with a wrong file" restarted_with_it
it "a file that is right again" mended
it "no request failed" load_stop keepalive
finish

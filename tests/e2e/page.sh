#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The page that people look at: what a browser is given, and what it shows.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

AT=http://127.0.0.1:10249

get() {
	on balancer curl -sS --max-time 5 "$@"
}

overview() {
	get "$AT/api/overview" >"$DIR/overview"
}

# Everything that the page is made of comes from here, and nothing else runs.
nothing_from_elsewhere() {
	local path

	for path in / /page.css /page.js /api/overview; do
		get -D "$DIR/head" -o "$DIR/body" "$AT$path"
		grep -i "^content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';" "$DIR/head"
		grep -i '^x-content-type-options: nosniff' "$DIR/head"
		grep -i '^cache-control: no-store' "$DIR/head"
		fails grep -E '(src|href)="(http|//)|innerHTML|eval\(|<script>|style="' "$DIR/body"
	done
	[[ $(get -o "$DIR/body" -w '%{http_code}' "$AT/page.html") == 404 ]]
	[[ $(get -o "$DIR/body" -w '%{http_code}' "$AT/../../etc/passwd") == 404 ]]
}

tells_what_is() {
	overview
	jq -e '.status.synced and .left_out == 0 and
		(.attached | any(.program == "fl_xdp")) and
		(.services | map(.name) == ["web", "web6"]) and
		(.services[0].backends | map(.address) == ["10.91.0.11:80", "10.91.0.12:80"]) and
		(.services[0].fronts == ["192.0.2.10:80/tcp"]) and
		(.maps | any(.name == "backends" and .used == 3))' "$DIR/overview"
}

figures_grow() {
	local before

	overview
	before=$(jq '[.services[0].backends[].packets] | add' "$DIR/overview")
	ask "$VIP4"
	wait_for 10 grown "$before"
}

grown() {
	overview
	jq -e --argjson before "$1" '
		([.services[0].backends[].packets] | add) > $before and
		any(.reasons[]; .name == "FORWARDED" and .packets > 0)' "$DIR/overview"
}

# Series of services are the sums of their backends'.
series() {
	get "$AT/metrics" >"$DIR/metrics"
	awk '/^fairlead_backend_packets_total\{service="web",/ { sum += $2 }
	     /^fairlead_service_packets_total\{service="web"\}/ { is = $2 }
	     END { exit !(sum > 0 && sum == is) }' "$DIR/metrics"
	grep -F 'fairlead_backend_weight{service="web6",backend="[fd91::11]:80"} 100' "$DIR/metrics"
	[[ $(grep '^# TYPE' "$DIR/metrics" | sort | uniq -d) == "" ]]
	! type -P promtool >/dev/null || promtool check metrics <"$DIR/metrics"
}

# What dashboard and alerts ask for is there.
dashboard_and_alerts() {
	local packaging=$ROOT/scripts/packaging name

	for name in $(grep -ohE '\bfairlead_[a-z_]+[a-z]|process_[a-z_]+' \
		"$packaging/grafana/fairlead.json" \
		"$packaging/prometheus/alerts.yaml" | sort -u); do
		grep "^# TYPE $name " "$DIR/metrics"
	done
	jq -e '.panels | length > 5' "$packaging/grafana/fairlead.json"
	type -P promtool >/dev/null || return 0
	promtool check rules "$packaging/prometheus/alerts.yaml"
	(cd "$packaging/prometheus" && promtool test rules alerts_test.yaml)
}

# `top` has the same figures, a second's.
top_tells() {
	start asks client-1 bash -c "while :; do curl -so /dev/null http://$VIP4/; done"
	wait_for 10 top_sees
	stop asks
	fails fairlead top nobody --once
}

top_sees() {
	fairlead top web --json | jq -es 'flatten | length == 2 and
		.[0].packets_per_s >= .[1].packets_per_s and
		.[0].packets_per_s > 0 and .[0].bits_per_s > 0'
}

# shown DEFINITION-OF-WORDS...: in what a browser makes of it.
shown() {
	local word

	on balancer chromium --headless --no-sandbox --disable-gpu \
		--no-first-run --user-data-dir="$DIR/browser" \
		--virtual-time-budget=4000 --timeout=20000 --dump-dom "$AT/" \
		>"$DIR/dom" 2>"$DIR/browser.err"
	for word in "$@"; do
		grep -F -e "$word" "$DIR/dom" || return
	done
}

browser_or_skip() {
	type -P chromium >/dev/null || { echo "there is no chromium"; return 77; }
}

a_browser_shows_it() {
	browser_or_skip || return
	wait_for 20 shown '<p id="state" class="state good" role="status">all is well' \
		'10.91.0.12' '192.0.2.10:80/tcp  nat, maglev'
}

what_is_not_well_comes_first() {
	browser_or_skip || return
	fairlead backend drain web 10.91.0.11
	fairlead backend drain web 10.91.0.12
	wait_for 20 shown 'serves; see below' 'web: no backend takes new connections' \
		'drain, by hand'
	fairlead backend default web 10.91.0.11
	fairlead backend default web 10.91.0.12
}

# Names of services are refused that would be HTML; whatever else a text is, it
# is put there as text, see what nothing_from_elsewhere() looks for.
much_of_it() {
	browser_or_skip || return
	{
		echo "metrics-bind-address: 127.0.0.1"
		echo "services:"
		echo "  - name: many"
		echo "    address: 192.0.2.21"
		echo "    port: 80"
		echo "    backends:"
		for i in {0..999}; do
			echo "      - {address: 10.92.$((i / 250)).$((i % 250 + 1))}"
		done
	} | config
	in_force
	wait_for 20 shown '>10.92.0.1:80<' '>10.92.3.250:80<'
	[[ $(grep -o 'class="address"' "$DIR/dom" | wc -l) -ge 1000 ]]
}

story 2 1
config <<-END
	metrics-bind-address: 127.0.0.1
	services:
	  - {name: web, address: $VIP4, port: 80, backends: [{address: 10.91.0.11}, {address: 10.91.0.12}]}
	  - {name: web6, address: '$VIP6', port: 80, backends: [{address: 'fd91::11'}]}
END
serve
wait_for 10 overview
it "nothing of it comes from elsewhere" nothing_from_elsewhere
it "it tells what is there" tells_what_is
it "figures grow with packets" figures_grow
it "metrics have them as well" series
it "top tells who is busy" top_tells
it "dashboard and alerts ask for what is there" dashboard_and_alerts
it "a browser shows it" a_browser_shows_it
it "what is not well comes first" what_is_not_well_comes_first
it "a thousand backends" much_of_it
finish

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# In kube-proxy's place while it is in use: connections that went by its rules
# live on, new ones are ours, its rules are removed, and nobody else's. And back.
# Long: minutes, so that it begins before others.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/node_lib.sh
. "${0%/*}/node_lib.sh"
# shellcheck source=tests/sandbox/kube_rules.sh
. "$ROOT/tests/sandbox/kube_rules.sh"

# Connections that begin by kube-proxy's rules, as "ORIGIN KIND FAMILY".
lives() {
	local family

	for family in 4 6; do
		echo "pod-1 cluster $family"
		echo "client-1 port $family"
	done
}

# names MODE: of the loads, one for each of lives.
names() {
	lives | sed "s/^/$1-/; s/ /-/g"
}

# loads_begin MODE CONCURRENCY
loads_begin() {
	local origin kind family place name

	while read -r origin kind family; do
		place=$(front "$kind" 10 "$family")
		name=$1-$origin-$kind-$family
		start "$name" "$origin" "$B/tests/sandbox/load" --mode "$1" \
			--target "${place%/*}" --every-ms 50 --pause-ms 10 \
			--timeout-ms 20000 --concurrency "$2" "${place#*/}"
	done < <(lives)
}

go_on() {
	local mode name before

	for mode; do
		for name in $(names "$mode"); do
			wait_for 20 load_is_past "$name" 0
			before=$(load_answers "$name" || echo 0)
			wait_for 20 load_is_past "$name" $((before + 12))
		done
	done
}

# Not one failed, and none was made anew or got another endpoint.
kept() {
	local name failed=0

	for name in $(names keepalive); do
		load_stop "$name" || failed=1
		load_report "$name" |
			jq -e '.connections == 4 and .moved == 0' || failed=1
	done
	return $failed
}

# Each failed so often at most.
loops_end() {
	local name failed=0

	for name in $(names short); do
		stop "$name"
		load_report "$name"
		load_report "$name" | jq -e --argjson most "$1" \
			'.requests > 20 and .failures <= $most' || failed=1
	done
	return $failed
}

# rules MODE: kube-proxy's.
rules_iptables() {
	kube_iptables 10.96.0.10 30010 10.244.0.0/16 10.244.1.2:8080 \
		10.244.2.1:8080 | on balancer "iptables-$1-restore" --noflush
	kube_iptables fd96::10 30010 fd44::/16 '[fd44:1::2]:8080' \
		'[fd44:2::1]:8080' | on balancer "ip6tables-$1-restore" --noflush
}

rules_nftables() {
	kube_nftables ip 10.96.0.10 30010 10.244.0.0/16 10.244.1.2:8080 \
		10.244.2.1:8080 | on balancer nft -f -
	kube_nftables ip6 fd96::10 30010 fd44::/16 '[fd44:1::2]:8080' \
		'[fd44:2::1]:8080' | on balancer nft -f -
}

rules() {
	case $1 in
	legacy | nft) rules_iptables "$1" ;;
	nftables) rules_nftables ;;
	esac
}

# Every rule and chain that somebody made, and tables that are not iptables'.
rules_saved() {
	local tool

	for tool in ip{,6}tables-{legacy,nft}-save; do
		on balancer "$tool" 2>/dev/null |
			sed -nE "s/ \\[[0-9:]*\\]//; s/^(-A|:[^ ]+ -)/$tool \\1/p"
	done
	on balancer nft list tables |
		sed -E '/ip6? (nat|filter|mangle)$/d'
}

# A packet for 10.96.0.10 that came by no rule of kube-proxy's.
ours_are_recorded() {
	fairlead conn list --json | jq -e 'length > 0'
}

# Both kinds of connections by kube-proxy, then we are there.
takes_over() {
	others_iptables | on balancer iptables-nft-restore --noflush
	others_iptables | on balancer ip6tables-legacy-restore --noflush
	rules_saved >"$DIR/before"
	rules "$1"
	loads_begin keepalive 4
	loads_begin short 1
	go_on keepalive short
	serve_node --takeover 600
	go_on keepalive short
	wait_for 10 ours_are_recorded
	fairlead status --json | jq -e '.daemon.takeover > 0'
}

status_warns() {
	fairlead status --json | tee "$DIR/said" |
		jq -e '[.warnings[] | contains("kube-proxy")] | any'
}

# What would go is listed, and stays.
lists() {
	local rc=0

	rules_saved >"$DIR/with"
	fairlead cleanup --kube-proxy </dev/null >"$DIR/said" 2>&1 || rc=$?
	cat "$DIR/said"
	((rc == 2))
	grep -F "$1" "$DIR/said"
	fails grep -E 'KUBE-(FIREWALL|KUBELET|MARK-DROP|IPTABLES)|MINE' "$DIR/said"
	rules_saved | diff "$DIR/with" -
}

cleans() {
	fairlead cleanup --kube-proxy --yes
	rules_saved | diff "$DIR/before" -
	[[ $(fairlead cleanup --kube-proxy --yes) == "nothing of kube-proxy's is here" ]]
	fairlead status --json |
		jq -e '.daemon.takeover == 0 and
			([.warnings[] | contains("kube-proxy")] | any | not)'
	go_on short
	loops_end 0
}

# kube-proxy's rules are there first, and then we are not.
goes_back() {
	loads_begin short 1
	go_on short
	rules "$1"
	stop serve
	fairlead cleanup --yes
	go_on short
	loops_end 1	# what was under way
	fairlead cleanup --kube-proxy --yes
	rules_saved | diff "$DIR/before" -
	on balancer iptables-nft-save >/dev/null
}

# It ends by itself, and what it kept then breaks.
ends_by_time() {
	rules nftables
	loads_begin keepalive 4
	go_on keepalive
	serve_node --takeover 2
	wait_for 20 grep -F "not left to conntrack any more" "$DIR/serve.err"
	fairlead status --json | jq -e '.daemon.takeover == 0'
	for name in $(names keepalive); do
		stop "$name" KILL	# it may wait for answers
	done
	stop serve
	fairlead cleanup --yes
	fairlead cleanup --kube-proxy --yes
}

for tool in nft ip{,6}tables-{legacy,nft}-restore; do
	command -v "$tool" >/dev/null || skip_all "needs $tool"
done
node_story pod-1 pod-2 far-1
service web 10 | put web.yaml
endpoints web pod-2 far-1 | put web-slices.yaml
for mode in nftables nft legacy; do
	word="table ip kube-proxy"
	[[ $mode == nftables ]] || word="chain KUBE-SERVICES"
	it "$mode: connections go on, new ones are ours" takes_over $mode
	it "$mode: status warns of two proxies" status_warns
	it "$mode: what is to be removed is listed" lists "$word"
	it "$mode: not one connection failed or moved" kept
	it "$mode: kube-proxy's rules go, nobody else's" cleans
	it "$mode: and back" goes_back $mode
	on balancer nft flush ruleset
	for family in ip ip6; do
		for table in nat filter mangle; do
			on balancer ${family}tables-legacy -t $table -F
			on balancer ${family}tables-legacy -t $table -X
		done
	done
done
it "it ends when its time is over" ends_by_time
finish

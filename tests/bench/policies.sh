# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# As many policies and pods as one likes, as definitions of Kubernetes and as
# rules of nftables that say the same. For policy.sh.
#
# Each policy is an application's, of ten pods: they may be reached by those of
# the next one, and reach those of the one before, at port 8080 of TCP and UDP,
# and nothing else. "web" is of the first one, "client" of the second (the first
# again, if there is but one), and both are here, with one of a hundred others.

# Pod j of application a, in awk. Without policies there are pods as with one.
# shellcheck disable=SC2016
PODS='
	function apps() {
		return policies ? policies : 1
	}
	function is_web(a, j) {
		return a == 0 && j == 0
	}
	function is_client(a, j) {
		return a == 1 % apps() && j == 1
	}
	function is_here(a, j) {
		return is_web(a, j) || is_client(a, j) || (10 * a + j) % 100 == 0
	}
	function address(a, j, p) {
		p = 10 * a + j
		if (is_web(a, j))
			return "10.244.1.3"
		if (is_client(a, j))
			return "10.244.1.2"
		return sprintf("10.%d.%d.%d", 64 + p / 62500, p / 250 % 250,
			1 + p % 250)
	}
	function address6(a, j) {
		if (is_web(a, j))
			return "fd44:1::3"
		if (is_client(a, j))
			return "fd44:1::2"
		return sprintf("fd44:2::%x", 1 + 10 * a + j)
	}
	function name(a, j) {
		if (is_web(a, j))
			return "web"
		return is_client(a, j) ? "client" : "pod-" a "-" j
	}'

# policies_awk POLICIES PROGRAM [OPTION...]
policies_awk() {
	awk -v policies="$1" "${@:3}" "$PODS $2"
}

# pods POLICIES
pods() {
	# shellcheck disable=SC2016
	policies_awk "$1" 'BEGIN {
		for (a = 0; a < apps(); a++)
			for (j = 0; j < 10; j++)
				printf "---\napiVersion: v1\nkind: Pod\n" \
					"metadata: {name: %s," \
					" labels: {app: a%d}}\n" \
					"spec: {nodeName: %s}\n" \
					"status: {phase: Running, podIPs:" \
					" [{ip: %s}, {ip: \"%s\"}]}\n",
					name(a, j), a,
					is_here(a, j) ? "node-1" : "node-2",
					address(a, j), address6(a, j)
	}'
}

# policies POLICIES FIRST LAST PORT
policies() {
	# shellcheck disable=SC2016
	policies_awk "$1" '
	function peer(a, key) {
		printf "  - %s: [{podSelector: {matchLabels: {app: a%d}}}]\n" \
			"    ports: [{protocol: TCP, port: %d}," \
			" {protocol: UDP, port: %d}]\n", key, a, port, port
	}
	BEGIN {
		for (a = first; a <= last; a++) {
			printf "---\napiVersion: networking.k8s.io/v1\n" \
				"kind: NetworkPolicy\nmetadata: {name: p%d}\n" \
				"spec:\n" \
				"  podSelector: {matchLabels: {app: a%d}}\n" \
				"  policyTypes: [Ingress, Egress]\n", a, a
			print "  ingress:"
			peer((a + 1) % policies, "from")
			print "  egress:"
			peer((a + policies - 1) % policies, "to")
		}
	}' -v first="$2" -v last="$3" -v port="$4"
}

# pod_elsewhere NAME LAST: of the first application, on another node.
pod_elsewhere() {
	cat <<-END
		---
		apiVersion: v1
		kind: Pod
		metadata: {name: $1, labels: {app: a0}}
		spec: {nodeName: node-2}
		status: {phase: Running, podIPs: [{ip: 10.99.0.$2}, {ip: "fd44:3::$2"}]}
	END
}

# policies_write POLICIES DIRECTORY: one.yaml and edited.yaml are small, and have
# others of their name in DIRECTORY.other: with a pod more, with another port.
policies_write() {
	mkdir -p "$2" "$2.other"
	pods "$1" >"$2/pods.yaml"
	pod_elsewhere one 1 >"$2/one.yaml"
	{ pod_elsewhere one 1 && pod_elsewhere two 2; } >"$2.other/one.yaml"
	(($1)) || return 0
	policies "$1" 0 0 8080 >"$2/edited.yaml"
	policies "$1" 0 0 8082 >"$2.other/edited.yaml"
	(($1 == 1)) || policies "$1" 1 $(($1 - 1)) 8080 >"$2/policies.yaml"
}

# nft_policies POLICIES: a chain for each pod that is here, by its address.
nft_policies() {
	# shellcheck disable=SC2016
	policies_awk "$1" '
	function members(a, j, list) {
		for (j = 0; j < 10; j++)
			list = list address(a, j) ", "
		return list
	}
	function chain(a, direction, peer, key) {
		printf "chain %s-%d {\n%s @a%d meta l4proto . th dport" \
			" { tcp . 8080, udp . 8080 } %s\ndrop\n}\n",
			direction, a, key, peer,
			direction == "in" ? "accept" : "return"
	}
	BEGIN {
		print "table ip policing {"
		for (a = 0; a < policies; a++) {
			printf "set a%d {\ntype ipv4_addr\n" \
				"elements = { %s }\n}\n", a, members(a)
			chain(a, "in", (a + 1) % policies, "ip saddr")
			chain(a, "out", (a + policies - 1) % policies,
				"ip daddr")
			for (j = 0; j < 10; j++) {
				if (!is_here(a, j))
					continue
				ins = ins address(a, j) " : jump in-" a ", "
				outs = outs address(a, j) " : jump out-" a ", "
			}
		}
		print "map pods-in {\ntype ipv4_addr : verdict"
		print (ins ? "elements = { " ins "}" : "") "\n}"
		print "map pods-out {\ntype ipv4_addr : verdict"
		print (outs ? "elements = { " outs "}" : "") "\n}"
		print "chain forward {\ntype filter hook forward priority filter"
		print "ct state established,related accept"
		print "ip saddr vmap @pods-out\nip daddr vmap @pods-in\n}\n}"
	}'
}

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What starts kube-proxy on a node starts `fairlead kube-proxy` instead, with the
# same flags and the same file.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/sandbox/api.sh
. "$ROOT/tests/sandbox/api.sh"

# As kubeadm's ConfigMap has both, but for the server's address.
files() {
	cat >"$DIR/kubeconfig.conf" <<-END
		apiVersion: v1
		kind: Config
		clusters: [{name: default, cluster: {server: 'http://127.0.0.1:8001'}}]
		contexts: [{name: default, context: {cluster: default, user: default}}]
		current-context: default
		users: [{name: default, user: {}}]
	END
	cat >"$DIR/config.conf" <<-END
		apiVersion: kubeproxy.config.k8s.io/v1alpha1
		kind: KubeProxyConfiguration
		clientConnection:
		  kubeconfig: $DIR/kubeconfig.conf
		  qps: 0
		clusterCIDR: 10.244.0.0/16,fd44::/48
		conntrack: {maxPerCore: null, min: null, tcpCloseWaitTimeout: 30m}
		hostnameOverride: ''
		mode: iptables
		oomScoreAdj: 0
		iptables: {minSyncPeriod: 3s}
	END
}

# kube_proxy [FLAG...]
kube_proxy() {
	mkdir -p "$DIR/run-balancer"
	start serve balancer "$FAIRLEAD" kube-proxy "$@"
}

follows() {
	fairlead status --json |
		jq -e '.applied.synced and
			([.kubernetes.kinds[].state] | all(. == "following"))'
}

# said COUNT WORDS
said() {
	cat "$DIR/serve.err"
	[[ $(grep -cF -e "$2" "$DIR/serve.err") == "$1" ]]
}

# What is ignored is said once, also after the objects changed.
ignored_is_said() {
	service other 10.96.0.77 | put
	wait_for 10 grep -F "generation 2" "$DIR/serve.err"
	said 1 "config.conf:9:7: mode=iptables: ignored, Fairlead's own datapath"
	said 1 "config.conf:11:27: iptables.minSyncPeriod=3s: ignored, a change is in force at once"
	said 1 "--cluster-cidr=10.0.0.0/8: ignored, --config says what counts"
	said 3 ": ignored, "
}

# half_closed_is SECONDS: as `diff` says that a file without it would change it.
half_closed_is() {
	printf 'uplinks: [eth0]\nservices: []\n' >"$DIR/empty.yaml"
	fairlead diff "$DIR/empty.yaml" | tee "$DIR/said"
	grep -F "~ setting timeouts: half-closed: $1 s ->" "$DIR/said"
}

# Where kube-proxy's are by default.
says_how_it_is() {
	on balancer curl -sS --max-time "$CURL_S" http://127.0.0.1:10256/healthz |
		jq -e .healthy
	on balancer curl -sSf --max-time "$CURL_S" http://127.0.0.1:10249/proxyMode
}

ends_when_its_file_changes() {
	touch "$DIR/config.conf"
	ask "$VIP4"
	running serve
	sed 's/30m/20m/' "$DIR/config.conf" >"$DIR/config.new"
	mv "$DIR/config.new" "$DIR/config.conf"
	wait_for 10 gone serve
	said 1 "config.conf\" was changed: whoever started this is to start it again"
	ask "$VIP4"	# what is pinned goes on
	kube_proxy --config "$DIR/config.conf" --hostname-override=Node-1
	wait_for 20 follows
	half_closed_is 1200
}

by_flags() {
	stop serve
	kube_proxy --master=http://127.0.0.1:8001 --hostname-override node-1 \
		--cluster-cidr 10.244.0.0/16 --oom-score-adj=0 --proxy-mode=ipvs \
		--conntrack-tcp-timeout-close-wait=40m -v 4
	wait_for 20 follows
	half_closed_is 2400
	all_answer "$VIP4" backend-1 backend-2
	said 1 "--proxy-mode=ipvs: ignored, Fairlead's own datapath"
}

# refused WORDS FLAG...: with what is in force untouched.
refused() {
	local rc=0

	fairlead kube-proxy "${@:2}" >"$DIR/said" 2>&1 || rc=$?
	cat "$DIR/said"
	[[ $rc == 2 ]]
	grep -F -e "$1" "$DIR/said"
	ask "$VIP4"
}

refuses_what_is_wrong() {
	refused 'kube-proxy has no flag "--proxy-mod"; did you mean "--proxy-mode"?' \
		--proxy-mod=iptables
	refused 'config.conf:5:8: clientConnection.qps "many" is not a number' \
		--config "$(sed 's/qps: 0/qps: many/' "$DIR/config.conf" |
			tee "$DIR/wrong-config.conf" >/dev/null
			echo "$DIR/wrong-config.conf")"
}

writes_its_configuration() {
	fairlead kube-proxy --proxy-mode=nftables --cluster-cidr=10.244.0.0/16 \
		--write-config-to="$DIR/written.conf"
	cat "$DIR/written.conf"
	grep -x 'mode: "nftables"' "$DIR/written.conf"
	grep -x 'clusterCIDR: "10.244.0.0/16"' "$DIR/written.conf"
	grep -x '  tcpEstablishedTimeout: "24h0m0s"' "$DIR/written.conf"
}

says_what_it_is() {
	fairlead kube-proxy --version | grep -E '^fairlead +[0-9]'
	fairlead kube-proxy --help | grep -F -e '--nodeport-addresses'
	fairlead kube-proxy --init-only
}

cleans_up() {
	stop serve
	fairlead kube-proxy --cleanup
	fails compgen -G "$PINS/balancer/*"
}

story 2
files
api_start
objects
kube_proxy --config "$DIR/config.conf" --hostname-override=Node-1 \
	--cluster-cidr=10.0.0.0/8
it "what the server has is in force" wait_for 20 follows
it "it answers over IPv4" all_answer "$VIP4" backend-1 backend-2
it "it answers over IPv6" all_answer "$VIP6" backend-1 backend-2
it "timeouts of conntrack are Fairlead's" half_closed_is 1800
it "it says how it is where kube-proxy does" says_how_it_is
it "what is ignored is said, once" ignored_is_said
it "it ends when its file says something else" ends_when_its_file_changes
it "flags alone do as well" by_flags
it "what is wrong is refused, and nothing is touched" refuses_what_is_wrong
it "it writes its configuration" writes_its_configuration
it "it says what it is" says_what_it_is
it "it cleans up" cleans_up
finish

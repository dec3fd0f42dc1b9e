# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash disable=SC2153
#
# A cluster of scripts/kube-test: a control plane in a network namespace, nodes
# in namespaces of all kinds beside it. NODES, PROXY and FAMILIES are set.
#
#	node-1 (172.29.0.11, fd00:29::11)	pods 10.66.1.0/24, fd00:66:0:1::/64
#	node-2 (172.29.0.12, fd00:29::12)	pods 10.66.2.0/24, ...
#	  each by its eth0 to br0 of the control plane, 172.29.0.1

# start NAME COMMAND...: in the control plane's network.
start() {
	local name=$1
	shift
	(
		exec setsid nsenter --net="/run/netns/$NS-cp" "$@" \
			>"$RUN/$name.log" 2>&1 </dev/null
	) &
	echo $! >"$RUN/$name.pid"
}

nodes() {
	seq "$NODES"
}

control_network() {
	ip netns add "$NS-cp"
	in_ns cp sysctl -qw net.ipv4.ip_forward=1 \
		net.ipv4.fib_multipath_hash_policy=1 \
		net.ipv6.conf.all.forwarding=1
	ip -n "$NS-cp" -batch - <<-END
		link set lo up
		link add br0 type bridge
		addr add ${NODE4}1/24 dev br0
		addr add ${NODE6}1/64 dev br0 nodad
		link set br0 up
	END
}

# XDP looks into packets before anybody completes a checksum that was left to
# hardware, hence tx off; GRO makes room for what XDP sends into a veth.
node_network() {
	ip netns add "$NS-node-$1"
	ip link add eth0 netns "$NS-node-$1" type veth \
		peer name "node-$1" netns "$NS-cp"
	ip -n "$NS-cp" link set "node-$1" master br0 up
	in_ns cp ethtool -K "node-$1" tx off gro on >/dev/null
	in_ns "node-$1" ethtool -K eth0 tx off >/dev/null
	in_ns "node-$1" sysctl -qw net.ipv4.ip_forward=1 \
		net.ipv6.conf.all.forwarding=1
	ip -n "$NS-node-$1" -batch - <<-END
		link set lo up
		addr add ${NODE4}1$1/24 dev eth0
		addr add ${NODE6}1$1/64 dev eth0 nodad
		link set eth0 up
		route add default via ${NODE4}1
		route add default via ${NODE6}1
	END
}

# routes HOST [NODE]: from a host to the pods of all nodes but that one.
routes() {
	local node

	for node in $(nodes); do
		[[ $node == "${2:-}" ]] || ip -n "$NS-$1" -batch - <<-END
			route add $POD4$node.0/24 via ${NODE4}1$node
			route add $POD6$node::/64 via ${NODE6}1$node
		END
	done
}

network() {
	local node

	control_network
	for node in $(nodes); do
		node_network "$node"
	done
	routes cp
	for node in $(nodes); do
		routes "node-$node" "$node"
	done
}

keys() {
	local pki=$RUN/pki

	mkdir -p "$pki"
	openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=kubernetes \
		-keyout "$pki/api.key" -out "$pki/api.crt" -addext \
		"subjectAltName=IP:${NODE4}1,IP:${SERVICE4}1,IP:127.0.0.1,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc" \
		2>/dev/null
	openssl genrsa -out "$pki/sa.key" 2048 2>/dev/null
	echo "admintoken,admin,admin,system:masters" >"$pki/tokens.csv"
	cat >"$RUN/admin.conf" <<-END
		apiVersion: v1
		kind: Config
		clusters: [{name: c, cluster: {server: "https://${NODE4}1:6443", certificate-authority: $pki/api.crt}}]
		users: [{name: u, user: {token: admintoken}}]
		contexts: [{name: c, context: {cluster: c, user: u}}]
		current-context: c
	END
}

apiserver() {
	local pki=$RUN/pki

	start apiserver "$BIN/kube-apiserver" \
		--etcd-servers=http://127.0.0.1:2379 --secure-port=6443 \
		--advertise-address="${NODE4}1" \
		--tls-cert-file="$pki/api.crt" \
		--tls-private-key-file="$pki/api.key" \
		--token-auth-file="$pki/tokens.csv" \
		--authorization-mode=RBAC \
		--service-account-issuer=https://kubernetes.default.svc \
		--service-account-key-file="$pki/sa.key" \
		--service-account-signing-key-file="$pki/sa.key" \
		--service-cluster-ip-range="${SERVICE4}0/16,$SERVICE6/108" \
		"$GATES" --allow-privileged=true \
		--kubelet-preferred-address-types=InternalIP --event-ttl=15m
	wait_for 120 kubectl get --raw /readyz
}

controllers() {
	start kcm "$BIN/kube-controller-manager" \
		--kubeconfig="$RUN/admin.conf" --leader-elect=false \
		--use-service-account-credentials=false "$GATES" \
		--service-account-private-key-file="$RUN/pki/sa.key" \
		--root-ca-file="$RUN/pki/api.crt" \
		--cluster-cidr="${POD4}0.0/16,${POD6%0:}:/48" \
		--service-cluster-ip-range="${SERVICE4}0/16,$SERVICE6/108"
	start scheduler "$BIN/kube-scheduler" \
		--kubeconfig="$RUN/admin.conf" --leader-elect=false
}

# Cluster DNS and what stands for the internet are at the control plane's
# address; tests reach the first through a Service.
neighbours() {
	start dns "$BIN/minidns" "$RUN/admin.conf" "${NODE4}1:53" \
		"google.com=${NODE4}1"
	start web "$BIN/agnhost" netexec --http-port=80
	kubectl apply -f - >/dev/null <<-END
		{"kind": "List", "apiVersion": "v1", "items": [
		 {"kind": "Service", "apiVersion": "v1",
		  "metadata": {"name": "kube-dns", "namespace": "kube-system", "labels": {"k8s-app": "kube-dns"}},
		  "spec": {"clusterIP": "${SERVICE4}10", "ports": [
		   {"name": "dns", "port": 53, "protocol": "UDP"}, {"name": "dns-tcp", "port": 53, "protocol": "TCP"}]}},
		 {"kind": "Endpoints", "apiVersion": "v1",
		  "metadata": {"name": "kube-dns", "namespace": "kube-system"},
		  "subsets": [{"addresses": [{"ip": "${NODE4}1"}], "ports": [
		   {"name": "dns", "port": 53, "protocol": "UDP"}, {"name": "dns-tcp", "port": 53, "protocol": "TCP"}]}]}]}
	END
	start lb "$ROOT/scripts/lib/kube-balancer"
}

control_plane() {
	mkdir -p "$RUN/etcd"
	keys
	start etcd "$DEBIAN/usr/bin/etcd" --data-dir "$RUN/etcd" \
		--unsafe-no-fsync --log-level error
	apiserver
	controllers
	neighbours
}

# Control groups first, as the node's namespace begins where its first process
# is; a cpuset must have something before a process may enter.
node_groups() {
	local group=$NS/node-$1 name file root=/sys/fs/cgroup

	for name in "${CONTROLLERS[@]}" unified; do
		mkdir -p "$root/$name/$group"
	done
	for file in cpuset.cpus cpuset.mems; do
		cat "$root/cpuset/$file" >"$root/cpuset/$NS/$file"
		cat "$root/cpuset/$file" >"$root/cpuset/$group/$file"
	done
}

node_start() {
	local name

	mkdir -p "$RUN/node-$1"
	node_groups "$1"
	(
		for name in "${CONTROLLERS[@]}" unified; do
			echo "$BASHPID" >"/sys/fs/cgroup/$name/$NS/node-$1/cgroup.procs"
		done
		exec setsid nsenter --net="/run/netns/$NS-node-$1" unshare -C -m \
			-u -i -p -f --kill-child --propagation private \
			env "PROXY=$PROXY" "FAMILIES=$FAMILIES" \
			"$ROOT/scripts/lib/kube-node" "$1" \
			>"$RUN/node-$1/init.log" 2>&1 </dev/null
	) &
	echo $! >"$RUN/node-$1.pid"
	disown			# its end is nothing to talk about
}

is_ready() {
	kubectl get node "node-$1" | grep -w Ready
}

cluster_up() {
	local node

	if [[ -e $RUN ]]; then
		echo "kube-test: $RUN is there: scripts/kube-test down" >&2
		return 1
	fi
	mkdir -p "$RUN"
	echo "$NODES" >"$RUN/nodes"
	echo "$FAMILIES" >"$RUN/families"
	echo "$PROXY" >"$RUN/proxy"
	echo "$POLICY" >"$RUN/policy"
	[[ $PROXY != fairlead ]] || fairlead_image
	network
	control_plane
	for node in $(nodes); do
		node_start "$node"
	done
	for node in $(nodes); do
		wait_for 240 is_ready "$node"
		kubectl patch node "node-$node" -p \
			"{\"spec\":{\"podCIDR\":\"$POD4$node.0/24\",\"podCIDRs\":[\"$POD4$node.0/24\",\"$POD6$node::/64\"]}}" >/dev/null
	done
	[[ $PROXY != fairlead ]] || fairlead_deploy
}

# As scripts/packaging/kubernetes/README.md tells people to; but for two
# capabilities that scripts/lib/kube-node has to give, and the root of control
# groups, which of a node like these is none of the machine's.
fairlead_deploy() {
	kubectl -n kube-system create configmap fairlead-server \
		--from-literal="host=${NODE4}1" --from-literal=port=6443
	kubectl kustomize "$ROOT/scripts/packaging/kubernetes/base" |
		grep -vE '^ *- (BPF|PERFMON)$' | kubectl apply -f -
	kubectl -n kube-system set env daemonset/fairlead \
		FAIRLEAD_CGROUP_ROOT=/sys/fs/cgroup/unified
	[[ $POLICY != yes ]] || policy_deploy
	kubectl -n kube-system rollout status daemonset/fairlead --timeout=180s
	[[ $POLICY != yes ]] || policy_chain
}

# What the overlay "policy" is for those whose kubectl knows how to read it.
policy_deploy() {
	kubectl -n kube-system patch daemonset fairlead --patch \
		"$(<"$ROOT/scripts/packaging/kubernetes/policy/cni.yaml")"
	kubectl -n kube-system patch configmap fairlead --type merge --patch \
		'{"data": {"fairlead.yaml": "network-policy: true\nservices: []\n"}}'
}

# The plugin is there before a node's list names it: a kubelet of a list that names
# what is not there is not ready.
policy_chain() {
	local node list

	for node in $(nodes); do
		list=$RUN/node-$node/etc/cni/net.d/10-pods.conflist
		jq '.plugins += [{type: "fairlead-cni"}]' "$list" >"$list.new"
		mv "$list.new" "$list"
	done
}

# With a node's first process every process of the node ends, and so do its
# mounts.
processes_end() {
	local file signal

	for file in "$RUN"/node-*.pid; do
		[[ ! -e $file ]] || kill -KILL "$(<"$file")" 2>/dev/null || true
	done
	for signal in TERM KILL; do
		for file in "$RUN"/{lb,web,dns,scheduler,kcm,apiserver,etcd}.pid; do
			[[ ! -e $file ]] ||
				kill -$signal "$(<"$file")" 2>/dev/null || true
		done
		sleep 2
	done
}

cluster_down() {
	local name

	processes_end
	while read -r name _; do
		[[ $name != "$NS"-* ]] || ip netns del "$name"
	done < <(ip netns list)
	for name in "${CONTROLLERS[@]}" unified; do
		[[ ! -d /sys/fs/cgroup/$name/$NS ]] ||
			find "/sys/fs/cgroup/$name/$NS" -depth -type d \
				-exec rmdir {} + 2>/dev/null || true
	done
	rm -rf --one-file-system "$RUN"
}

# node_exec N COMMAND...: in all namespaces of a node.
node_exec() {
	local first
	first=$(pgrep -P "$(<"$RUN/node-$1.pid")" | head -n 1)
	shift
	nsenter -t "$first" -m -u -i -n -p -C env \
		DOCKER_HOST=unix:///run/docker.sock \
		LD_LIBRARY_PATH="$TOOLS_LIBRARIES" PATH="$TOOLS_PATH" "$@"
}

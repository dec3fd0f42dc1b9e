# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash disable=SC2034
#
# Names and addresses of the cluster of scripts/kube-test, for its parts.

CACHE=${KUBE_CACHE:-/var/cache/fairlead/kube}
BIN=$CACHE/bin			# what was compiled
DEBIAN=$CACHE/root		# packages, unpacked
IMAGES=$CACHE/images		# root file systems, for "docker import"
SOURCE=$CACHE/go/src/k8s.io/kubernetes
RUN=$CACHE/run			# of a cluster that is up
NS=flk				# prefix of namespaces and control groups
NODE4=172.29.0.			# the API server is .1, node N is .1N
NODE6=fd00:29::
POD4=10.66.			# of node N: .N.0/24
POD6=fd00:66:0:			# of node N: N::/64
SERVICE4=10.67.0.		# cluster IPs, /16
SERVICE6=fd00:67::		# /108
BALANCER4=10.68.		# of load balancers
GATES=--feature-gates=IPv6DualStack=true
CONTROLLERS=(cpu cpuacct cpuset memory devices freezer blkio pids systemd)
TOOLS_PATH=$BIN:$DEBIAN/usr/bin:$DEBIAN/usr/sbin:/usr/sbin:/usr/bin:/sbin:/bin
TOOLS_LIBRARIES=$DEBIAN/usr/lib/x86_64-linux-gnu

# in_ns HOST COMMAND...: cp is the control plane, node-N a node.
in_ns() {
	local host=$1
	shift
	nsenter --net="/run/netns/$NS-$host" "$@"
}

kubectl() {
	in_ns cp "$DEBIAN/usr/bin/kubectl" --kubeconfig="$RUN/admin.conf" "$@"
}

# wait_for SECONDS COMMAND...
wait_for() {
	local end=$((SECONDS + $1 * ${PATIENCE:-1}))
	shift
	until "$@" >/dev/null 2>&1; do
		if ((SECONDS > end)); then
			echo "kube-test: gave up waiting for: $*" >&2
			return 1
		fi
		sleep 0.2
	done
}

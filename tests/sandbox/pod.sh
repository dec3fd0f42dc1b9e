# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# Pods for the end-to-end tests of a node, and the directory that its manifests
# are in.

CONFIG=$DIR/definitions

# put FILE: standard input, in one step.
put() {
	cat >"$CONFIG/$1.new"
	mv "$CONFIG/$1.new" "$CONFIG/$1"
}

# pod_routed HOST NAME ADDR4 ADDR6 PORT...: a namespace NAME whose interface
# HOST routes to, as the CNI plugin ptp does it (the veth's end on HOST is the
# pod's gateway), with a server at these ports.
pod_routed() {
	local host=$1 name=$2 addr4=$3 addr6=$4
	local gate4=${addr4%.*}.254 gate6=${addr6%:*}:fe

	host_add "$name"
	ip_on "$host" <<-END
		link add $name type veth peer name eth0 netns $NET-$name
		link set $name up
		addr add $gate4/32 dev $name
		addr add $gate6/128 dev $name nodad
		route add $addr4/32 dev $name
		route add $addr6/128 dev $name
	END
	ip_on "$name" <<-END
		link set eth0 up
		addr add $addr4/32 dev eth0
		addr add $addr6/128 dev eth0 nodad
		route add $gate4/32 dev eth0
		route add $gate6/128 dev eth0
		route add default via $gate4
		route add default via $gate6
	END
	pod_serves "$name" "${@:5}"
}

# pod_serves NAME PORT...
pod_serves() {
	start "server-$1" "$1" "$B/tests/sandbox/server" "$@"
}

# pod_is_heard HOST ADDR4 ADDR6: HOST gets answers from a pod.
pod_is_heard() {
	on "$1" curl -so /dev/null --max-time 1 "$2:8080" &&
		on "$1" curl -so /dev/null --max-time 1 "[$3]:8080"
}

# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# Ways of doing a node's work, side by side: each has a network of its own, with
# the same addresses, so that all can be asked in turn, round by round. For
# node.sh and policy.sh, on top of sandbox.sh; who includes this has set
# ROUNDS, how many without --quick, and QUICK_ROUNDS.
#
# Two pods of each node, whose gateway is 10.244.1.254:
#
#   pod 10.244.1.2    web 10.244.1.3

# shellcheck source=tests/bench/wires.sh
. "$ROOT/tests/bench/wires.sh"

CPU=0
JSON=
QUICK=
declare -A COUNTS=([connections]=200 [trips]=500 [packets]=1000 [flows]=300)

usage() {
	sed -n 's/^#   \(scripts.*\)/usage: \1/p' "$0" >&2
	exit 2
}

# ways_options [--json FILE] [--quick]
# shellcheck disable=SC2034 # who includes this reads QUICK
ways_options() {
	while (($#)); do
		case $1 in
		--quick) QUICK=--quick ROUNDS=$QUICK_ROUNDS ;;
		--json)
			JSON=${2:-}
			[[ $JSON ]] || usage
			shift
			;;
		*) usage ;;
		esac
		shift
	done
	((EUID == 0)) || {
		echo "bench: network namespaces and BPF need root" >&2
		exit 1
	}
}

# dials HOST: it opens many connections.
dials() {
	on "$1" sysctl -qw net.ipv4.tcp_tw_reuse=1 \
		net.ipv4.ip_local_port_range="1024 65535"
}

# way_pods WAY: of the node $1-node, which exists, as do $1-pod and $1-web.
way_pods() {
	local host

	pair_add "$1-node" pod 10.244.1.254/32 "$1-pod" eth0 10.244.1.2/32
	pair_add "$1-node" web 10.244.1.254/32 "$1-web" eth0 10.244.1.3/32
	for host in pod web; do
		ip_on "$1-$host" <<-END
			route add 10.244.1.254 dev eth0
			route add default via 10.244.1.254
		END
	done
	ip_on "$1-node" <<-END
		route add 10.244.1.2 dev pod
		route add 10.244.1.3 dev web
	END
	dials "$1-pod"
}

# A cgroup to be in for those who are served nothing there, which costs
# something, too: $CGROUP-plain.
ways_cgroup() {
	cgroup_enter
	[[ $CGROUP ]] || {
		echo "bench: no cgroup to serve sockets in" >&2
		return 1
	}
	echo $$ >"$CGROUP_HOME/cgroup.procs"
	mkdir "$CGROUP-plain"
}

# way_serve WAY: $DIR/WAY-definitions, until they are in force.
way_serve() {
	start "serve-$1" "$1-node" "$FAIRLEAD" serve --hostname-override node-1 \
		--config "$DIR/$1-definitions"
	fairlead_on "$1-node" status --wait --timeout 300 >"$DIR/status" || {
		cat "$DIR/serve-$1.err" >&2
		return 1
	}
}

way_serve_end() {
	stop "serve-$1"
	fairlead_on "$1-node" cleanup --yes >/dev/null
}

# traffic WHAT SECTION FIELDS: by the ways that standard input has, as
# node_traffic reads them; lines of JSON with FIELDS, members of an object.
traffic() {
	taskset -c $CPU "$B/tests/bench/node_traffic" "$1" "${COUNTS[$1]}" \
		"$ROUNDS" | awk -v what="$1" -v section="$2" -v fields="$3" '{
			printf "{\"section\":\"%s\",\"what\":\"%s\",%s," \
				"\"round\":%d,\"way\":\"%s\",\"ns\":%s}\n",
				section, what, fields, $1, $2, $3
		}'
}

ways_leave() {
	sandbox_remove
	[[ -z ${CGROUP:-} ]] || rmdir "$CGROUP-plain" || true
	rm -f "${lines:-}"
}

# ways_main TOOL...: build them, and have what `measure_all` prints reported by
# REPORT, a program beside this.
ways_main() {
	trap ways_leave EXIT
	trap 'exit 130' INT TERM
	make -s -C "$ROOT" -j 2 B="$B" "$B/fairlead" \
		"${@/#/"$B/tests/bench/"}"
	tools_build
	bpffs_mount
	lines=$(mktemp)
	sandbox_remove
	mkdir -p "$DIR" "$PINS"
	ways_cgroup
	measure_all >"$lines"
	"$ROOT/tests/bench/$REPORT" collect "$lines" >"$lines.json"
	[[ -z $JSON ]] || cp "$lines.json" "$JSON"
	"$ROOT/tests/bench/$REPORT" text "$lines.json"
	rm -f "$lines.json"
}

# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# A place to run the product in, for the demo and the end-to-end tests: the
# network of network.sh, with pins, run directories and processes of its own.
# Who includes this sets ROOT, the tree; B, the build; and NET, which all names
# derive from, so that what a killed run left is found again.

FAIRLEAD=$B/fairlead
DIR=/tmp/$NET
PINS=/sys/fs/bpf/$NET
CONFIG=$DIR/fairlead.yaml
PASS_PROGRAM=$B/tests/sandbox/pass.bpf.o
# shellcheck source=tests/sandbox/network.sh
. "$ROOT/tests/sandbox/network.sh"

tools_build() {
	local tool

	mkdir -p "$B/tests/sandbox"
	exec 9>"$B/tests/sandbox/lock"
	flock 9
	for tool in load server flood probe; do
		[[ $B/tests/sandbox/$tool -nt $ROOT/tests/sandbox/$tool.c ]] ||
			cc -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -Wno-unused-parameter \
				-o "$B/tests/sandbox/$tool" \
				"$ROOT/tests/sandbox/$tool.c"
	done
	for tool in pass count; do
		[[ $B/tests/sandbox/$tool.bpf.o -nt $ROOT/tests/sandbox/$tool.bpf.c ]] ||
			clang -O2 -g --target=bpf \
				-idirafter "/usr/include/$(cc -dumpmachine)" \
				-c "$ROOT/tests/sandbox/$tool.bpf.c" \
				-o "$B/tests/sandbox/$tool.bpf.o"
	done
	exec 9>&-
}

# A cgroup of its own, which the shell and what it starts from now on are in:
# programs on sockets see no others. CGROUP is empty where none can be made.
cgroup_enter() {
	local mount home

	CGROUP=
	mount=$(sed -n 's/^[^ ]* [^ ]* [^ ]* [^ ]* \([^ ]*\) .* - cgroup2 .*/\1/p' \
		/proc/self/mountinfo | head -n 1)
	home=$mount$(sed -n 's/^0:://p' /proc/self/cgroup)
	if [[ -n $mount && -w $home/cgroup.procs ]] && mkdir -p "$mount/$NET"; then
		CGROUP=$mount/$NET
		CGROUP_HOME=$home
		echo $$ >"$CGROUP/cgroup.procs"
	fi
}

cgroup_leave() {
	[[ -n ${CGROUP:-} ]] || return 0
	echo $$ >"$CGROUP_HOME/cgroup.procs"
	wait_for 10 rmdir "$CGROUP" || true
}

# Two that have one name would take it from each other; who was killed has it no
# more. Comes before any trap that removes it.
sandbox_claim() {
	local owner

	until (set -o noclobber && echo $$ >"$DIR.owner") 2>/dev/null; do
		owner=$(<"$DIR.owner")
		[[ $owner != "$$" ]] || return 0
		if grep -qaF "${0##*/}" "/proc/$owner/cmdline" 2>/dev/null; then
			echo "$0 runs already: process $owner" >&2
			exit 1
		fi
		rm -f "$DIR.owner"
	done
}

# sandbox_make BACKENDS [CLIENTS]
sandbox_make() {
	sandbox_remove
	mkdir -p "$DIR" "$PINS"
	cgroup_enter
	network_up "$@"
}

# What is in a dispatcher has pins of libxdp's as well, which no interface
# takes along when it goes.
dispatchers_leave() {
	local pin host

	while read -r pin; do
		host=${pin#"$PINS/"}
		fairlead_on "${host%%/*}" cleanup --yes >/dev/null 2>&1 || true
	done < <(compgen -G "$PINS/*/*/fl_xdp_entry_*")
}

sandbox_remove() {
	network_stop
	dispatchers_leave
	network_down
	cgroup_leave
	rm -rf "$PINS" "$DIR"
}

# sandbox_end: when who has claimed it ends.
sandbox_end() {
	sandbox_remove
	rm -f "$DIR.owner"
}

# start NAME HOST COMMAND...: in the background, output in $DIR/NAME.log.
start() {
	local name=$1 host=$2
	shift 2
	nsenter --net="/run/netns/$NET-$host" env \
		FAIRLEAD_PIN_ROOT="$PINS/$host" \
		FAIRLEAD_RUN_DIR="$DIR/run-$host" \
		${CGROUP:+FAIRLEAD_CGROUP_ROOT="$CGROUP"} \
		"$@" >"$DIR/$name.log" 2>"$DIR/$name.err" </dev/null &
	echo $! >"$DIR/$name.pid"
	disown
}

running() {
	[[ -e $DIR/$1.pid ]] && kill -0 "$(<"$DIR/$1.pid")" 2>/dev/null
}

gone() {
	! running "$1"
}

# stop NAME [SIGNAL]: and wait until it is gone.
stop() {
	kill -"${2:-TERM}" "$(<"$DIR/$1.pid")"
	wait_for 30 gone "$1"
}

# wait_for SECONDS COMMAND...: until it succeeds. An emulated machine needs more
# of them: PATIENCE says how many times.
wait_for() {
	local end=$((${EPOCHREALTIME/./} + $1 * ${PATIENCE:-1} * 1000000))
	shift
	until "$@" >"$DIR/wait.log" 2>&1; do
		if ((${EPOCHREALTIME/./} > end)); then
			echo "gave up waiting for: $*"
			cat "$DIR/wait.log"
			return 1
		fi
		sleep 0.01
	done
}

# The product, on a host; each host has its own pins.
fairlead_on() {
	local host=$1
	shift
	on "$host" env FAIRLEAD_PIN_ROOT="$PINS/$host" \
		FAIRLEAD_RUN_DIR="$DIR/run-$host" "${BINARY:-$FAIRLEAD}" "$@"
}

fairlead() {
	fairlead_on balancer "$@"
}

# serve [OPTION...]: until the configuration is in force.
serve() {
	mkdir -p "$DIR/run-balancer"
	start serve balancer "${BINARY:-$FAIRLEAD}" serve --config "$CONFIG" "$@"
	in_force
}

# Wait until the daemon has read its files again and obeys them.
in_force() {
	local seconds=$((${IN_FORCE_S:-20} * ${PATIENCE:-1}))

	fairlead status --wait --timeout "$seconds" --json >"$DIR/status.json" ||
		(cat "$DIR/serve.err" && return 1)
}

# decap: every backend takes tunnels apart and owns the service addresses.
decap() {
	local i

	for i in "$@"; do
		mkdir -p "$DIR/run-backend-$i"
		fairlead_on "backend-$i" decap --interface eth0 --hook "${HOOK:-xdp}"
		own_vip "$i"
	done
}

# config: standard input becomes the definitions, in one step.
config() {
	{
		echo "uplinks: [eth0]"
		cat
	} >"$CONFIG.new"
	mv "$CONFIG.new" "$CONFIG"
}

# service NAME ADDRESS PROTOCOL FORWARD BACKEND[:WEIGHT|:drain]...: port 80 as
# YAML. Backends by number; their port is the service's, or BACKEND_PORT.
service() {
	local backend net=10.91.0. extra
	[[ $2 != *:* ]] || net=fd91::
	printf '  - {name: %s, address: "%s", port: 80, protocol: %s' "$1" "$2" "$3"
	printf ', forward: %s, backends: [\n' "$4"
	for backend in "${@:5}"; do
		case $backend in
		*:drain) extra=", state: drain" ;;
		*:*) extra=", weight: ${backend#*:}" ;;
		*) extra="" ;;
		esac
		printf '    {address: "%s%d", port: %d%s},\n' "$net" \
			$((10 + ${backend%%:*})) "${BACKEND_PORT:-80}" "$extra"
	done
	echo "  ]}"
}

# services FORWARD BACKEND...: TCP and UDP of both service addresses.
services() {
	{
		echo "services:"
		service tcp4 "$VIP4" tcp "$@"
		service tcp6 "$VIP6" tcp "$@"
		service udp4 "$VIP4" udp "$@"
		service udp6 "$VIP6" udp "$@"
	} | config
}

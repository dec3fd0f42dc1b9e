#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
#   scripts/bench control [--services N] [--backends N] [--repeats N]
#
# How fast changes of definitions are in force, and what the daemon holds:
# N services (10 000) of N backends (10) in one file. Lines of JSON: first all
# of them, then one backend more or less in the large file, and one in a small
# file beside it (medians of 9), from the renaming of the file until the daemon
# says that its generation is in force; and the daemon's memory.
# Then the same from a server's API, in a daemon of its own: all of them, from
# its start; an endpoint of one, from the event's writing; the memory of all its
# processes; and what of a CPU they take while nothing happens.
# cpu_ms is the daemon's time on a CPU alone, which says more on a busy
# machine. Needs root; leaves nothing behind.
set -euo pipefail
ROOT=$(realpath "${0%/*}/../..")
B=$(realpath -m "${B:-$ROOT/build}")
NET=flctl$$
SERVICES=10000
BACKENDS=10
REPEATS=9
# shellcheck source=tests/sandbox/sandbox.sh
. "$ROOT/tests/sandbox/sandbox.sh"

while (($#)); do
	case $1 in
	--services) SERVICES=$2 ;;
	--backends) BACKENDS=$2 ;;
	--repeats) REPEATS=$2 ;;
	*)
		sed -n 's/^#   \(scripts.*\)/usage: \1/p' "$0" >&2
		exit 2
		;;
	esac
	shift 2
done

# many_services PORT: in the middle of them, one has a backend of this port.
many_services() {
	awk -v services="$SERVICES" -v backends="$BACKENDS" -v port="$1" 'BEGIN {
		chosen = int(services / 2) * backends
		print "services:"
		for (s = 0; s < services; s++) {
			printf "  - name: s%06d\n    port: 80\n" \
				"    address: 198.%d.%d.%d\n    backends:\n",
				s, 18 + s / 65536, s / 256 % 256, s % 256
			for (b = 0; b < backends; b++) {
				n = s * backends + b
				printf "      - {address: 10.%d.%d.%d," \
					" port: %d}\n", 100 + n / 65536,
					n / 256 % 256, n % 256,
					(n == chosen ? port : 8080)
			}
		}
	}'
}

one_service() {
	printf 'services:\n  - {name: z, address: 203.0.113.1, port: 80, '
	printf 'backends: [{address: 10.91.0.11, port: %d}]}\n' "$1"
}

# timed NEW PLACE: milliseconds until what was renamed is in force, and of them
# on a CPU.
timed() {
	python3 - "$1" "$2" "$DIR/serve.err" "$(<"$DIR/serve.pid")" <<-'END'
		import os, sys, time
		new, place, log, pid = sys.argv[1:]
		def cpu_ms():
		    with open("/proc/%s/schedstat" % pid) as f:
		        return int(f.read().split()[0]) / 1e6
		cpu = cpu_ms()
		said = os.stat(log).st_size
		start = time.monotonic()
		os.rename(new, place)
		line = ""
		with open(log) as f:
		    f.seek(said)
		    while "applied generation" not in line:
		        if time.monotonic() - start > 300:
		            sys.exit("not in force after 300 s: " + line)
		        time.sleep(0.0001)
		        line += f.read()
		took = 1000 * (time.monotonic() - start)
		print("%.2f %.2f" % (took, cpu_ms() - cpu))
	END
}

# median NAME: of the lines of standard input, as JSON.
median() {
	jq -cRn --arg name "$1" --argjson services "$SERVICES" \
		--argjson backends "$BACKENDS" '
		def median: sort | .[length / 2 | floor];
		[inputs | split(" ") | map(tonumber)] |
		{name: $name, services: $services, backends: $backends,
		 ms: map(.[0]) | median, least_ms: map(.[0]) | min,
		 cpu_ms: map(.[1]) | median}'
}

memory() {
	awk -v services="$SERVICES" -v backends="$BACKENDS" '
		$1 == "VmHWM:" { most = $2 }
		$1 == "VmRSS:" { now = $2 }
		END {
			printf "{\"name\":\"memory\",\"services\":%d," \
				"\"backends\":%d,\"resident_kb\":%d," \
				"\"most_kb\":%d}\n", services, backends, now,
				most
		}' "/proc/$(<"$DIR/serve.pid")/status"
}

measure() {
	local i

	CONFIG=$DIR/conf.d
	mkdir "$CONFIG"
	printf 'uplinks: [eth0]\nservices: []\n' >"$CONFIG/node.yaml"
	serve
	many_services 8080 >"$DIR/new"
	timed "$DIR/new" "$CONFIG/many.yaml" | median "all in force"
	for ((i = 0; i < REPEATS; i++)); do
		many_services $((8081 + i % 2)) >"$DIR/new"
		timed "$DIR/new" "$CONFIG/many.yaml"
	done | median "one backend in the large file"
	for ((i = 0; i < REPEATS; i++)); do
		one_service $((8080 + i % 2)) >"$DIR/new"
		timed "$DIR/new" "$CONFIG/one.yaml"
	done | median "one backend in a small file"
	memory
}

api_ready() {
	on balancer curl -sf -o /dev/null http://127.0.0.1:8001/api/v1/nodes
}

# all_memory: of all processes, now and at most; what they share, which is of
# files, is counted once.
all_memory() {
	local pid

	for pid in "$(<"$DIR/serve.pid")" $(children "$(<"$DIR/serve.pid")"); do
		cat "/proc/$pid/status" "/proc/$pid/smaps_rollup"
	done | awk -v services="$SERVICES" -v backends="$BACKENDS" '
		$1 == "VmHWM:" || $1 == "Pss_File:" { most += $2 }
		$1 == "RssFile:" { most -= $2 }
		$1 == "Pss:" { now += $2 }
		END {
			printf "{\"name\":\"memory, API\",\"services\":%d," \
				"\"backends\":%d,\"resident_kb\":%d," \
				"\"most_kb\":%d}\n", services, backends, now,
				most
		}'
}

# children PID: all below it.
children() {
	local child

	for child in $(pgrep -P "$1"); do
		echo "$child"
		children "$child"
	done
}

# cpu_ns: of all processes so far.
cpu_ns() {
	local pid

	for pid in "$(<"$DIR/serve.pid")" $(children "$(<"$DIR/serve.pid")"); do
		cat "/proc/$pid/schedstat"
	done | awk '{ sum += $1 } END { print sum }'
}

# spread NAME: the median and the ends of a line each.
spread() {
	jq -cRn --arg name "$1" --argjson services "$SERVICES" \
		--argjson backends "$BACKENDS" '
		[inputs | tonumber] | sort |
		{name: $name, services: $services, backends: $backends,
		 ms: .[length / 2 | floor], least_ms: .[0],
		 p90_ms: .[length * 9 / 10 | floor], most_ms: .[-1]}'
}

all_in_force() {
	grep -q 'applied generation .* added' "$DIR/serve.err"
}

measure_api() {
	local begin end before

	stop serve
	fairlead cleanup --yes >/dev/null
	start api balancer "$ROOT/tests/bench/api.py" serve --port 8001 \
		--services "$SERVICES" --endpoints "$BACKENDS"
	wait_for 120 api_ready
	begin=${EPOCHREALTIME/./}
	start serve balancer "$FAIRLEAD" serve --kubernetes \
		--hostname-override node-1 --master http://127.0.0.1:8001
	wait_for 300 all_in_force
	end=${EPOCHREALTIME/./}
	echo "$(((end - begin) / 1000)).0 $(($(cpu_ns) / 1000000)).0" |
		median "all in force, API"
	on balancer "$ROOT/tests/bench/api.py" measure --port 8001 \
		--log "$DIR/serve.err" | spread "one endpoint, API"
	all_memory
	sleep 5
	before=$(cpu_ns)
	sleep 10
	echo "$before $(cpu_ns)" | awk '{
		printf "{\"name\":\"idle, API\",\"cpu_percent\":%.2f}\n",
			($2 - $1) / 1e8 }'
}

sandbox_claim
trap sandbox_end EXIT
trap 'exit 130' INT TERM
make -s -C "$ROOT" -j 2 B="$B" "$B/fairlead"
tools_build
bpffs_mount
sandbox_make 1
measure
measure_api

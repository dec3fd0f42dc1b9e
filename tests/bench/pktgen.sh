#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
#   scripts/bench pktgen [--json FILE] [--picture FILE.png] [--quick]
#	[--ways WAY,...] [--families 4,6] [--sizes BYTES,...] [--flows N,...]
#	[--services N,...] [--repeats N] [--seconds S] [--loss PART]
#	[--threads N] [--interfaces SENDER,BALANCER]
#
# The highest rate without loss, and the CPU time a packet costs, with the
# kernel's pktgen as sender: Fairlead against IPVS, nftables and iptables as
# kube-proxy sets them up, and plain forwarding.
#
#   client eth0 ── cable ── front balancer back ── eth0 backend, which counts
#
# What holds for the figures. All of them share this machine's CPUs: a rate is
# what the machine does with sending and counting, hence also the way "wire",
# which has no balancer. The cable turns pktgen's socket buffers into frames, so
# that each balancer gets packets as from a card's driver. RFC 2544 asks for
# trials of 60 seconds: --seconds 60; the default is 2. How a rate is found is
# said in pktgen.py.
#
# Sizes count the frame check sequence, 64 to 1518; flows and services are
# powers of two. --interfaces takes two cards of this machine that a cable
# joins, instead of veth. It needs a kernel with pktgen and IPVS.
set -euo pipefail
ROOT=$(realpath "${0%/*}/../..")
B=$(realpath -m "${B:-$ROOT/build}")
NET=flpktgen$$
# shellcheck source=tests/sandbox/sandbox.sh
. "$ROOT/tests/sandbox/sandbox.sh"
# shellcheck source=tests/bench/rivals.sh
. "$ROOT/tests/bench/rivals.sh"
# shellcheck source=tests/bench/pktgen_ways.sh
. "$ROOT/tests/bench/pktgen_ways.sh"
IN_FORCE_S=60	# a thousand services, on an emulated machine
REPORT=$ROOT/tests/bench/pktgen_report.py

usage() {
	sed -n 's/^#   \(scripts.*\)/usage: \1/p; s/^#	\(\[.*\)/       \1/p' \
		"$0" >&2
	echo "ways: $(all_ways)" >&2
	exit 2
}

die() {
	echo "bench: $1" >&2
	[[ -z ${2:-} ]] || echo "hint: $2" >&2
	exit 1
}

defaults() {
	JSON='' PICTURE='' QUICK='' WAYS='' INTERFACES=''
	FAMILIES='' SIZES='' FLOWS='' SERVICES=''
	REPEATS=3 SECONDS_EACH=2 LOSS=0 RESOLUTION=0.02 WARM=20000
	THREADS=$(nproc)
}

# What a quick run is, unless options that follow say otherwise.
quick() {
	QUICK=1 REPEATS=3 SECONDS_EACH=0.3 RESOLUTION=0.1 WARM=4096
}

options() {
	defaults
	while (($#)); do
		[[ $1 != --quick ]] || { quick && shift && continue; }
		[[ ${2:-} ]] || usage
		case $1 in
		--json) JSON=$2 ;;
		--picture) PICTURE=$2 ;;
		--ways) WAYS=${2//,/ } ;;
		--families) FAMILIES=${2//,/ } ;;
		--sizes) SIZES=${2//,/ } ;;
		--flows) FLOWS=${2//,/ } ;;
		--services) SERVICES=${2//,/ } ;;
		--repeats) REPEATS=$2 ;;
		--seconds) SECONDS_EACH=$2 ;;
		--loss) LOSS=$2 ;;
		--threads) THREADS=$2 ;;
		--interfaces) INTERFACES=${2//,/ } ;;
		*) usage ;;
		esac
		shift 2
	done
}

is_power_of_two() {
	[[ $1 =~ ^[1-9][0-9]*$ ]] && (($1 == ($1 & -$1)))
}

# is_from LEAST MOST WORD
is_from() {
	[[ $3 =~ ^[1-9][0-9]{0,8}$ ]] && (($1 <= $3 && $3 <= $2))
}

options_check() {
	local word

	for word in $FLOWS $SERVICES; do
		is_power_of_two "$word" || die "\"$word\" is no power of two"
	done
	for word in $SIZES; do
		is_from 64 1518 "$word" ||
			die "\"$word\" is no frame size from 64 to 1518"
	done
	for word in $FAMILIES; do
		[[ $word == [46] ]] || die "\"$word\" is neither family 4 nor 6"
	done
	for word in $WAYS; do
		[[ " $(all_ways) " == *" $word "* ]] ||
			die "\"$word\" is no way" "one of: $(all_ways)"
	done
	is_from 1 "$(nproc)" "$THREADS" ||
		die "\"$THREADS\" threads: there is one for each of $(nproc) CPUs"
	is_from 1 1000 "$REPEATS" || die "\"$REPEATS\" repeats: not 1 to 1000"
	[[ -z $INTERFACES ]] || interfaces_check
}

interfaces_check() {
	local word words

	read -ra words <<<"$INTERFACES"
	((${#words[@]} == 2)) || usage
	for word in "${words[@]}"; do
		[[ -e /sys/class/net/$word ]] || die "no interface \"$word\""
	done
	[[ $WAYS != *-generic* ]] ||
		die "a card's driver does native XDP, Fairlead takes no other" \
			"*-generic without --interfaces"
}

# What others need not load for us; ip_vs's table is small unless told.
kernel_check() {
	local missing=() missing_text

	modprobe -q pktgen || true
	modprobe -q ip_vs conn_tab_bits=18 || true
	modprobe -q nf_conntrack || true
	[[ -d /proc/net/pktgen ]] || missing+=(pktgen)
	[[ -e /proc/net/ip_vs ]] || missing+=(IPVS)
	((${#missing[@]})) || return 0
	missing_text=${missing[*]}
	die "Linux $(uname -r) has no ${missing_text/ / and no }" \
		"one that has, in a virtual machine: scripts/vm-test 6.1 scripts/bench pktgen"
}

# Frames of 64 bytes unless it is sizes that are compared, IPv4 likewise:
# "family services flows size", a line each.
cases() {
	local family services flows size

	if [[ $FAMILIES$SERVICES$FLOWS$SIZES ]]; then
		for family in ${FAMILIES:-4}; do
			for services in ${SERVICES:-1}; do
				for flows in ${FLOWS:-1024}; do
					for size in ${SIZES:-64}; do
						echo "$family $services $flows $size"
					done
				done
			done
		done
		return
	fi
	printf '4 %s 64\n' "1 1" "1 1024" "1 16384" "128 1024"
	[[ -z $QUICK ]] || return 0
	printf '4 %s 64\n' "1 65536" "1024 1024" "1024 65536"
	printf '4 1 1024 %s\n' 512 1518
	printf '6 %s 64\n' "1 1024" "1 32768" "1024 1024"
}

ways() {
	if [[ $WAYS ]]; then
		echo "$WAYS"
	elif [[ $QUICK ]]; then
		echo wire fairlead-{nat,l2,ipip} fairlead-nat-generic ipvs-masq \
			ipvs-ipip flowtable nft iptables forwarding
	else
		all_ways
	fi | without_generic
}

# Cards have XDP of their drivers alone.
without_generic() {
	if [[ $INTERFACES && -z $WAYS ]]; then
		sed -E 's/[a-z0-9-]+-generic ?//g'
	else
		cat
	fi
}

# The options that make this run's figure of a case again.
same_again() {
	local way=$1 family=$2 services=$3 flows=$4 size=$5

	[[ $way == wire ]] || way=wire,$way
	printf 'scripts/bench pktgen%s --ways %s --families %s --services %s' \
		"${QUICK:+ --quick}" "$way" "$family" "$services"
	printf ' --flows %s --sizes %s --seconds %s --repeats %s --loss %s' \
		"$flows" "$size" "$SECONDS_EACH" "$REPEATS" "$LOSS"
	printf ' --threads %s' "$THREADS"
	[[ -z $INTERFACES ]] || printf ' --interfaces %s' "${INTERFACES/ /,}"
}

# measure WAY FAMILY SERVICES FLOWS SIZE
measure() {
	on client "$ROOT/tests/bench/pktgen.py" --way "$1" --family "$2" \
		--services "$3" --flows "$4" --size "$5" --path "$PATH_TAKEN" \
		--command "$(same_again "$@")" --device eth0 \
		--mac "$(gate_mac)" --counter "$PROGRAMS/maps/received" \
		--threads "$THREADS" --repeats "$REPEATS" --warm "$WARM" \
		--seconds "$SECONDS_EACH" --loss "$LOSS" \
		--resolution "$RESOLUTION"
}

# A way is set up once for all that is to be sent to the same services.
measure_all() {
	local way family services same flows size

	while read -r FAMILY services <&3; do
		for way in $(ways); do
			echo "$way, IPv$FAMILY, services $services ..." >&2
			way_begin "$way" "$services" >&2
			while read -r family same flows size <&4; do
				[[ "$family $same" == "$FAMILY $services" ]] ||
					continue
				measure "$way" "$FAMILY" "$services" "$flows" \
					"$size"
			done 4< <(cases)
			way_end
		done
	done 3< <(cases | cut -d ' ' -f 1,2 | sort -u)
}

# The table is the whole machine's.
conntrack_room() {
	local file=/proc/sys/net/netfilter/nf_conntrack_max

	ROOM=
	[[ -e $file ]] && (($(<$file) < 1 << 18)) || return 0
	ROOM=$(<$file)
	echo $((1 << 18)) >$file
}

leave() {
	interfaces_return
	sandbox_remove
	[[ -z ${ROOM:-} ]] ||
		echo "$ROOM" >/proc/sys/net/netfilter/nf_conntrack_max
	rm -f "${LINES_FILE:-}" "${LINES_FILE:-}.json"
}

options "$@"
options_check
((EUID == 0)) || die "network namespaces and pktgen need root"
kernel_check
"$ROOT/scripts/install-deps" build pktgen >/dev/null || die \
	"packages are missing" \
	"scripts/install-deps pktgen; for a virtual machine, outside of it"
LINES_FILE=$(mktemp)
trap leave EXIT
trap 'exit 130' INT TERM
make -s -C "$ROOT" -j 2 B="$B" "$B/fairlead" "$B/tests/bench/pktgen.bpf.o"
bpffs_mount
conntrack_room
measure_all >"$LINES_FILE"
"$REPORT" collect "$LINES_FILE" >"$LINES_FILE.json"
[[ -z $JSON ]] || cp "$LINES_FILE.json" "$JSON"
[[ -z $PICTURE ]] || "$REPORT" picture "$LINES_FILE.json" "$PICTURE"
"$REPORT" text "$LINES_FILE.json"

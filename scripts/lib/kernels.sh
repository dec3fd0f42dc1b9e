# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# Where the kernels for virtual machines come from: Debian's packages, by the
# beginning of a version, unpacked and kept in $CACHE/kernels. First from the
# machine's own releases, then from backports, which get an apt state of their
# own beside the kernels, so that the machine's lists stay as they are.

# shellcheck disable=SC2034 # scripts/vm-test climbs it
LADDER=(6.1 6.12 6.18 7.2)
SUITES=(bookworm-backports trixie-backports)

# foreign COMMAND...: an apt command about the suites above.
foreign() {
	local dir=$CACHE/apt
	local command=$1
	shift

	[[ -e $dir/sources.list ]] || return
	"$command" -qq -o Dir::Etc::SourceList="$dir/sources.list" \
		-o Dir::Etc::SourceParts=/dev/null \
		-o Dir::State="$dir/state" -o Dir::State::status=/dev/null \
		-o Dir::Cache="$dir/cache" -o APT::Sandbox::User=root "$@"
}

own() {
	local command=$1
	shift
	"$command" -qq -o APT::Sandbox::User=root "$@"
}

# The mirror is the one that the machine's own Debian comes from.
foreign_update() {
	local dir=$CACHE/apt mirror suite
	local keyring=/usr/share/keyrings/debian-archive-keyring.gpg

	mirror=$(debian_mirror)
	[[ -n $mirror && -e $keyring ]] || return
	mkdir -p "$dir"/state/lists/partial "$dir"/cache/archives/partial
	for suite in "${SUITES[@]}"; do
		echo "deb [signed-by=$keyring] $mirror $suite main"
	done >"$dir/sources.list"
	foreign apt-get update
}

# newest SOURCE VERSION: the package, without the realtime and cloud kinds.
newest() {
	"$1" apt-cache pkgnames "linux-image-$2." | grep -- '-amd64$' |
		grep -vE -- '-(cloud|rt)-amd64$' | sort -V | tail -n 1
}

# Newer packages leave the kernel, its modules and their lists to others.
with_parts() {
	echo "$2"
	"$1" apt-cache depends --important "$2" |
		awk '$2 ~ /^linux-(base|binary|modules)-[0-9]/ { print $2 }'
}

# fetch SOURCE VERSION: into $CACHE/kernels/VERSION, all or nothing.
fetch() {
	local package packages dir=$CACHE/kernels/$2

	package=$(newest "$1" "$2") || true
	if [[ -z $package ]]; then
		echo "no package \"linux-image-$2.*-amd64\" is known"
		return 1
	fi
	rm -rf "$dir.new"
	mkdir -p "$dir.new"
	mapfile -t packages < <(with_parts "$1" "$package")
	(
		cd "$dir.new" &&
			"$1" apt-get download "${packages[@]}" &&
			unpack . ./*.deb && rm ./*.deb
	) && rm -rf "$dir" && mv "$dir.new" "$dir"
}

# unpack DIRECTORY PACKAGE-FILE...
unpack() {
	local file

	for file in "${@:2}"; do
		dpkg -x "$file" "$1" || return
	done
}

fetched() {
	fetch own "$1" || { own apt-get update && fetch own "$1"; } ||
		fetch foreign "$1" ||
		{ foreign_update && fetch foreign "$1"; }
}

# The signature of an x86 kernel image (Linux: Documentation/arch/x86/boot.rst).
is_image() {
	[[ -f $1 && $(dd if="$1" bs=1 skip=514 count=4 status=none) == HdrS ]]
}

# kernel_directory KERNEL: prints where it is unpacked, or the image itself; it
# is fetched if it has to be, and 77 says that it cannot be. One at a time, for
# others may want the same.
kernel_directory() {
	local sum dir=$CACHE/kernels/$1

	mkdir -p "$CACHE/kernels"
	exec 8>"$CACHE/kernels/lock"
	flock 8
	if [[ -d $1 ]]; then
		dir=$(realpath "$1")
	elif [[ $1 == *.deb ]]; then
		sum=$(sha256sum "$1") || return
		dir=$CACHE/kernels/${sum:0:16}
		[[ -d $dir ]] || { unpack "$dir.new" "$1" &&
			mv "$dir.new" "$dir"; } || return
	elif [[ -f $1 ]]; then
		is_image "$1" || { echo "\"$1\" is no kernel image" >&2 &&
			return 1; }
		dir=$(realpath "$1")
	elif [[ ! $1 =~ ^[0-9]+\.[0-9]+(\.[0-9]+)?$ ]]; then
		echo "\"$1\" is no version, directory, .deb or image" >&2
		return 1
	elif [[ ! -d $dir ]]; then
		fetched "$1" >&2 || return 77
	fi
	exec 8>&-
	echo "$dir"
}

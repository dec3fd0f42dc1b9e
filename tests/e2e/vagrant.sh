#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The Vagrantfile is right for every provider, and the box's builder refuses
# what cannot become one. (vagrant/try brings a machine up; that takes minutes.)
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

# With a box in place and without, with acceleration and without.
vagrantfile_is_right() {
	command -v vagrant >/dev/null || {
		echo "vagrant is not installed"
		exit 77
	}
	cd "$1"
	VAGRANT_HOME=$DIR/home "${@:2}" vagrant validate
}

copied() {
	mkdir -p "$DIR/copy/box"
	cp "$ROOT/vagrant/Vagrantfile" "$DIR/copy/"
	vagrantfile_is_right "$DIR/copy" "$@"
}

with_a_box() {
	mkdir -p "$DIR/copy/box"
	touch "$DIR/copy/box/fairlead.box"
	copied env FAIRLEAD_DRIVER=kvm
}

# refuses STATUS WORDS COMMAND...
refuses() {
	local status=0

	"${@:3}" >"$DIR/said" 2>&1 || status=$?
	cat "$DIR/said"
	[[ $status == "$1" ]]
	grep -qF -- "$2" "$DIR/said"
}

driver_that_is_none() {
	command -v vagrant >/dev/null || exit 77
	mkdir -p "$DIR/copy"
	cp "$ROOT/vagrant/Vagrantfile" "$DIR/copy/"
	cd "$DIR/copy"
	refuses 1 'FAIRLEAD_DRIVER is "xen"' \
		env VAGRANT_HOME="$DIR/home" FAIRLEAD_DRIVER=xen vagrant validate
}

((EUID == 0)) || skip_all "needs root"
trap 'rm -rf "$DIR"' EXIT
mkdir -p "$DIR"
build=$ROOT/vagrant/box/build
it "the Vagrantfile is right without a box" copied env FAIRLEAD_DRIVER=qemu
it "the Vagrantfile is right with a box" with_a_box
it "a driver that is none is told" driver_that_is_none
it "the builder says how it is used" refuses 2 "usage:" "$build" --help
it "the builder wants room" refuses 1 "at least 5" env BOX_GB=2 "$build"
it "the builder wants a place" refuses 1 "no directory" "$build" /nowhere/x.box
finish

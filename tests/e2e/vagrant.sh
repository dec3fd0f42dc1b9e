#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The virtual machine of vagrant/, short of starting it: what the Vagrantfile
# asks for, what it runs under, and the parts of the box that need no packages.
# scripts/vagrant-test does the rest.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=vagrant/box/guest.sh
. "$ROOT/vagrant/box/guest.sh"
# shellcheck source=vagrant/box/image.sh
. "$ROOT/vagrant/box/image.sh"
export PATH=$PATH:/usr/sbin:/sbin

needs() {
	local command

	for command; do
		command -v "$command" >/dev/null || {
			echo "no $command"
			exit 77
		}
	done
}

# tree: the Vagrantfile elsewhere, so that boxes are there or not at will.
tree() {
	mkdir -p "$DIR/tree/box"
	cp "$ROOT"/vagrant/{Vagrantfile,accelerator} "$DIR/tree"
	touch "$DIR/tree/box/libvirt.box"
}

# asked PROVIDER: what the Vagrantfile sets, a line each.
asked() {
	ruby "$ROOT/tests/e2e/vagrantfile.rb" "$DIR/tree/Vagrantfile" "$1"
}

valid_to_vagrant() {
	needs vagrant
	cd "$ROOT/vagrant"
	VAGRANT_HOME=$DIR/home VAGRANT_DOTFILE_PATH=$DIR/machine \
		vagrant validate --ignore-provider
}

own_box_if_there() {
	needs ruby
	tree
	asked libvirt >"$DIR/own"
	grep -Fx 'vm.box = "fairlead/debian12"' "$DIR/own"
	grep -F "vm.box_url = \"file://$DIR/tree/box/libvirt.box\"" "$DIR/own"
	fails grep 'box/build' "$DIR/own"
	asked virtualbox >"$DIR/foreign"
	grep -Fx 'vm.box = "debian/bookworm64"' "$DIR/foreign"
	grep 'box/build' "$DIR/foreign"
}

slow_in_words() {
	needs ruby
	tree
	FAIRLEAD_VM_ACCEL=qemu asked libvirt >"$DIR/slow"
	grep -Fx 'libvirt.driver = "qemu"' "$DIR/slow"
	grep -q 'No hardware acceleration' "$DIR/slow"
	FAIRLEAD_VM_ACCEL=kvm asked libvirt >"$DIR/fast"
	grep -Fx 'libvirt.driver = "kvm"' "$DIR/fast"
	fails grep -q 'No hardware acceleration' "$DIR/fast"
}

size_by_environment() {
	needs ruby
	tree
	FAIRLEAD_VM_CPUS=3 FAIRLEAD_VM_MEMORY=999 asked libvirt >"$DIR/asked"
	grep -Fx 'libvirt.cpus = 3' "$DIR/asked"
	grep -Fx 'libvirt.memory = 999' "$DIR/asked"
	grep 'vm.network .*libvirt__driver_queues.*3' "$DIR/asked"
}

builds_stay_apart() {
	needs ruby
	tree
	asked libvirt | grep 'vm.synced_folder "\.\." "/home/vagrant/fairlead".*"/build/"'
}

# under COMMANDS: what is chosen if that is what QEMU does.
under() {
	mkdir -p "$DIR/bin"
	printf '#!/bin/bash\n%s\n' "$1" >"$DIR/bin/qemu-system-x86_64"
	chmod +x "$DIR/bin/qemu-system-x86_64"
	: >"$DIR/kvm"
	PATH=$DIR/bin:$PATH "$ROOT/vagrant/accelerator" "$DIR/kvm"
}

accelerator_is_tried() {
	[[ $(under 'exit 33') == kvm ]]
	[[ $(under 'exit 0') == qemu ]]
	[[ $(under 'kill -ABRT $$') == qemu ]]
	[[ $(under 'exec sleep 60') == qemu ]]
	[[ $("$ROOT/vagrant/accelerator" "$DIR/none") == qemu ]]
}

# refused MESSAGE OPTION...
refused() {
	local status=0 message=$1
	shift
	"$ROOT/vagrant/box/build" "$@" >"$DIR/refused" 2>&1 || status=$?
	((status == 2))
	grep -F -- "$message" "$DIR/refused"
}

builder_knows_its_options() {
	"$ROOT/vagrant/box/build" --help | grep '^usage: vagrant/box/build '
	refused 'unknown option "--fast"' --fast
	refused '--mirror needs a value' --mirror
	refused 'no box for provider "cloud"' --provider cloud
	refused 'one FILE only' "$DIR/a.box" "$DIR/b.box"
	refused 'is no directory' "$DIR/none/a.box"
}

metadata_is_json() {
	metadata qemu 20 | jq -e \
		'. == {provider: "qemu", format: "qcow2", virtual_size: 20}'
}

packages_of_all_scripts() {
	guest_packages | sort -u >"$DIR/packages"
	grep -x linux-image-amd64 "$DIR/packages"
	"$ROOT/scripts/install-deps" --list build test demo >"$DIR/wanted"
	grep -x libbpf-dev "$DIR/wanted"
	[[ -z $(comm -13 "$DIR/packages" "$DIR/wanted") ]]
}

# bytes FILE OFFSET COUNT
bytes() {
	od -An -v -tx1 -j "$2" -N "$3" "$1"
}

# grub_make needs a Debian in the directory; what it would have made is given.
disk_has_all_in_its_place() {
	local disk=$DIR/disk

	needs sfdisk mke2fs debugfs
	grub_make() {
		head -c 512 /dev/urandom >"$2.boot"
		head -c 50000 /dev/urandom >"$2.core"
		cp "$2.boot" "$DIR/boot"
		cp "$2.core" "$DIR/core"
	}
	mkdir -p "$DIR/root/etc"
	echo it is here >"$DIR/root/etc/file"
	disk_image "$DIR/root" "$disk" 1
	[[ $(stat -c %s "$disk") == $((1 << 30)) ]]
	[[ $(bytes "$disk" 0 440) == $(bytes "$DIR/boot" 0 440) ]]
	[[ $(bytes "$disk" 512 50000) == $(bytes "$DIR/core" 0 50000) ]]
	sfdisk -J "$disk" | jq -e '.partitiontable.partitions |
		length == 1 and .[0].start == 2048 and .[0].bootable'
	[[ $(debugfs -R 'cat /etc/file' "$disk?offset=1048576" 2>/dev/null) == \
		"it is here" ]]
}

too_much_grub_is_refused() {
	: >"$DIR/big.boot"
	truncate -s 2M "$DIR/big.core"
	fails grub_write "$DIR/big"
}

mkdir -p "$DIR"
trap 'rm -rf "$DIR"' EXIT
it "the Vagrantfile is valid to Vagrant" valid_to_vagrant
it "the project's own box is taken if there is one" own_box_if_there
it "without acceleration it says that it is slow" slow_in_words
it "processors, queues and memory are taken from the environment" \
	size_by_environment
it "builds of the machine and its host stay apart" builds_stay_apart
it "KVM is taken if a boot sector runs under it" accelerator_is_tried
it "the box builder refuses what it does not know" builder_knows_its_options
it "the box's metadata is what Vagrant reads" metadata_is_json
it "the box has what the scripts want" packages_of_all_scripts
it "the disk has boot code, partition and files in their places" \
	disk_has_all_in_its_place
it "boot code that would run into the partition is refused" \
	too_much_grub_is_refused
finish

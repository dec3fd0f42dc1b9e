# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# A virtual machine with another kernel and this machine's files: its root is
# the host's by 9p, read-only, below a tmpfs. What a command leaves in VM_SHARE,
# which the host sees as well, is kept; all else is gone with the machine.
#
# May be given: VM_ACCEL (kvm where it works, else tcg), VM_MEMORY (2048, in MB),
# VM_CPUS (2), VM_SECONDS (2400, the longest it may live); VM_CABLE=1 for two
# network cards, eth0 and eth1, that a cable joins; for a bare image, the
# directory of its modules as VM_MODULES_DIR, .../lib/modules/RELEASE.

# Sets VM_IMAGE, and VM_RELEASE and VM_MODULES unless all is built in.
vm_image() {
	VM_IMAGE=$1
	VM_MODULES=${VM_MODULES_DIR:+$(realpath "$VM_MODULES_DIR")}
	VM_RELEASE=${VM_MODULES##*/}
	[[ -z $VM_MODULES ]] || vm_modules
}

vm_modules() {
	if [[ $VM_MODULES != */lib/modules/* || ! -d $VM_MODULES/kernel ]]; then
		echo "\"$VM_MODULES\" is no .../lib/modules/RELEASE" >&2
		return 1
	fi
	[[ -e $VM_MODULES/modules.dep ]] ||
		depmod -b "${VM_MODULES%/lib/modules/*}" "$VM_RELEASE"
}

# Sets the same from an unpacked kernel package.
vm_kernel() {
	local dir

	if [[ -f $1 ]]; then
		vm_image "$1"
		return
	fi
	VM_RELEASE=
	for dir in "$1"/lib/modules/* "$1"/usr/lib/modules/*; do
		[[ -d $dir/kernel ]] || continue
		VM_MODULES=$dir
		VM_RELEASE=${dir##*/}
	done
	VM_IMAGE=$1/boot/vmlinuz-$VM_RELEASE
	[[ -e $VM_IMAGE ]] || VM_IMAGE=${VM_MODULES:-}/vmlinuz
	if [[ -z $VM_RELEASE || ! -e $VM_IMAGE ]]; then
		echo "\"$1\" holds no kernel with its modules" >&2
		return 1
	fi
	vm_modules
}

unpacked() {
	case $1 in
	*.xz) xz -dc "$1" ;;
	*.zst) zstd -qdc "$1" ;;
	*.gz) gzip -dc "$1" ;;
	*) cat "$1" ;;
	esac
}

# What it takes to reach the root: prints the modules' files, in their order.
vm_boot_modules() {
	local module

	[[ -n $VM_MODULES ]] || return 0
	for module in virtio_pci virtio_console 9pnet_virtio 9p overlay; do
		modprobe -d "${VM_MODULES%/lib/modules/*}" -S "$VM_RELEASE" \
			--show-depends "$module"
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

# vm_initramfs DIRECTORY: makes DIRECTORY/initramfs.
vm_initramfs() {
	local root=$1/root file name

	mkdir -p "$root"/{bin,proc,sys,dev,modules}
	cp "$(command -v busybox)" "$root/bin/busybox"
	ln -s busybox "$root/bin/sh"
	cp "${BASH_SOURCE[0]%/*}/vm-init" "$root/init"
	: >"$root/modules/order"
	while read -r file; do
		name=$(basename "${file%%.ko*}").ko
		unpacked "$file" >"$root/modules/$name"
		echo "$name" >>"$root/modules/order"
	done < <(vm_boot_modules)
	(cd "$root" && find . | cpio -o -H newc --quiet) >"$1/initramfs"
	rm -r "$root"
}

# vm_start_script SHARE COMMAND...: what the machine does once it has its root.
vm_start_script() {
	local share=$1 command
	shift

	command=${*@Q}
	cat >"$share/start" <<-END
		export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
		export HOME=/root TERM=dumb LANG=C.UTF-8 VM_SHARE=/run/vm-share
		export VM_HOST_CPU="$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"
		mkdir -p /lib/modules/$VM_RELEASE
		[[ -z ${VM_MODULES@Q} ]] ||
			mount --bind ${VM_MODULES@Q} /lib/modules/$VM_RELEASE
		hostname vm
		${VM_CABLE:+modprobe virtio_net}
		ip link set lo up
		ulimit -l unlimited
		cd ${PWD@Q}
		setsid $command </dev/null >/dev/vport0p1 2>&1
		echo \$? >\$VM_SHARE/status
		dmesg >\$VM_SHARE/dmesg
		sync
		echo o >/proc/sysrq-trigger
		sleep 60
	END
}

vm_cards() {
	local card

	[[ ${VM_CABLE:-} ]] || return 0
	for card in a b; do
		printf '%s\n' -netdev "hubport,id=$card,hubid=0" \
			-device "virtio-net-pci,netdev=$card"
	done
}

# Why there is no result: what vm-init missed, or what was said last.
vm_post_mortem() {
	echo "the virtual machine gave no result (QEMU: $2)"
	if grep -ao 'this kernel lacks .*' "$1/console"; then
		echo "hint: build in 9p, virtio (PCI) and overlay, or name the" \
			"directory of the image's modules as VM_MODULES_DIR"
		return
	fi
	tail -n 5 "$1/qemu" "$1/console"
}

# vm_run KERNEL SHARE COMMAND...: 125 if the machine ended without
# having finished the command, 124 if it took too long.
vm_run() {
	local share=$2 accel=${VM_ACCEL:-tcg} cpu=max,la57=off status=0 cards

	vm_kernel "$1" || return 125
	vm_initramfs "$share" || return 125
	rm -f "$share/status"
	vm_start_script "$share" "${@:3}"
	[[ ${VM_ACCEL:-} || $(vagrant/accelerator) != kvm ]] || accel=kvm
	[[ $accel == tcg ]] || cpu=host
	mapfile -t cards < <(vm_cards)
	timeout --foreground "${VM_SECONDS:-2400}" qemu-system-x86_64 \
		-M q35 -accel "$accel" -cpu $cpu \
		-smp "${VM_CPUS:-2}" -m "${VM_MEMORY:-2048}" \
		-nodefaults -no-user-config -display none -no-reboot \
		-serial "file:$share/console" \
		-device virtio-serial-pci -device virtserialport,chardev=out \
		-chardev file,id=out,path=/dev/fd/1,append=on \
		-device virtio-rng-pci "${cards[@]}" \
		-fsdev local,id=root,path=/,security_model=none,readonly=on,multidevs=remap \
		-device virtio-9p-pci,fsdev=root,mount_tag=root \
		-fsdev "local,id=share,path=$share,security_model=none" \
		-device virtio-9p-pci,fsdev=share,mount_tag=share \
		-kernel "$VM_IMAGE" -initrd "$share/initramfs" \
		-append "console=ttyS0 quiet panic=-1 no_timer_check tsc=reliable mitigations=off" \
		</dev/null 2>"$share/qemu" | cat || status=${PIPESTATUS[0]}
	[[ ! -s $share/status ]] || return "$(<"$share/status")"
	vm_post_mortem "$share" "$status" >&2
	((status == 124)) || status=125
	return "$status"
}

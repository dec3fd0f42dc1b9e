# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# A virtual machine with another kernel and this machine's files: its root is
# the host's by 9p, read-only, below a tmpfs. What a command leaves in VM_SHARE,
# which the host sees as well, is kept; all else is gone with the machine.
#
# VM_ACCEL (tcg; kvm), VM_MEMORY (2048, in MB), VM_CPUS (2) and VM_SECONDS
# (900, the longest it may live) may be given.

# Sets VM_RELEASE, VM_MODULES and VM_IMAGE from an unpacked kernel package.
vm_kernel() {
	local dir

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
	[[ -e $VM_MODULES/modules.dep ]] ||
		depmod -b "${VM_MODULES%/lib/modules/*}" "$VM_RELEASE"
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
		mkdir -p /lib/modules/$VM_RELEASE
		mount --bind ${VM_MODULES@Q} /lib/modules/$VM_RELEASE
		hostname vm
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

# vm_run KERNEL-DIRECTORY SHARE COMMAND...: 125 if the machine ended without
# having finished the command, 124 if it took too long.
vm_run() {
	local share=$2 cpu=max,la57=off status=0

	vm_kernel "$1" || return 125
	vm_initramfs "$share" || return 125
	rm -f "$share/status"
	vm_start_script "$share" "${@:3}"
	[[ ${VM_ACCEL:-tcg} == tcg ]] || cpu=host
	timeout --foreground "${VM_SECONDS:-900}" qemu-system-x86_64 \
		-M q35 -accel "${VM_ACCEL:-tcg}" -cpu $cpu \
		-smp "${VM_CPUS:-2}" -m "${VM_MEMORY:-2048}" \
		-nodefaults -no-user-config -display none -no-reboot \
		-serial "file:$share/console" \
		-device virtio-serial-pci -device virtserialport,chardev=out \
		-chardev file,id=out,path=/dev/fd/1,append=on \
		-device virtio-rng-pci \
		-fsdev local,id=root,path=/,security_model=none,readonly=on,multidevs=remap \
		-device virtio-9p-pci,fsdev=root,mount_tag=root \
		-fsdev "local,id=share,path=$share,security_model=none" \
		-device virtio-9p-pci,fsdev=share,mount_tag=share \
		-kernel "$VM_IMAGE" -initrd "$share/initramfs" \
		-append "console=ttyS0 quiet panic=-1 no_timer_check tsc=reliable mitigations=off" \
		</dev/null 2>"$share/qemu" | cat || status=${PIPESTATUS[0]}
	[[ ! -s $share/status ]] || return "$(<"$share/status")"
	{
		echo "the virtual machine gave no result (QEMU: $status)"
		tail -n 5 "$share/qemu" "$share/console"
	} >&2
	((status == 124)) || status=125
	return "$status"
}

# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# A directory becomes a disk that boots. No loop device, mount or device node:
# mke2fs fills the file system from the directory, and GRUB goes where its own
# installer, which wants devices, would put it.

PARTITION_SECTOR=2048

# metadata PROVIDER GIGABYTES: what Vagrant wants to know of a box.
metadata() {
	printf '{"provider": "%s", "format": "qcow2", "virtual_size": %d}\n' \
		"$1" "$2"
}

# disk_image ROOT FILE GIGABYTES
disk_image() {
	local offset=$((PARTITION_SECTOR * 512)) size=$(($3 << 30))

	grub_make "$1" "$2"
	truncate -s $size "$2"
	echo "$PARTITION_SECTOR,,L,*" | sfdisk -q "$2"
	# what GRUB 2.06 cannot read
	mke2fs -q -F -t ext4 -O ^orphan_file,^metadata_csum_seed -L root \
		-d "$1" -E offset=$offset "$2" $(((size - offset) >> 10))K
	grub_write "$2"
}

# grub_make ROOT FILE: FILE.boot, the code of the first sector, FILE.core, which
# finds its configuration in the first partition, and that configuration.
grub_make() {
	local kernel

	kernel=$(cd "$1/boot" && echo vmlinuz-*)
	kernel=${kernel#vmlinuz-}
	chroot "$1" grub-mkimage -O i386-pc -o /core.img \
		-p '(hd0,msdos1)/boot/grub' biosdisk part_msdos ext2 normal \
		linux search search_label configfile boot echo test
	mv "$1/core.img" "$2.core"
	cp "$1/usr/lib/grub/i386-pc/boot.img" "$2.boot"
	mkdir -p "$1/boot/grub"
	cat >"$1/boot/grub/grub.cfg" <<-END
		set timeout=0
		search --no-floppy --label root --set=root
		linux /boot/vmlinuz-$kernel root=LABEL=root ro quiet console=tty0 console=ttyS0 net.ifnames=0 no_timer_check
		initrd /boot/initrd.img-$kernel
		boot
	END
}

# Both images are made to lie so: the first sector's code, before the partition
# table, loads the second sector, and that the rest of the core behind it.
grub_write() {
	local size

	size=$(stat -c %s "$1.core")
	((size <= (PARTITION_SECTOR - 1) * 512)) || {
		echo "GRUB has $size bytes, too many before the partition" >&2
		return 1
	}
	dd if="$1.boot" of="$1" bs=440 count=1 conv=notrunc status=none
	dd if="$1.core" of="$1" bs=512 seek=1 conv=notrunc status=none
	rm "$1.boot" "$1.core"
}

# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# What is in the box: the packages, and the settings that make it one which
# Vagrant can log in to and configure. Who includes this sets ROOT, the tree.

# Services that cost a slow machine minutes, or wait for a network it lacks.
GUEST_WITHOUT=(apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer
	e2scrub_all.timer e2scrub_reap.service fstrim.timer logrotate.timer
	nginx.service systemd-networkd-wait-online.service)

guest_packages() {
	printf '%s\n' linux-image-amd64 initramfs-tools zstd grub-pc-bin \
		grub2-common systemd-sysv systemd-resolved dbus udev kmod \
		openssh-server sudo rsync ca-certificates iputils-ping less \
		netcat-openbsd conntrack ipset ipvsadm
	"$ROOT/scripts/install-deps" --list build test demo
}

# guest_settings DIRECTORY
guest_settings() {
	guest_system "$1"
	guest_network "$1"
	guest_login "$1"
	rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*
	mkdir -p "$1/var/lib/apt/lists/partial"
}

guest_system() {
	local unit

	echo 'LABEL=root / ext4 errors=remount-ro 0 1' >"$1/etc/fstab"
	echo fairlead >"$1/etc/hostname"
	echo '127.0.0.1 localhost fairlead' >"$1/etc/hosts"
	: >"$1/etc/machine-id"
	for unit in "${GUEST_WITHOUT[@]}"; do
		ln -sf /dev/null "$1/etc/systemd/system/$unit"
	done
}

# The first interface is Vagrant's; it configures the second by itself.
guest_network() {
	cat >"$1/etc/systemd/network/99-first.network" <<-END
		[Match]
		Name=eth0
		[Network]
		DHCP=ipv4
		[DHCPv4]
		ClientIdentifier=mac
	END
	ln -sf ../run/systemd/resolve/stub-resolv.conf "$1/etc/resolv.conf"
	chroot "$1" systemctl -q enable systemd-networkd systemd-resolved
}

# The key that every Vagrant knows; it puts one of its own there at first.
vagrant_key() {
	local file found=

	for file in /usr/share/rubygems-integration/all/gems/vagrant-*/keys/vagrant.pub \
		/opt/vagrant/embedded/gems/*/gems/vagrant-*/keys/vagrant.pub; do
		[[ ! -e $file ]] || found=$file
	done
	cat "${found:-/vagrant.pub, which comes with Vagrant}"
}

guest_login() {
	local ssh=$1/home/vagrant/.ssh

	chroot "$1" useradd -m -s /bin/bash vagrant
	echo 'vagrant ALL=(ALL) NOPASSWD:ALL' >"$1/etc/sudoers.d/vagrant"
	chmod 440 "$1/etc/sudoers.d/vagrant"
	mkdir -m 700 "$ssh"
	vagrant_key >"$ssh/authorized_keys"
	chmod 600 "$ssh/authorized_keys"
	chroot "$1" chown -R vagrant:vagrant /home/vagrant/.ssh
	printf 'UseDNS no\nGSSAPIAuthentication no\n' \
		>"$1/etc/ssh/sshd_config.d/vagrant.conf"
	rm -f "$1"/etc/ssh/ssh_host_*
	cat >"$1/etc/systemd/system/ssh-key.service" <<-END
		[Unit]
		Description=a host key of this machine's own
		Before=ssh.service
		ConditionPathExists=!/etc/ssh/ssh_host_ed25519_key
		[Service]
		Type=oneshot
		ExecStart=/usr/bin/ssh-keygen -q -t ed25519 -N "" -f /etc/ssh/ssh_host_ed25519_key
		[Install]
		WantedBy=multi-user.target
	END
	chroot "$1" systemctl -q enable ssh-key
}

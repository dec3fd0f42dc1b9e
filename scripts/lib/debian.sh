# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash

# The mirror that this machine's own Debian comes from; nothing if it has none.
debian_mirror() {
	local codename

	# shellcheck source=/dev/null
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	# shellcheck disable=SC2016
	apt-get indextargets --format '$(REPO_URI) $(CODENAME)' \
		'Created-By: Packages' |
		awk -v name="$codename" '$2 == name && !n++ { print $1 }'
}

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Datagrams larger than the way arrive whole, in whatever order their
# fragments come, and all fragments at the same backend.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

# Twenty datagrams, each from a port of its own, so to all backends.
datagrams() {
	local vip=$1 size=$2 order=$3 i

	for ((i = 0; i < 20; i++)); do
		on client-1 "$ROOT/tests/e2e/packets.py" datagram "$vip" 80 \
			"$size" "$order" 1200
	done | sort | uniq -c | tee "$DIR/answers"
	[[ $(wc -l <"$DIR/answers") == 2 ]]
	[[ $(awk '{ n += $1 } END { print n }' "$DIR/answers") == 20 ]]
}

# As the client's own kernel cuts them. IPv6's sender must learn how small the
# way is (RFC 8201): the first datagrams of a tunnel come back as an error.
from_the_kernel() {
	on client-1 python3 - "$1" <<-'END'
		import errno, socket, sys
		family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
		with socket.socket(family, socket.SOCK_DGRAM) as s:
		    s.settimeout(2)
		    s.connect((sys.argv[1], 80))
		    for attempt in range(4):
		        try:
		            s.send(bytes(5000))
		            answer = s.recv(100).split()
		            sys.exit(answer[1] != b"5000")
		        except OSError as error:
		            if error.errno != errno.EMSGSIZE:
		                raise
		sys.exit("told that it is too long again and again")
	END
}

story 2
decap 1 2
services nat 1 2
serve
for mode in nat l2 ipip gue; do
	services "$mode" 1 2
	in_force
	for vip in "${FAMILIES[@]}"; do
		for order in forward first-last backward; do
			it "$mode: $vip, fragments $order" \
				datagrams "$vip" 4000 "$order"
		done
		it "$mode: $vip, the kernel's own" from_the_kernel "$vip"
	done
done
finish

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What IPVS really serves, beside definitions that are to serve in its place.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

compare() {
	fairlead diff --against ipvs "$CONFIG" | tee "$DIR/said"
}

# By the same addresses, shares and ways: nothing differs.
the_same() {
	config <<-END
		services:
		  - name: web
		    address: $VIP4
		    port: 80
		    algorithm: round-robin
		    affinity: {client: 300s}
		    backends: [{address: 10.91.0.11, port: 8080, weight: 1},
		               {address: 10.91.0.12, port: 8080, weight: 3}]
		  - name: web6
		    address: '$VIP6'
		    port: 80
		    algorithm: round-robin
		    forward: l2
		    backends: [{address: 'fd91::11'}]
	END
	compare
	[[ $(<"$DIR/said") == "$VIP4:53/udp: the definitions have it not" ]]
}

another() {
	config <<-END
		services:
		  - name: web
		    address: $VIP4
		    port: 80
		    backends: [{address: 10.91.0.11, port: 8080}]
	END
	compare
	grep "$VIP4:80/tcp: backend 10.91.0.12:8080: the definitions have it not" "$DIR/said"
	grep "$VIP4:80/tcp: scheduled by wrr in IPVS, by maglev" "$DIR/said"
	grep "\[$VIP6\]:80/tcp: the definitions have it not" "$DIR/said"
}

# What is imported serves as what it was imported from.
imported() {
	on balancer ipvsadm -Sn >"$DIR/saved"
	fairlead import ipvs "$DIR/saved" >"$CONFIG"
	cat "$CONFIG"
	fairlead check "$CONFIG"
	compare
	[[ $(<"$DIR/said") == "no difference" ]]
}

story 0 0
on balancer ipvsadm -Ln >/dev/null 2>&1 || skip_all "this kernel has no IPVS"
on balancer ipvsadm -R <<-END
	-A -t $VIP4:80 -s wrr -p 300
	-a -t $VIP4:80 -r 10.91.0.11:8080 -m -w 1
	-a -t $VIP4:80 -r 10.91.0.12:8080 -m -w 3
	-A -t [$VIP6]:80 -s rr
	-a -t [$VIP6]:80 -r [fd91::11]:80 -g -w 1
	-A -u $VIP4:53 -s sh
	-a -u $VIP4:53 -r 10.91.0.11:53 -i -w 5 --tun-type gue --tun-port 6080 --tun-nocsum
	-a -u $VIP4:53 -r 10.91.0.12:53 -i -w 0 --tun-type gue --tun-port 6080 --tun-nocsum
END
it "definitions that say the same" the_same
it "definitions that say something else" another
it "definitions that are imported" imported
finish

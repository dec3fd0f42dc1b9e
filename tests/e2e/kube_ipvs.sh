#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What kube-proxy's IPVS mode leaves is removed, and what others made in the same
# places is not.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

sets() {
	on balancer ipset -n list | sort
}

sets_make() {
	on balancer ipset restore <<-END
		create MINE hash:ip
		create KUBE-SRC-MINE hash:ip
		create KUBE-CLUSTER-IP hash:ip,port
		create KUBE-6-CLUSTER-IP hash:ip,port family inet6
		create KUBE-NODE-PORT-TCP bitmap:port range 0-65535
		create KUBE-6-NODE-PORT-TCP bitmap:port range 0-65535
		create KUBE-NODE-PORT-LOCAL-SCTP-HASH hash:ip,port
		create KUBE-6-LOAD-BALANCER-SOURCE-CID hash:ip,port,net family inet6
		add KUBE-CLUSTER-IP 10.96.0.1,tcp:443
		add KUBE-NODE-PORT-TCP 30080
		add KUBE-6-NODE-PORT-TCP 30080
		add MINE 192.0.2.1
	END
}

# The rules of this mode hold its sets.
rules_make() {
	on balancer iptables-legacy-restore --noflush <<-END
		*nat
		:KUBE-SERVICES - [0:0]
		:KUBE-LOAD-BALANCER - [0:0]
		:KUBE-NODE-PORT - [0:0]
		:KUBE-MARK-MASQ - [0:0]
		-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
		-A OUTPUT -m set --match-set MINE dst -j ACCEPT
		-A KUBE-SERVICES -m set --match-set KUBE-CLUSTER-IP src,dst -j KUBE-MARK-MASQ
		-A KUBE-SERVICES -m set --match-set KUBE-CLUSTER-IP dst,dst -j ACCEPT
		-A KUBE-NODE-PORT -p tcp -m set --match-set KUBE-NODE-PORT-TCP dst -j KUBE-MARK-MASQ
		COMMIT
	END
}

sets_go() {
	sets_make
	rules_make
	fairlead cleanup --kube-proxy --yes | tee "$DIR/said"
	[[ $(grep -c '^ipset: ' "$DIR/said") == 6 ]]
	diff <(sets) - <<-END
		KUBE-SRC-MINE
		MINE
	END
	on balancer iptables-legacy-save | tee "$DIR/said"
	fails grep KUBE-SERVICES "$DIR/said"
	grep -F 'match-set MINE' "$DIR/said"
}

# A set that somebody else's rule uses cannot go: that is said.
a_set_in_use_is_said() {
	local rc=0

	on balancer ipset create KUBE-LOOP-BACK hash:ip,port,ip
	on balancer iptables-legacy -A FORWARD \
		-m set --match-set KUBE-LOOP-BACK dst,dst,src -j ACCEPT
	fairlead cleanup --kube-proxy --yes >"$DIR/said" 2>&1 || rc=$?
	cat "$DIR/said"
	((rc == 1))
	grep -F 'cannot remove KUBE-LOOP-BACK' "$DIR/said"
	on balancer iptables-legacy -F FORWARD
	fairlead cleanup --kube-proxy --yes
}

servers_go() {
	on balancer ip link add kube-ipvs0 type dummy ||
		{ echo "this kernel has no dummy"; return 77; }
	on balancer ipvsadm -Ln || { echo "this kernel has no IPVS"; return 77; }
	ip_on balancer <<-END
		addr add 10.96.0.1/32 dev kube-ipvs0
		addr add fd96::1/128 dev kube-ipvs0
	END
	on balancer ipset create KUBE-NODE-PORT-UDP bitmap:port range 0-65535
	on balancer ipset add KUBE-NODE-PORT-UDP 30053
	on balancer ipset create KUBE-NODE-PORT-TCP bitmap:port range 0-65535
	on balancer ipset add KUBE-NODE-PORT-TCP 30080
	on balancer ipvsadm -R <<-END
		-A -t 10.96.0.1:443 -s rr
		-a -t 10.96.0.1:443 -r 10.91.0.11:6443 -m
		-A -u 10.96.0.1:53 -s rr
		-A -t [fd96::1]:443 -s rr
		-A -t 10.91.0.2:30080 -s rr
		-A -u 10.91.0.2:30053 -s rr
		-A -t 192.0.2.99:443 -s wlc
		-A -t 10.91.0.2:53 -s wlc
	END
	fairlead cleanup --kube-proxy --yes | tee "$DIR/said"
	grep -x 'IPVS: 5 virtual servers' "$DIR/said"
	grep -x 'interface: kube-ipvs0' "$DIR/said"
	diff <(on balancer ipvsadm -Sn | sort) - <<-END
		-A -t 10.91.0.2:53 -s wlc
		-A -t 192.0.2.99:443 -s wlc
	END
	fails on balancer ip link show kube-ipvs0
}

for tool in ipset ipvsadm iptables-legacy-restore; do
	command -v "$tool" >/dev/null || skip_all "needs $tool"
done
story 1
it "its sets go, and the rules that use them" sets_go
it "a set that is in use is said" a_set_in_use_is_said
it "its virtual servers and its interface go" servers_go
finish

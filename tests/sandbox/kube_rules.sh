# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# Rules in kube-proxy's shape, of its iptables and its nftables mode, for one
# service of tests/e2e/node_lib.sh, with what else is usually there: the
# kubelet's chains, and somebody else's.

# others_iptables: the kubelet's, and a host port of somebody's.
others_iptables() {
	cat <<-END
		*filter
		:KUBE-FIREWALL - [0:0]
		:KUBE-KUBELET-CANARY - [0:0]
		-A INPUT -j KUBE-FIREWALL
		-A OUTPUT -j KUBE-FIREWALL
		-A KUBE-FIREWALL -m mark --mark 0x8000/0x8000 -j DROP
		COMMIT
		*mangle
		:KUBE-IPTABLES-HINT - [0:0]
		:KUBE-KUBELET-CANARY - [0:0]
		COMMIT
		*nat
		:KUBE-KUBELET-CANARY - [0:0]
		:KUBE-MARK-DROP - [0:0]
		:MINE - [0:0]
		-A PREROUTING -p tcp -m tcp --dport 7777 -m comment --comment "mine, not -j KUBE-SERVICES" -j MINE
		-A MINE -j RETURN
		-A KUBE-MARK-DROP -j MARK --set-xmark 0x8000/0x8000
		COMMIT
	END
}

# kube_iptables SERVICE PORT PODS ENDPOINT ENDPOINT: SERVICE is an address, each
# ENDPOINT "ADDRESS:PORT", PORT a node port, PODS a CIDR.
kube_iptables() {
	cat <<-END
		*filter
		:KUBE-EXTERNAL-SERVICES - [0:0]
		:KUBE-FORWARD - [0:0]
		:KUBE-NODEPORTS - [0:0]
		:KUBE-PROXY-CANARY - [0:0]
		:KUBE-PROXY-FIREWALL - [0:0]
		:KUBE-SERVICES - [0:0]
		-A INPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL
		-A INPUT -m comment --comment "kubernetes health check service ports" -j KUBE-NODEPORTS
		-A INPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service portals" -j KUBE-EXTERNAL-SERVICES
		-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
		-A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
		-A OUTPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
		-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
		-A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT
		-A KUBE-FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
		COMMIT
		*mangle
		:KUBE-PROXY-CANARY - [0:0]
		COMMIT
		*nat
		:KUBE-EXT-AAAAAAAAAAAAAAAA - [0:0]
		:KUBE-MARK-MASQ - [0:0]
		:KUBE-NODEPORTS - [0:0]
		:KUBE-POSTROUTING - [0:0]
		:KUBE-PROXY-CANARY - [0:0]
		:KUBE-SEP-AAAAAAAAAAAAAAAA - [0:0]
		:KUBE-SEP-BBBBBBBBBBBBBBBB - [0:0]
		:KUBE-SERVICES - [0:0]
		:KUBE-SVC-AAAAAAAAAAAAAAAA - [0:0]
		-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
		-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
		-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
		-A KUBE-EXT-AAAAAAAAAAAAAAAA -j KUBE-MARK-MASQ
		-A KUBE-EXT-AAAAAAAAAAAAAAAA -j KUBE-SVC-AAAAAAAAAAAAAAAA
		-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
		-A KUBE-NODEPORTS -p tcp -m tcp --dport $2 -j KUBE-EXT-AAAAAAAAAAAAAAAA
		-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
		-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0
		-A KUBE-POSTROUTING -j MASQUERADE --random-fully
		-A KUBE-SEP-AAAAAAAAAAAAAAAA -p tcp -m tcp -j DNAT --to-destination $4
		-A KUBE-SEP-BBBBBBBBBBBBBBBB -p tcp -m tcp -j DNAT --to-destination $5
		-A KUBE-SERVICES -d $1 -p tcp -m comment --comment "default/web:http cluster IP" -m tcp --dport 80 -j KUBE-SVC-AAAAAAAAAAAAAAAA
		-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
		-A KUBE-SVC-AAAAAAAAAAAAAAAA ! -s $3 -d $1 -p tcp -m tcp --dport 80 -j KUBE-MARK-MASQ
		-A KUBE-SVC-AAAAAAAAAAAAAAAA -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-AAAAAAAAAAAAAAAA
		-A KUBE-SVC-AAAAAAAAAAAAAAAA -j KUBE-SEP-BBBBBBBBBBBBBBBB
		COMMIT
	END
}

# kube_nftables FAMILY SERVICE PORT PODS ENDPOINT ENDPOINT: FAMILY is ip or ip6,
# the rest as of kube_iptables.
kube_nftables() {
	local type=ipv4_addr

	[[ $1 == ip ]] || type=ipv6_addr
	cat <<-END
		table $1 kube-proxy {
			comment "rules for kube-proxy"
			map service-ips {
				type $type . inet_proto . inet_service : verdict
				elements = { $2 . tcp . 80 : goto service-web }
			}
			map service-nodeports {
				type inet_proto . inet_service : verdict
				elements = { tcp . $3 : goto external-web }
			}
			chain nat-prerouting {
				type nat hook prerouting priority dstnat; policy accept;
				jump services
			}
			chain nat-output {
				type nat hook output priority -100; policy accept;
				jump services
			}
			chain nat-postrouting {
				type nat hook postrouting priority srcnat; policy accept;
				jump masquerading
			}
			chain services {
				$1 daddr . meta l4proto . th dport vmap @service-ips
				fib daddr type local meta l4proto . th dport vmap @service-nodeports
			}
			chain masquerading {
				meta mark & 0x4000 == 0 return
				meta mark set meta mark ^ 0x4000
				masquerade fully-random
			}
			chain mark-for-masquerade { meta mark set meta mark | 0x4000; }
			chain external-web {
				jump mark-for-masquerade
				goto service-web
			}
			chain service-web {
				$1 daddr $2 $1 saddr != $4 jump mark-for-masquerade
				numgen random mod 2 vmap { 0 : goto endpoint-a, 1 : goto endpoint-b }
			}
			chain endpoint-a { meta l4proto tcp dnat to $5; }
			chain endpoint-b { meta l4proto tcp dnat to $6; }
		}
	END
}

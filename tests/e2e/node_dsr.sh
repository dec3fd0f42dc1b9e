#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A Service whose annotation fairlead.io/forward names a tunnel, on two nodes:
# who comes from outside keeps its address, though the policy is Cluster and the
# endpoint on the other node, which answers it. Pods and nodes get there as
# before.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/node_lib.sh
. "${0%/*}/node_lib.sh"

# tunnel FORWARD ENDPOINT...: the Service web goes in it.
tunnel() {
	ANNOTATIONS="fairlead.io/forward: $1" service web 10 | put web.yaml
	endpoints web "${@:2}" | put web-slices.yaml
}

node_2() {
	cat <<-END
		apiVersion: v1
		kind: Node
		metadata: {name: node-2}
		spec: {podCIDRs: [10.244.2.0/24, 'fd44:2::/64']}
		status:
		  addresses:
		  - {type: InternalIP, address: 10.91.0.11}
		  - {type: InternalIP, address: 'fd91::11'}
	END
}

# Both nodes do what the files say.
both_in_force() {
	in_force
	fairlead_on backend-1 status --wait --timeout $((20 * PATIENCE)) \
		>"$DIR/status-2" || (cat "$DIR/serve-2.err" && return 1)
}

serve_both() {
	mkdir -p "$DIR/run-backend-1"
	start serve-2 backend-1 "$FAIRLEAD" serve --config "$CONFIG" \
		--hostname-override node-2 "$@"
	serve_node "$@"
	both_in_force
}

node_story pod-1 pod-2 far-1 far-2
node_2 | put node-2.yaml
on backend-1 sysctl -qw net.ipv4.conf.all.rp_filter=1
tunnel ipip pod-2 far-1 far-2

cat >"$DIR/rows" <<'END'
client-1	lb,external,port	web:10	from own to pod-2 far-1 far-2
pod-1		lb,external,port	web:10	from node to pod-2 far-1 far-2
node		lb			web:10	from node to pod-2 far-1 far-2
pod-1		cluster			web:10	from own to pod-2 far-1 far-2
END
serve_both --sockets off
rows <"$DIR/rows"
finish

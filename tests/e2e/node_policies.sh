#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Who answers at each kind of front end under each traffic policy, asked by pods,
# the node and outside, with endpoints here, elsewhere and nowhere; whom the
# endpoint sees; who is refused at once and who hears nothing. Each row is TCP
# and UDP over IPv4 and IPv6, and all of them are tried by packets alone, and
# with sockets that are given their backends.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/node_lib.sh
. "${0%/*}/node_lib.sh"

CLUSTER="TrafficPolicy: Cluster"
LOCAL="TrafficPolicy: Local"

# both NAME NUMBER POLICY ENDPOINT...: a Service whose policies are the same.
both() {
	service "$1" "$2" "external$3" "internal$3"
	endpoints "$1" "${@:4}"
}

node_story pod-1 pod-2 far-1
{
	both c-here 10 "$CLUSTER" pod-2
	both c-both 11 "$CLUSTER" pod-2 far-1
	both c-else 12 "$CLUSTER" far-1
	both c-none 13 "$CLUSTER"
	both l-here 20 "$LOCAL" pod-2
	both l-both 21 "$LOCAL" pod-2 far-1
	both l-else 22 "$LOCAL" far-1
	both l-none 23 "$LOCAL"
} | put services.yaml

# origins	kinds			service		what is to come of it
cat >"$DIR/rows" <<'END'
pod-1		cluster			c-here:10	from own to pod-2
pod-1		cluster			c-both:11	from own to pod-2 far-1
pod-1		cluster			c-else:12	from own to far-1
node,client-1	cluster			c-here:10	from node to pod-2
node,client-1	cluster			c-both:11	from node to pod-2 far-1
node,client-1	cluster			c-else:12	from node to far-1
pod-1,node,client-1	cluster		c-none:13	refused

pod-1		cluster			l-here:20	from own to pod-2
pod-1		cluster			l-both:21	from own to pod-2
node,client-1	cluster			l-here:20	from node to pod-2
node,client-1	cluster			l-both:21	from node to pod-2
pod-1,node,client-1	cluster		l-else:22	silent
pod-1,node,client-1	cluster		l-none:23	refused

# the source is the node's, whoever asks, with the Cluster policy
pod-1,client-1	port,lb,external	c-here:10	from node to pod-2
pod-1,client-1	port,lb,external	c-both:11	from node to pod-2 far-1
pod-1,client-1	port,lb,external	c-else:12	from node to far-1
pod-1,client-1	port,lb,external	c-none:13	refused
node		port,lb,external	c-here:10	from node to pod-2
node		port,lb,external	c-both:11	from node to pod-2 far-1
node		port,lb,external	c-else:12	from node to far-1
node		port,lb,external	c-none:13	refused

# Local: a pod and the node reach all endpoints, others those that are here
pod-1		port,lb,external	l-here:20	from own to pod-2
pod-1		port,lb,external	l-both:21	from own to pod-2 far-1
pod-1		port,lb,external	l-else:22	from own to far-1
node		port,lb,external	l-here:20	from node to pod-2
node		port,lb,external	l-both:21	from node to pod-2 far-1
node		port,lb,external	l-else:22	from node to far-1
client-1	port,lb,external	l-here:20	from own to pod-2
client-1	port,lb,external	l-both:21	from own to pod-2
client-1	port,lb,external	l-else:22	silent
pod-1,node,client-1	port,lb,external	l-none:23	refused

# an endpoint that is its own client sees the node
pod-2		cluster			c-here:10	from node to pod-2
pod-2		port,lb,external	c-here:10	from node to pod-2
pod-2		cluster,port,lb,external	l-here:20	from node to pod-2
END

serve_node --sockets off
rows <"$DIR/rows"
stop serve
serve_node --sockets host
WITH="with sockets: "
rows <"$DIR/rows"
finish

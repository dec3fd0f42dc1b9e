#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What becomes of live connections of pods, the node and outside when the Service
# itself goes, comes again, changes its type or loses a port: of TCP nothing, also
# when it was the last one, and when the daemon dies meanwhile.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/node_lib.sh
. "${0%/*}/node_lib.sh"

# The node port is the node's own, which refuses. (What it says of datagrams the
# kernel limits.)
node_port_refuses() {
	local origin outcome

	for origin in client-1 pod-1; do
		outcome=$(probe "$origin" 2 "$ANSWER_MS" "tcp/$NODE4/30010" \
			"tcp/$NODE6/30010" | cut -d ' ' -f 2- | sort -u)
		echo "$origin: $outcome"
		[[ $outcome == refused ]]
	done
}

# Nothing is a Service any more.
web_is_gone() {
	rm "$CONFIG/web.yaml" "$CONFIG/web-slices.yaml"
	in_force
	[[ $(fairlead service list --json) == "[]" ]]
	node_port_refuses
}

# A load that must not stop for anything that a case does.
started_with() {
	spec
	web pod-2
	lives_start
	"$@"
	lives_go_on
	lives_stop
}

last_service_goes() {
	web_is_gone
	lives_go_on
	stop serve KILL
	lives_go_on
	serve_node
	lives_go_on
	again
}

again() {
	stop serve
	serve_node
	lives_go_on
}

# New connections are the new one's, which has other endpoints.
comes_again() {
	local i

	for i in 1 2 3; do
		web_is_gone
		spec
		web pod-3
		row pod-1 cluster 10 from pod-1 to pod-3
		row client-1 port 10 from node to pod-3
		lives_go_on
	done
	stop serve KILL
	serve_node
	row pod-1 cluster 10 from pod-1 to pod-3
}

# type_is TYPE: as the API server leaves the object: what the type has not is
# gone.
type_is() {
	case $1 in
	ClusterIP) INGRESS='' NODE_PORT='' service web 10 ;;
	NodePort) INGRESS='' service web 10 ;;
	LoadBalancer) service web 10 ;;
	esac | sed "s/type: LoadBalancer/type: $1/; /externalIPs/d" |
		put web.yaml
	in_force
}

type_changes() {
	local type

	for type in ClusterIP NodePort ClusterIP LoadBalancer NodePort; do
		type_is "$type"
		row pod-1 cluster 10 from pod-1 to pod-2
		case $type in
		ClusterIP) node_port_refuses ;;
		*) row client-1 port 10 from node to pod-2 ;;
		esac
		lives_go_on
	done
	type_is ClusterIP
	again
}

# An ExternalName has no addresses here.
becomes_a_name() {
	put web.yaml <<-END
		apiVersion: v1
		kind: Service
		metadata: {name: web}
		spec: {type: ExternalName, externalName: example.com}
	END
	in_force
	node_port_refuses
	lives_go_on
	spec
	in_force
	row client-1 port 10 from node to pod-2
}

# The port that the connections are to; another one is served at the address.
port_goes() {
	service web 10 | sed 's/port: 80,/port: 81,/; s/30010/30011/' |
		put web.yaml
	in_force
	row pod-1 cluster 10 refused
	node_port_refuses
	lives_go_on
	again
}

endpoint_goes() {
	web pod-3 pod-2,terminating
	lives_go_on
	web pod-3
	lives_go_on
	web
	lives_go_on
	web_is_gone
}

# Programs on interfaces, but for what every uplink has.
node_programs() {
	fairlead status --json |
		jq '[.attachments[], .pods[] | select(.program != "fl_xdp")] |
			length'
}

has_no_programs() {
	[[ $(node_programs) == 0 ]]
}

# The last connection's end is the last that holds them.
programs_go() {
	fails has_no_programs
	wait_for 120 has_no_programs
}

node_story pod-1 pod-2 pod-3 far-1
spec
endpoints web pod-2 | put web-slices.yaml
serve_node
it "the last Service goes, and the daemon dies" started_with last_service_goes
it "a Service is deleted and made again" started_with comes_again
it "a Service changes its type" started_with type_changes
it "a Service becomes an ExternalName" started_with becomes_a_name
it "a Service loses a port" started_with port_goes
it "an endpoint terminates and goes, then the Service" \
	started_with endpoint_goes
it "when nothing lives any more, no program of a node is left" programs_go
finish

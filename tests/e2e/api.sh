#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Definitions from a Kubernetes API server: a stand-in for one, which can do
# wrong whatever a server can.
# Long: minutes, so that it begins before others.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/sandbox/api.sh
. "$ROOT/tests/sandbox/api.sh"

follows() {
	fairlead status --json |
		jq -e '.applied.synced and
			([.kubernetes.kinds[].state] | all(. == "following"))'
}

# behind WORDS: the server is not followed, and status says so and why.
behind() {
	fairlead status --json | tee "$DIR/said" |
		jq -e --arg words "$1" '(.applied.synced | not) and (.applied.error != null) and
			([.kubernetes.kinds[] | select(.state == "behind") |
				.error | contains($words)] | any)'
}

is_behind() {
	wait_for 60 behind "$1"
}

listed() {
	fairlead service list --json |
		jq -r '.[] | "\(.name) \(.address) \(.ports) \(.backends_active)"'
}

both_are_listed() {
	listed | tee "$DIR/listed"
	diff "$DIR/listed" - <<-END
		default/web:http/tcp $VIP4 80 2
		default/web:http/tcp6 $VIP6 80 2
	END
}

asked_for() {
	grep -F "$1" "$DIR/api.requests"
}

requests() {
	grep -cF "$1" "$DIR/api.requests" || true
}

first_requests() {
	asked_for "/api/v1/services?resourceVersion=0&labelSelector=%21service.kubernetes.io%2Fheadless%2C%21service.kubernetes.io%2Fservice-proxy-name&fieldSelector=spec.clusterIP%21%3DNone"
	asked_for "/apis/discovery.k8s.io/v1/endpointslices?resourceVersion=0&labelSelector=%21service.kubernetes.io%2Fheadless"
	asked_for "/api/v1/nodes?resourceVersion=0&fieldSelector=metadata.name%3Dnode-1"
	asked_for "/api/v1/services?watch=1&allowWatchBookmarks=true&timeoutSeconds="
}

# active COUNT: backends of web over IPv4.
active() {
	[[ $(listed | awk '$1 == "default/web:http/tcp" { print $4 }') == "$1" ]]
}

# gone NAME, there NAME: a service of that name.
there() {
	listed | grep -F "$1"
}

not_there() {
	! listed | grep -F "$1"
}

an_endpoint_goes_and_comes() {
	slice web-4 IPv4 10.91.0.12 | put
	wait_for 10 active 1
	all_answer "$VIP4" backend-2
	slice web-4 IPv4 10.91.0.11 10.91.0.12 | put
	wait_for 10 active 2
	all_answer "$VIP4" backend-1 backend-2
}

a_service_comes_and_goes() {
	service other 10.96.0.77 | put
	wait_for 10 there default/other
	service other 10.96.0.77 | delete
	wait_for 10 not_there default/other
}

# A bookmark, then a connection that breaks: the watch goes on from there.
resumes() {
	local version lists

	lists=$(requests "services?resourceVersion=")
	control '{"bookmark": "services"}'
	service other 10.96.0.78 | put
	wait_for 10 there default/other
	version=$(fairlead_version)
	control '{"break": true}'
	wait_for 20 asked_for "services?watch=1&allowWatchBookmarks=true&timeoutSeconds"
	service other 10.96.0.78 | delete
	wait_for 20 not_there default/other
	wait_for 20 follows
	[[ $(requests "services?resourceVersion=") == "$lists" ]]
	grep -E "services\?watch=1.*resourceVersion=$version&" "$DIR/api.requests"
}

# The version of the last Service.
fairlead_version() {
	on balancer curl -sS "http://127.0.0.1:8001/api/v1/services" |
		jq -r '[.items[].metadata.resourceVersion | tonumber] | max'
}

# gone_by MODE: the version is too old; what vanished meanwhile goes, too.
gone_by() {
	service other 10.96.0.79 | put
	wait_for 10 there default/other
	control "{\"mode\": {\"services\": \"silent\"}}"
	control '{"break": true}'
	service other 10.96.0.79 | delete
	control '{"compact": true}'
	control "{\"mode\": {\"services\": \"$1\"}}"
	control '{"break": true}'
	[[ $1 == "" ]] || wait_for 20 asked_for "resourceVersionMatch=NotOlderThan"
	control '{"mode": {"services": ""}}'
	wait_for 20 not_there default/other
	wait_for 20 follows
	both_are_listed
}

# wrong MODE WORDS: of both kinds, in watches and then in lists; what was in
# force stays, and all is well when the server is.
wrong() {
	local before

	before=$(generation)
	control "{\"mode\": {\"services\": \"$1\", \"slices\": \"$1\"}}"
	control '{"break": true}'
	control '{"compact": true}'
	is_behind "$2"
	both_are_listed
	ask "$VIP4"
	[[ $(generation) == "$before" ]]
	wait_for 60 grep -F "$2" "$DIR/serve.err"
	control '{"mode": {"services": "", "slices": ""}}'
	wait_for 60 follows
	[[ $(generation) == "$before" ]]
}

# One kind stops in the middle, the other one never begins.
stops() {
	local before

	before=$(generation)
	control '{"mode": {"services": "stall", "slices": "silent"}}'
	control '{"break": true}'
	wait_for 60 behind "the server stopped in the middle of an event"
	wait_for 60 behind "the server does not answer"
	both_are_listed
	ask "$VIP4"
	[[ $(generation) == "$before" ]]
	control '{"mode": {"services": "", "slices": ""}}'
	wait_for 60 follows
}

# A server that is gone and comes back with less.
server_restarts() {
	stop api
	is_behind "connect"
	both_are_listed
	all_answer "$VIP4" backend-1 backend-2
	api_start
	objects
	slice web-4 IPv4 10.91.0.11 | put
	wait_for 60 active 1
	wait_for 60 follows
	slice web-4 IPv4 10.91.0.11 10.91.0.12 | put
	wait_for 10 active 2
}

# An object that lies is left out, by name; the rest goes on.
an_object_that_lies() {
	echo '{"kind": "Service", "metadata": {"namespace": "default",
		"name": "liar"}, "spec": {"clusterIP": "nonsense",
		"ports": [{"port": 80}]}}' | put
	service other 10.96.0.80 | put
	wait_for 10 there default/other
	fairlead status --json | tee "$DIR/said" | jq -e \
		'(.applied.error | contains("Service default/liar"))'
	grep -F 'Service default/liar: spec.clusterIP "nonsense"' "$DIR/serve.err"
	both=$(listed | grep -c default/web)
	[[ $both == 2 ]]
	echo '{"kind": "Service", "metadata": {"namespace": "default",
		"name": "liar"}}' | delete
	service other 10.96.0.80 | delete
	wait_for 10 follows
}

# A daemon that starts while the server is away withdraws nothing.
started_without() {
	stop serve
	stop api
	serve_start
	is_behind "connect"
	all_answer "$VIP4" backend-1 backend-2
	fails fairlead status --wait --timeout 1
	api_start
	control '{"mode": {"slices": "silent"}}'
	objects
	wait_for 20 asked_for "endpointslices?resourceVersion=0"
	both_are_listed
	all_answer "$VIP4" backend-1 backend-2
	control '{"mode": {"slices": ""}}'
	wait_for 60 follows
	both_are_listed
	all_answer "$VIP4" backend-1 backend-2
}

source_pid() {
	worker_pid source
}

other_pid() {
	local pid

	pid=$(source_pid) && [[ -n $pid && $pid != "$1" ]]
}

# The process that reads what the server says dies: another one takes over.
source_dies() {
	local pid before

	before=$(generation)
	pid=$(source_pid)
	kill -KILL "$pid"
	wait_for 10 other_pid "$pid"
	wait_for 30 follows
	[[ $(generation) == "$before" ]]
	grep -F 'the process "fairlead: source" was ended by signal 9' "$DIR/serve.err"
	an_endpoint_goes_and_comes
}

# Nobody's user, no capability, no new ones, filtered calls, another one's
# debugger; what it can say to anybody is its end of a socket.
has_no_rights() {
	local pid

	pid=$(source_pid)
	cat "/proc/$pid/status"
	grep -E '^Uid:	[1-9][0-9]*	' "/proc/$pid/status"
	grep -E '^CapEff:	0+$' "/proc/$pid/status"
	grep -E '^CapPrm:	0+$' "/proc/$pid/status"
	grep -E '^CapBnd:	0+$' "/proc/$pid/status"
	grep -E '^NoNewPrivs:	1$' "/proc/$pid/status"
	grep -E '^Seccomp:	2$' "/proc/$pid/status"
	grep -E '^Groups:	 *$' "/proc/$pid/status"
	! find "/proc/$pid/fd" -lname '*bpf*' | grep .
}

says() {
	fairlead status --json | tee "$DIR/said" |
		jq -e --arg words "$1" '(.applied.synced | not) and
			(.applied.error | contains($words))'
}

# A file that is wrong holds back nothing of the server's, and what it said
# before stands.
file_that_is_wrong() {
	stop serve
	config <<<"services: [{name: edge, address: 192.0.2.77, port: 80}]"
	serve_start --master=http://127.0.0.1:8001 --config "$CONFIG"
	wait_for 30 follows
	config <<<"services: [{name: edge, adress: 192.0.2.77, port: 80}]"
	wait_for 20 says "adress"
	slice web-4 IPv4 10.91.0.12 | put
	wait_for 20 active 1
	all_answer "$VIP4" backend-2
	there "edge 192.0.2.77"
	says "adress"
	grep -F "adress" "$DIR/serve.err"
	config <<<"services: [{name: edge, address: 192.0.2.78, port: 80}]"
	wait_for 20 follows
	there "edge 192.0.2.78"
	slice web-4 IPv4 10.91.0.11 10.91.0.12 | put
	wait_for 20 active 2
}

old_server() {
	stop serve
	control '{"set": {"slices_v1": false, "field_selectors": false}}'
	serve_start
	wait_for 30 follows
	asked_for "/apis/discovery.k8s.io/v1beta1/endpointslices?watch=1"
	grep -E '/api/v1/services\?resourceVersion=0&labelSelector=[^&]* ' "$DIR/api.requests"
	both_are_listed
	control '{"set": {"slices_v1": true, "field_selectors": true}}'
}

pages() {
	stop serve
	control '{"set": {"page": 1}, "mode": {"slices": "break-list"}}'
	serve_start
	wait_for 60 follows
	asked_for "endpointslices?limit=500&continue=1"
	both_are_listed
	control '{"mode": {"slices": ""}}'
}

no_permission() {
	wrong forbidden "403 Forbidden: no such right"
}

story 2
api_start
objects
serve_start
it "what the server has is in force" wait_for 20 follows
it "it is listed" both_are_listed
it "it answers over IPv4" all_answer "$VIP4" backend-1 backend-2
it "it answers over IPv6" all_answer "$VIP6" backend-1 backend-2
it "it is asked for as kube-proxy does" first_requests
it "the process that asks has no rights" has_no_rights
it "an endpoint goes and comes" an_endpoint_goes_and_comes
it "a service comes and goes" a_service_comes_and_goes
it "a watch that breaks off goes on where it was" resumes
it "a version that is too old, as an event" gone_by gone-event
it "a version that is too old, as a status" gone_by gone
it "a version that the server is behind of" gone_by ahead
it "an object that lies" an_object_that_lies
it "a server that sends garbage" wrong garbage "not JSON"
it "a server that sends half of something" wrong half ""
it "a server that has a page for people" wrong html "502"
it "a server that sends nothing in 200" wrong empty "the answer is no list"
it "a server that sends a line without an end" wrong flood "an object is longer than any can be"
it "a server that does not let us" no_permission
it "a server that stops, or never answers" stops
it "a server that is gone for a while" server_restarts
it "a start without the server" started_without
it "a source that dies" source_dies
it "a file that is wrong beside it" file_that_is_wrong
it "a server of 1.20" old_server
it "lists in pages" pages
finish

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Containers that an engine tells of at its socket are workloads: policies in a
# file select them by their labels. What the engine says wrongly, or not at all,
# changes nothing of what is in force.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/policy_lib.sh
. "${0%/*}/policy_lib.sh"

ENGINE=$DIR/engine
SOCKET=$DIR/engine.sock

engine_start() {
	start engine balancer /usr/bin/python3 "$ROOT/tests/sandbox/engine.py" \
		"$SOCKET" "$ENGINE"
	wait_for 20 curl -sSo /dev/null --max-time 1 --unix-socket "$SOCKET" \
		http://localhost/containers/none/json
}

id_of() {
	sha256sum <<<"$1" | cut -c 1-64
}

mac_of() {
	ip -n "$NET-$1" -json link show eth0 2>/dev/null |
		jq -r '.[0].address'
}

# container NAME N LABELS [JQ]: it runs, in the namespace of the pod docker-NAME.
container() {
	local id

	id=$(id_of "$1")
	jq -n --arg id "$id" --arg name "$1" --arg n "$2" \
		--arg ns "/run/netns/$NET-docker-$1" \
		--arg mac "$(mac_of "docker-$1" || true)" --argjson labels "$3" '{
			Id: $id, Name: "/\($name)",
			State: {Running: true, Pid: 4711},
			Config: {Labels: $labels},
			HostConfig: {NetworkMode: "default"},
			NetworkSettings: {SandboxKey: $ns, Networks: {bridge: {
				IPAddress: "10.244.1.\($n)",
				GlobalIPv6Address: "fd44:1::\($n)",
				MacAddress: $mac}}}} | '"${4:-.}" \
		>"$ENGINE/.new"
	mv "$ENGINE/.new" "$ENGINE/$id.json"
}

policies() {
	put policies.yaml <<-END
		policies:
		  - name: web-from-front
		    namespace: docker
		    spec:
		      podSelector: {matchLabels: {com.example.app: web}}
		      ingress:
		      - from: [{podSelector: {matchLabels: {com.example.app: front}}}]
		        ports: [{port: 80}]
	END
}

# engine_is STATE: by what serve says.
engine_is() {
	fairlead status --json | jq -e --arg state "$1" \
		'.docker.state == $state' >/dev/null
}

as_policy_says() {
	reaches <<<"deny * docker/web *
allow docker/front docker/web tcp/80"
}

selected_by_labels() {
	wait_for 10 engine_is following
	in_force
	as_policy_says
	fairlead policy show docker/web-from-front --json |
		jq -e '.workloads == ["docker/web"]'
}

denials_are_named() {
	fairlead monitor --once --json | jq -es 'any(.[];
		.verdict == "denied" and .from.workload == "docker/other" and
		.to.workload == "docker/web" and
		.why == "isolated by docker/web-from-front")' >/dev/null
}

holds() {
	fairlead policy explain --json docker/other docker/web tcp/80 |
		jq -e --argjson allowed "$1" '.allowed == $allowed'
}

# Another label, by an event.
changes_are_followed() {
	container other 3 '{"com.example.app": "front"}'
	wait_for 10 holds true
	reaches <<<"deny * docker/web *
allow docker/front docker/web tcp/80
allow docker/other docker/web tcp/80"
	container other 3 '{}'
	wait_for 10 holds false
	as_policy_says
}

is_closed() {
	fails on docker-other curl -so /dev/null --max-time 1 10.244.1.2:81
}

listens() {
	on docker-other curl -so /dev/null --max-time 1 10.244.1.2:8080
}

# Nobody knows who is behind that interface any more.
what_is_stopped_is_closed() {
	start server docker-front "$B/tests/sandbox/server" front 8080
	wait_for 10 listens
	rm "$ENGINE/$(id_of other).json"
	wait_for 10 fails listens
	container other 3 '{}'
	wait_for 10 listens
	stop server
}

said() {
	fairlead status | grep "\"$1\" is not held to policies: $2"
}

not_all_can_be_held() {
	container host 9 '{}' '.HostConfig.NetworkMode = "host" |
		.NetworkSettings.Networks = {host: {IPAddress: "", MacAddress: ""}}'
	container shared 9 '{}' '.HostConfig.NetworkMode = "container:abc" |
		.NetworkSettings.Networks = {}'
	container macvlan 9 '{}' ".NetworkSettings.SandboxKey = \"/run/netns/$NET-docker-other\" |
		.NetworkSettings.Networks.bridge |= (
		.MacAddress = \"02:00:00:00:00:77\" | .IPAddress = \"10.99.0.1\")"
	wait_for 10 said host "has the host's network"
	wait_for 10 said shared "shares another container's interface"
	wait_for 10 said macvlan "its interface of network \"bridge\" is no veth"
	rm "$ENGINE/$(id_of host).json" "$ENGINE/$(id_of shared).json" \
		"$ENGINE/$(id_of macvlan).json"
	wait_for 10 fails said macvlan ""
	in_force
}

# The stand-in ends, and one begins that says nothing at first.
engine_begins_anew() {
	stop engine
	wait_for 30 engine_is behind
	as_policy_says
	echo silent >"$ENGINE/mode.list"
	engine_start
	as_policy_says
	rm "$ENGINE/mode.list"
	stop engine
	rm "$ENGINE/$(id_of front).json"
	engine_start
	wait_for 30 engine_is following
	wait_for 10 fails fairlead policy explain docker/front docker/web tcp/80
	container front 2 '{"com.example.app": "front"}'
	wait_for 10 fairlead policy explain docker/front docker/web tcp/80
	as_policy_says
}

why() {
	fairlead status --json | jq -re ".docker.error // empty" | grep "$1"
}

# goes_mad WHAT HOW WHY: and is well again.
goes_mad() {
	stop engine
	echo "$2" >"$ENGINE/mode.$1"
	engine_start
	wait_for 20 why "$3"
	holds false
	rm "$ENGINE/mode.$1"
	wait_for 30 engine_is following
}

engine_is_not_believed() {
	goes_mad list endless "more containers than can be followed"
	goes_mad list garbage "not JSON"
	goes_mad events 500 "its events: it says 500"
	as_policy_says
}

# One container that makes no sense is closed; others do not care.
one_is_refused() {
	container other 3 '{"fairlead.namespace": "../etc"}'
	wait_for 10 said other "its label fairlead.namespace names no namespace"
	fails listens
	container other 3 '{"fairlead.namespace": "shop"}'
	wait_for 10 fairlead policy explain shop/other docker/web tcp/80
	container other 3 '{}'
	wait_for 10 holds false
}

# That there are containers does not stand for what files say no more.
a_file_that_is_gone_takes_nothing_away() {
	mv "$CONFIG/policies.yaml" "$DIR/kept"
	wait_for 10 is_refused
	holds false
	put policies.yaml <"$DIR/kept"
	in_force
}

is_refused() {
	fairlead status --json | jq -re .applied.error | grep "no \"services\""
}

killed_worker_is_replaced() {
	local pid

	pid=$(worker_pid source)
	kill -KILL "$pid"
	wait_for 30 engine_is following
	[[ $(worker_pid source) != "$pid" ]]
	as_policy_says
}

# What was in force stays until the engine is heard of again.
restart_without_engine() {
	stop engine
	stop serve
	start serve balancer "${BINARY:-$FAIRLEAD}" serve --config "$CONFIG" \
		--hostname-override here --docker="$SOCKET"
	wait_for 30 engine_is behind
	as_policy_says
	fairlead status --json | jq -e '.applied.synced == false'
	engine_start
	wait_for 30 engine_is following
	in_force
	as_policy_says
}

# Two containers make a service by their labels. They come last: policies are
# tried from everybody who is there.
offers() {
	container "$1" "$2" '{"fairlead.service": "shop", "fairlead.ports": "80:8080",
		"fairlead.address": "192.0.2.10, 2001:db8::10"}' "${3:-.}"
}

# answers FROM WHO URL: he, and nobody else.
answers() {
	local i

	for i in 1 2 3 4 5 6; do
		[[ $(on "$1" curl -s --max-time 2 "$3" | tr -d '\n') =~ ^$2 ]] ||
			return
	done
}

each_answers() {
	local from

	for from in client-1 docker-other balancer; do
		answers "$from" "$1" http://192.0.2.10/ || return
		answers "$from" "$1" "http://[2001:db8::10]/" || return
	done
}

seen_as() {
	[[ $(on client-1 curl -si --max-time 2 "$1") == *"Client: $2"* ]]
}

services_by_labels() {
	local i

	for i in 4:shop1 5:shop2; do
		pod_add bridged "docker/${i#*:}" "${i%:*}"
		start "server-${i#*:}" "docker-${i#*:}" "$B/tests/sandbox/server" \
			"${i#*:}" 8080
		offers "${i#*:}" "${i%:*}"
	done
	wait_for 20 each_answers 'shop[12]'
	fairlead service list --json | jq -es \
		'any(.[] | .. | .name?; . == "docker/shop:80-TCP/tcp")'
}

# By the container's own health check; and what one says wrongly is his alone.
services_follow_containers() {
	offers shop1 4 '.State.Health = {Status: "unhealthy"}'
	wait_for 20 each_answers shop2
	offers shop1 4 '.State.Health = {Status: "healthy"}'
	rm "$ENGINE/$(id_of shop2).json"
	wait_for 20 each_answers shop1
	offers shop2 5 '.Config.Labels."fairlead.ports" = "http"'
	wait_for 10 refuses 'shop2.*fairlead.ports: "http" is not'
	each_answers shop1
	rm "$ENGINE/$(id_of shop1).json" "$ENGINE/$(id_of shop2).json"
	wait_for 10 fails fairlead service show docker/shop:80-TCP/tcp
}

refuses() {
	fairlead status | grep "$1"
}

policy_story
mkdir "$ENGINE"
for i in 1:web 2:front 3:other; do
	pod_add bridged "docker/${i#*:}" "${i%:*}"
done
container web 1 '{"com.example.app": "web"}'
container front 2 '{"com.example.app": "front"}'
container other 3 '{}'
policies
engine_start
serve --hostname-override here --docker="unix://$SOCKET"
it "policies select containers by their labels" selected_by_labels
it "what was denied is told with its names" denials_are_named
it "what happens to containers is followed" changes_are_followed
it "one that stopped is closed" what_is_stopped_is_closed
it "what cannot be held is said" not_all_can_be_held
it "an engine that begins anew takes nothing away" engine_begins_anew
it "an engine is not believed" engine_is_not_believed
it "one container that makes no sense is closed" one_is_refused
it "a file that is gone takes nothing away" \
	a_file_that_is_gone_takes_nothing_away
it "a process that is killed is made anew" killed_worker_is_replaced
it "a restart keeps what was in force" restart_without_engine
it "labels make services of containers" services_by_labels
it "services follow their containers" services_follow_containers
finish

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Real containers of a real dockerd (Debian's docker.io) in namespaces of their
# own: policies select them by labels, on the usual bridge and on one that is
# made, and published ports are covered.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

((EUID == 0)) || skip_all "needs root"
[[ -x $FAIRLEAD ]] || skip_all "$FAIRLEAD is not built"
for tool in dockerd docker runc busybox; do
	type -P $tool >/dev/null || skip_all "there is no $tool"
done
# Everything below is in other network and mount namespaces.
[[ -v INSIDE ]] || INSIDE=1 exec unshare --net --mount "$0"

export DOCKER_HOST=unix:///run/docker.sock
export FAIRLEAD_PIN_ROOT=$PINS FAIRLEAD_RUN_DIR=$DIR/run

end() {
	[[ ! -e $DIR/serve.pid ]] || stop serve || true
	docker ps -q 2>/dev/null | xargs -r docker kill >/dev/null || true
	[[ ! -e $DIR/dockerd.pid ]] || stop dockerd || true
	[[ ! -e $DIR/outsider.pid ]] || stop outsider || true
	rm -rf "$PINS" "$DIR"
}

begin() {
	local name=$1
	"${@:2}" >"$DIR/$name.log" 2>"$DIR/$name.err" </dev/null &
	echo $! >"$DIR/$name.pid"
	disown
}

fairlead() {
	"$FAIRLEAD" "$@"
}

# A machine whose root has no CAP_SYS_RESOURCE can give none away.
runc_less() {
	cat >/run/runc-less <<-'END'
		#!/bin/sh
		before= file=
		for word; do
			case $before in
			--bundle) file=$word/config.json ;;
			--process) file=$word ;;
			esac
			before=$word
		done
		[ -z "$file" ] || sed -i 's/"CAP_SYS_RESOURCE",//g
			s/,"CAP_SYS_RESOURCE"//g
			s/"oomScoreAdj":-[0-9]*/"oomScoreAdj":0/' "$file"
		exec runc "$@"
	END
	chmod +x /run/runc-less
}

dockerd_start() {
	begin dockerd dockerd --add-runtime less=/run/runc-less \
		--default-runtime=less --data-root=/var/lib/docker \
		--exec-root=/run/docker -H "$DOCKER_HOST" --ipv6 \
		--fixed-cidr-v6 fd77::/64 --exec-opt native.cgroupdriver=cgroupfs
	wait_for 60 docker version
}

image_make() {
	mkdir -p "$DIR/image/bin"
	cp "$(type -P busybox)" "$DIR/image/bin"
	for tool in httpd sleep; do
		ln -s busybox "$DIR/image/bin/$tool"
	done
	echo hello >"$DIR/image/index.html"
	tar -C "$DIR/image" -c . | docker import - box >/dev/null
}

# An outsider, who is routed to this host.
outsider() {
	begin outsider unshare --net sleep infinity
	wait_for 5 differs_from_ours
	ip link add out type veth peer name eth0 netns "$(<"$DIR/outsider.pid")"
	ip addr add 192.0.2.1/24 dev out
	ip link set out up
	from_outside ip addr add 192.0.2.2/24 dev eth0
	from_outside ip link set eth0 up
	from_outside ip route add default via 192.0.2.1
}

differs_from_ours() {
	[[ $(readlink "/proc/$(<"$DIR/outsider.pid")/ns/net") != "$(readlink /proc/self/ns/net)" ]]
}

from_outside() {
	nsenter --net="/proc/$(<"$DIR/outsider.pid")/ns/net" "$@"
}

runs() {
	docker run -d --name "$@" >/dev/null
}

addr() {
	docker inspect "$1" |
		jq -re ".[0].NetworkSettings.Networks[\"${2:-bridge}\"] |
			.${3:-IPAddress}"
}

# gets CONTAINER URL: in its network.
gets() {
	local pid

	pid=$(docker inspect -f '{{.State.Pid}}' "$1")
	nsenter --net="/proc/$pid/ns/net" curl -so /dev/null --max-time 2 "$2"
}

gets_from_outside() {
	from_outside curl -so /dev/null --max-time 2 "$1"
}

knows() {
	fairlead policy explain "docker/$1" "docker/$2" tcp/80 >/dev/null
}

selected() {
	wait_for 20 knows front web
	wait_for 10 gets front "http://$(addr web)/"
	gets front "http://[$(addr web bridge GlobalIPv6Address)]/"
	fails gets other "http://$(addr web)/"
	fails gets other "http://[$(addr web bridge GlobalIPv6Address)]/"
	fairlead monitor --once --json | jq -es 'any(.[];
		.verdict == "denied" and .from.workload == "docker/other" and
		.to.workload == "docker/web")' >/dev/null
}

published() {
	wait_for 10 gets_from_outside http://192.0.2.1:8081/
	fails gets_from_outside http://192.0.2.1:8080/
}

# A container that is made now is held from its first packet on.
new_ones() {
	runs new box sleep 1000
	fails gets new "http://$(addr web)/"
	wait_for 20 knows new web
	fails gets new "http://$(addr web)/"
	docker rm -f new >/dev/null
	runs new --label app=front box sleep 1000
	wait_for 20 gets new "http://$(addr web)/"
}

another_bridge() {
	docker network create app >/dev/null
	docker network connect app web
	runs friend --network app --label app=front box sleep 1000
	runs stranger --network app box sleep 1000
	wait_for 20 gets friend "http://$(addr web app)/"
	wait_for 20 knows stranger web.app
	fails gets stranger "http://$(addr web app)/"
}

what_cannot_be_held() {
	runs hosts --network host box sleep 1000
	runs shares --network container:web box sleep 1000
	wait_for 20 said hosts "has the host's network"
	wait_for 20 said shares "shares another container's interface"
	[[ $(fairlead status | grep -c "is not held to policies") == 2 ]]
}

said() {
	fairlead status | grep "\"$1\" is not held to policies: $2"
}

is_back() {
	fairlead status --json | jq -e '.docker.state == "following" and
		.docker.containers == 1'
}

# Docker's own end takes its containers along; one that is started after it is
# held as the one before.
docker_begins_anew() {
	stop dockerd
	dockerd_start
	docker start web >/dev/null
	wait_for 40 is_back
	docker start front other >/dev/null
	wait_for 20 gets front "http://$(addr web)/"
	fails gets other "http://$(addr web)/"
}

shop_answers() {
	local i

	for i in 1 2 3 4 5 6; do
		from_outside curl -so /dev/null --max-time 2 "$1" || return
	done
}

# For what comes from outside and from other containers. Docker forwards nothing
# from outside to a port that is not published, unless it is told to.
services_by_labels() {
	local name

	iptables -I DOCKER-USER -p tcp --dport 8080 -j ACCEPT
	from_outside ip route add 198.51.100.10 via 192.0.2.1
	for name in shop1 shop2; do
		runs "$name" --label fairlead.service=shop \
			--label fairlead.address=198.51.100.10 \
			--label fairlead.ports=80:8080 box httpd -f -p 8080
	done
	wait_for 20 shop_answers http://198.51.100.10/
	wait_for 10 gets front http://198.51.100.10/
	docker rm -f shop1 >/dev/null
	wait_for 10 shop_answers http://198.51.100.10/
	docker rm -f shop2 >/dev/null
	iptables -D DOCKER-USER -p tcp --dport 8080 -j ACCEPT
}

trap end EXIT
trap 'exit 130' INT TERM
bpffs_mount
mkdir -p "$DIR/run"
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/lib/docker
ip link set lo up
runc_less
dockerd_start
image_make
outsider
cat >"$DIR/fairlead.yaml" <<'END'
uplinks: [out]
policies:
  - name: web-from-front
    namespace: docker
    spec:
      podSelector: {matchLabels: {app: web}}
      ingress:
      - from: [{podSelector: {matchLabels: {app: front}}}]
        ports: [{port: 80}]
END
begin serve "$FAIRLEAD" serve --docker --config "$DIR/fairlead.yaml"
runs web --label app=web -p 8080:80 box httpd -f -p 80
runs front --label app=front box sleep 1000
runs other -p 8081:80 box httpd -f -p 80
it "policies select containers by their labels" selected
it "ports that are published are covered" published
it "new ones are held from the start" new_ones
it "so are those on a bridge that is made" another_bridge
it "labels make services of containers" services_by_labels
it "what cannot be held is said" what_cannot_be_held
it "Docker that begins anew is followed" docker_begins_anew
finish

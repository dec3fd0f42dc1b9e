#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The objects of scripts/packaging/kubernetes: the base and the chart say the
# same; what they refer to is there; the rights that they give, on the node and
# at the API server, are enough for a daemon that serves pods, and none of them
# is one too many.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/sandbox/node.sh
. "$ROOT/tests/sandbox/node.sh"
# shellcheck source=tests/sandbox/api.sh
. "$ROOT/tests/sandbox/api.sh"
PACKAGING=$ROOT/scripts/packaging/kubernetes
DAEMON='.[] | select(.kind == "DaemonSet") | .spec.template.spec'

manifests() {
	/usr/bin/python3 "$ROOT/tests/sandbox/manifests.py" "$@"
}

# chart [KEY=VALUE...]
chart() {
	manifests chart "$PACKAGING/chart" server.host=192.0.2.1 "$@"
}

# As kustomize puts it together.
base() {
	local resources

	mapfile -t resources < <(manifests objects \
		"$PACKAGING/base/kustomization.yaml" |
		jq -r --arg base "$PACKAGING/base" '.[].resources[] | "\($base)/\(.)"')
	manifests objects "${resources[@]}"
}

# What the chart has more than the base: ConfigMaps, and a policy of images.
chart_is_base() {
	chart | jq --sort-keys 'map(select(.kind != "ConfigMap")) |
		del(.[].spec.template?.spec.containers[]?.imagePullPolicy)' \
		>"$DIR/chart"
	base | jq --sort-keys . >"$DIR/base"
	diff "$DIR/base" "$DIR/chart"
}

# The overlay changes the daemon's objects alone, by the image of the base; the
# patch would be of nothing if its name were another one.
policy_puts_the_plugin() {
	manifests objects "$PACKAGING/policy/kustomization.yaml" |
		jq -e '.[] | .resources == ["../base"] and
			.patchesStrategicMerge == ["cni.yaml"]'
	manifests objects "$PACKAGING/policy/cni.yaml" >"$DIR/patch"
	jq -e --slurpfile base "$DIR/base" "def who: .metadata |
			[.name, .namespace];
		($DAEMON) as \$patch | [\$base[0] | $DAEMON][0] as \$pod |
		(.[0] | who) == (\$base[0][] | select(.kind == \"DaemonSet\") | who) and
		\$patch.initContainers[0].image == \$pod.containers[0].image" \
		"$DIR/patch"
	# the chart, told so, says the same
	chart cniDirectory=/opt/cni/bin | jq --sort-keys "$DAEMON |
		[(.initContainers[0] | del(.imagePullPolicy)), .volumes[-1]]" \
		>"$DIR/chart"
	jq --sort-keys "$DAEMON | [.initContainers[0], .volumes[0]]" \
		"$DIR/patch" | diff - "$DIR/chart"
	mkdir "$DIR/cni"
	"$B/fairlead-cni" install "$DIR/cni"
	cmp "$B/fairlead-cni" "$DIR/cni/fairlead-cni"
	[[ $(env -i CNI_COMMAND=VERSION "$DIR/cni/fairlead-cni" |
		jq -r .cniVersion) == 1.0.0 ]]
	fails "$B/fairlead-cni" install "$DIR/nowhere"
}

# The values reach where they are meant to, and no others are taken.
chart_values() {
	chart image.repository=registry.test/fairlead image.tag=v7 \
		server.port=443 'extraCapabilities=[SYS_ADMIN]' \
		'imagePullSecrets=[{name: key}]' \
		'definitions="cluster-cidr: [10.244.0.0/16]\nmasquerade-all: true\nservices: []"' \
		>"$DIR/values"
	jq -e "[$DAEMON] | .[0] |"'.imagePullSecrets == [{name: "key"}] and
		(.containers[0] | .image == "registry.test/fairlead:v7" and
		(.securityContext.capabilities.add |
			contains(["BPF", "SYS_ADMIN"])))' "$DIR/values"
	jq -e '.[] | select(.metadata.name == "fairlead-server") |
		.data == {host: "192.0.2.1", port: "443"}' "$DIR/values"
	jq -r '.[] | select(.kind == "ConfigMap") | .data["fairlead.yaml"] // empty' \
		"$DIR/values" >"$DIR/fairlead.yaml"
	grep -x "masquerade-all: true" "$DIR/fairlead.yaml"
	"$FAIRLEAD" check "$DIR/fairlead.yaml"
	fails chart server.prot=443
	fails manifests chart "$PACKAGING/chart"
}

definitions_check_out() {
	"$FAIRLEAD" check "$PACKAGING/base/fairlead.yaml"
}

# Volumes, accounts, labels and roles that something names are there.
nothing_dangles() {
	base | jq -e --slurpfile config <(manifests objects \
		"$PACKAGING/base/kustomization.yaml") '
		. as $all | (.[] | select(.kind == "DaemonSet")) as $set |
		$set.spec.template as $pod |
		def names(kind): [$all[] | select(.kind == kind).metadata.name];
		(names("ServiceAccount") | contains([$pod.spec.serviceAccountName])) and
		(names("ClusterRole") | contains([$all[].roleRef.name? // empty])) and
		($pod.metadata.labels | contains($set.spec.selector.matchLabels)) and
		([$pod.spec.containers[].volumeMounts[].name] | sort) ==
			([$pod.spec.volumes[].name] | sort) and
		([$pod.spec.volumes[].configMap.name // empty] ==
			[$config[0][0].configMapGenerator[].name])'
}

version_is_ours() {
	local version

	version=$("$FAIRLEAD" version | sed -n 's/^fairlead //p')
	base | jq -e --arg version "fairlead:$version" \
		"$DAEMON | .containers[].image == \$version"
	manifests objects "$PACKAGING/cleanup/daemonset.yaml" |
		jq -e --arg version "fairlead:$version" \
			"$DAEMON | .containers + .initContainers |
			all(.image == \$version)"
	manifests objects "$PACKAGING/chart/Chart.yaml" |
		jq -e --arg version "$version" \
			'.[0] | [.version, .appVersion] == [$version, $version]'
}

# container JSON WITHOUT COMMAND...: with the rights of a container but one
# capability, as a runtime gives them: for good, on a file system that cannot be
# written to.
container() {
	local context=$1 without=$2 rights

	jq -e '.privileged == false and .allowPrivilegeEscalation == false and
		.readOnlyRootFilesystem == true and .runAsUser == 0 and
		.capabilities.drop == ["ALL"]' <<<"$context"
	rights=$(jq -r --arg without "$without" '.capabilities.add - [$without] |
		map(",+" + ascii_downcase) | "-all" + add' <<<"$context")
	cat >"$DIR/container" <<-END
		#!/bin/bash
		mount --bind "$DIR/run-balancer" "$DIR/run-balancer" &&
			mount -o remount,bind,ro / &&
			exec setpriv --no-new-privs --inh-caps=-all \
				--bounding-set="$rights" "\$@"
	END
	chmod +x "$DIR/container"
} >&2

# serve_deployed [WITHOUT]: the command of the DaemonSet, with its rights.
serve_deployed() {
	local set command

	set=$(base | jq "$DAEMON | .containers[0]")
	mapfile -t command < <(jq -r --arg config "$CONFIG" '.command[] |
		sub("/etc/fairlead"; $config) |
		sub("[$][(]NODE_NAME[)]"; "node-1")' <<<"$set")
	[[ ${command[0]} == fairlead ]]
	container "$(jq .securityContext <<<"$set")" "${1:-}"
	mkdir -p "$DIR/run-balancer"
	start serve balancer unshare -m "$DIR/container" "$FAIRLEAD" \
		"${command[@]:1}" --master=http://127.0.0.1:8001
}

follows() {
	fairlead status --json | jq -e '.applied.synced and
		([.kubernetes.kinds[].state] | all(. == "following"))'
}

source_pid() {
	worker_pid source
}

# All that serve says are news and hints, unless something is wrong.
complains() {
	grep -vE "^fairlead: (hint: |applied |http://[^ ]* follows )" "$DIR/serve.err"
}

# Nobody has anything to complain of; strangers are read by nobody.
works() {
	serve_deployed
	wait_for 30 follows
	cat "$DIR/serve.err"
	fails complains
	for addr in "$VIP4" "$VIP6"; do
		[[ $(ASKER=pod-1 ask "$addr") == backend-* ]]
		[[ $(ask "$addr") == backend-* ]]
	done
	grep -E '^Uid:	[1-9][0-9]*	' "/proc/$(source_pid)/status"
	grep -E '^CapBnd:	0+$' "/proc/$(source_pid)/status"
}

restarts() {
	stop serve
	[[ $(ASKER=pod-1 ask "$VIP4") == backend-* ]]
	works
	stop serve
}

# It does not begin, or says what it cannot do.
complains_without() {
	serve_deployed "$1"
	wait_for 30 complains
	cat "$DIR/serve.err"
	! running serve || stop serve
}

watches() {
	grep "^GET .*/$1?watch=1" "$DIR/api.requests"
}

# What the server was asked for is what the role allows; all of it, when network
# policy is asked for.
role_is_least() {
	cp "$CONFIG/fairlead.yaml" "$DIR/fairlead.yaml"
	echo "network-policy: true" >>"$CONFIG/fairlead.yaml"
	for kind in pods namespaces networkpolicies clusternetworkpolicies; do
		wait_for 20 watches "$kind"
	done
	cp "$DIR/fairlead.yaml" "$CONFIG/fairlead.yaml"
	base | jq -r '.[] | select(.kind == "ClusterRole").rules[] |
		.apiGroups[] as $group | .resources[] as $resource |
		.verbs[] | "\($group) \($resource) \(.)"' | sort -u >"$DIR/allowed"
	sed -nE 's,^POST (/api|/apis/([^/]*))/v1/namespaces/[^/]*/([a-z]*) .*,\2 \3 create,p
		s,^GET (/api|/apis/([^/]*))/v1[a-z0-9]*/([a-z]*)\?watch=1.*,\2 \3 watch,p
		s,^GET (/api|/apis/([^/]*))/v1[a-z0-9]*/([a-z]*)\?.*,\2 \3 list,p' \
		"$DIR/api.requests" | sort -u >"$DIR/asked"
	diff "$DIR/allowed" "$DIR/asked"
}

# The way back, and its rights.
cleans_up() {
	local set command

	set=$(manifests objects "$PACKAGING/cleanup/daemonset.yaml" |
		jq "$DAEMON | .initContainers[0]")
	mapfile -t command < <(jq -r '.command[]' <<<"$set")
	[[ ${command[*]} == "fairlead cleanup --yes" ]]
	container "$(jq .securityContext <<<"$set")" ""
	on balancer env FAIRLEAD_PIN_ROOT="$PINS/balancer" \
		FAIRLEAD_RUN_DIR="$DIR/run-balancer" unshare -m "$DIR/container" \
		"$FAIRLEAD" "${command[@]:1}"
	[[ ! -e $PINS/balancer ]]
	fails ask "$VIP4" --max-time 1
	[[ $(ip -n "$NET-balancer" -json link show eth0 | jq '.[0].xdp') == null ]]
}

story 2
mkdir "$CONFIG"
cp "$PACKAGING/base/fairlead.yaml" "$CONFIG"
ip_on router <<-END
	route add ${POD4}0/24 via 10.91.0.2
	route add ${POD6}/64 via fd91::2
END
pod_add 1
wait_for 5 pod_answers 1
api_start
objects
jq -n --arg pods4 "${POD4}0/24" --arg pods6 "$POD6/64" '{kind: "Node",
	metadata: {name: "node-1"}, spec: {podCIDRs: [$pods4, $pods6]}}' | put
it "the chart says what the base says" chart_is_base
it "the overlay of policies puts the plugin on the node" policy_puts_the_plugin
it "values of the chart" chart_values
it "the definitions check out" definitions_check_out
it "what is referred to is there" nothing_dangles
it "the version is that of the program" version_is_ours
it "the daemon works with its rights" works
it "the role allows what is asked for, and no more" role_is_least
it "another one takes over" restarts
for right in $(base | jq -r "$DAEMON |
	.containers[0].securityContext.capabilities.add[]"); do
	it "$right is needed" complains_without "$right"
done
it "the way back has the rights it needs" cleans_up
finish

# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# Tests in the cluster of scripts/kube-test, and what they came to.

# selected PATTERN...: names of tests, from the list. A comment begins with "#";
# what begins with "4: " is only for nodes that have IPv4 alone, with "iptables: "
# only for kube-proxy, and with "policy: " only where policies are enforced.
selected() {
	local name pattern without=(iptables 4 policy)

	[[ $(<"$RUN/proxy") != kube-proxy ]] || without[0]=-
	[[ $(<"$RUN/families") != 4 ]] || without[1]=-
	[[ $(<"$RUN/policy") != yes ]] || without[2]=-
	(($#)) || set -- ''
	while IFS= read -r name; do
		[[ ${name%%:*} != @(#*|"${without[0]}"|"${without[1]}"|"${without[2]}") ]] ||
			continue
		name=${name#iptables: }
		name=${name#4: }
		name=${name#policy: }
		for pattern; do
			if [[ $name == *"$pattern"* ]]; then
				echo "$name"
				break
			fi
		done
	done <"$ROOT/tests/kube/tests.txt"
}

# As a regular expression of Go that matches these lines and nothing else.
exactly() {
	# shellcheck disable=SC2016
	sed -e 's/[][\.|$(){}?+*^]/\\&/g' -e 's/$/ *$/' | paste -sd '|'
}

# Tests find an internet at the control plane, by a host file of their own.
ginkgo() {
	printf '127.0.0.1 localhost\n%s google.com\n' "${NODE4}1" >"$RUN/hosts"
	# shellcheck disable=SC2016
	in_ns cp unshare -m --propagation private sh -c \
		'mount --bind "$0" /etc/hosts; exec "$@"' "$RUN/hosts" \
		env HOME="$RUN" "$BIN/ginkgo" -nodes="$JOBS" -noColor \
		-focus="$1" "$BIN/e2e.test" -- --provider=skeleton \
		--kubeconfig="$RUN/admin.conf" \
		--kubectl-path="$DEBIAN/usr/bin/kubectl" --num-nodes="$NODES" \
		--report-dir="$RUN/report" --disable-log-dump=true \
		--minStartupPods=0 --delete-namespace=true
}

run_tests() {
	local tests

	tests=$(selected "$@")
	if [[ -z $tests ]]; then
		echo "kube-test: tests/kube/tests.txt has none of these" >&2
		return 2
	fi
	rm -rf "$RUN/report"
	mkdir -p "$RUN/report"
	ginkgo "$(exactly <<<"$tests")" >"$RUN/e2e.log" 2>&1 || true
	/usr/bin/python3 "$ROOT/tests/kube/verdict.py" "$RUN/report" \
		"$RUN/e2e.log" <<<"$tests"
}

# The objects as a server reads them; the chart by Go's own templates.
packaging() {
	local directory=$ROOT/scripts/packaging/kubernetes

	kubectl apply --dry-run=server -k "$directory/base"
	kubectl apply --dry-run=server -k "$directory/cleanup"
	"$BIN/chart" "$directory/chart" 192.0.2.1 >"$RUN/chart.yaml"
	kubectl apply --dry-run=server -f "$RUN/chart.yaml"
	diff <(/usr/bin/python3 "$ROOT/tests/sandbox/manifests.py" \
		objects "$RUN/chart.yaml" | jq -S .) \
		<(/usr/bin/python3 "$ROOT/tests/sandbox/manifests.py" \
			chart "$directory/chart" server.host=192.0.2.1 | jq -S .)
}

# Memory and CPU time by part.
cluster_usage() {
	local name file

	for name in etcd apiserver kcm scheduler; do
		file=/proc/$(<"$RUN/$name.pid")
		awk -v name=$name -v hertz="$(getconf CLK_TCK)" '
			/^VmRSS/ { mb = $2 / 1024 }
			FILENAME ~ /stat$/ { s = ($14 + $15) / hertz }
			END { printf "%-10s %6.0f MB %8.1f s\n", name, mb, s }' \
			"$file/status" "$file/stat"
	done
	for name in $(seq "$(<"$RUN/nodes")"); do
		file=/sys/fs/cgroup/%s/$NS/node-$name/%s
		# shellcheck disable=SC2059
		awk -v name="node-$name" '
			/^total_rss / { mb = $2 / 1048576 }
			NF == 1 { s = $1 / 1e9 }
			END { printf "%-10s %6.0f MB %8.1f s\n", name, mb, s }' \
			"$(printf "$file" memory memory.stat)" \
			"$(printf "$file" cpuacct cpuacct.usage)"
	done
}

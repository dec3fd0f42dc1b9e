# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash disable=SC2153
#
# What scripts/kube-test needs, from Debian 12's archive alone: packages are
# unpacked below $CACHE, not installed; Kubernetes 1.20 is compiled from Debian's
# source package with Debian's Go. What is there is not made again.

TOOLS=(docker.io containerd runc tini etcd-server golang-1.19-go golang-1.19-src
	containernetworking-plugins kubernetes-client conntrack ipset libipset13
	libnetfilter-conntrack3 libnfnetlink0 socat libwrap0
	golang-github-modern-go-reflect2-dev)
IN_IMAGE=(bash curl bind9-dnsutils netcat-openbsd iproute2 iperf ca-certificates
	coreutils libc-bin grep sed gawk nginx-light iptables conntrack procps
	hostname busybox wget)

# An apt state of its own: the machine's lists stay as they are.
kube_apt() {
	APT_CONFIG=$CACHE/apt/apt.conf "$@"
}

apt_prepare() {
	local key=/usr/share/keyrings/debian-archive-keyring.gpg kind mirror
	local apt=$CACHE/apt

	mirror=${DEBIAN_MIRROR:-$(debian_mirror)}
	if [[ -z $mirror ]]; then
		echo "kube-test: apt knows no archive of Debian's" >&2
		echo "hint: apt-get update, or DEBIAN_MIRROR=URL" >&2
		return 1
	fi
	mkdir -p "$apt"/state/lists/partial "$apt"/cache/archives/partial
	for kind in deb deb-src; do
		echo "$kind [signed-by=$key] $mirror bookworm main"
	done >"$apt/sources.list"
	: >"$apt/none"
	cat >"$apt/apt.conf" <<-END
		Dir::Etc::sourcelist "$apt/sources.list";
		Dir::Etc::sourceparts "/nonexistent";
		Dir::State "$apt/state";
		Dir::State::status "$apt/none";
		Dir::Cache "$apt/cache";
		APT::Update::Post-Invoke-Success "";
		APT::Sandbox::User "root";
	END
	kube_apt apt-get update -qq
}

fetch_tools() {
	local package

	cd "$CACHE/debs" || return
	kube_apt apt-get download -qq "${TOOLS[@]}"
	for package in *.deb; do
		dpkg -x "$package" "$DEBIAN"
	done
}

# Perl and what configures packages are for a system, not for an image.
fetch_image() {
	local packages

	cd "$CACHE/imgdebs" || return
	mapfile -t packages < <(kube_apt apt-get -s --no-install-recommends \
		install "${IN_IMAGE[@]}" | awk '/^Inst/ { print $2 }' |
		grep -Ev '^(perl|libperl|dpkg$|debconf|usrmerge|lib.*-perl$)')
	kube_apt apt-get download -qq "${packages[@]}"
}

# Two changes: a vendored package dies with Go 1.19, and tests of load balancers
# are skipped unless a cloud is there, which scripts/lib/kube-balancer stands for.
fetch_source() {
	local reflect=github.com/modern-go/reflect2

	cd "$CACHE/src" || return
	kube_apt apt-get source -qq --download-only kubernetes
	rm -rf "$SOURCE"
	dpkg-source -x kubernetes_*.dsc "$SOURCE"
	rm -rf "$SOURCE/vendor/$reflect"
	cp -a "$DEBIAN/usr/share/gocode/src/$reflect" \
		"$SOURCE/vendor/${reflect%/*}/"
	sed -i '/SkipUnlessProviderIs("gce", "gke"/s/"gke"/"gke", "skeleton"/' \
		"$SOURCE/test/e2e/network/service.go"
}

fetch() {
	[[ ! -e $CACHE/.fetched ]] || return 0
	apt_prepare
	(fetch_tools)
	(fetch_image)
	(fetch_source)
	touch "$CACHE/.fetched"
}

# compile NAME COMMAND... SOURCE: makes $BIN/NAME, unless that is there.
compile() {
	local name=$1
	shift
	[[ ! -x $BIN/$name ]] || return 0
	echo "kube-test: builds $name"
	nice -n "${KUBE_NICE:-10}" "${@:1:$#-1}" -o "$BIN/$name.new" "${@: -1}"
	mv "$BIN/$name.new" "$BIN/$name"
}

go_prepare() {
	export GOROOT=$DEBIAN/usr/lib/go-1.19 GOPATH=$CACHE/go
	export GO111MODULE=off GOFLAGS='' GOCACHE=$CACHE/gocache CGO_ENABLED=0
	PATH=$GOROOT/bin:$PATH
}

# Packages whose types the API server describes.
openapi_packages() {
	local staging

	staging=$(printf 'staging/src/k8s.io/%s ' api apimachinery \
		apiextensions-apiserver kube-aggregator apiserver client-go \
		component-base cloud-provider controller-manager \
		kube-controller-manager kube-proxy kube-scheduler kubelet metrics)
	# shellcheck disable=SC2038,SC2086
	find $staging pkg cmd plugin -name '*.go' ! -name 'zz_generated*' \
		! -name '*_test.go' -exec grep -l '+k8s:openapi-gen=' {} + |
		xargs -n1 dirname | sort -u |
		sed 's#^staging/src/#k8s.io/kubernetes/vendor/#; t
			s#^#k8s.io/kubernetes/#' | paste -sd,
}

# What Kubernetes' own build generates before it compiles.
generate() {
	local openapi=pkg/generated/openapi/zz_generated.openapi.go

	if [[ ! -e $openapi ]]; then
		compile openapi-gen go build \
			./vendor/k8s.io/kube-openapi/cmd/openapi-gen
		"$BIN/openapi-gen" --logtostderr -i "$(openapi_packages)" \
			-p k8s.io/kubernetes/pkg/generated/openapi \
			-O zz_generated.openapi \
			-h vendor/k8s.io/code-generator/hack/boilerplate.go.txt \
			-r "$CACHE/violations.report"
	fi
	[[ ! -e test/e2e/generated/bindata.go ]] || return 0
	compile go-bindata go build \
		./vendor/github.com/go-bindata/go-bindata/go-bindata
	"$BIN/go-bindata" -nometadata -o test/e2e/generated/bindata.go \
		-pkg generated -ignore .jpg -ignore .png -ignore .md \
		-ignore 'BUILD(\.bazel)?' test/conformance/testdata/... \
		test/e2e/testing-manifests/... \
		test/e2e_node/testing-manifests/... test/images/... \
		test/fixtures/...
}

# Without a version, tests are skipped by version.
version_flags() {
	local package flags="-s -w"

	for package in component-base/version client-go/pkg/version; do
		package=k8s.io/kubernetes/vendor/k8s.io/$package
		flags+=" -X $package.gitVersion=v1.20.2 -X $package.gitMajor=1"
		flags+=" -X $package.gitMinor=20 -X $package.gitCommit=debian"
		flags+=" -X $package.gitTreeState=clean"
	done
	echo "$flags"
}

# ours NAME: a program of tests/kube, with Kubernetes' vendored packages.
ours() {
	mkdir -p "cmd/fairlead-$1"
	cmp -s "$ROOT/tests/kube/$1.go" "cmd/fairlead-$1/main.go" || {
		cp "$ROOT/tests/kube/$1.go" "cmd/fairlead-$1/main.go"
		rm -f "$BIN/$1"
	}
	compile "$1" go build -ldflags "-s -w" "./cmd/fairlead-$1"
}

compile_all() {
	local name flags

	flags=$(version_flags)
	cd "$SOURCE" || return
	compile agnhost go build -ldflags "-s -w" ./test/images/agnhost
	compile regression go build -ldflags "-s -w" \
		./test/images/regression-issue-74839
	compile pause gcc -Os -static -DVERSION=3.2 build/pause/linux/pause.c
	generate
	for name in kube-apiserver kubelet kube-controller-manager \
		kube-scheduler kube-proxy; do
		compile "$name" go build -ldflags "$flags" "./cmd/$name"
	done
	ours minidns
	ours chart
	compile ginkgo go build -ldflags "-s -w" \
		./vendor/github.com/onsi/ginkgo/ginkgo
	compile e2e.test go test -c -ldflags "$flags" ./test/e2e
}

unpack_image() {
	local package

	for package in "$CACHE"/imgdebs/*.deb; do
		dpkg-deb --fsys-tarfile "$package" |
			tar -x -C "$1" --keep-directory-symlink \
				--exclude='./usr/share/doc*' \
				--exclude='./usr/share/man*' \
				--exclude='./usr/share/locale*' \
				--exclude='./usr/share/perl*' \
				--exclude='./usr/lib/x86_64-linux-gnu/perl*'
	done
}

# image_links ROOT: programs by the names that tests call them.
image_links() {
	local root=$1 name

	ln -sf bash "$root/usr/bin/sh"
	ln -sf nc.openbsd "$root/usr/bin/nc"
	ln -sf gawk "$root/usr/bin/awk"
	for name in {ip,ip6}tables{,-save,-restore}; do
		ln -sf xtables-legacy-multi "$root/usr/sbin/$name"
	done
	for name in $(chroot "$root" busybox --list); do
		[[ -e $root/usr/bin/$name || -e $root/usr/sbin/$name ]] ||
			ln -s busybox "$root/usr/bin/$name"
	done
	mkdir -p "$root/usr/local/bin"
	ln -s ../../bin/iperf "$root/usr/local/bin/iperf"
	ln -s agnhost "$root/agnhost-2"
}

# GNU's wget, as busybox' one dies here; it must not try again and again.
image_files() {
	local root=$1

	mkdir -p "$root"/var/log/nginx "$root"/var/lib/nginx "$root"/var/www/html
	echo "tries = 1" >>"$root/etc/wgetrc"
	echo "hosts: files dns" >"$root/etc/nsswitch.conf"
	cat >"$root/etc/passwd" <<-END
		root:x:0:0:root:/root:/bin/sh
		nobody:x:65534:65534:n:/:/bin/sh
		www-data:x:33:33:w:/:/bin/sh
	END
	printf 'root:x:0:\nnogroup:x:65534:\nwww-data:x:33:\n' >"$root/etc/group"
	cat >"$root/etc/nginx/nginx.conf" <<-'END'
		daemon off;
		worker_processes 1;
		events {}
		http {
			access_log off;
			server { listen 80; location / { return 200 "ok\n"; } }
		}
	END
	cp "$BIN/agnhost" "$root/agnhost"
	cp "$BIN/pause" "$root/pause"
	cp "$BIN/regression" "$root/regression-issue-74839"
	cp "$SOURCE"/test/images/agnhost/porter/localhost.* "$root/"
}

# One root file system stands for all images that the tests ask for.
images() {
	local root=$IMAGES/rootfs name

	[[ ! -e $IMAGES/agnhost.tar ]] || return 0
	rm -rf "$root"
	mkdir -p "$root"/usr/{bin,sbin,lib,lib64} \
		"$root"/{etc,proc,sys,dev,tmp,run,var,uploads,root}
	for name in bin sbin lib lib64; do
		ln -s "usr/$name" "$root/$name"
	done
	unpack_image "$root"
	image_files "$root"
	image_links "$root"
	chmod 1777 "$root/tmp"
	tar -C "$root" -cf "$IMAGES/pause.tar" pause
	tar -C "$root" -cf "$IMAGES/agnhost.tar.new" .
	mv "$IMAGES/agnhost.tar.new" "$IMAGES/agnhost.tar"
	rm -rf "$root"
}

# The product's image: the program, what it links, and what the objects of
# scripts/packaging/kubernetes call besides.
fairlead_image() {
	local root program file libraries
	local programs=("${FAIRLEAD:-$ROOT/build/fairlead}" /usr/bin/sleep)

	# those that it loads when it needs them
	mapfile -t libraries < <(ldconfig -p |
		awk '/lib(curl\.so\.4|microhttpd\.so\.12) / { print $NF }')

	root=$(mktemp -d)
	mkdir -p "$root"/{etc,usr/sbin,usr/bin,proc,sys,dev,run,tmp}
	for program in "${programs[@]}" "${libraries[@]}"; do
		while read -r file; do
			cp -L --parents "$file" "$root"
		done < <(ldd "$program" | grep -o '/[^ ]*')
	done
	cp -L --parents "${libraries[@]}" "$root"
	cp "${programs[0]}" "$root/usr/sbin/fairlead"
	mkdir -p "$root/usr/lib/cni"
	cp "${programs[0]}-cni" "$root/usr/lib/cni/fairlead-cni"
	cp "${programs[1]}" "$root/usr/bin/sleep"
	cat >"$root/etc/passwd" <<-END
		root:x:0:0:root:/:/none
		fairlead:x:999:999::/nonexistent:/none
	END
	tar -C "$root" -cf "$RUN/fairlead.tar" .
	rm -rf "$root"
}

kube_build() {
	mkdir -p "$CACHE"/{debs,imgdebs,src,root,go/src/k8s.io,bin,images}
	exec 8>"$CACHE/.build.lock"
	flock 8
	fetch
	go_prepare
	(compile_all)
	images
	exec 8>&-
}

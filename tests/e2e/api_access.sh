#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The ways to an API server: TLS, client certificates, tokens that are replaced,
# the account of a container; and what is refused. The server is a stand-in.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/sandbox/api.sh
. "$ROOT/tests/sandbox/api.sh"
CONTROL_PORT=8002
PKI=$DIR/pki

follows() {
	fairlead status --json | jq -e '.applied.synced and
		([.kubernetes.kinds[].state] | all(. == "following"))'
}

behind() {
	fairlead status --json | tee "$DIR/said" |
		jq -e --arg words "$1" '[.kubernetes.kinds[].error // "" |
			contains($words)] | any'
}

# certificate NAME CA [EXTENSION]: a key and what CA says of it.
certificate() {
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$PKI/$1.key" -subj "/CN=$1" -out "$PKI/$1.csr"
	openssl x509 -req -in "$PKI/$1.csr" -CA "$PKI/$2.crt" \
		-CAkey "$PKI/$2.key" -CAcreateserial -days 2 \
		-out "$PKI/$1.crt" -extfile <(echo "${3:-}")
}

authority() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$PKI/$1.key" -subj "/CN=$1" -days 2 -out "$PKI/$1.crt"
}

pki() {
	mkdir -p "$PKI"
	authority ca
	authority stranger
	certificate server ca "subjectAltName=DNS:api.test,IP:127.0.0.1"
	certificate node-1 ca
	certificate other stranger
} 2>"$DIR/openssl.log"

# kubeconfig CLUSTER USER: flow style, in one step.
kubeconfig() {
	cat >"$DIR/kubeconfig.new" <<-END
		apiVersion: v1
		kind: Config
		current-context: here
		contexts: [{name: here, context: {cluster: c, user: u}}]
		clusters: [{name: c, cluster: {server: "https://127.0.0.1:8001", $1}}]
		users: [{name: u, user: {$2}}]
	END
	mv "$DIR/kubeconfig.new" "$DIR/kubeconfig"
}

CA="certificate-authority: pki/ca.crt"
CLIENT="client-certificate: pki/node-1.crt, client-key: pki/node-1.key"

with() {
	! running serve || stop serve
	kubeconfig "$1" "$2"
	serve_start --kubeconfig "$DIR/kubeconfig"
}

in_force_with() {
	with "$1" "$2"
	wait_for 30 follows
	grep -q "peer=node-1" "$DIR/api.requests"
	[[ $(ask "$VIP4") == backend-* ]]
}

# is refused while what was in force stays
not_with() {
	with "$1" "$2"
	wait_for 30 behind "$3"
	[[ $(ask "$VIP4") == backend-* ]]
}

data() {
	base64 -w 0 "$PKI/$1"
}

by_data() {
	in_force_with "certificate-authority-data: $(data ca.crt)" \
		"client-certificate-data: $(data node-1.crt), client-key-data: $(data node-1.key)"
}

# The certificate's name in place of the server's address, which stays Host.
by_another_name() {
	in_force_with "$CA, tls-server-name: api.test" "$CLIENT"
	grep -q "host=127.0.0.1:8001" "$DIR/api.requests"
	not_with "$CA, tls-server-name: other.test" "$CLIENT" "SSL"
}

insecure() {
	in_force_with "insecure-skip-tls-verify: true" "$CLIENT"
	grep -q "insecure-skip-tls-verify: whoever is in between" "$DIR/serve.err"
}

# refused_with USER WORDS: the daemon does not begin.
refused_with() {
	with "$CA" "$1"
	wait_for 10 gone serve
	cat "$DIR/serve.err"
	grep -qF "$2" "$DIR/serve.err"
	[[ $(ask "$VIP4") == backend-* ]]
}

# Another token, by a link that is switched: the next requests have it.
token_rotates() {
	mkdir "$DIR/one" "$DIR/two"
	echo first >"$DIR/one/token"
	echo second >"$DIR/two/token"
	ln -s one "$DIR/now"
	control '{"token": "first"}'
	in_force_with "$CA" "$CLIENT, tokenFile: now/token"
	ln -s two "$DIR/now.new"
	mv -T "$DIR/now.new" "$DIR/now"
	control '{"token": "second", "break": true}'
	wait_for 60 grep -q "token=Bearer second" "$DIR/api.requests"
	wait_for 30 follows
	control '{"token": null}'
}

token_of_nobody() {
	control '{"token": "other"}'
	not_with "$CA" "$CLIENT, token: mine" "401"
	control '{"token": null}'
	wait_for 60 follows
}

# As in a pod: where the server is, its authority and the token.
account() {
	stop serve
	mkdir -p "$DIR/account"
	cp "$PKI/ca.crt" "$DIR/account/ca.crt"
	echo podtoken >"$DIR/account/token"
	chmod 0600 "$DIR/account/token"
	control '{"token": "podtoken"}'
	api_without_clients
	cat >"$DIR/pod" <<-'END'
		#!/bin/bash
		mkdir -p /var/run/secrets
		mount -t tmpfs none /var/run/secrets
		mkdir -p /var/run/secrets/kubernetes.io
		ln -s "$1" /var/run/secrets/kubernetes.io/serviceaccount
		export KUBERNETES_SERVICE_HOST=127.0.0.1 KUBERNETES_SERVICE_PORT=8001
		exec "${@:2}"
	END
	chmod +x "$DIR/pod"
	start serve balancer unshare -m "$DIR/pod" "$DIR/account" \
		"$FAIRLEAD" serve --kubernetes --hostname-override node-1
	wait_for 30 follows
	grep "token=Bearer podtoken peer= host=127.0.0.1:8001" "$DIR/api.requests"
}

# One that asks nobody for a certificate.
api_without_clients() {
	stop api
	api_start --control-port 8002 --cert "$PKI/server.crt" \
		--key "$PKI/server.key"
	objects
	control '{"token": "podtoken"}'
}

story 2
pki
api_start --control-port 8002 --cert "$PKI/server.crt" \
	--key "$PKI/server.key" --client-ca "$PKI/ca.crt"
objects
it "files of certificates" in_force_with "$CA" "$CLIENT"
it "certificates in the kubeconfig" by_data
it "another name than the server's" by_another_name
it "a server whose certificate is not looked at" insecure
it "a server of another authority" not_with \
	"certificate-authority: pki/stranger.crt" "$CLIENT" "SSL"
it "a client of another authority" not_with "$CA" \
	"client-certificate: pki/other.crt, client-key: pki/other.key" "alert"
it "a token that is replaced" token_rotates
it "a token that nobody knows" token_of_nobody
it "a program for credentials" refused_with \
	"exec: {apiVersion: v1, command: aws}" \
	'"exec" is not supported; use a tokenFile'
it "a key that is not there" refused_with \
	"client-certificate: pki/node-1.crt, client-key: pki/none" \
	"pki/none: client-key: No such file or directory"
it "begins anew" in_force_with "$CA" "$CLIENT"
it "a container's account" account
finish

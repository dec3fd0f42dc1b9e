# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# Who asks over HTTP how a node is; who includes this has included lib.sh.

# get HOST URL [CURL OPTION...]: the status; headers and body are kept.
get() {
	on "$1" curl -sS --max-time "$CURL_S" -g -o "$DIR/body" \
		-D "$DIR/headers" -w '%{http_code}\n' "http://$2" "${@:3}"
}

# says STATUS HOST URL [CURL OPTION...]
says() {
	local status

	status=$(get "${@:2}")
	echo "$status"
	cat "$DIR/headers" "$DIR/body"
	[[ $status == "$1" ]]
}

header() {
	tr -d '\r' <"$DIR/headers" | grep -ixF "$1: $2"
}

# refuses HOST URL: nobody listens there.
refuses() {
	local status=0

	get "$@" || status=$?
	((status == 7))
}

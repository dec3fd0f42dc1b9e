#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# As curl_through_vip.sh, but backends take tunnels apart on tc, not on XDP.
export HOOK=tc
# shellcheck source=tests/e2e/curl_through_vip.sh
. "${0%/*}/curl_through_vip.sh"

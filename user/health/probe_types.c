// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The types of probes that there are: see probe.h. */
#include "probe.h"
#include "probe_agent.h"
#include "probe_curl.h"
#include "probe_datagram.h"
#include "probe_file.h"
#include "probe_tcp.h"

const struct probe_type *const probe_types[NR_PROBE_KINDS] = {
	[PROBE_TCP] = &probe_tcp,
	[PROBE_TLS] = &probe_tls,
	[PROBE_HTTP] = &probe_http,
	[PROBE_HTTPS] = &probe_https,
	[PROBE_UDP] = &probe_udp,
	[PROBE_DNS] = &probe_dns,
	[PROBE_ICMP] = &probe_icmp,
	[PROBE_FILE] = &probe_file,
	[PROBE_AGENT] = &probe_agent,
};

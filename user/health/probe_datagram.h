/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* udp, icmp, and dns over either transport: a question, and what answers it. */
#ifndef FAIRLEAD_PROBE_DATAGRAM_H
#define FAIRLEAD_PROBE_DATAGRAM_H

#include "probe.h"

extern const struct probe_type probe_udp, probe_icmp, probe_dns;

#endif

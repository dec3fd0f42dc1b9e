/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A handshake; and, if something is expected, an answer that has it. */
#ifndef FAIRLEAD_PROBE_TCP_H
#define FAIRLEAD_PROBE_TCP_H

#include "probe.h"

extern const struct probe_type probe_tcp;

#endif

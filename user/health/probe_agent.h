/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A line of an agent's by TCP (agent_words.h). Who has no agent says nothing. */
#ifndef FAIRLEAD_PROBE_AGENT_H
#define FAIRLEAD_PROBE_AGENT_H

#include "probe.h"

extern const struct probe_type probe_agent;

#endif

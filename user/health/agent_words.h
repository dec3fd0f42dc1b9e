/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What agents (HAProxy's "agent-check") and files say of a server: words such
 * as "up 50%", "drain", "down: for repair". Pure.
 */
#ifndef FAIRLEAD_AGENT_WORDS_H
#define FAIRLEAD_AGENT_WORDS_H

#include "probe.h"

/*
 * The first line of len bytes. Words are set apart by blanks and commas, case
 * does not count, and of several that differ the worst one holds: failed,
 * drained, a weight. What is no word fails, as an answer that says nothing.
 */
void agent_words_judge(const char *data, size_t len, struct probe_result *ret);

#endif

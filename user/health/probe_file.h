/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The first line of a file (agent_words.h). One that is not there says nothing. */
#ifndef FAIRLEAD_PROBE_FILE_H
#define FAIRLEAD_PROBE_FILE_H

#include "probe.h"

extern const struct probe_type probe_file;

#endif

// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See reason.h. */
#include "reason.h"

#define X(name, verdict, text) \
	[REASON_##name] = { #name, #verdict, text },
const struct reason_text reason_texts[NR_REASONS] = { FAIRLEAD_REASONS(X) };
#undef X

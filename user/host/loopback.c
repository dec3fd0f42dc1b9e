// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See loopback.h. */
#include "base/sysctl.h"
#include "loopback.h"

int loopback_trust(bool is_trusted)
{
	return sysctl_set(LOOPBACK_ACCEPTS, is_trusted);
}

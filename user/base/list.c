// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See list.h. */
#include <stdlib.h>

#include "list.h"

bool list_room(void *list, size_t count, size_t *max, size_t size)
{
	size_t want = *max ? 2 * *max : 8;
	void **at = list, *larger;

	if (count <= *max)
		return true;
	if (want < count)
		want = count;
	larger = realloc(*at, want * size);
	if (!larger)
		return false;
	*at = larger;
	*max = want;
	return true;
}

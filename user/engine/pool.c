// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Numbers that are free, see pool.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pool.h"

__u32 pool_take(struct pool *p)
{
	return p->nr_free ? p->free[--p->nr_free] : 0;
}

void pool_give(struct pool *p, __u32 number)
{
	p->free[p->nr_free++] = number;
}

int pool_fill(struct pool *p, __u32 size,
	      bool (*is_used)(const void *arg, __u32 number), const void *arg)
{
	__u32 *numbers = realloc(p->free, (size + 1) * sizeof(*numbers));

	if (!numbers)
		return -ENOMEM;
	p->free = numbers;
	p->size = size;
	p->nr_free = 0;
	for (__u32 i = size; i-- > 1;)
		if (!is_used(arg, i))
			pool_give(p, i);
	return 0;
}

int pool_grow(struct pool *p, __u32 size)
{
	__u32 more = size - p->size;
	__u32 *numbers;

	if (size <= p->size)
		return 0;
	numbers = realloc(p->free, (size + 1) * sizeof(*numbers));
	if (!numbers)
		return -ENOMEM;
	memmove(numbers + more, numbers, p->nr_free * sizeof(*numbers));
	for (__u32 i = 0; i < more; i++)
		numbers[i] = size - 1 - i;
	p->free = numbers;
	p->nr_free += more;
	p->size = size;
	return 0;
}

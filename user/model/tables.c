// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The lists of tables.h as data. */
#include <stdint.h>

#include "tables.h"

const struct table_row table_rows[NR_TABLES] = {
#define X(name_, of, size_, reach_, growth_)				\
	[TABLE_##name_] = {						\
		.name = #name_,						\
		.size = TABLE_SIZE_##size_,				\
		.reach = TABLE_##reach_,				\
		.growth = TABLE_##growth_,				\
	},
	TABLES(X)
#undef X
};

const struct table_sizes table_sizes_default = {
#define X(name, field, by_default) .name = by_default,
	TABLE_SIZES(X)
#undef X
};

__u32 *table_size_at(struct table_sizes *sizes, enum table_size which)
{
	__u32 *const all[NR_TABLE_SIZES] = {
#define X(name, field, by_default) [TABLE_SIZE_##name] = &sizes->name,
		TABLE_SIZES(X)
#undef X
	};

	return all[which];
}

__u32 table_size_grown(__u32 size, __u64 needed)
{
	__u64 ret = 2ull * size, roomy = needed + needed / 4;

	if (needed <= size)
		return size;
	if (ret < roomy)
		ret = roomy;
	return ret > UINT32_MAX ? UINT32_MAX : ret;
}

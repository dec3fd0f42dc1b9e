// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Connections into a larger table, while traffic goes on. dp_grow() has loaded
 * the programs of the new table, which ask those of the old one about what
 * they do not know: XDP_PROGRAM_OLDER, and in place of xdp_open; tc likewise. A
 * packet meets, one after the other:
 *
 * 1. Links lead to the old programs: the old table alone.
 * 2. Links lead to the new ones, one after the other. Their table is empty, so
 *    they ask the old ones, which also open what is new, in the old table.
 * 3. Records are copied, several times over: each pass takes along what has
 *    come since the last. What has been copied is found in the new table, and
 *    changes there; the rest in the old one.
 * 4. Old programs have the new ones open what they do not know: in the new
 *    table. A last pass takes what was opened in the old one since the pass
 *    before, another one (after a grace period) what was being opened.
 * 5. The new tables are the ones in force, and nobody is asked any more.
 *
 * So nothing is ever looked for where it is not, and nothing is dropped. What
 * two clients open in the few milliseconds of step 4, one in each table, may
 * get one NAT port towards one backend: the second is found, and begins anew.
 *
 * Who dies meanwhile leaves all that both kinds of programs need pinned, and
 * traffic in the step that it was in. The next daemon copies into the same new
 * table first. Then it has links lead to programs of its own, which are at step
 * 4: what was opened in the new table may have been so for long, and has ports
 * that nobody may be given in the old one.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "dp_private.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "model/conns_move.h"

#define PASSES_MAX 8		/* of step 3 */
#define PASS_SMALL 64		/* records: then step 4 may come */

static size_t bytes_of(const struct bpf_map *map)
{
	size_t page = sysconf(_SC_PAGESIZE);
	size_t len = (size_t)bpf_map__max_entries(map) *
		     bpf_map__value_size(map);

	return (len + page - 1) / page * page;
}

/* NULL: errno says why not. */
static void *map_in_one(const struct bpf_map *map)
{
	void *at = mmap(NULL, bytes_of(map), PROT_READ | PROT_WRITE, MAP_SHARED,
			bpf_map__fd(map), 0);

	return at == MAP_FAILED ? NULL : at;
}

static void unmap(void *at, const struct bpf_map *map)
{
	if (at)
		munmap(at, bytes_of(map));
}

static int move_begin(struct dp *dp, struct conns_move *m)
{
	m->from = map_in_one(dp->older->maps.conns);
	m->from_buckets = bpf_map__max_entries(dp->older->maps.conns);
	m->conns = map_in_one(dp->skel->maps.conns);
	m->replies = map_in_one(dp->skel->maps.replies);
	if (!m->from || !m->conns || !m->replies)
		return -errno;
	return conns_move_begin(m, &dp->tables);
}

static void move_end(struct dp *dp, struct conns_move *m)
{
	conns_move_end(m);
	unmap((void *)m->from, dp->older->maps.conns);
	unmap(m->conns, dp->skel->maps.conns);
	unmap(m->replies, dp->skel->maps.replies);
}

/* Step 3, and 4 begins. */
static int move_most(struct dp *dp, struct conns_move *m)
{
	for (int i = 0; i < PASSES_MAX; i++)
		if (conns_move_pass(m, dp_now_s()) < PASS_SMALL)
			break;
	return dp_programs_hand_over(dp->older, dp->skel);
}

static int move_all(struct dp *dp, struct conns_move *m)
{
	int err = dp->is_resumed ? move_most(dp, m) : 0;

	if (!err)
		err = dp_link_replace_all(dp);
	if (err)
		return err;
	dp_wait_for_programs();
	if (!dp->is_resumed)
		err = move_most(dp, m);
	conns_move_pass(m, dp_now_s());
	dp_wait_for_programs();
	conns_move_pass(m, dp_now_s());
	return err;
}

int dp_move_conns(struct dp *dp)
{
	struct conns_move m = {};
	int err = move_begin(dp, &m);

	if (!err && *dp->dir)
		err = dp_pin_moving(dp, dp->next_generation);
	if (!err)
		err = move_all(dp, &m);
	move_end(dp, &m);
	if (err)
		return log_error(err, "cannot go over to a larger table of "
				 "connections");
	log_info("the table of connections has room for %u: %llu records went "
		 "over", conns_for(dp->tables.conn_buckets), m.moved);
	if (m.lost)
		log_warning(0, "%llu live connections found no room there",
			    m.lost);
	return 0;
}

int dp_move_resume(struct dp *dp)
{
	unsigned int generation = dp_pin_moving_to(dp);
	struct table_sizes same = {};
	__cleanup(close_fd) int conns = -1;
	__cleanup(close_fd) int replies = -1;

	if (!generation)
		return 0;
	conns = dp_pin_get_from(dp, generation, TABLE_conns);
	replies = dp_pin_get_from(dp, generation, TABLE_replies);
	if (conns < 0 || replies < 0)
		return 0;	/* somebody has removed it */
	dp->is_resumed = true;
	return dp_grow_into(dp, &same, conns, replies);
}

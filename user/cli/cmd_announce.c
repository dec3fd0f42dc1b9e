// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `announce`, `node` and `withdraw`: routes that say which addresses this node
 * serves. The daemon keeps them; where none runs, `withdraw` deletes them by
 * itself.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "announce/kept.h"
#include "announced.h"
#include "base/log.h"
#include "base/print.h"
#include "cmd.h"
#include "withdrawing.h"

#define LINES_MAX 10		/* in `status`, of what is not announced */

struct address_row {
	const char *address, *state, *why;
	__u64 metric;
	bool announced;
};

static const struct column address_columns[] = {
	COLUMN("address", "ADDRESS", TEXT, struct address_row, address),
	COLUMN("announced", "ANNOUNCED", BOOL, struct address_row, announced),
	COLUMN("metric", "METRIC", COUNT, struct address_row, metric),
	COLUMN("state", "STATE", TEXT, struct address_row, state),
	COLUMN("why", "WHY", TEXT, struct address_row, why),
	COLUMNS_END,
};

static const char *text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key)) ?: "";
}

static struct address_row row_of(const json_t *at)
{
	const json_t *metric = json_object_get(at, "metric");

	return (struct address_row){
		.address = text_of(at, "address"),
		.state = text_of(at, "state"),
		.why = text_of(at, "why"),
		.metric = json_is_integer(metric) ?
				  (__u64)json_integer_value(metric) :
				  COUNT_UNKNOWN,
		.announced = json_is_true(json_object_get(at, "announced")),
	};
}

static json_t *ask(const struct options *o, json_t *request)
{
	json_t *answer = NULL;
	int err = daemon_ask(o, request, &answer);

	if (err == -ENOENT)
		log_error(0, "no daemon runs: routes are as it left them");
	return err ? NULL : answer;
}

static int print_list(const struct options *o, const json_t *answer)
{
	const json_t *list = json_object_get(answer, "addresses");
	struct print *out;
	json_t *at;
	size_t i;

	if (print_open(stdout, o->json, address_columns, &out))
		return FAILED;
	json_array_foreach(list, i, at) {
		struct address_row row = row_of(at);

		if (print_row(out, &row))
			break;
	}
	return print_close(out) ? FAILED : DONE;
}

int cmd_announce_list(const struct options *o)
{
	json_t *answer = ask(o, json_pack("{s:s}", "cmd", "announce"));
	int ret;

	if (!answer)
		return FAILED;
	if (!json_is_true(json_object_get(answer, "on")))
		log_warning(0, "definitions do not say \"announce:\", so that nothing is announced");
	ret = print_list(o, answer);
	json_decref(answer);
	return ret;
}

/* The lines of one that is announced; GRACEFUL_SHUTDOWN is RFC 8326's. */
static void print_route(const char *address, json_int_t metric)
{
	printf("announce route %s next-hop self med %lld%s\n", address,
	       (long long)metric,
	       metric >= ANNOUNCE_METRIC_DRAINED ? " community [65535:0]" : "");
}

/* told: what was said so far, metrics by addresses; it becomes what is so. */
static void print_news(json_t *told, const json_t *answer)
{
	const json_t *list = json_object_get(answer, "addresses");
	json_t *now = json_object(), *at, *metric;
	const char *address;
	size_t i;
	void *next;

	json_array_foreach(list, i, at)
		if (json_is_true(json_object_get(at, "announced")))
			json_object_set(now, text_of(at, "address"),
					json_object_get(at, "metric"));
	json_object_foreach(now, address, metric)
		if (!json_equal(metric, json_object_get(told, address)))
			print_route(address, json_integer_value(metric));
	json_object_foreach_safe(told, next, address, metric)
		if (!json_object_get(now, address))
			printf("withdraw route %s next-hop self\n", address);
	json_object_clear(told);
	json_object_update(told, now);
	json_decref(now);
	fflush(stdout);
}

/* While no daemon runs, traffic goes on, and so does what was said. */
static int exabgp(const struct options *o)
{
	const struct timespec step = { .tv_sec = 1 };
	json_t *told = json_object(), *answer;
	int err;

	do {
		answer = NULL;
		err = daemon_ask(o, json_pack("{s:s}", "cmd", "announce"),
				 &answer);
		if (!err)
			print_news(told, answer);
		json_decref(answer);
		if (!o->once)
			nanosleep(&step, NULL);
	} while (!o->once && !ferror(stdout));
	json_decref(told);
	if (err == -ENOENT)
		log_error(0, "no daemon runs: it is not known what is announced");
	return err || ferror(stdout) ? FAILED : DONE;
}

int cmd_announce(const struct options *o)
{
	return o->exabgp ? exabgp(o) : cmd_announce_list(o);
}

static int act(const struct options *o, const char *action)
{
	json_t *answer = ask(o, json_pack("{s:s, s:s}", "cmd", "node",
					  "action", action));
	int ret;

	if (!answer)
		return FAILED;
	ret = print_list(o, answer);
	json_decref(answer);
	return ret;
}

int cmd_node_drain(const struct options *o)
{
	return act(o, "drain");
}

int cmd_node_undrain(const struct options *o)
{
	return act(o, "undrain");
}

int withdraw_all(const struct options *o)
{
	size_t count;
	int err = announce_withdraw(o->run_dir, &count);

	if (count)
		printf("%zu routes deleted\n", count);
	return err ? log_error(err, "cannot delete routes that announce addresses") :
		     0;
}

/* A daemon would put back what is deleted behind its back. */
int cmd_withdraw(const struct options *o)
{
	json_t *answer = NULL;
	int err = daemon_ask(o, json_pack("{s:s, s:s}", "cmd", "node",
					  "action", "withdraw"), &answer);

	json_decref(answer);
	if (!err)
		return DONE;
	return withdraw_all(o) ? FAILED : DONE;
}

static void print_missing(const json_t *list)
{
	unsigned int missing = 0;
	json_t *at;
	size_t i;

	json_array_foreach((json_t *)list, i, at) {
		struct address_row row = row_of(at);

		if (!*row.why)
			continue;
		if (missing++ < LINES_MAX)
			printf("           %s %s: %s\n", row.address,
			       row.announced ? "goes" : "is not", row.why);
	}
	if (missing > LINES_MAX)
		printf("           and %u more: \"fairlead announce list\"\n",
		       missing - LINES_MAX);
}

void announced_print(const json_t *announce)
{
	const json_t *list = json_object_get(announce, "addresses");
	bool is_drained = json_is_true(json_object_get(announce, "drained"));
	size_t announced = 0, i;
	json_t *at;

	if (!announce || json_is_null(announce))
		return;
	json_array_foreach((json_t *)list, i, at)
		announced += json_is_true(json_object_get(at, "announced"));
	printf("announced: %zu of %zu addresses, in table %lld%s\n", announced,
	       json_array_size(list),
	       (long long)json_integer_value(json_object_get(announce,
							     "table")),
	       is_drained ? "; the node is drained by hand" : "");
	print_missing(list);
}

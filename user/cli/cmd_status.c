// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `status`: what is attached, what is in force, what became of the packets.
 * The tables tell it, with or without a daemon; JSON is built first, and text
 * is printed from the same rows.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <net/if.h>

#include "announced.h"
#include "cmd.h"
#include "connections.h"
#include "base/log.h"
#include "model/conns.h"
#include "model/reason.h"
#include "policy/policy.h"
#include "base/print.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "view.h"
#include "warnings.h"

#define ATTACHMENTS_MAX 64
#define WAIT_STEP_MS 50
#define NOT_COUNTED 0xffffffffu
#define ANSWER_S 3		/* a daemon that is busy for longer is stuck */

struct status {
	struct view view;
	bool is_loaded;
	json_t *daemon;		/* its answer; NULL: none */
	bool is_silent;		/* one runs, and does not answer */
	json_t *json;		/* being built; owned */
	struct connections conns;
	bool text;
};

struct attachment_row {
	const char *interface, *program, *mechanism;
	__u64 ifindex;
};

static const struct column attachment_columns[] = {
	COLUMN("interface", "INTERFACE", TEXT, struct attachment_row,
	       interface),
	COLUMN("ifindex", NULL, COUNT, struct attachment_row, ifindex),
	COLUMN("program", "PROGRAM", TEXT, struct attachment_row, program),
	COLUMN("mechanism", "MECHANISM", TEXT, struct attachment_row,
	       mechanism),
	COLUMNS_END,
};

struct reason_row {
	struct reason_text name;
	__u64 packets, bytes;
};

static const struct column reason_columns[] = {
	COLUMN("name", "REASON", TEXT, struct reason_row, name.name),
	COLUMN("verdict", "VERDICT", TEXT, struct reason_row, name.verdict),
	COLUMN("packets", "PACKETS", COUNT, struct reason_row, packets),
	COLUMN("bytes", "BYTES", COUNT, struct reason_row, bytes),
	COLUMN("text", "MEANING", TEXT, struct reason_row, name.text),
	COLUMNS_END,
};

struct map_row {
	const char *name;
	__u64 room, used, entry_bytes, bytes;
};

static const struct column map_columns[] = {
	COLUMN("name", "MAP", TEXT, struct map_row, name),
	COLUMN("room", "ROOM", COUNT, struct map_row, room),
	COLUMN("used", "USED", COUNT, struct map_row, used),
	COLUMN("entry_bytes", NULL, COUNT, struct map_row, entry_bytes),
	COLUMN("bytes", "BYTES", COUNT, struct map_row, bytes),
	COLUMNS_END,
};

static const struct column feature_columns[] = {
	COLUMN("name", "THIS KERNEL LACKS", TEXT, struct dp_feature, name),
	COLUMN("has", NULL, BOOL, struct dp_feature, has),
	COLUMN("otherwise", "SO FAIRLEAD", TEXT, struct dp_feature, otherwise),
	COLUMNS_END,
};

/* A list under key of the JSON, or a table for people. What people need not
 * see, is_shown leaves out; NULL shows all. */
static int section(struct status *s, const char *key,
		   const struct column *columns, const void *rows, size_t size,
		   size_t count, bool (*is_shown)(const void *row))
{
	__cleanup(print_closep) struct print *table = NULL;
	json_t *list = s->text ? NULL : json_array();
	int err = 0;

	for (size_t i = 0; !err && i < count; i++) {
		const void *row = (const char *)rows + i * size;

		if (list)
			err = json_array_append_new(list,
						    row_json(columns, row));
		if (list || (is_shown && !is_shown(row)))
			continue;
		if (!table) {
			putchar('\n');
			err = print_open(stdout, false, columns, &table);
		}
		if (!err)
			err = print_row(table, row);
	}
	return list ? json_object_set_new(s->json, key, list) : err;
}

static int attachments(struct status *s)
{
	struct dp_attachment list[ATTACHMENTS_MAX];
	struct attachment_row rows[ATTACHMENTS_MAX];
	char names[ATTACHMENTS_MAX][IF_NAMESIZE];
	int count = dp_attachments(s->view.dp, list, ATTACHMENTS_MAX);

	if (count < 0)
		return count;
	if (count > ATTACHMENTS_MAX)
		count = ATTACHMENTS_MAX;
	for (int i = 0; i < count; i++)
		rows[i] = (struct attachment_row){
			.interface = if_indextoname(list[i].ifindex, names[i]),
			.program = dp_hook_name(list[i].hook),
			.mechanism = dp_mechanism_name(list[i].mechanism),
			.ifindex = list[i].ifindex,
		};
	return section(s, "attachments", attachment_columns, rows,
		       sizeof(rows[0]), count, NULL);
}

/* Of a node with hundreds of pods, how many of them have each program. */
struct pods_row {
	const char *program, *mechanism;
	__u64 interfaces;
};

static const struct column pods_columns[] = {
	COLUMN("program", "ON PODS", TEXT, struct pods_row, program),
	COLUMN("mechanism", "MECHANISM", TEXT, struct pods_row, mechanism),
	COLUMN("interfaces", "INTERFACES", COUNT, struct pods_row, interfaces),
	COLUMNS_END,
};

#define POD_ROWS_MAX (2 * NR_DP_HOOKS)

static void pods_count(struct pods_row *rows, size_t *nr_rows,
		       const struct dp_attachment *a)
{
	const char *program = dp_hook_name(a->hook);
	const char *mechanism = dp_mechanism_name(a->mechanism);
	size_t i;

	for (i = 0; i < *nr_rows; i++)
		if (rows[i].program == program &&
		    rows[i].mechanism == mechanism)
			break;
	if (i == POD_ROWS_MAX)
		return;
	if (i == *nr_rows)
		rows[(*nr_rows)++] = (struct pods_row){ program, mechanism, 0 };
	rows[i].interfaces++;
}

static int pods(struct status *s)
{
	int count = dp_pods(s->view.dp, NULL, 0);
	struct dp_attachment *list = calloc(count + 1, sizeof(*list));
	struct pods_row rows[POD_ROWS_MAX];
	size_t nr_rows = 0;
	char name[IF_NAMESIZE];
	int found;

	if (!list)
		return -ENOMEM;
	found = dp_pods(s->view.dp, list, count);
	for (int i = 0; i < found && i < count; i++)
		if (if_indextoname(list[i].ifindex, name))
			pods_count(rows, &nr_rows, &list[i]);
	free(list);
	return section(s, "pods", pods_columns, rows, sizeof(rows[0]),
		       nr_rows, NULL);
}

/* What is on sockets, by the number of the cgroup that they are in. */
struct sockets_row {
	const char *program, *mechanism;
	__u64 cgroup;
};

static const struct column sockets_columns[] = {
	COLUMN("program", "ON SOCKETS", TEXT, struct sockets_row, program),
	COLUMN("mechanism", "MECHANISM", TEXT, struct sockets_row, mechanism),
	COLUMN("cgroup", "CGROUP", COUNT, struct sockets_row, cgroup),
	COLUMNS_END,
};

static int sockets(struct status *s)
{
	struct dp_attachment list[ATTACHMENTS_MAX];
	struct sockets_row rows[ATTACHMENTS_MAX];
	int found = dp_sockets(s->view.dp, list, ATTACHMENTS_MAX);
	size_t count = 0;

	for (int i = 0; i < found && i < ATTACHMENTS_MAX; i++)
		if (dp_is_attached(s->view.dp, list[i].hook, list[i].ifindex))
			rows[count++] = (struct sockets_row){
				dp_hook_name(list[i].hook),
				dp_mechanism_name(list[i].mechanism),
				list[i].ifindex,
			};
	return section(s, "sockets", sockets_columns, rows, sizeof(rows[0]),
		       count, NULL);
}

static bool has_packets(const void *row)
{
	return ((const struct reason_row *)row)->packets;
}

static int reasons(struct status *s)
{
	struct reason_row rows[NR_REASONS];
	struct counter counters[NR_REASONS];
	int err = dp_counters(s->view.dp, counters);

	if (err)
		return err;
	for (int i = 0; i < NR_REASONS; i++)
		rows[i] = (struct reason_row){ reason_texts[i],
					       counters[i].packets,
					       counters[i].bytes };
	return section(s, "reasons", reason_columns, rows, sizeof(rows[0]),
		       NR_REASONS, has_packets);
}

/* Of the tables whose occupancy user space knows. */
static __u64 map_used(struct table_sizes *used, enum table_size size)
{
	const __u32 *ret = table_size_at(used, size);

	return ret ? *ret : COUNT_UNKNOWN;
}

/* Buckets of conns and replies are counted as what is in them. */
static void conns_row(const struct conns_usage *u, struct map_row *row)
{
	if (!strcmp(row->name, "conns")) {
		row->entry_bytes = row->entry_bytes * row->room / u->room;
		row->room = u->room;
		row->used = u->half + u->live + u->closing;
	} else if (!strcmp(row->name, "replies")) {
		row->entry_bytes /= REPLY_CELLS;
		row->room = u->cells_room;
		row->used = u->cells;
	}
}

/* Of the tables of policy, what the kernel counts for nobody. */
static int policy_rows(struct status *s, struct map_row *rows, int count)
{
	__u32 used[NR_TABLES];
	int err;

	for (int i = 0; i < NR_TABLES; i++)
		used[i] = NOT_COUNTED;
	err = policy_count_entries(s->view.tables, used);
	for (int i = 0; i < count && !err; i++)
		if (used[i] != NOT_COUNTED)
			rows[i].used = used[i];
	return err;
}

static int maps(struct status *s)
{
	struct dp_map list[DP_MAPS_MAX];
	struct map_row rows[DP_MAPS_MAX + 1];
	int count = dp_maps(s->view.dp, list), err;
	struct table_sizes used = {};
	__u64 bytes = 0;

	if (count < 0)
		return count;
	state_usage(s->view.state, &used);
	for (int i = 0; i < count; i++) {
		rows[i] = (struct map_row){ list[i].name, list[i].entries,
					    map_used(&used, list[i].size),
					    list[i].entry_bytes,
					    list[i].bytes };
		conns_row(&s->conns.usage, &rows[i]);
		bytes += list[i].bytes;
	}
	err = policy_rows(s, rows, count);
	if (err)
		return err;
	if (s->text)
		rows[count++] = (struct map_row){ "total", COUNT_UNKNOWN,
						  COUNT_UNKNOWN, COUNT_UNKNOWN,
						  bytes };
	else
		json_object_set_new(s->json, "maps_bytes",
				    json_integer(bytes));
	return section(s, "maps", map_columns, rows, sizeof(rows[0]), count,
		       NULL);
}

static bool is_lacking(const void *row)
{
	return !((const struct dp_feature *)row)->has;
}

static int features(struct status *s)
{
	struct dp_feature list[DP_FEATURES_MAX];
	int count = dp_features(list);

	if (count < 0)
		return count;
	return section(s, "features", feature_columns, list, sizeof(list[0]),
		       count, is_lacking);
}

static const char *time_text(json_int_t since_s, char text[static 32])
{
	time_t when = since_s;
	struct tm tm;

	if (!localtime_r(&when, &tm) ||
	    !strftime(text, 32, "%Y-%m-%d %H:%M:%S", &tm))
		strcpy(text, "?");
	return text;
}

static json_t *daemon_json(const struct status *s, int pid, json_int_t since,
			   int takeover, bool is_shadow)
{
	if (s->daemon)
		return json_pack("{s:b, s:b, s:i, s:I, s:i, s:b}", "running", 1,
				 "answers", 1, "pid", pid, "since", since,
				 "takeover", takeover, "shadow", is_shadow);
	if (s->is_silent)
		return json_pack("{s:b, s:b}", "running", 1, "answers", 0);
	return json_pack("{s:b}", "running", 0);
}

static int daemon_section(struct status *s)
{
	json_int_t since = 0;
	char text[32];
	int pid = 0, takeover = 0, is_shadow = 0;

	if (s->daemon)
		json_unpack(s->daemon, "{s:i, s:I, s?i, s?b}", "pid", &pid,
			    "since", &since, "takeover", &takeover,
			    "shadow", &is_shadow);
	if (!s->text)
		return json_object_set_new(s->json, "daemon",
				daemon_json(s, pid, since, takeover,
					    is_shadow));
	if (s->daemon)
		printf("daemon:    running, pid %d, since %s\n", pid,
		       time_text(since, text));
	else if (s->is_silent)
		puts("daemon:    does not answer: traffic goes on as it was");
	else
		puts("daemon:    not running: traffic goes on as it was");
	if (is_shadow)
		puts("shadow:    nothing is attached, and no packet is served: --shadow");
	if (takeover)
		printf("takeover:  connections of the proxy before are conntrack's for %d s more\n",
		       takeover);
	return 0;
}

static void applied_text(const struct applied *a, bool is_synced,
			 const char *error, json_int_t error_since,
			 const char *sha256)
{
	char text[32];

	printf("applied:   generation %llu since %s, sha256 %.16s...\n",
	       a->generation, time_text(a->since_s, text), sha256);
	if (error)
		printf("not in step with the definitions since %s: %s\n",
		       time_text(error_since, text), error);
	else if (is_synced)
		puts("           in step with the definitions");
}

static void hints_text(const json_t *hints)
{
	size_t i;
	json_t *hint;

	json_array_foreach((json_t *)hints, i, hint)
		printf("hint:      %s\n", json_string_value(hint));
}

static int applied_section(struct status *s)
{
	json_t *hints = json_object_get(s->daemon, "hints");
	bool is_synced = json_is_true(json_object_get(s->daemon, "synced"));
	json_t *error = json_object_get(s->daemon, "error");
	json_t *since = json_is_string(error) ?
		json_object_get(s->daemon, "error_since") : NULL;
	const struct applied *a = s->view.tables->applied;
	char sha256[2 * sizeof(a->sha256) + 1];

	for (size_t i = 0; i < sizeof(a->sha256); i++)
		sprintf(sha256 + 2 * i, "%02x", a->sha256[i]);
	if (s->text) {
		applied_text(a, is_synced, json_string_value(error),
			     json_integer_value(since), sha256);
		hints_text(hints);
		return 0;
	}
	return json_object_set_new(s->json, "applied",
		json_pack("{s:I, s:s, s:b, s:O, s:O, s:O?, s:I}",
			  "generation", (json_int_t)a->generation,
			  "config_sha256", sha256, "synced", is_synced,
			  "error", error ? error : json_null(),
			  "error_since", since ? since : json_null(),
			  "hints", hints,
			  "since", (json_int_t)a->since_s));
}

static int backends_section(struct status *s)
{
	const struct tables *t = s->view.tables;
	unsigned int states[BACKEND_GONE + 1] = {}, total = 0;

	for (__u32 i = 1; i < t->nr_backends; i++) {
		if (t->backends[i].state == BACKEND_FREE ||
		    t->backends[i].state > BACKEND_GONE)
			continue;
		states[t->backends[i].state]++;
		total++;
	}
	states[BACKEND_LEAVING] += states[BACKEND_GONE];
	if (!s->text)
		return json_object_set_new(s->json, "services",
				json_integer(s->view.nr_services)) ||
		       json_object_set_new(s->json, "backends",
			json_pack("{s:i, s:i, s:i, s:i, s:i}", "total", total,
				  "active", states[BACKEND_ACTIVE],
				  "drain", states[BACKEND_DRAIN],
				  "leaving", states[BACKEND_LEAVING],
				  "down", states[BACKEND_DOWN]));
	printf("services:  %zu\n", s->view.nr_services);
	printf("backends:  %u: %u active, %u drained, %u leaving, %u down\n",
	       total, states[BACKEND_ACTIVE], states[BACKEND_DRAIN],
	       states[BACKEND_LEAVING], states[BACKEND_DOWN]);
	return 0;
}

static int connections_section(struct status *s)
{
	json_t *wanted = json_object_get(s->daemon, "connections");
	int err = connections_look(&s->view, json_integer_value(wanted),
				   &s->conns);

	if (err)
		return err;
	if (!s->text)
		return json_object_set_new(s->json, "connections",
					   connections_json(&s->conns));
	connections_print(&s->conns);
	return 0;
}

/* The kinds of objects that are followed at a server, if any is. */
static int kubernetes_section(struct status *s)
{
	json_t *api = json_object_get(s->daemon, "kubernetes"), *kind;
	const char *name, *state, *error;
	json_int_t since;
	char text[32];
	size_t i;

	if (!s->text)
		return json_object_set(s->json, "kubernetes",
				       api ?: json_null());
	json_array_foreach(json_object_get(api, "kinds"), i, kind) {
		error = json_string_value(json_object_get(kind, "error"));
		if (json_unpack(kind, "{s:s, s:s, s:I}", "name", &name,
				"state", &state, "since", &since))
			continue;
		printf("%s %s %s since %s%s%s\n",
		       i ? "          " : "kubernetes:", name, state,
		       time_text(since, text), error ? ": " : "",
		       error ?: "");
	}
	return 0;
}

/* The containers of an engine, if any are followed, and which of them policies
 * do not hold. */
static int containers_section(struct status *s)
{
	json_t *engine = json_object_get(s->daemon, "docker"), *doubt;
	const char *socket, *state, *error, *name, *why;
	json_int_t since, count;
	char text[32];
	size_t i;

	if (!s->text)
		return json_object_set(s->json, "docker",
				       engine ?: json_null());
	if (json_unpack(engine, "{s:s, s:s, s:I, s:I}", "socket", &socket,
			"state", &state, "since", &since, "containers", &count))
		return 0;
	error = json_string_value(json_object_get(engine, "error"));
	printf("docker:    %s %s since %s, %lld containers%s%s\n", socket,
	       state, time_text(since, text), (long long)count,
	       error ? ": " : "", error ?: "");
	json_array_foreach(json_object_get(engine, "not_held"), i, doubt)
		if (!json_unpack(doubt, "{s:s, s:s}", "name", &name, "why",
				 &why))
			printf("           \"%s\" is not held to policies: %s\n",
			       name, why);
	return 0;
}

/* What announces this node's addresses, and which are not, if any are to be. */
static int announce_section(struct status *s)
{
	json_t *announce = json_object_get(s->daemon, "announce");

	if (!s->text)
		return json_object_set(s->json, "announce",
				       announce ?: json_null());
	announced_print(announce);
	return 0;
}

static int warnings_section(struct status *s)
{
	json_t *list = warnings_list(s->view.dp, s->view.tables), *warning;
	size_t i;

	if (!s->text)
		return json_object_set_new(s->json, "warnings", list);
	json_array_foreach(list, i, warning)
		printf("warning:   %s\n", json_string_value(warning));
	json_decref(list);
	return 0;
}

static int loaded_section(struct status *s)
{
	if (!s->text)
		return json_object_set_new(s->json, "loaded",
					   json_boolean(s->is_loaded));
	if (!s->is_loaded)
		puts("datapath:  not loaded");
	return 0;
}

static int status_print(struct status *s)
{
	static int (*const of_datapath[])(struct status *s) = {
		applied_section, kubernetes_section, containers_section,
		backends_section, connections_section, announce_section,
		warnings_section, attachments, pods,
		sockets, reasons, maps, features,
	};
	size_t count = sizeof(of_datapath) / sizeof(of_datapath[0]);
	int err;

	err = daemon_section(s);
	if (!err)
		err = loaded_section(s);
	for (size_t i = 0; s->is_loaded && !err && i < count; i++)
		err = of_datapath[i](s);
	if (err || s->text)
		return err;
	return json_print(take_ptr(s->json), stdout);
}

/* What the daemon could not do now, it will do by itself. */
static bool is_early(const json_t *answer)
{
	return json_is_true(json_object_get(answer, "early"));
}

/*
 * Until the daemon has read the files again and says that they are in force.
 * It may not be there yet; files that are wrong will not mend themselves.
 */
static int status_wait(const struct options *o)
{
	const struct timespec step = { .tv_nsec = WAIT_STEP_MS * 1000000L };
	__u64 deadline = clock_ms() + o->timeout_s * 1000ull;
	const char *error = "the daemon cannot say why";
	json_t *answer = NULL;
	bool is_synced;
	int err;

	do {
		json_decref(answer);
		answer = NULL;
		err = daemon_ask(o, json_pack("{s:s}", "cmd", "sync"), &answer);
		if (err != -ENOENT && !is_early(answer))
			break;
		nanosleep(&step, NULL);
	} while (clock_ms() < deadline);
	if (err == -ENOENT)
		return log_error(-ETIMEDOUT, "no daemon runs");
	if (err)
		return err;
	json_unpack(answer, "{s:s}", "error", &error);
	is_synced = json_is_true(json_object_get(answer, "synced"));
	if (!is_synced)
		log_error(0, "%s", error);
	json_decref(answer);
	return is_synced ? 0 : -EINVAL;
}

/* The tables tell most of it even if the daemon is stuck, or gone. */
static int status_ask(const struct options *o, struct status *s)
{
	struct options soon = *o;
	int err;

	if (soon.timeout_s > ANSWER_S)
		soon.timeout_s = ANSWER_S;
	err = daemon_ask(&soon, json_pack("{s:s}", "cmd", "status"),
			 &s->daemon);
	s->is_silent = err == -ETIMEDOUT;
	return s->is_silent || err == -ENOENT ? 0 : err;
}

int cmd_status(const struct options *o)
{
	struct status s = { .text = !o->json };
	int err;

	if (o->wait && status_wait(o))
		return FAILED;
	if (status_ask(o, &s))
		return FAILED;
	err = view_try(o, &s.view);
	if (err && err != -ENOENT) {
		json_decref(s.daemon);
		return FAILED;
	}
	s.is_loaded = !err;
	s.json = json_object();
	err = status_print(&s);
	if (err)
		log_error(err, "cannot show everything");
	json_decref(s.json);
	json_decref(s.daemon);
	if (s.is_loaded)
		view_close(&s.view);
	return err || s.is_silent ? FAILED : DONE;
}

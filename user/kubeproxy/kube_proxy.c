// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See kube_proxy.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "base/endpoint.h"
#include "kube_proxy.h"
#include "told.h"

#define BY_DEFAULT "kube-proxy's default"
#define CONNS_MOST (1 << 20)	/* as kube-proxy's nf_conntrack_max */
#define ADDR_PORT_MAX (ENDPOINT_TEXT_MAX + 16)

struct kube_proxy {
	struct told told;
	struct kube_proxy_wanted wanted;
	char *notes;
	size_t notes_len;
	FILE *out;		/* of notes, while they are written */
	char *texts[KUBE_PROXY_GIVEN_MAX]; /* owned: values we computed */
	size_t nr_texts;
	char healthz[ADDR_PORT_MAX], metrics[ADDR_PORT_MAX];
};

void kube_proxy_free(struct kube_proxy *k)
{
	if (!k)
		return;
	told_clear(&k->told);
	if (k->out)
		fclose(k->out);
	free(k->notes);
	for (size_t i = 0; i < k->nr_texts; i++)
		free(k->texts[i]);
	free(k);
}

void kube_proxy_freep(struct kube_proxy **k)
{
	kube_proxy_free(*k);
}

static const struct told_value *told_of(const struct kube_proxy *k,
					enum row_use use)
{
	return told_get(&k->told, row_by_use(use));
}

static const char *text_of(const struct kube_proxy *k, enum row_use use)
{
	const struct told_value *v = told_of(k, use);

	return v && *v->text ? v->text : NULL;
}

static bool is_nftables(const struct kube_proxy *k)
{
	return !strcmp(told_text(&k->told, row_by_use(ROW_MODE)), "nftables");
}

static void note(struct kube_proxy *k, const struct told_value *v,
		 const char *why)
{
	fprintf(k->out, "%s=%s: ignored, %s\n", v->place, v->text, why);
}

/* Flags that kube-proxy heeds beside a file: what a file cannot say, the log,
 * and the node's name. */
static bool counts_beside_file(const struct row *r)
{
	if (r->field)
		return !strncmp(r->field, "logging.", 8) ||
		       r->use == ROW_HOSTNAME;
	return r->use != ROW_HEALTHZ_PORT && r->use != ROW_METRICS_PORT;
}

/* The file's values take the place of those of flags. */
static void read_file(struct kube_proxy *k, const char *path)
{
	struct told file = { .said = k->told.said }, flags = k->told;

	told_file(&file, path, k->out);
	for (size_t i = 0; i < nr_rows; i++) {
		const struct told_value *v = told_get(&flags, &rows[i]);
		struct told_value left = file.values[i];

		if (!v)
			continue;
		if (!counts_beside_file(&rows[i])) {
			note(k, v, "--config says what counts");
			continue;
		}
		file.values[i] = flags.values[i];
		flags.values[i] = left;
	}
	file.mistakes += flags.mistakes;
	file.no_memory |= flags.no_memory;
	told_clear(&flags);
	k->told = file;
}

static void note_ignored(struct kube_proxy *k)
{
	for (size_t i = 0; i < nr_rows; i++) {
		const struct told_value *v = told_get(&k->told, &rows[i]);

		if (!v || row_says_nothing(&rows[i], v->text))
			continue;
		if (rows[i].use == ROW_IGNORED)
			note(k, v, rows[i].note);
		else if (rows[i].use == ROW_MODE)
			note(k, v, "Fairlead's own datapath");
		else if (rows[i].use == ROW_GATES_SET)
			note(k, v, "what they switch is always so here, or not there");
	}
}

/* Not to be overlooked: who says it relies on it. */
static void check_refused(struct kube_proxy *k)
{
	for (size_t i = 0; i < nr_rows; i++) {
		const struct told_value *v = told_get(&k->told, &rows[i]);

		if (!v || row_says_nothing(&rows[i], v->text))
			continue;
		if (rows[i].use == ROW_REFUSED)
			told_mistake(&k->told, "%s=%s cannot be done: %s",
				     v->place, v->text, rows[i].note);
		if (rows[i].use == ROW_GATES_SET &&
		    strcasestr(v->text, "AllowServiceExternalIPs=false"))
			told_mistake(&k->told, "%s: AllowServiceExternalIPs=false cannot be done: external IPs are served",
				     v->place);
	}
}

static void give(struct kube_proxy *k, const char *key, const char *value,
		 const char *place)
{
	struct kube_proxy_wanted *w = &k->wanted;

	if (w->nr_given < KUBE_PROXY_GIVEN_MAX)
		w->given[w->nr_given++] = (struct given){
			.key = key, .value = value, .place = place,
		};
}

/* Of a value that is ours to keep; takes text. */
static void give_text(struct kube_proxy *k, const char *key, char *text,
		      const char *place)
{
	if (!text || k->nr_texts == KUBE_PROXY_GIVEN_MAX) {
		free(text);
		k->told.no_memory = true;
		return;
	}
	k->texts[k->nr_texts++] = text;
	give(k, key, text, place);
}

static void give_number(struct kube_proxy *k, const char *key, __s64 number,
			const char *place)
{
	char *text;

	if (asprintf(&text, "%lld", (long long)number) < 0)
		text = NULL;
	give_text(k, key, text, place);
}

/* kube-proxy's default counts as well, in whole seconds. */
static void give_seconds(struct kube_proxy *k, const struct row *r,
			 const struct told_value *v)
{
	__s64 ms = 0;

	if (row_duration(told_text(&k->told, r), &ms) && ms)
		give_number(k, r->note, (ms + 999) / 1000,
			    v ? v->place : BY_DEFAULT);
}

/* NULL: it is left as it is by default. */
static const char *place_of(const struct kube_proxy *k, enum row_use use)
{
	const struct told_value *v = told_of(k, use);

	return v && strcmp(v->text, row_by_use(use)->by_default) ? v->place :
								  NULL;
}

/* As much as conntrack would have, if somebody says how much; Fairlead's own
 * table grows by itself. */
static void give_conns(struct kube_proxy *k)
{
	const char *place = place_of(k, ROW_CONNS_PER_CORE) ?:
			    place_of(k, ROW_CONNS_MIN);
	__s64 count = atoll(told_text(&k->told,
				      row_by_use(ROW_CONNS_PER_CORE)));
	__s64 least = atoll(told_text(&k->told, row_by_use(ROW_CONNS_MIN)));

	if (!place || !count)
		return;
	count *= sysconf(_SC_NPROCESSORS_ONLN);
	if (count < least)
		count = least;
	give_number(k, "limits: connections",
		    count < CONNS_MOST ? count : CONNS_MOST, place);
}

/* The flag is of every mode, a field of the file of its own one. */
static void give_masquerade(struct kube_proxy *k)
{
	const struct told_value *v = told_of(k, ROW_MASQUERADE);

	if (is_nftables(k) && (!v || strncmp(v->place, "--", 2)))
		v = told_of(k, ROW_MASQUERADE_NFTABLES);
	if (v)
		give(k, "masquerade-all", v->text, v->place);
}

/* Words of 1.37 that stand for networks; others are as they are. */
static void put_nodeport(struct kube_proxy *k, const struct told_value *v,
			 const char *word, size_t len, FILE *out)
{
	if (len == 9 && !memcmp(word, "localhost", len)) {
		fprintf(k->out, "%s: \"localhost\" is ignored, node ports are not served at 127.0.0.1\n",
			v->place);
		return;
	}
	if (ftell(out))
		fputc(',', out);
	if (len == 3 && !memcmp(word, "all", len))
		fputs("0.0.0.0/0,::/0", out);
	else
		fprintf(out, "%.*s", (int)len, word);
}

/* Node ports are at every address of the node unless somebody says otherwise,
 * or in nftables mode. */
static void give_nodeport(struct kube_proxy *k)
{
	const struct told_value *v = told_of(k, ROW_NODEPORT);
	const struct told_value all = {
		.text = (char *)"all", .place = (char *)BY_DEFAULT,
	};
	char *text = NULL;
	size_t size;
	FILE *out;

	if (!v || !*v->text) {
		if (is_nftables(k))
			return;
		v = &all;
	}
	out = open_memstream(&text, &size);
	if (!out) {
		k->told.no_memory = true;
		return;
	}
	for (const char *word = v->text; *word; ) {
		size_t len = strcspn(word, ",");

		put_nodeport(k, v, word, len, out);
		word += len + (word[len] == ',');
	}
	if (fclose(out) || (text && *text))
		give_text(k, "nodeport-addresses", text, v->place);
	else
		free(text);
}

static void give_all(struct kube_proxy *k)
{
	for (size_t i = 0; i < nr_rows; i++) {
		const struct told_value *v = told_get(&k->told, &rows[i]);

		if (rows[i].use == ROW_SECONDS)
			give_seconds(k, &rows[i], v);
		else if (v && *v->text && rows[i].use == ROW_SETTING)
			give(k, rows[i].note, v->text, v->place);
		else if (v && *v->text && rows[i].use == ROW_HOSTNAME)
			give(k, rows[i].note, v->text, v->place);
	}
	give_conns(k);
	give_masquerade(k);
	give_nodeport(k);
}

static const char *place_or_default(const struct kube_proxy *k,
				    enum row_use use)
{
	const struct told_value *v = told_of(k, use);

	return v ? v->place : BY_DEFAULT;
}

/*
 * "ADDRESS:PORT" of a server, which also the flag for its port may say. What a
 * file leaves empty is as by default; as a flag it is nowhere.
 */
static const char *listen_at(struct kube_proxy *k, enum row_use use,
			     enum row_use port_use, const char *on6,
			     char text[static ADDR_PORT_MAX])
{
	const char *bind = told_text(&k->told, row_by_flag("bind-address", 12));
	const char *port = told_text(&k->told, row_by_use(port_use));
	const struct told_value *v = told_of(k, use);
	struct addr a;
	int given_port;

	if (!strcmp(port, "0"))
		return "";
	if (!v) {
		const char *by_default = row_by_use(use)->by_default;
		int len = strrchr(by_default, ':') - by_default;

		snprintf(text, ADDR_PORT_MAX, "%.*s:%s",
			 strchr(bind, ':') ? (int)strlen(on6) : len,
			 strchr(bind, ':') ? on6 : by_default, port);
		return text;
	}
	if (!*v->text || !endpoint_parse(v->text, &a, &given_port))
		return "";
	return endpoint_format(&a, given_port < 0 ? atoi(port) : given_port,
			       text);
}

static enum kube_proxy_task task_of(const struct kube_proxy *k)
{
	static const struct { enum row_use use; enum kube_proxy_task task; }
	tasks[] = {
		{ ROW_HELP, KUBE_PROXY_HELP },
		{ ROW_VERSION, KUBE_PROXY_VERSION },
		{ ROW_CLEANUP, KUBE_PROXY_CLEANUP },
		{ ROW_INIT_ONLY, KUBE_PROXY_INIT },
	};

	for (size_t i = 0; i < sizeof(tasks) / sizeof(*tasks); i++) {
		if (tasks[i].task == KUBE_PROXY_CLEANUP &&
		    text_of(k, ROW_WRITE_CONFIG))
			return KUBE_PROXY_WRITE;
		if (told_is_true(&k->told, tasks[i].use))
			return tasks[i].task;
	}
	return KUBE_PROXY_SERVE;
}

static void fill(struct kube_proxy *k)
{
	struct kube_proxy_wanted *w = &k->wanted;

	w->kubeconfig = text_of(k, ROW_KUBECONFIG);
	w->master = text_of(k, ROW_MASTER);
	w->config = text_of(k, ROW_CONFIG);
	w->write_to = text_of(k, ROW_WRITE_CONFIG);
	w->definitions = text_of(k, ROW_DEFINITIONS);
	w->pin_root = text_of(k, ROW_PIN_ROOT);
	w->healthz = listen_at(k, ROW_HEALTHZ, ROW_HEALTHZ_PORT, "[::]",
			       k->healthz);
	w->metrics = listen_at(k, ROW_METRICS, ROW_METRICS_PORT, "[::1]",
			       k->metrics);
	w->takeover_s = text_of(k, ROW_TAKEOVER) ?
			atoi(text_of(k, ROW_TAKEOVER)) : -1;
	w->oom_score_adj = atoi(told_text(&k->told, row_by_use(ROW_OOM)));
	w->verbosity = atoi(told_text(&k->told, row_by_use(ROW_VERBOSITY)));
	give_all(k);
	give(k, "healthz-bind-address", w->healthz,
	     place_or_default(k, ROW_HEALTHZ));
	give(k, "metrics-bind-address", w->metrics,
	     place_or_default(k, ROW_METRICS));
}

int kube_proxy_new(unsigned int argc, char **argv, FILE *said,
		   struct kube_proxy **ret)
{
	__cleanup(kube_proxy_freep) struct kube_proxy *k =
		calloc(1, sizeof(*k));
	const char *config;

	if (!k)
		return -ENOMEM;
	k->told.said = said;
	k->out = open_memstream(&k->notes, &k->notes_len);
	if (!k->out)
		return -ENOMEM;
	told_flags(&k->told, argc, argv);
	k->wanted.task = task_of(k);
	config = text_of(k, ROW_CONFIG);
	if (k->wanted.task > KUBE_PROXY_VERSION || !k->wanted.task) {
		if (config)
			read_file(k, config);
		check_refused(k);
		note_ignored(k);
		fill(k);
	}
	if (fclose(take_ptr(k->out)) || k->told.no_memory)
		return -ENOMEM;
	if (k->told.mistakes && k->wanted.task != KUBE_PROXY_HELP)
		return -EINVAL;
	*ret = take_ptr(k);
	return 0;
}

const struct kube_proxy_wanted *kube_proxy_wanted(const struct kube_proxy *k)
{
	return &k->wanted;
}

const char *kube_proxy_notes(const struct kube_proxy *k)
{
	return k->notes;
}

int kube_proxy_write(const struct kube_proxy *k)
{
	return told_write(&k->told, k->wanted.write_to);
}

static const char *kind_text(const struct row *r)
{
	static const char *const texts[] = {
		[ROW_TEXT] = " TEXT",
		[ROW_BOOL] = "",
		[ROW_NUMBER] = " NUMBER",
		[ROW_FLOAT] = " NUMBER",
		[ROW_DURATION] = " DURATION",
		[ROW_LIST] = " LIST",
		[ROW_ADDR] = " ADDR",
		[ROW_ADDR_PORT] = " ADDR:PORT",
		[ROW_GATES] = " NAME=BOOL,...",
		[ROW_LEVELS] = " NAME=NUMBER,...",
		[ROW_CHOICE] = " WORD",
	};

	return texts[r->kind];
}

void kube_proxy_help(FILE *out)
{
	char left[80];

	fputs("usage: fairlead kube-proxy [--FLAG...]\n\n"
	      "serve a Kubernetes node, told as kube-proxy is\n\n", out);
	for (size_t i = 0; i < nr_rows; i++) {
		const struct row *r = &rows[i];

		if (!r->flag)
			continue;
		snprintf(left, sizeof(left), "%s%s%s",
			 r->use == ROW_VERBOSITY ? "-" : "--", r->flag,
			 kind_text(r));
		fprintf(out, "  %-43s %s%s\n", left,
			r->use == ROW_IGNORED ? "ignored: " :
			r->use == ROW_SETTING || r->use == ROW_SECONDS ?
			"the setting " : "", r->note);
	}
}

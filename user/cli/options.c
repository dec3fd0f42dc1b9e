// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The command line, see options.h. */
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/endpoint.h"
#include "base/suggest.h"
#include "options.h"

enum option_type {
	OPTION_IS_FLAG,
	OPTION_IS_TEXT,
	OPTION_IS_NUMBER,
	OPTION_IS_SWITCH,	/* text: "true", or what is behind "=" */
};

#define OPTION(name_, type_, field) .name = name_, \
	.type = OPTION_IS_##type_, .offset = offsetof(struct options, field)

#define NODE(name_, type_, option) .name = name_, \
	.type = OPTION_IS_##type_, \
	.offset = offsetof(struct options, \
			   node[OPTION_##option - OPTIONS_NODE_FIRST])

struct option_spec {
	const char *name;
	enum option_type type;
	size_t offset;
	const char *value;	/* as the usage shows it */
	const char *text;	/* NULL: not shown */
	unsigned int least, most;
};

static const struct option_spec specs[NR_OPTIONS] = {
	[OPTION_CONFIG] = { OPTION("config", TEXT, config),
		.value = "FILE|DIR", .text = "the definitions" },
	[OPTION_KUBERNETES] = { OPTION("kubernetes", FLAG, kubernetes),
		.text = "follow a Kubernetes API server" },
	[OPTION_KUBECONFIG] = { OPTION("kubeconfig", TEXT, kubeconfig),
		.value = "FILE", .text = "how it is reached; default: as a container is told" },
	[OPTION_MASTER] = { OPTION("master", TEXT, master),
		.value = "URL", .text = "it, in place of another one" },
	[OPTION_DOCKER] = { OPTION("docker", SWITCH, docker),
		.value = "[=SOCKET]",
		.text = "containers of Docker or Podman are workloads" },
	[OPTION_ONCE] = { OPTION("once", FLAG, once),
		.text = "look, or put in force, once, and exit" },
	[OPTION_SHADOW] = { OPTION("shadow", FLAG, shadow),
		.text = "serve nothing: attach to no interface" },
	[OPTION_AGAINST] = { OPTION("against", TEXT, against),
		.value = "ipvs[:FILE]",
		.text = "from what IPVS serves here, or a copy of its table says" },
	[OPTION_JSON] = { OPTION("json", FLAG, json),
		.text = "print JSON" },
	[OPTION_WAIT] = { OPTION("wait", FLAG, wait),
		.text = "until what the files say is in force" },
	[OPTION_TIMEOUT] = { OPTION("timeout", NUMBER, timeout_s),
		.value = "SECONDS", .text = "give up waiting; default 30",
		.most = 86400 },
	[OPTION_SERVICE] = { OPTION("service", TEXT, service),
		.value = "NAME", .text = "of this service alone" },
	[OPTION_BACKEND] = { OPTION("backend", TEXT, backend),
		.value = "ADDR[:PORT]", .text = "of this backend alone" },
	[OPTION_CLIENT] = { OPTION("client", TEXT, client),
		.value = "ADDR[/LENGTH]", .text = "of these clients alone" },
	[OPTION_LIMIT] = { OPTION("limit", NUMBER, limit),
		.value = "COUNT", .text = "print so many at most",
		.least = 1, .most = UINT_MAX },
	[OPTION_YES] = { OPTION("yes", FLAG, yes),
		.text = "do not ask" },
	[OPTION_KUBE_PROXY] = { OPTION("kube-proxy", FLAG, kube_proxy),
		.text = "what kube-proxy left, and nothing of Fairlead's" },
	[OPTION_INTERFACE] = { OPTION("interface", TEXT, interface),
		.value = "INTERFACE", .text = "where packets arrive" },
	[OPTION_ADDRESS] = { OPTION("address", TEXT, address),
		.value = "ADDR[,ADDR...]",
		.text = "whose tunnels end here; default: this host's" },
	[OPTION_HOOK] = { OPTION("hook", TEXT, hook),
		.value = "xdp|tc", .text = "where to attach; default xdp" },
	[OPTION_GUE_PORT] = { OPTION("gue-port", NUMBER, gue_port),
		.value = "PORT", .text = "default 6080",
		.least = 1, .most = 65535 },
	[OPTION_GENEVE_PORT] = { OPTION("geneve-port", NUMBER, geneve_port),
		.value = "PORT", .text = "default 6081",
		.least = 1, .most = 65535 },
	[OPTION_DETACH] = { OPTION("detach", FLAG, detach),
		.text = "take it away again" },
	[OPTION_LOG_LEVEL] = { OPTION("log-level", TEXT, log_level),
		.value = "LEVEL",
		.text = "error, warning, info (the default) or debug" },
	[OPTION_LOG_JSON] = { OPTION("log-json", FLAG, log_json),
		.text = "log an object of JSON in each line" },
	[OPTION_TAKEOVER] = { OPTION("takeover", NUMBER, takeover_s),
		.value = "SECONDS",
		.text = "leave connections of a proxy before to conntrack",
		.most = 86400 },
	[OPTION_HOSTNAME_OVERRIDE] = { NODE("hostname-override", TEXT,
					    HOSTNAME_OVERRIDE),
		.value = "NAME", .text = "this node's name in Kubernetes" },
	[OPTION_CLUSTER_CIDR] = { NODE("cluster-cidr", TEXT, CLUSTER_CIDR),
		.value = "CIDR[,CIDR]", .text = "addresses of pods" },
	[OPTION_DETECT_LOCAL] = { NODE("detect-local-mode", TEXT, DETECT_LOCAL),
		.value = "MODE", .text = "how pods of this node are told" },
	[OPTION_POD_BRIDGE] = { NODE("pod-bridge-interface", TEXT, POD_BRIDGE),
		.value = "INTERFACE", .text = "the bridge that pods are at" },
	[OPTION_POD_INTERFACES] = { NODE("pod-interface-name-prefix", TEXT,
					 POD_INTERFACES),
		.value = "PREFIX", .text = "how pods' interfaces begin" },
	[OPTION_NODEPORT_ADDRESSES] = { NODE("nodeport-addresses", TEXT,
					     NODEPORT_ADDRESSES),
		.value = "CIDR[,CIDR...]",
		.text = "where node ports are; default primary" },
	[OPTION_MASQUERADE_ALL] = { NODE("masquerade-all", SWITCH, MASQUERADE_ALL),
		.text = "to cluster IPs always from the node" },
	[OPTION_HEALTHZ] = { NODE("healthz-bind-address", TEXT, HEALTHZ),
		.value = "ADDR[:PORT]",
		.text = "where it says whether the node is fine; \"\": nowhere" },
	[OPTION_METRICS] = { NODE("metrics-bind-address", TEXT, METRICS),
		.value = "ADDR[:PORT]",
		.text = "where its metrics are; \"\": nowhere" },
	[OPTION_SOCKETS] = { NODE("sockets", TEXT, SOCKETS),
		.value = "host|off",
		.text = "whose sockets are given backends; default host" },
	[OPTION_SOCKET_PODS] = { NODE("socket-pods", TEXT, SOCKET_PODS),
		.value = "CIDR[,CIDR...]",
		.text = "of pods without a proxy, too" },
	[OPTION_NETWORK_POLICY] = { NODE("network-policy", SWITCH,
					 NETWORK_POLICY),
		.text = "enforce the network policies of the API" },
	[OPTION_CGROUP_ROOT] = { OPTION("cgroup-root", TEXT, cgroup_root),
		.value = "DIR",
		.text = "whose sockets; default: every process'" },
	[OPTION_EXABGP] = { OPTION("exabgp", FLAG, exabgp),
		.text = "as a process of ExaBGP says it, and what changes" },
	[OPTION_PIN_ROOT] = { OPTION("pin-root", TEXT, pin_root),
		.value = "DIR" },
	[OPTION_HELP] = { OPTION("help", FLAG, help),
		.text = "show this" },
};

static const __u64 taken_by_all = TAKES(HELP) | TAKES(PIN_ROOT);

struct definitions_from options_from(const struct options *o, const char *path,
				     struct given given[static NR_OPTIONS_NODE])
{
	struct definitions_from from = { .path = path, .given = given };

	if (o->given) {
		from.given = o->given;
		from.nr_given = o->nr_given;
		return from;
	}
	for (int i = 0; i < NR_OPTIONS_NODE; i++)
		if (o->node[i])
			given[from.nr_given++] = (struct given){
				.key = specs[OPTIONS_NODE_FIRST + i].name,
				.value = o->node[i],
			};
	return from;
}

static bool is_taken(const struct command *command, int option)
{
	return (command->takes | taken_by_all) >> option & 1;
}

bool option_view(const struct command *command, int option,
		 struct option_view *ret)
{
	const struct option_spec *spec = &specs[option];

	if (!is_taken(command, option) || !spec->text)
		return false;
	ret->name = spec->name;
	ret->takes_word = spec->type == OPTION_IS_TEXT ||
			  spec->type == OPTION_IS_NUMBER;
	return true;
}

/* Also of "name=value", of which len counts the name. */
static const struct option_spec *spec_find(const struct command *command,
					   const char *name, size_t len)
{
	for (int i = 0; i < NR_OPTIONS; i++)
		if (is_taken(command, i) && strlen(specs[i].name) == len &&
		    !memcmp(specs[i].name, name, len))
			return &specs[i];
	return NULL;
}

static bool unknown_option(const struct command *command, const char *text,
			   size_t len, FILE *errors)
{
	const char *known[NR_OPTIONS + 1];
	char name[64];
	size_t count = 0;
	const char *near;

	for (int i = 0; i < NR_OPTIONS; i++)
		if (is_taken(command, i) && specs[i].text)
			known[count++] = specs[i].name;
	known[count] = NULL;

	snprintf(name, sizeof(name), "%.*s", (int)(len < 60 ? len : 60), text);
	near = suggest(name, known);
	fprintf(errors, "fairlead: \"%s\" takes no option \"--%s\"",
		command->name, name);
	if (near)
		fprintf(errors, "; did you mean \"--%s\"?", near);
	fprintf(errors, "\nfairlead: hint: see fairlead %s --help\n",
		command->name);
	return false;
}

static bool option_set(const struct option_spec *spec, const char *value,
		       struct options *ret, FILE *errors)
{
	void *field = (char *)ret + spec->offset;

	switch (spec->type) {
	case OPTION_IS_FLAG:
		*(bool *)field = true;
		return true;
	case OPTION_IS_TEXT:
	case OPTION_IS_SWITCH:
		*(const char **)field = value;
		return true;
	case OPTION_IS_NUMBER:
		if (number_parse(value, spec->least, spec->most, field))
			return true;
	}
	fprintf(errors, "fairlead: --%s \"%s\" is not a number from %u to %u\n",
		spec->name, value, spec->least, spec->most);
	return false;
}

/* The option at argv[0], which begins with "--". Returns how many words it
 * took; 0: wrong. */
static int option_take(const struct command *command, int argc, char **argv,
		       struct options *ret, FILE *errors)
{
	const char *text = argv[0] + 2;
	size_t len = strcspn(text, "=");
	const struct option_spec *spec = spec_find(command, text, len);

	if (!spec) {
		unknown_option(command, text, len, errors);
		return 0;
	}
	if (spec->type == OPTION_IS_FLAG && text[len]) {
		fprintf(errors, "fairlead: --%s takes no value\n", spec->name);
		return 0;
	}
	if (spec->type == OPTION_IS_FLAG)
		return option_set(spec, NULL, ret, errors);
	if (text[len])
		return option_set(spec, text + len + 1, ret, errors);
	if (spec->type == OPTION_IS_SWITCH)
		return option_set(spec, "true", ret, errors);
	if (argc < 2) {
		fprintf(errors, "fairlead: --%s needs a value: %s\n",
			spec->name, spec->value);
		return 0;
	}
	return option_set(spec, argv[1], ret, errors) ? 2 : 0;
}

static bool arguments_check(const struct command *command,
			    const struct options *o, FILE *errors)
{
	if (o->help || (o->nr_arguments >= command->least_arguments &&
			o->nr_arguments <= command->most_arguments))
		return true;
	if (o->nr_arguments > command->most_arguments)
		fprintf(errors, "fairlead: what is \"%s\"?\n",
			o->arguments[command->most_arguments]);
	else
		fprintf(errors, "fairlead: \"%s\" needs %s\n", command->name,
			command->arguments);
	fprintf(errors, "fairlead: hint: see fairlead %s --help\n",
		command->name);
	return false;
}

static void options_default(struct options *ret, char **argv)
{
	const char *run_dir = getenv("FAIRLEAD_RUN_DIR");

	*ret = (struct options){
		.pin_root = getenv("FAIRLEAD_PIN_ROOT"),
		.cgroup_root = getenv("FAIRLEAD_CGROUP_ROOT"),
		.run_dir = run_dir ? run_dir : "/run/fairlead",
		.timeout_s = 30,
		.takeover_s = TAKEOVER_UNSAID,
		.gue_port = 6080,
		.geneve_port = 6081,
		.arguments = argv,
	};
}

bool options_parse(const struct command *command, int argc, char **argv,
		   struct options *ret, FILE *errors)
{
	bool only_arguments = false;
	struct options o;
	int i = 0, taken;

	options_default(&o, argv);
	if (command->takes & TAKES_ALL) {
		o.nr_arguments = argc;
		*ret = o;
		return true;
	}
	while (i < argc) {
		if (only_arguments || strncmp(argv[i], "--", 2)) {
			argv[o.nr_arguments++] = argv[i++];
			continue;
		}
		if (!argv[i][2]) {
			only_arguments = true;
			i++;
			continue;
		}
		taken = option_take(command, argc - i, argv + i, &o, errors);
		if (!taken)
			return false;
		i += taken;
	}
	if (!arguments_check(command, &o, errors))
		return false;
	*ret = o;
	return true;
}

/* How many words of argv name is; 0: it is something else. */
static int words_match(const char *name, int argc, char **argv)
{
	size_t first = strcspn(name, " ");

	if (argc < 1 || strlen(argv[0]) != first ||
	    memcmp(name, argv[0], first))
		return 0;
	if (!name[first])
		return 1;
	return argc > 1 && !strcmp(name + first + 1, argv[1]) ? 2 : 0;
}

bool command_is_group(const struct command *commands, const char *word)
{
	size_t len = strlen(word);

	for (const struct command *c = commands; c->name; c++)
		if (!strncmp(c->name, word, len) && c->name[len] == ' ')
			return true;
	return false;
}

#define WORDS_MAX 64

/* What may stand at the place of the word that is wrong: second words of
 * group, or first words if that is NULL. */
static void words_known(const struct command *commands, const char *group,
			const char **known, char (*room)[32])
{
	size_t skip = group ? strlen(group) + 1 : 0, count = 0;

	for (const struct command *c = commands; c->name; c++) {
		if (group && (strncmp(c->name, group, skip - 1) ||
			      c->name[skip - 1] != ' '))
			continue;
		if (count == WORDS_MAX)
			break;
		snprintf(room[count], sizeof(room[count]), "%.*s",
			 (int)strcspn(c->name + skip, " "), c->name + skip);
		known[count] = room[count];
		count++;
	}
	known[count] = NULL;
}

static void unknown_command(const struct command *commands, int argc,
			    char **argv, FILE *errors)
{
	const char *group = command_is_group(commands, argv[0]) ?
			    argv[0] : NULL;
	const char *known[WORDS_MAX + 1];
	char room[WORDS_MAX][32];
	const char *word, *near;

	if (group && argc < 2) {
		fprintf(errors, "fairlead: \"%s\" needs one more word\n",
			group);
		usage_print(commands, group, errors);
		return;
	}
	words_known(commands, group, known, room);
	word = argv[group ? 1 : 0];
	near = suggest(word, known);
	fprintf(errors, "fairlead: no command \"%s%s%s\"", group ? group : "",
		group ? " " : "", word);
	if (near)
		fprintf(errors, "; did you mean \"%s%s%s\"?",
			group ? group : "", group ? " " : "", near);
	fputs("\nfairlead: hint: see fairlead --help\n", errors);
}

const struct command *command_match(const struct command *commands, int argc,
				    char **argv, int *ret_words)
{
	int words;

	for (const struct command *c = commands; c->name; c++) {
		words = words_match(c->name, argc, argv);
		if (words) {
			*ret_words = words;
			return c;
		}
	}
	return NULL;
}

const struct command *command_find(const struct command *commands, int argc,
				   char **argv, int *ret_words, FILE *errors)
{
	const struct command *found = command_match(commands, argc, argv,
						    ret_words);

	if (!found)
		unknown_command(commands, argc, argv, errors);
	return found;
}

void usage_print(const struct command *commands, const char *prefix, FILE *out)
{
	size_t len = prefix ? strlen(prefix) : 0;
	char left[80];

	fputs("usage: fairlead COMMAND [ARGUMENT...] [--OPTION...]\n\n", out);
	for (const struct command *c = commands; c->name; c++) {
		if (!c->text || (prefix && strncmp(c->name, prefix, len)))
			continue;
		snprintf(left, sizeof(left), "%s %s", c->name, c->arguments);
		fprintf(out, "  %-44s %s\n", left, c->text);
	}
	fputs("\nfairlead COMMAND --help shows a command's options.\n", out);
}

void command_help(const struct command *command, FILE *out)
{
	char left[80];

	fprintf(out, "usage: fairlead %s%s%s [--OPTION...]\n\n%s\n\n",
		command->name, *command->arguments ? " " : "",
		command->arguments, command->text);
	for (int i = 0; i < NR_OPTIONS; i++) {
		if (!is_taken(command, i) || !specs[i].text)
			continue;
		snprintf(left, sizeof(left), "--%s %s", specs[i].name,
			 specs[i].value ? specs[i].value : "");
		fprintf(out, "  %-28s %s\n", left, specs[i].text);
	}
}

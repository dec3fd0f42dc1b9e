/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The command line: one table of all options, of which each command takes
 * some. Errors name the nearest thing that would have been right.
 */
#ifndef FAIRLEAD_OPTIONS_H
#define FAIRLEAD_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include <fairlead/types.h>
#include "definitions/definitions.h"

enum option {
	OPTION_CONFIG,
	OPTION_KUBERNETES,
	OPTION_DOCKER,
	OPTION_KUBECONFIG,
	OPTION_MASTER,
	OPTION_ONCE,
	OPTION_SHADOW,
	OPTION_AGAINST,
	OPTION_JSON,
	OPTION_WAIT,
	OPTION_TIMEOUT,
	OPTION_SERVICE,
	OPTION_BACKEND,
	OPTION_CLIENT,
	OPTION_LIMIT,
	OPTION_YES,
	OPTION_KUBE_PROXY,
	OPTION_INTERFACE,
	OPTION_ADDRESS,
	OPTION_HOOK,
	OPTION_GUE_PORT,
	OPTION_GENEVE_PORT,
	OPTION_DETACH,
	OPTION_LOG_LEVEL,
	OPTION_LOG_JSON,
	OPTION_TAKEOVER,
	OPTION_HOSTNAME_OVERRIDE,
	OPTION_CLUSTER_CIDR,
	OPTION_DETECT_LOCAL,
	OPTION_POD_BRIDGE,
	OPTION_POD_INTERFACES,
	OPTION_NODEPORT_ADDRESSES,
	OPTION_MASQUERADE_ALL,
	OPTION_HEALTHZ,
	OPTION_METRICS,
	OPTION_SOCKETS,
	OPTION_SOCKET_PODS,
	OPTION_NETWORK_POLICY,
	OPTION_CGROUP_ROOT,
	OPTION_EXABGP,
	OPTION_PIN_ROOT,
	OPTION_HELP,
	NR_OPTIONS,
};

/* A command that reads its options by itself: they are arguments. */
#define TAKES_ALL (1ull << 63)
#define TAKES(option) (1ull << OPTION_##option)

/* What a Kubernetes node is told: settings, in the order of their options. */
#define OPTIONS_NODE_FIRST OPTION_HOSTNAME_OVERRIDE
#define OPTIONS_NODE_LAST OPTION_NETWORK_POLICY
#define NR_OPTIONS_NODE (OPTIONS_NODE_LAST - OPTIONS_NODE_FIRST + 1)
#define TAKES_NODE \
	((2ull << OPTIONS_NODE_LAST) - (1ull << OPTIONS_NODE_FIRST))

#define TAKEOVER_UNSAID (~0u)

/* What was given, or the default. Strings are argv's or the environment's. */
struct options {
	const char *config;
	const char *kubeconfig;
	const char *master;	/* a server's URL */
	const char *docker;	/* an engine's socket, or "true" */
	const char *service;
	const char *backend;
	const char *client;
	const char *interface;
	const char *address;
	const char *hook;
	const char *against;	/* NULL: what is in force */
	const char *log_level;	/* NULL: info */
	const char *pin_root;	/* NULL: DP_PIN_ROOT */
	const char *cgroup_root; /* NULL: where cgroups are mounted */
	const char *run_dir;
	const char *node[NR_OPTIONS_NODE];	/* NULL: not given */
	const struct given *given;	/* instead of node; NULL: node counts */
	size_t nr_given;
	const char *ends_with;	/* `serve` ends when this file changes, or NULL */
	unsigned int timeout_s;
	unsigned int takeover_s;	/* or TAKEOVER_UNSAID */
	unsigned int limit;	/* 0: none */
	unsigned int gue_port;
	unsigned int geneve_port;
	bool kubernetes;
	bool log_json;
	bool once;
	bool shadow;
	bool json;
	bool wait;
	bool yes;
	bool kube_proxy;	/* of its, in place of ours */
	bool detach;
	bool exabgp;
	bool help;
	char **arguments;	/* what is no option, in order */
	unsigned int nr_arguments;
};

struct command {
	const char *name;	/* one word, or two: "service list" */
	const char *arguments;	/* as the usage shows them; "" */
	const char *text;	/* one line; NULL: for programs, not shown */
	__u64 takes;		/* TAKES() of each option */
	unsigned int least_arguments, most_arguments;
	int (*run)(const struct options *o); /* returns an exit status */
};

/* Exit statuses. */
enum { DONE, FAILED, MISUSED, IN_PART };

/* The command that argv begins with, and how many words that took; the table
 * ends in a command without a name. NULL, said to errors: there is none. */
const struct command *command_find(const struct command *commands, int argc,
				   char **argv, int *ret_words, FILE *errors);

/* The same, without a word. */
const struct command *command_match(const struct command *commands, int argc,
				    char **argv, int *ret_words);

/* An option that a command takes and shows. */
struct option_view {
	const char *name;
	bool takes_word;	/* its value is the next word */
};

/* False: command has not the one with this number. */
bool option_view(const struct command *command, int option,
		 struct option_view *ret);

/* argv: what follows the command; is put in another order. False: what is
 * wrong was said to errors. */
bool options_parse(const struct command *command, int argc, char **argv,
		   struct options *ret, FILE *errors);

/* path, and what of TAKES_NODE was given, or given in its place. */
struct definitions_from
options_from(const struct options *o, const char *path,
	     struct given given[static NR_OPTIONS_NODE]);

/* Every command in a line; with prefix, those whose first word it is. */
void usage_print(const struct command *commands, const char *prefix, FILE *out);

/* True: a first word of commands of two words. */
bool command_is_group(const struct command *commands, const char *word);

/* One command with its options. */
void command_help(const struct command *command, FILE *out);

#endif

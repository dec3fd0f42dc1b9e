// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The table of commands; usage and dispatch come from it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cmd.h"
#include "complete.h"
#include "view.h"

static int cmd_help(const struct options *o);
static int cmd_complete(const struct options *o);

static const struct command commands[] = {
	{ "serve", "", "keep the datapath in step with definitions",
	  TAKES(CONFIG) | TAKES(KUBERNETES) | TAKES(KUBECONFIG) |
	  TAKES(DOCKER) |
	  TAKES(MASTER) | TAKES(ONCE) | TAKES(SHADOW) | TAKES(LOG_LEVEL) |
	  TAKES(LOG_JSON) | TAKES(TAKEOVER) |
	  TAKES(CGROUP_ROOT) | TAKES_NODE, 0, 0, cmd_serve },
	{ "kube-proxy", "[--FLAG...]",
	  "serve a Kubernetes node, told as kube-proxy is",
	  TAKES_ALL, 0, 0, cmd_kube_proxy },
	{ "check", "FILE|DIR", "say whether definitions are right",
	  TAKES(JSON) | TAKES_NODE, 1, 1, cmd_check },
	{ "diff", "FILE|DIR", "say what definitions would change",
	  TAKES(JSON) | TAKES(AGAINST) | TAKES_NODE, 1, 1, cmd_diff },
	{ "import ipvs", "[FILE|-]",
	  "definitions of what ipvsadm --save -n prints", 0, 0, 1,
	  cmd_import_ipvs },
	{ "import keepalived", "[FILE|-]", "definitions of a keepalived.conf",
	  0, 0, 1, cmd_import_keepalived },
	{ "status", "", "what is in force, and what became of packets",
	  TAKES(JSON) | TAKES(WAIT) | TAKES(TIMEOUT), 0, 0, cmd_status },
	{ "service list", "", "services, a line each",
	  TAKES(JSON), 0, 0, cmd_service_list },
	{ "service show", "NAME", "one service and its backends",
	  TAKES(JSON), 1, 1, cmd_service_show },
	{ "backend list", "[SERVICE]", "backends, a line each",
	  TAKES(JSON), 0, 1, cmd_backend_list },
	{ "backend drain", "SERVICE ADDR[:PORT]",
	  "give a backend no new connections", 0, 2, 2, cmd_backend_drain },
	{ "backend undrain", "SERVICE ADDR[:PORT]",
	  "give it new connections again", 0, 2, 2, cmd_backend_undrain },
	{ "backend weight", "SERVICE ADDR[:PORT] N",
	  "set a backend's weight", 0, 3, 3, cmd_backend_weight },
	{ "backend default", "SERVICE ADDR[:PORT]",
	  "back to what the definition says", 0, 2, 2, cmd_backend_default },
	{ "announce list", "", "which addresses this node announces, and why not",
	  TAKES(JSON), 0, 0, cmd_announce_list },
	{ "announce", "", "the same, also for ExaBGP",
	  TAKES(JSON) | TAKES(EXABGP) | TAKES(ONCE), 0, 0, cmd_announce },
	{ "node drain", "", "announce this node's addresses no more, slowly",
	  TAKES(JSON), 0, 0, cmd_node_drain },
	{ "node undrain", "", "announce them again",
	  TAKES(JSON), 0, 0, cmd_node_undrain },
	{ "withdraw", "", "delete all routes that announce addresses, at once",
	  0, 0, 0, cmd_withdraw },
	{ "conn list", "", "connections that are kept in memory",
	  TAKES(JSON) | TAKES(SERVICE) | TAKES(BACKEND) | TAKES(CLIENT) |
	  TAKES(LIMIT), 0, 0, cmd_conn_list },
	{ "conn flush", "", "forget connections",
	  TAKES(JSON) | TAKES(SERVICE) | TAKES(BACKEND) | TAKES(CLIENT),
	  0, 0, cmd_conn_flush },
	{ "policy list", "", "network policies, a line each",
	  TAKES(JSON) | TAKES(CONFIG), 0, 0, cmd_policy_list },
	{ "policy show", "[NAMESPACE/]NAME",
	  "a policy's rules, whom it selects here, and what each decided",
	  TAKES(JSON), 1, 1, cmd_policy_show },
	{ "policy check", "FILE|DIR",
	  "say whether policies can be in force as they are written",
	  TAKES(JSON) | TAKES_NODE, 1, 1, cmd_policy_check },
	{ "policy explain", "FROM TO PROTOCOL/PORT",
	  "whether policies allow a connection, and which rule says so",
	  TAKES(JSON) | TAKES(CONFIG), 3, 3, cmd_policy_explain },
	{ "policy simulate", "PATH",
	  "whom policies would cut off, or let in, who talks or asked lately",
	  TAKES(JSON), 1, 1, cmd_policy_simulate },
	{ "monitor", "", "what policies deny, as it happens",
	  TAKES(JSON) | TAKES(ONCE), 0, 0, cmd_monitor },
	{ "top", "[SERVICE]", "what each backend carries, the busiest first",
	  TAKES(JSON) | TAKES(ONCE), 0, 1, cmd_top },
	{ "cleanup", "", "remove every program, map and pin",
	  TAKES(YES) | TAKES(KUBE_PROXY), 0, 0, cmd_cleanup },
	{ "decap", "", "on a backend host: take tunnels' packets out",
	  TAKES(INTERFACE) | TAKES(ADDRESS) | TAKES(HOOK) | TAKES(GUE_PORT) |
	  TAKES(GENEVE_PORT) | TAKES(DETACH), 0, 0, cmd_decap },
	{ "selftest", "", "what of Fairlead works on this machine, and how",
	  TAKES(JSON) | TAKES(INTERFACE), 0, 0, cmd_selftest },
	{ "reasons", "", "every reason that a packet is counted under",
	  TAKES(JSON), 0, 0, cmd_reasons },
	{ "bugreport", "", "all that somebody asks who is to find a fault",
	  0, 0, 0, cmd_bugreport },
	{ "version", "", "versions of this program, libbpf and the kernel",
	  TAKES(JSON), 0, 0, cmd_version },
	{ "help", "[COMMAND]", "this, or one command's options",
	  0, 0, 2, cmd_help },
	{ "complete", "WORD...", NULL, TAKES_ALL, 0, 0, cmd_complete },
	{},
};

static int cmd_help(const struct options *o)
{
	const struct command *command;
	int words;

	if (!o->nr_arguments) {
		usage_print(commands, NULL, stdout);
		return DONE;
	}
	if (o->nr_arguments == 1 &&
	    command_is_group(commands, o->arguments[0])) {
		usage_print(commands, o->arguments[0], stdout);
		return DONE;
	}
	command = command_find(commands, o->nr_arguments, o->arguments, &words,
			       stderr);
	if (!command)
		return MISUSED;
	command_help(command, stdout);
	return DONE;
}

static void services_each(void *arg, void (*f)(void *to, const char *name),
			  void *to)
{
	__cleanup(view_close) struct view v = {};

	if (view_try(arg, &v))
		return;
	for (size_t i = 0; i < v.nr_services; i++)
		f(to, v.services[i].info->name);
}

static int cmd_complete(const struct options *o)
{
	const struct complete_with with = {
		commands, services_each, (void *)o,
	};

	complete(&with, o->nr_arguments, o->arguments, stdout);
	return DONE;
}

/* "--help", "--version" and "service --help" say it in another way. */
static void words_normalise(int argc, char **argv)
{
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		argv[1] = "help";
	} else if (!strcmp(argv[1], "--version")) {
		argv[1] = "version";
	} else if (argc == 3 && !strcmp(argv[2], "--help") &&
		   command_is_group(commands, argv[1])) {
		argv[2] = argv[1];
		argv[1] = "help";
	}
}

/* What is buffered may yet find the disk full: only then is it known. */
static bool is_written(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return true;
	log_error(-errno, "cannot write to standard output");
	return false;
}

int main(int argc, char **argv)
{
	const struct command *command;
	struct options o;
	int words, status;

	if (argc < 2) {
		usage_print(commands, NULL, stderr);
		return MISUSED;
	}
	words_normalise(argc, argv);
	command = command_find(commands, argc - 1, argv + 1, &words, stderr);
	if (!command || !options_parse(command, argc - 1 - words,
				       argv + 1 + words, &o, stderr))
		return MISUSED;
	if (o.help)
		command_help(command, stdout);
	status = o.help ? DONE : command->run(&o);
	return is_written() ? status : FAILED;
}

// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * fairlead-cni, a plugin at the end of a CNI chain (containernetworking.github.io,
 * SPEC 0.3.0 to 1.0.0). It has the daemon hold the new container to its policy
 * before it runs, by the interface that a plugin before made for it; and hands on
 * what that plugin said. Where no daemon answers, the container does not start
 * (error 11: try again).
 *
 * A program of its own, linked statically: it lies on the node, where the
 * libraries of Fairlead's image are not. "fairlead-cni install DIRECTORY" puts
 * it there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "process/ask.h"

#define CNI_TIMEOUT_S 10
#define PLUGIN "fairlead-cni"
#define HIDDEN "." PLUGIN ".new"

enum cni_error { CNI_BAD_ENVIRONMENT = 4, CNI_BAD_CONFIG = 7,
		 CNI_TRY_LATER = 11 };

/* To standard output, as the specification has it; takes the reference. */
static int say(json_t *value)
{
	int err = !value || json_dumpf(value, stdout, JSON_COMPACT) ||
		  putchar('\n') == EOF || fflush(stdout);

	json_decref(value);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int fail(enum cni_error code, const char *text)
{
	say(json_pack("{s:s, s:i, s:s}", "cniVersion", "0.4.0", "code", code,
		      "msg", text));
	return EXIT_FAILURE;
}

/* Of CNI_ARGS, "KEY=VALUE;KEY=VALUE". ret: room for 256. */
static bool arg_find(const char *key, char *ret)
{
	const char *at = getenv("CNI_ARGS");
	size_t len = strlen(key);

	for (; at && *at; at += *at == ';') {
		if (!strncmp(at, key, len) && at[len] == '=') {
			at += len + 1;
			snprintf(ret, 256, "%.*s", (int)strcspn(at, ";"), at);
			return *ret;
		}
		at += strcspn(at, ";");
	}
	return false;
}

static bool is_bridge(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/class/net/%s/bridge", name);
	return !access(path, F_OK);
}

/* The host's end of what was made, and the container's. */
static void find_interfaces(const json_t *result, const char **ret_host,
			    const char **ret_mac)
{
	const char *name;
	json_t *i;
	size_t at;

	*ret_host = *ret_mac = NULL;
	json_array_foreach(json_object_get(result, "interfaces"), at, i) {
		name = json_string_value(json_object_get(i, "name"));
		if (json_string_length(json_object_get(i, "sandbox")))
			*ret_mac = json_string_value(json_object_get(i, "mac"));
		else if (name && !strchr(name, '/') && !is_bridge(name))
			*ret_host = name;
	}
}

static json_t *request(const char *host, const char *mac)
{
	char namespace[256], name[256];
	const char *id = getenv("CNI_CONTAINERID");

	if (!arg_find("K8S_POD_NAMESPACE", namespace))
		strcpy(namespace, "default");
	if (!arg_find("K8S_POD_NAME", name))
		snprintf(name, sizeof(name), "%s", id ? id : "");
	return json_pack("{s:s, s:s, s:s, s:s, s:s*}", "cmd", "workload",
			 "namespace", namespace, "name", name,
			 "interface", host, "mac", mac);
}

/* Why the container does not start; NULL: it may. */
static const char *refusal(json_t *request)
{
	const char *directory = getenv("FAIRLEAD_RUN_DIR");
	__cleanup(json_decrefp) json_t *answer = NULL;
	static char text[256];
	const char *error;
	char path[256];
	int err;

	snprintf(path, sizeof(path), "%s/control.sock",
		 directory ? directory : "/run/fairlead");
	err = control_ask(path, request, CNI_TIMEOUT_S, &answer);
	if (err == -ENOENT || err == -ECONNREFUSED)
		return "fairlead does not run, so that the container's policy "
		       "is not known";
	if (json_is_true(json_object_get(answer, "ok")))
		return NULL;
	error = json_string_value(json_object_get(answer, "error"));
	snprintf(text, sizeof(text), "fairlead does not hold the container to "
		 "its policy: %s", error ? error : strerror(-err));
	return text;
}

/* Again is as good as once: CHECK asks the same. */
static int hold(const json_t *config, bool is_check)
{
	json_t *result = json_object_get(config, "prevResult");
	const char *host, *mac, *why;

	find_interfaces(result, &host, &mac);
	if (!host)
		return fail(CNI_BAD_CONFIG, "prevResult has no interface of "
			    "this host: fairlead-cni comes after the plugin "
			    "that makes one");
	why = refusal(request(host, mac));
	if (why)
		return fail(CNI_TRY_LATER, why);
	return is_check ? EXIT_SUCCESS : say(json_incref(result));
}

/* What the versions have in common is all that is used. */
static int version(void)
{
	return say(json_pack("{s:s, s:[s, s, s, s]}", "cniVersion", "1.0.0",
			     "supportedVersions", "0.3.0", "0.3.1", "0.4.0",
			     "1.0.0"));
}

static int plugin(const char *command)
{
	__cleanup(json_decrefp) json_t *config = NULL;
	json_error_t error;

	if (!strcmp(command, "VERSION"))
		return version();
	/* the interface is gone with the container, and its policy with that */
	if (!strcmp(command, "DEL"))
		return EXIT_SUCCESS;
	config = json_loadf(stdin, JSON_REJECT_DUPLICATES, &error);
	if (!config)
		return fail(CNI_BAD_CONFIG, error.text);
	if (!strcmp(command, "ADD") || !strcmp(command, "CHECK"))
		return hold(config, !strcmp(command, "CHECK"));
	return fail(CNI_BAD_ENVIRONMENT, "CNI_COMMAND is none that is known");
}

static bool copy(int from, int to)
{
	ssize_t n;

	do
		n = sendfile(to, from, NULL, 1 << 20);
	while (n > 0);
	return !n && !fsync(to);
}

/* Whoever runs the plugin in this moment has the old one, or the new one. */
static bool install_at(int directory)
{
	__cleanup(close_fd) int from = open("/proc/self/exe",
					    O_RDONLY | O_CLOEXEC);
	__cleanup(close_fd) int to = -1;

	unlinkat(directory, HIDDEN, 0);
	to = openat(directory, HIDDEN, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		    0755);
	if (from < 0 || to < 0 || !copy(from, to) || fchmod(to, 0755))
		return false;
	return !renameat(directory, HIDDEN, directory, PLUGIN);
}

static int install(const char *path)
{
	__cleanup(close_fd) int directory = open(path, O_RDONLY | O_DIRECTORY |
						 O_CLOEXEC);

	if (directory >= 0 && install_at(directory))
		return EXIT_SUCCESS;
	fprintf(stderr, PLUGIN ": cannot install it in \"%s\": %s\n", path,
		strerror(errno));
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	const char *command = getenv("CNI_COMMAND");

	if (argc == 3 && !strcmp(argv[1], "install"))
		return install(argv[2]);
	if (command)
		return plugin(command);
	fprintf(stderr, "usage: " PLUGIN " install DIRECTORY\n"
			"or as the last plugin of a CNI chain\n");
	return fail(CNI_BAD_ENVIRONMENT, "CNI_COMMAND is not set");
}

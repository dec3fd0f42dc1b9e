// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `cni`, or this program under the name fairlead-cni: a plugin at the end of a
 * CNI chain (containernetworking.github.io, SPEC 0.3.0 to 1.0.0). It has the
 * daemon hold the new container to its policy before it runs, by the interface
 * that a plugin before made for it; and hands on what that plugin said.
 *
 * Where no daemon answers, the container does not start (error 11: try again).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/print.h"
#include "cmd.h"

#define CNI_TIMEOUT_S 10

enum cni_error { CNI_BAD_ENVIRONMENT = 4, CNI_BAD_CONFIG = 7,
		 CNI_TRY_LATER = 11 };

static void answer_free(json_t **a)
{
	json_decref(*a);
}

/* To standard output, as the specification has it. */
static int fail(enum cni_error code, const char *text)
{
	json_print(json_pack("{s:s, s:i, s:s}", "cniVersion", "0.4.0",
			     "code", code, "msg", text), stdout);
	return FAILED;
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

/* Again is as good as once: CHECK asks the same. */
static int hold(const struct options *o, const json_t *config, bool is_check)
{
	json_t *result = json_object_get(config, "prevResult");
	__cleanup(answer_free) json_t *answer = NULL;
	struct options patient = *o;
	const char *host, *mac;
	int err;

	find_interfaces(result, &host, &mac);
	if (!host)
		return fail(CNI_BAD_CONFIG, "prevResult has no interface of "
			    "this host: fairlead-cni comes after the plugin "
			    "that makes one");
	patient.timeout_s = CNI_TIMEOUT_S;
	err = daemon_ask(&patient, request(host, mac), &answer);
	if (err)
		return fail(CNI_TRY_LATER, err == -ENOENT ?
			    "fairlead does not run, so that the container's "
			    "policy is not known" :
			    "fairlead does not hold the container to its "
			    "policy: see its log");
	if (is_check)
		return DONE;
	return json_print(json_incref(result), stdout) ? FAILED : DONE;
}

/* What the versions have in common is all that is used. */
static int version(void)
{
	return json_print(json_pack("{s:s, s:[s, s, s, s]}",
				    "cniVersion", "1.0.0", "supportedVersions",
				    "0.3.0", "0.3.1", "0.4.0", "1.0.0"),
			  stdout) ? FAILED : DONE;
}

int cmd_cni(const struct options *o)
{
	const char *command = getenv("CNI_COMMAND");
	__cleanup(answer_free) json_t *config = NULL;
	json_error_t error;

	if (!command)
		return fail(CNI_BAD_ENVIRONMENT, "CNI_COMMAND is not set");
	if (!strcmp(command, "VERSION"))
		return version();
	/* the interface is gone with the container, and its policy with that */
	if (!strcmp(command, "DEL"))
		return DONE;
	config = json_loadf(stdin, JSON_REJECT_DUPLICATES, &error);
	if (!config)
		return fail(CNI_BAD_CONFIG, error.text);
	if (!strcmp(command, "ADD") || !strcmp(command, "CHECK"))
		return hold(o, config, !strcmp(command, "CHECK"));
	return fail(CNI_BAD_ENVIRONMENT, "CNI_COMMAND is none that is known");
}

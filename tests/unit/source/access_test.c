// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Kubeconfigs and accounts of containers, right and wrong. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "source/access.h"

#define PEM "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----"
#define PEM64 "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCkFBPT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQ=="

/* A kubeconfig with these lines for its cluster and its user. */
#define KUBECONFIG(cluster, user) \
	"apiVersion: v1\nkind: Config\ncurrent-context: here\n" \
	"preferences: {}\n" \
	"contexts:\n- {name: there, context: {cluster: x, user: x}}\n" \
	"- {name: here, context: {cluster: c, user: u, namespace: n}}\n" \
	"clusters:\n- name: c\n  cluster: {" cluster "}\n" \
	"users:\n- name: u\n  user: {" user "}\n"

static char dir[] = "/tmp/fairlead-access.XXXXXX";
static char errors[4096];
static struct access *a;

static int set_up(void **state)
{
	strcpy(dir, "/tmp/fairlead-access.XXXXXX");
	unsetenv("KUBERNETES_SERVICE_HOST");
	unsetenv("KUBERNETES_SERVICE_PORT");
	return !mkdtemp(dir) || chdir(dir);
}

static int tear_down(void **state)
{
	char command[64];

	access_free(a);
	a = NULL;
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return chdir("/") || system(command);
}

static void write_file(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int open_wanted(struct access_wanted w)
{
	FILE *out = fmemopen(errors, sizeof(errors), "w");
	int err;

	errors[0] = '\0';
	w.account_dir = w.account_dir ?: "account";
	access_free(a);
	a = NULL;
	err = access_open(&w, out, &a);
	fclose(out);
	return err;
}

static int open_text(const char *text)
{
	write_file("config", text);
	return open_wanted((struct access_wanted){ .kubeconfig = "config" });
}

static const char *value(enum access_field field)
{
	return a->values[field].data ?: "";
}

static void expect_error(const char *text, const char *error)
{
	assert_int_equal(open_text(text), -EINVAL);
	if (!strstr(errors, error))
		fail_msg("\"%s\" instead of \"%s\"", errors, error);
}

static void the_current_contexts_cluster_and_user(void **state)
{
	assert_int_equal(open_text(KUBECONFIG(
		"server: 'https://192.0.2.1:6443/', tls-server-name: api, "
		"certificate-authority-data: " PEM64, "token: secret")), 0);
	assert_string_equal(value(ACCESS_SERVER), "https://192.0.2.1:6443");
	assert_string_equal(value(ACCESS_TLS_NAME), "api");
	assert_string_equal(value(ACCESS_CA), PEM);
	assert_string_equal(value(ACCESS_TOKEN), "secret");
	assert_string_equal(value(ACCESS_CERTIFICATE), "");
	assert_false(a->insecure);
}

static void paths_are_relative_to_the_kubeconfig(void **state)
{
	assert_int_equal(system("mkdir k"), 0);
	write_file("k/ca.pem", PEM "\n");
	write_file("k/cert.pem", PEM);
	write_file("k/key.pem", PEM);
	write_file("k/token", "secret\n");
	write_file("k/config", KUBECONFIG("server: 'https://a', "
		"certificate-authority: ca.pem", "client-certificate: cert.pem, "
		"client-key: ./key.pem, tokenFile: token"));
	assert_int_equal(open_wanted((struct access_wanted){
		.kubeconfig = "k/config" }), 0);
	assert_string_equal(value(ACCESS_CA), PEM);
	assert_string_equal(value(ACCESS_CERTIFICATE), PEM);
	assert_string_equal(value(ACCESS_TOKEN), "secret");
}

static void data_goes_before_files(void **state)
{
	assert_int_equal(open_text(KUBECONFIG("server: 'https://a', "
		"certificate-authority: /nowhere, "
		"certificate-authority-data: " PEM64, "")), 0);
	assert_string_equal(value(ACCESS_CA), PEM);
}

static void a_token_file_goes_before_a_token(void **state)
{
	write_file("token", "new");
	assert_int_equal(open_text(KUBECONFIG("server: 'https://a'",
		"token: old, tokenFile: token")), 0);
	assert_string_equal(value(ACCESS_TOKEN), "new");
}

static void a_json_kubeconfig(void **state)
{
	assert_int_equal(open_text("{\"current-context\":\"x\",\"contexts\":"
		"[{\"name\":\"x\",\"context\":{\"cluster\":\"y\"}}],"
		"\"clusters\":[{\"name\":\"y\",\"cluster\":{\"server\":"
		"\"http://127.0.0.1:8080\"}}],\"users\":null}"), 0);
	assert_string_equal(value(ACCESS_SERVER), "http://127.0.0.1:8080");
}

static void a_server_without_a_scheme(void **state)
{
	assert_int_equal(open_text(KUBECONFIG("server: 'a:1'", "")), 0);
	assert_string_equal(value(ACCESS_SERVER), "http://a:1");
	assert_int_equal(open_text(KUBECONFIG("server: 'a:1'", "token: t")), 0);
	assert_string_equal(value(ACCESS_SERVER), "https://a:1");
}

static void what_is_not_supported_is_refused_by_name(void **state)
{
	expect_error(KUBECONFIG("server: 'https://a'",
				"exec: {command: aws, apiVersion: v1}"),
		     "config:13:16: \"exec\" is not supported; use a tokenFile");
	expect_error(KUBECONFIG("server: 'https://a'",
				"auth-provider: {name: gcp}"),
		     "\"auth-provider\" is not supported; use a tokenFile");
	expect_error(KUBECONFIG("server: 'https://a'",
				"username: me, password: x"),
		     "\"username\" is not supported");
	expect_error(KUBECONFIG("server: 'https://a'", "as: root"),
		     "\"as\" is not supported");
	expect_error(KUBECONFIG("server: 'https://a', proxy-url: 'http://p'",
				""), "\"proxy-url\" is not supported");
}

static void what_is_empty_is_not_there(void **state)
{
	assert_int_equal(open_text(KUBECONFIG("server: 'https://a', "
		"proxy-url: '', certificate-authority: ''",
		"exec: null, as: ''")), 0);
}

static void what_is_wrong_is_said_with_its_place(void **state)
{
	expect_error("", "config:1:1: no \"current-context\" in it");
	expect_error("[]", "no \"current-context\"");
	expect_error("current-context: x\n", "config:1:18: no \"x\" in \"contexts\"");
	expect_error("current-context: x\ncontexts: 7\n", "no \"x\" in");
	expect_error("current-context: x\ncontexts:\n- {name: x, context: {}}\n",
		     "names no cluster");
	expect_error("current-context: x\ncontexts:\n"
		     "- {name: x, context: {cluster: y}}\n",
		     "config:3:32: no \"y\" in \"clusters\"");
	expect_error(KUBECONFIG("", ""), "config: no server in it");
	expect_error(KUBECONFIG("server: 'ftp://a'", ""),
		     "\"ftp://a\" is not an http or https URL");
	expect_error(KUBECONFIG("server: \"https://a\\n\"", ""),
		     "is not an http or https URL");
	expect_error(KUBECONFIG("server: {}", ""),
		     "server needs a value");
	expect_error(KUBECONFIG("server: 'https://a', "
				"certificate-authority-data: '!'", ""),
		     "certificate-authority-data is not base64");
	expect_error(KUBECONFIG("server: 'https://a', "
				"certificate-authority-data: QUFB", ""),
		     "certificate-authority is not PEM");
	expect_error(KUBECONFIG("server: 'https://a', "
				"certificate-authority: nowhere", ""),
		     "nowhere: certificate-authority: No such file");
	expect_error(KUBECONFIG("server: 'https://a'",
				"client-certificate-data: " PEM64),
		     "client-certificate and client-key need each other");
	expect_error(KUBECONFIG("server: 'https://a'", "token: \"a\\nb\""),
		     "this is no token");
	expect_error(KUBECONFIG("server: 'https://a', "
				"insecure-skip-tls-verify: maybe", ""),
		     "insecure-skip-tls-verify is true or false");
	expect_error("current-context: [\n", "config:");
	assert_int_equal(open_wanted((struct access_wanted){
		.kubeconfig = "nowhere" }), -EINVAL);
	assert_string_equal(errors, "nowhere: No such file or directory\n");
}

static void who_is_insecure_is_warned(void **state)
{
	char text[512] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	assert_int_equal(open_text(KUBECONFIG("server: 'https://a', "
		"insecure-skip-tls-verify: true", "")), 0);
	assert_true(a->insecure);
	access_warn(a, out);
	fclose(out);
	assert_non_null(strstr(text, "https://a: insecure-skip-tls-verify"));
	expect_error(KUBECONFIG("server: 'https://a', "
				"insecure-skip-tls-verify: true, "
				"certificate-authority-data: " PEM64, ""),
		     "contradicts certificate-authority");
}

static void a_container_has_an_account(void **state)
{
	assert_int_equal(system("mkdir account"), 0);
	write_file("account/token", "one\n");
	write_file("account/ca.crt", PEM "\n");
	setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1", 1);
	setenv("KUBERNETES_SERVICE_PORT", "443", 1);
	assert_int_equal(open_wanted((struct access_wanted){}), 0);
	assert_string_equal(value(ACCESS_SERVER), "https://10.96.0.1:443");
	assert_string_equal(value(ACCESS_TOKEN), "one");
	setenv("KUBERNETES_SERVICE_HOST", "fd00::1", 1);
	assert_int_equal(open_wanted((struct access_wanted){}), 0);
	assert_string_equal(value(ACCESS_SERVER), "https://[fd00::1]:443");
	/* its own way to the server, so that it needs no service for that */
	assert_int_equal(open_wanted((struct access_wanted){
		.server = "https://192.0.2.1:6443" }), 0);
	assert_string_equal(value(ACCESS_SERVER), "https://192.0.2.1:6443");
	assert_string_equal(value(ACCESS_TOKEN), "one");
}

static void outside_of_one_somebody_has_to_say(void **state)
{
	assert_int_equal(open_wanted((struct access_wanted){}), -EINVAL);
	assert_non_null(strstr(errors, "say --kubeconfig FILE"));
	assert_int_equal(open_wanted((struct access_wanted){
		.server = "127.0.0.1:8080" }), 0);
	assert_string_equal(value(ACCESS_SERVER), "http://127.0.0.1:8080");
}

static int refresh(bool *changed)
{
	FILE *out = fmemopen(errors, sizeof(errors), "w");
	int err;

	errors[0] = '\0';
	err = access_refresh(a, out, changed);
	fclose(out);
	return err;
}

/* As kubelet does it: a link to a directory that is switched. */
static void a_token_that_is_replaced(void **state)
{
	bool changed;

	assert_int_equal(system("mkdir account 1 2; echo old >1/token;"
				"echo new >2/token; ln -s ../1 account/data;"
				"ln -s data/token account/token"), 0);
	write_file("account/ca.crt", PEM);
	setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1", 1);
	assert_int_equal(open_wanted((struct access_wanted){}), 0);
	assert_int_equal(refresh(&changed), 0);
	assert_false(changed);
	assert_int_equal(system("ln -s ../2 t && mv -T t account/data"), 0);
	assert_int_equal(refresh(&changed), 0);
	assert_true(changed);
	assert_string_equal(value(ACCESS_TOKEN), "new");
}

static void one_that_is_gone_or_empty_stays_as_it_was(void **state)
{
	bool changed;

	write_file("token", "old");
	assert_int_equal(open_text(KUBECONFIG("server: 'https://a'",
					      "tokenFile: token")), 0);
	write_file("token", "");
	assert_int_not_equal(refresh(&changed), 0);
	assert_non_null(strstr(errors, "token: this is no token"));
	assert_int_equal(unlink("token"), 0);
	assert_int_not_equal(refresh(&changed), 0);
	assert_non_null(strstr(errors, "No such file"));
	assert_int_equal(system("mkfifo token"), 0);
	assert_int_not_equal(refresh(&changed), 0);
	assert_false(changed);
	assert_string_equal(value(ACCESS_TOKEN), "old");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_current_contexts_cluster_and_user),
		TEST(paths_are_relative_to_the_kubeconfig),
		TEST(data_goes_before_files),
		TEST(a_token_file_goes_before_a_token),
		TEST(a_json_kubeconfig),
		TEST(a_server_without_a_scheme),
		TEST(what_is_not_supported_is_refused_by_name),
		TEST(what_is_empty_is_not_there),
		TEST(what_is_wrong_is_said_with_its_place),
		TEST(who_is_insecure_is_warned),
		TEST(a_container_has_an_account),
		TEST(outside_of_one_somebody_has_to_say),
		TEST(a_token_that_is_replaced),
		TEST(one_that_is_gone_or_empty_stays_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

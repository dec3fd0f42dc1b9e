// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a keepalived.conf(5) says of virtual servers, to definitions. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/import.h"

static char *imported(const char *text, struct import_result *r, int want)
{
	FILE *from = fmemopen((void *)text, strlen(text), "r"), *out;
	char *ret = NULL;
	size_t len;
	int err;

	out = open_memstream(&ret, &len);
	err = import_keepalived(from, out, r);
	fclose(from);
	fclose(out);
	if (err != want)
		fail_msg("%d: %u: %s\n%s", err, r->line, r->why, text);
	return ret;
}

static void assert_imported(const char *text, unsigned int not_carried,
			    const char *want)
{
	struct import_result r;
	char *is = imported(text, &r, 0);

	assert_string_equal(is, want);
	assert_int_equal(r.not_carried, not_carried);
	free(is);
}

static void a_service(void **state)
{
	assert_imported("! all of it\n"
		"virtual_server 192.0.2.10 443 { # here\n"
		"  delay_loop 6\n  lb_algo wrr\n  lb_kind DR\n"
		"  persistence_timeout 50\n  protocol TCP\n  quorum 2\n"
		"  real_server 10.0.0.11 443 {\n    weight 3\n"
		"    SSL_GET {\n      url {\n        path \"/a b\"\n"
		"        status_code 204\n      }\n"
		"      connect_timeout 3\n      retry 2\n"
		"      delay_before_retry 4\n    }\n  }\n}\n", 0,
		"services:\n"
		"  # virtual_server 192.0.2.10 443\n"
		"  - name: tcp-192-0-2-10-443\n"
		"    address: \"192.0.2.10\"\n"
		"    port: 443\n"
		"    protocol: tcp\n"
		"    forward: l2\n"
		"    algorithm: round-robin\n"
		"    affinity: {client: 50s}\n"
		"    health: {type: https, path: \"/a b\", status: [204], interval: 6s, fast: 4s, timeout: 3s, rise: 1, fall: 3, minimum: 2}\n"
		"    backends:\n"
		"      # real_server 10.0.0.11 443\n"
		"      - {address: \"10.0.0.11\", weight: 3}\n");
}

/* On one line, and of several addresses. */
static void a_group(void **state)
{
	assert_imported("virtual_server_group G { 192.0.2.1 53\n"
		"192.0.2.2 53\n192.0.2.3-9 53\n}\n"
		"virtual_server group G { lb_algo rr\nlb_kind TUN\nprotocol UDP\n"
		"real_server 10.0.0.1 53 { PING_CHECK { } }\n}\n", 1,
		"# NOT CARRIED: 192.0.2.3-9 53: write a prefix, perhaps\n"
		"services:\n"
		"  # virtual_server group G\n"
		"  - name: udp-192-0-2-1-53\n"
		"    address: \"192.0.2.1\"\n    port: 53\n    protocol: udp\n"
		"    forward: ipip\n    algorithm: round-robin\n"
		"    health: {type: icmp, interval: 60s, fast: 1s, timeout: 5s, rise: 1, fall: 2, minimum: 1}\n"
		"    backends:\n      # real_server 10.0.0.1 53\n"
		"      - {address: \"10.0.0.1\", weight: 1}\n"
		"  # virtual_server group G\n"
		"  - name: udp-192-0-2-2-53\n"
		"    address: \"192.0.2.2\"\n    port: 53\n    protocol: udp\n"
		"    forward: ipip\n    algorithm: round-robin\n"
		"    health: {type: icmp, interval: 60s, fast: 1s, timeout: 5s, rise: 1, fall: 2, minimum: 1}\n"
		"    backends:\n      # real_server 10.0.0.1 53\n"
		"      - {address: \"10.0.0.1\", weight: 1}\n");
}

#define VS(rest) "virtual_server 192.0.2.1 80 {\nlb_algo rr\n" rest "}\n"
#define RS(rest) "real_server 10.0.0.1 80 {\n" rest "}\n"

/* Each has this in it, and so many lines of what is not carried. */
static const struct {
	const char *text, *want;
	unsigned int count;
} losses[] = {
	{ "", "services: []\n", 0 },
	{ "vrrp_instance V {\n state MASTER\n}\n",
	  "# NOT CARRIED: vrrp_instance V: stays with keepalived", 1 },
	{ "virtual_server fwmark 7 {\n}\n",
	  "NOT CARRIED: virtual_server fwmark 7: write the addresses", 1 },
	{ "virtual_server 192.0.2.1 80 {\nlb_algo lc\n}\n",
	  "NOT CARRIED: scheduler lc", 1 },
	{ VS("quorum_up \"/bin/x\"\nsorry_server 10.0.0.9 80\n"),
	  "NOT CARRIED: quorum_up \"/bin/x\"; sorry_server 10.0.0.9 80", 1 },
	{ VS("ha_suspend\n"), "NOT CARRIED: ha_suspend", 1 },
	{ VS(RS("MISC_CHECK {\nmisc_path \"/x\"\n}\n")),
	  "NOT CARRIED: MISC_CHECK", 1 },
	{ VS(RS("notify_down \"/x\"\n")), "NOT CARRIED: notify_down", 1 },
	{ VS(RS("TCP_CHECK {\n}\nPING_CHECK {\n}\n")),
	  "NOT CARRIED: one more check, PING_CHECK", 1 },
	{ VS(RS("HTTP_GET {\nurl {\npath /\ndigest 123\n}\n}\n")),
	  "NOT CARRIED: digest: say body", 1 },
	{ VS(RS("TCP_CHECK {\n}\ninhibit_on_failure\n")),
	  "on-down: leave", 0 },
	{ VS(RS("SMTP_CHECK {\n}\n")), "type: tcp, expect: \"220\"", 0 },
	{ VS(RS("TCP_CHECK {\nconnect_port 81\nbindto 10.0.0.9\n}\n")),
	  "port: 81, source: \"10.0.0.9\"", 0 },
	{ VS(RS("HTTP_GET {\nurl {\npath /a\"b\\c\n}\n}\n")),
	  "path: \"/a\\\"b\\\\c\"", 0 },
	{ VS(RS("TCP_CHECK {\nconnect_ip 10.0.0.7\n}\n")),
	  "NOT CARRIED: connect_ip 10.0.0.7", 1 },
	{ VS(RS("HTTP_GET {\nurl {\npath /a\n}\nurl {\npath /b\n}\n}\n")),
	  "NOT CARRIED: url", 1 },
	{ VS(RS("HTTP_GET {\nurl {\npath /\nstatus_code 200 204 301-302\n}\n}\n")),
	  "status: [200, 204, 301-302]", 0 },
	{ VS(RS("HTTP_GET {\nurl {\npath /\nstatus_code ok\n}\n}\n")),
	  "NOT CARRIED: status_code ok", 1 },
	{ VS(RS("UDP_CHECK {\npayload \"00\"\nrequire_reply \"01\"\n}\n")),
	  "NOT CARRIED: payload \"00\"; require_reply \"01\"", 1 },
	{ VS(RS("DNS_CHECK {\ntype AAAA\nname a.example\n}\n")),
	  "NOT CARRIED: type AAAA", 1 },
	{ VS("delay_loop 2.5\n"
	     RS("TCP_CHECK {\nconnect_timeout 0.5\ndelay_before_retry 0.25\n}\n")),
	  "interval: 2500ms, fast: 250ms, timeout: 500ms", 0 },
	{ VS("delay_loop -5\n" RS("TCP_CHECK {\nretry 2147483647\n}\n")),
	  "NOT CARRIED: delay_loop -5; retry 2147483647", 1 },
	{ VS("delay_loop nan\n" RS("TCP_CHECK {\nconnect_port 0\n}\n")),
	  "NOT CARRIED: connect_port 0; delay_loop nan", 1 },
	{ VS("persistence_timeout soon\n" RS("weight -3\n")),
	  "NOT CARRIED: weight -3", 2 },
	{ VS(RS("HTTP_GET {\nurl {\npath \"/a{b}c\"\n}\n}\n")),
	  "path: \"/a{b}c\"", 0 },
	{ VS(RS("TCP_CHECK {\n}\ninhibit_on_failure\n")
	     "real_server 10.0.0.2 80 {\nTCP_CHECK {\n}\n}\n"),
	  "NOT CARRIED: inhibit_on_failure of some servers alone", 1 },
	{ VS(RS("HTTP_GET {\nurl {\npath /\nregex \"^OK$\"\n}\n}\n")),
	  "NOT CARRIED: regex: say body", 1 },
	{ "! Gr\xc3\xbc\xc3\x9f" "e\n", "services: []", 0 },
};

static void what_is_not_carried(void **state)
{
	for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++) {
		struct import_result r;
		char *is = imported(losses[i].text, &r, 0);

		if (!strstr(is, losses[i].want) || r.not_carried != losses[i].count)
			fail_msg("row %zu: %u\n%s", i, r.not_carried, is);
		free(is);
	}
}

static void what_is_wrong(void **state)
{
	static const struct {
		const char *text, *why;
		unsigned int line;
	} rows[] = {
		{ "include /etc/x\n", "include", 1 },
		{ "$A=1\n", "variables", 1 },
		{ VS("delay_loop $A\n"), "variables", 3 },
		{ "@main virtual_server 192.0.2.1 80 {\n}\n", "conditions", 1 },
		{ "}\n", "nothing began", 1 },
		{ "{\n", "belongs to nothing", 1 },
		{ "virtual_server 192.0.2.1 80 {\n", "open at the end", 1 },
		{ "a {\nb {\nc {\nd {\ne {\nf {\ng {\nh {\n", "too many", 8 },
		{ "virtual_server x 80 {\n}\n", "needs an address", 1 },
		{ "virtual_server 192.0.2.1 http {\n}\n", "needs an address", 1 },
		{ "virtual_server\n", "needs an address", 1 },
		{ "virtual_server group G {\n}\n", "no virtual_server_group", 1 },
		{ VS("real_server x 80 {\n}\n"), "real_server needs", 3 },
		{ VS("real_server 10.0.0.1 99999 {\n}\n"), "real_server needs", 3 },
		{ VS("protocol ICMP\n"), "none of TCP", 1 },
		{ "virtual_server 192.0.2.1 80 {\x01\n}\n", "no text", 1 },
	};
	char longest[2000];
	struct import_result r;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *is = imported(rows[i].text, &r, -EINVAL);

		if (r.line != rows[i].line || !strstr(r.why, rows[i].why) || *is)
			fail_msg("row %zu: line %u: %s\n%s", i, r.line, r.why,
				 is);
		free(is);
	}
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	free(imported(longest, &r, -EINVAL));
}

/* What is long is there to its end, or not at all. */
static void long_paths(void **state)
{
	char path[480], text[2000];
	struct import_result r;
	char *is;

	memset(path, '"', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	snprintf(text, sizeof(text),
		 VS(RS("HTTP_GET {\nurl {\npath x%s\n}\nvirtualhost y%s\n}\n")),
		 path, path);
	is = imported(text, &r, 0);
	assert_non_null(strstr(is, ", interval: 60s"));
	free(is);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_service),
		cmocka_unit_test(a_group),
		cmocka_unit_test(what_is_not_carried),
		cmocka_unit_test(what_is_wrong),
		cmocka_unit_test(long_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

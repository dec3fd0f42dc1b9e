// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What ipvsadm(8) saves, to definitions; each option that its manual has. */
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
	err = import_ipvs(from, out, r);
	fclose(from);
	fclose(out);
	if (err != want)
		fail_msg("%d: %s\n%s", err, r->why, text);
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

static void nat(void **state)
{
	assert_imported("-A -t 192.0.2.10:80 -s wrr -p 300\n"
			"-a -t 192.0.2.10:80 -r 10.91.0.11:8080 -m -w 1\n"
			"-a -t 192.0.2.10:80 -r 10.91.0.12:80 -m -w 0\n", 0,
		"services:\n"
		"  # -A -t 192.0.2.10:80 -s wrr -p 300\n"
		"  - name: tcp-192-0-2-10-80\n"
		"    address: \"192.0.2.10\"\n"
		"    port: 80\n"
		"    protocol: tcp\n"
		"    forward: nat\n"
		"    algorithm: round-robin\n"
		"    affinity: {client: 300s}\n"
		"    backends:\n"
		"      # -a -t 192.0.2.10:80 -r 10.91.0.11:8080 -m -w 1\n"
		"      - {address: \"10.91.0.11\", port: 8080, weight: 1}\n"
		"      # -a -t 192.0.2.10:80 -r 10.91.0.12:80 -m -w 0\n"
		"      - {address: \"10.91.0.12\", weight: 0}\n");
}

static void six(void **state)
{
	assert_imported("-A -u [2001:db8::10]:53 -s mh -o\n"
			"-a -u [2001:db8::10]:53 -r [fd91::11]:53 -g -w 1\n", 0,
		"services:\n"
		"  # -A -u [2001:db8::10]:53 -s mh -o\n"
		"  - name: udp-2001-db8--10-53\n"
		"    address: \"2001:db8::10\"\n"
		"    port: 53\n"
		"    protocol: udp\n"
		"    forward: l2\n"
		"    algorithm: maglev\n"
		"    udp: stateless\n"
		"    backends:\n"
		"      # -a -u [2001:db8::10]:53 -r [fd91::11]:53 -g -w 1\n"
		"      - {address: \"fd91::11\", weight: 1}\n");
}

static void nothing(void **state)
{
	assert_imported("", 0, "services: []\n");
	assert_imported("\n# a comment\n", 0, "services: []\n");
}

/* Each line's text has this in it, and as much is not carried. */
static void what_is_not_carried(void **state)
{
#define WEB "-A -t 192.0.2.10:80 -s rr\n"
#define SERVER "-a -t 192.0.2.10:80 -r 10.0.0.1:80 "
	static const struct {
		const char *text, *want;
		unsigned int count;
	} rows[] = {
		{ "-A -f 7 -s rr\n-a -f 7 -r 10.0.0.1:0 -g -w 1\n",
		  "NOT CARRIED: services by mark", 1 },
		{ "-A -t 192.0.2.10:80 -s wlc\n", "NOT CARRIED: scheduler wlc", 1 },
		{ "-A -t 192.0.2.10:80\n", "NOT CARRIED: scheduler wlc", 1 },
		{ "-A -t 192.0.2.10:80 -s rr -p 60 -M 255.255.255.0\n",
		  "not by the prefix 255.255.255.0", 1 },
		{ "-A -t 192.0.2.10:80 -s rr --pe sip\n",
		  "persistence engine sip", 1 },
		{ WEB SERVER "-m -w 1 -x 100 -y 50\n",
		  "connections of a backend are not limited", 1 },
		{ WEB SERVER "-m -w 1 -x 0 -y 0\n", "weight: 1}", 0 },
		{ WEB SERVER "-m -w 1\n"
		  "-a -t 192.0.2.10:80 -r 10.0.0.2:80 -g -w 1\n",
		  "forwarded to by l2, the others of this service by nat", 1 },
		{ WEB SERVER "-i -w 1 --tun-type gue --tun-port 5555 --tun-nocsum\n",
		  "GUE at port 5555 is a setting", 1 },
		{ WEB SERVER "-i -w 1 --tun-type gre --tun-csum\n",
		  "NOT CARRIED: --tun-csum", 1 },
		{ "--start-daemon master --mcast-interface eth0\n" WEB,
		  "NOT CARRIED: --start-daemon master", 1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct import_result r;
		char *is = imported(rows[i].text, &r, 0);

		if (!strstr(is, rows[i].want) || r.not_carried != rows[i].count)
			fail_msg("row %zu: %u\n%s", i, r.not_carried, is);
		free(is);
	}
}

/* The largest has the largest that there is here; none becomes 0. */
static void large_weights_are_scaled(void **state)
{
	struct import_result r;
	char *is = imported(WEB SERVER "-m -w 2000000\n"
			    "-a -t 192.0.2.10:80 -r 10.0.0.2:80 -m -w 1000000\n"
			    "-a -t 192.0.2.10:80 -r 10.0.0.3:80 -m -w 1\n"
			    "-a -t 192.0.2.10:80 -r 10.0.0.4:80 -m -w 0\n", &r,
			    0);

	assert_non_null(strstr(is, "10.0.0.1\", weight: 1000}"));
	assert_non_null(strstr(is, "10.0.0.2\", weight: 500}"));
	assert_non_null(strstr(is, "10.0.0.3\", weight: 1}"));
	assert_non_null(strstr(is, "10.0.0.4\", weight: 0}"));
	free(is);
}

static void what_is_wrong(void **state)
{
	static const struct {
		const char *text;
		unsigned int line;
	} rows[] = {
		{ "hello\n", 1 },
		{ "-A\n", 1 },
		{ "-A -t\n", 1 },
		{ "-A -t 192.0.2.10\n", 1 },
		{ "-A -t 192.0.2.10:http\n", 1 },
		{ "-A -t 192.0.2.10:65536\n", 1 },
		{ "-A -t 2001:db8::1:80\n", 1 },
		{ "-A -t [192.0.2.1]:80\n", 1 },
		{ "-A -t []:80\n", 1 },
		{ "-A -t :80\n", 1 },
		{ "-A -f x\n", 1 },
		{ "-A -t 192.0.2.10:80 -s\n", 1 },
		{ "-A -t 192.0.2.10:80 -z 1\n", 1 },
		{ WEB WEB, 2 },
		{ SERVER "-m\n", 1 },
		{ WEB "-a -t 192.0.2.10:80 -m\n", 2 },
		{ WEB SERVER "-w x\n", 2 },
		{ WEB SERVER "-w -1\n", 2 },
		{ WEB SERVER "--tun-type vxlan\n", 2 },
		{ "-A -t 192.0.2.10:80 -s r\x1b[2J\n", 1 },
	};
	char longest[2000];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct import_result r;
		char *is = imported(rows[i].text, &r, -EINVAL);

		if (r.line != rows[i].line || !*r.why || *is)
			fail_msg("row %zu: line %u: %s\n%s", i, r.line, r.why,
				 is);
		free(is);
	}
	memset(longest, '-', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	{
		struct import_result r;

		free(imported(longest, &r, -EINVAL));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nat),
		cmocka_unit_test(six),
		cmocka_unit_test(nothing),
		cmocka_unit_test(what_is_not_carried),
		cmocka_unit_test(large_weights_are_scaled),
		cmocka_unit_test(what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

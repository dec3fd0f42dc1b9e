// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Tables of IPVS as Linux prints them (net/netfilter/ipvs/ip_vs_ctl.c), and
 * what differs between them and definitions.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>

#include "base/addr.h"
#include "cli/ipvs_diff.h"

#define HEAD "IP Virtual Server version 1.2.1 (size=4096)\n" \
	"Prot LocalAddress:Port Scheduler Flags\n" \
	"  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n"
#define WEB "TCP  C000020A:0050 wrr persistent 75000 FFFFFFFF\n" \
	"  -> 0A5B000B:1F90      Masq    1      7          2         \n" \
	"  -> 0A5B000C:1F90      Masq    3      0          0         \n"
#define DNS6 "UDP  [2001:0db8:0000:0000:0000:0000:0000:0010]:0035 sh ops\n" \
	"  -> [fd91:0000:0000:0000:0000:0000:0000:000b]:0035      Route   1      0          0         \n"

static int read_text(const char *text, struct ipvs_table *t,
		     unsigned int *line)
{
	FILE *from = fmemopen((void *)text, strlen(text), "r");
	int err;

	assert_non_null(from);
	err = ipvs_table_read(from, t, line);
	fclose(from);
	return err;
}

static void assert_addr(const struct addr *a, const char *text)
{
	char is[ADDR_TEXT_MAX];

	assert_string_equal(addr_format(a, is), text);
}

static void a_table(void **state)
{
	const struct ipvs_service *s;
	struct ipvs_table t;
	unsigned int line;

	assert_int_equal(read_text(HEAD WEB DNS6 "FWM  0000000A rr\n", &t,
				   &line), 0);
	assert_int_equal(t.services.count, 3);
	s = t.services.at;
	assert_int_equal(s[0].proto, IPPROTO_TCP);
	assert_addr(&s[0].addr, "192.0.2.10");
	assert_int_equal(s[0].port, 80);
	assert_string_equal(s[0].scheduler, "wrr");
	assert_int_equal(s[0].persistent, 75000);
	assert_int_equal(s[0].servers.count, 2);
	assert_addr(&s[0].servers.at[1].addr, "10.91.0.12");
	assert_int_equal(s[0].servers.at[1].port, 8080);
	assert_int_equal(s[0].servers.at[1].weight, 3);
	assert_int_equal(s[0].servers.at[0].active, 7);
	assert_addr(&s[1].addr, "2001:db8::10");
	assert_string_equal(s[1].servers.at[0].forward, "Route");
	assert_int_equal(s[2].mark, 10);
	ipvs_table_clear(&t);
}

static void an_empty_table(void **state)
{
	struct ipvs_table t;
	unsigned int line;

	assert_int_equal(read_text(HEAD, &t, &line), 0);
	assert_int_equal(t.services.count, 0);
	ipvs_table_clear(&t);
}

static void what_is_no_table(void **state)
{
	static const struct {
		const char *text;
		unsigned int line;
	} rows[] = {
		{ HEAD "TCP\n", 4 },
		{ HEAD "TCP  C000020A:0050\n", 4 },
		{ HEAD "TCP  C000020:0050 rr\n", 4 },
		{ HEAD "TCP  C000020A0050 rr\n", 4 },
		{ HEAD "TCP  C000020A:10050 rr\n", 4 },
		{ HEAD "TCP  C000020A:-1 rr\n", 4 },
		{ HEAD "TCP  [2001:db8::1:0050 rr\n", 4 },
		{ HEAD "TCP  []:0050 rr\n", 4 },
		{ HEAD "TCP  ]:0050 rr\n", 4 },
		{ HEAD "TCP  :0050 rr\n", 4 },
		{ HEAD "TCP  C000020A:0050 rr persistent\n", 4 },
		{ HEAD "TCP  C000020A:0050 rr persistent x\n", 4 },
		{ HEAD "ICMP  C000020A:0050 rr\n", 4 },
		{ HEAD "  -> 0A5B000B:1F90 Masq 1 0 0\n", 4 },
		{ HEAD WEB "  -> 0A5B000B:1F90 Masq 1 0\n", 7 },
		{ HEAD WEB "  -> 0A5B000B:1F90 Masq -1 0 0\n", 7 },
		{ HEAD WEB "  -> 0A5B000B:1F90\n", 7 },
		{ "hello\n", 1 },
		{ "{\"a\": 1}\n", 1 },
	};
	char longest[2000];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ipvs_table t;
		unsigned int line;

		if (read_text(rows[i].text, &t, &line) != -EINVAL ||
		    line != rows[i].line)
			fail_msg("row %zu, line %u", i, line);
		ipvs_table_clear(&t);
	}
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	{
		struct ipvs_table t;
		unsigned int line;

		assert_int_equal(read_text(longest, &t, &line), -EINVAL);
		ipvs_table_clear(&t);
	}
}

/* As many lines as there are differences, each with one of want's in it. */
static void assert_diff(const char *table, const struct model *m,
			const char *const *want)
{
	struct ipvs_table t;
	unsigned int line, count = 0;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_int_equal(read_text(table, &t, &line), 0);
	for (; want[count]; count++)
		;
	line = ipvs_diff(&t, m, 250, out);
	fclose(out);
	for (unsigned int i = 0; i < count; i++)
		if (!strstr(text, want[i]))
			fail_msg("\"%s\" is not in:\n%s", want[i], text);
	if (line != count)
		fail_msg("%u differences:\n%s", line, text);
	free(text);
	ipvs_table_clear(&t);
}

static void differences(void **state)
{
	struct model_backend backends[2] = {
		{ .port = 8080, .weight = 100, .state = BACKEND_ACTIVE },
		{ .port = 8080, .weight = 300, .state = BACKEND_ACTIVE },
	};
	struct model_front front = {
		.port_first = 80, .port_last = 80, .prefix_len = 128,
	};
	struct model_service web = {
		.name = "web", .fronts = &front, .nr_fronts = 1,
		.proto = IPPROTO_TCP, .forward = FORWARD_NAT,
		.algorithm = ALGORITHM_ROUND_ROBIN, .affinity_s = 300,
		.backends = backends, .nr_backends = 2,
	};
	struct model_service *services[] = { &web };
	struct model m = { .services = services, .nr_services = 1 };

	addr_parse("192.0.2.10", &front.addr);
	addr_parse("10.91.0.11", &backends[0].addr);
	addr_parse("10.91.0.12", &backends[1].addr);
	assert_diff(HEAD WEB, &m, (const char *const[]){ NULL });
	assert_diff(HEAD, &m, (const char *const[]){
		"192.0.2.10:80/tcp: IPVS has it not (\"web\")", NULL });
	assert_diff(HEAD WEB DNS6 "FWM  0000000A rr\n", &m,
		    (const char *const[]){
		"[2001:db8::10]:53/udp: the definitions have it not",
		"mark 10: IPVS serves what bears a mark", NULL });
	backends[1].weight = 100;
	assert_diff(HEAD WEB, &m, (const char *const[]){
		"backend 10.91.0.11:8080: gets 25.0 % by IPVS, 50.0 % by",
		"backend 10.91.0.12:8080: gets 75.0 % by IPVS, 50.0 % by",
		NULL });
	backends[1].weight = 300;
	web.affinity_s = 10;
	assert_diff(HEAD WEB, &m, (const char *const[]){
		"stick for 300 s in IPVS, for 10 s", NULL });
	backends[1].port = 0;
	web.affinity_s = 0;
	web.algorithm = ALGORITHM_MAGLEV;
	web.forward = FORWARD_IPIP;
	assert_diff(HEAD WEB, &m, (const char *const[]){
		"scheduled by wrr in IPVS, by maglev",
		"stick by IPVS alone",
		"backend 10.91.0.12:8080: the definitions have it not",
		"backend 10.91.0.12:80: IPVS has it not",
		"10.91.0.11:8080: forwarded as \"Masq\" by IPVS, by ipip",
		"10.91.0.12:8080: forwarded as \"Masq\" by IPVS, by ipip",
		NULL });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table),
		cmocka_unit_test(an_empty_table),
		cmocka_unit_test(what_is_no_table),
		cmocka_unit_test(differences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

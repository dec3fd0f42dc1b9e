// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/addr.h"

static struct addr parsed(const char *text)
{
	struct addr a;

	assert_true(addr_parse(text, &a));
	return a;
}

static void addresses_come_out_as_rfc5952_has_them(void **state)
{
	static const char *const cases[][2] = {
		{ "192.0.2.1", "192.0.2.1" },
		{ "0.0.0.0", "0.0.0.0" },
		{ "2001:DB8:0:0:0:0:0:1", "2001:db8::1" },
		{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
		{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },
		{ "::", "::" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	};
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct addr a = parsed(cases[i][0]);

		assert_string_equal(addr_format(&a, text), cases[i][1]);
	}
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const cases[] = {
		"", " ", "192.0.2", "192.0.2.256", "192.0.2.1 ", "192.0.02.1",
		"192.0.2.1/32", "::ffff:192.0.2.1", "::ffff:c000:201",
		"fe80::1%eth0", "[::1]", "1:2:3:4:5:6:7:8:9", "::1::", "host",
	};
	struct addr a = { .word = { 7 } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_false(addr_parse(cases[i], &a));
	assert_int_equal(a.word[0], 7);
}

static void ipv4_is_mapped(void **state)
{
	struct addr a = parsed("192.0.2.1");
	struct addr b = addr_from4(htonl(0xc0000201));

	assert_true(addr_is4(&a));
	assert_int_equal(addr_compare(&a, &b), 0);
	b = parsed("2001:db8::1");
	assert_false(addr_is4(&b));
	assert_true(addr_compare(&a, &b) < 0);
	assert_false(addr_is_zero(&a));
	b = parsed("::");
	assert_true(addr_is_zero(&b));
}

static void prefixes_count_bits_of_the_mapped_form(void **state)
{
	static const struct { const char *text; unsigned int len; } cases[] = {
		{ "192.0.2.1", 128 }, { "192.0.2.1/32", 128 },
		{ "192.0.2.0/24", 120 }, { "0.0.0.0/0", 96 },
		{ "2001:db8::1", 128 }, { "2001:db8::/32", 32 },
		{ "2001:db8::/33", 33 }, { "::/0", 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		unsigned int len = 1000;
		struct addr a;

		assert_true(addr_parse_cidr(cases[i].text, &a, &len));
		assert_int_equal(len, cases[i].len);
	}
}

static void what_is_no_prefix_is_refused(void **state)
{
	static const char *const cases[] = {
		"192.0.2.1/24", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/024",
		"192.0.2.0/-1", "192.0.2.0/+24", "192.0.2.0/24 ", "/24", "",
		"192.0.2.0/24/8", "2001:db8::1/64", "2001:db8::/129",
		"2001:db8::/9999999999", "::ffff:192.0.2.0/120",
		"0000000000000000000000000000000000000000000000000000000/8",
	};
	struct addr a = { .word = { 7 } };
	unsigned int len = 7;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_false(addr_parse_cidr(cases[i], &a, &len));
	assert_int_equal(a.word[0], 7);
	assert_int_equal(len, 7);
}

static void a_prefix_has_its_addresses_in_it(void **state)
{
	struct addr net = parsed("2001:db8:8000::");
	struct addr in = parsed("2001:db8:ffff::1");
	struct addr out = parsed("2001:db8:7fff::1");

	assert_true(addr_in(&in, &net, 33));
	assert_false(addr_in(&out, &net, 33));
	assert_true(addr_in(&out, &net, 32));
	assert_true(addr_in(&out, &net, 0));
	assert_true(addr_in(&net, &net, 128));
	assert_false(addr_in(&in, &net, 128));
}

static void a_prefix_begins_with_its_first_address(void **state)
{
	static const unsigned int lens[] = { 0, 1, 31, 32, 33, 95, 97, 127,
					     128 };
	struct addr a = parsed("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");

	for (size_t i = 0; i < sizeof(lens) / sizeof(*lens); i++) {
		struct addr net = addr_prefix(a, lens[i]);
		struct addr twice = addr_prefix(net, lens[i]);

		assert_true(addr_in(&a, &net, lens[i]));
		assert_false(lens[i] < 128 && addr_in(&a, &net, lens[i] + 1));
		assert_int_equal(addr_compare(&net, &twice), 0);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_come_out_as_rfc5952_has_them),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(ipv4_is_mapped),
		cmocka_unit_test(prefixes_count_bits_of_the_mapped_form),
		cmocka_unit_test(what_is_no_prefix_is_refused),
		cmocka_unit_test(a_prefix_has_its_addresses_in_it),
		cmocka_unit_test(a_prefix_begins_with_its_first_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

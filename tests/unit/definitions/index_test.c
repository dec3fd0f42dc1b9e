// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Files of a directory that change one after another, at random: who has
 * followed them says of each state what who reads it anew says, to the letter,
 * whether it is right or wrong.
 */
#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "definitions/definitions.h"

#define FILES 8
#define STEPS 1000

static char dir[] = "/tmp/index_test.XXXXXX";

static int remove_entry(const char *path, const struct stat *st, int type,
			struct FTW *ftw)
{
	return remove(path);
}

static int make_dir(void **state)
{
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	return nftw(dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static unsigned int below(unsigned int limit)
{
	static uint64_t random = 0x9e3779b97f4a7c15ull;

	random ^= random << 13;
	random ^= random >> 7;
	random ^= random << 17;
	return (random >> 20) % limit;
}

/* Few places, so that some are had twice, and now and then a network. */
static void put_address(FILE *out)
{
	static const char *const networks[] = {
		"10.0.0.0/24", "10.0.1.0/25", "10.0.1.0/26", "10.0.0.64/28",
	};

	if (!below(12))
		fprintf(out, "address: %s", networks[below(4)]);
	else
		fprintf(out, "address: 10.0.%u.%u", below(3), below(80));
}

static void put_port(FILE *out)
{
	if (below(4))
		fprintf(out, ", port: %u", 80 + below(6));
	else
		fprintf(out, ", port: %u-%u", 80 + below(3), 83 + below(3));
}

/* Most names are the file's own. */
static void put_service(FILE *out, unsigned int file, unsigned int i)
{
	if (below(40))
		fprintf(out, "- {name: s%u-%u, ", file, i);
	else
		fprintf(out, "- {name: s%u-%u, ", below(FILES), below(3));
	put_address(out);
	put_port(out);
	fprintf(out, ", protocol: %s", below(3) ? "tcp" : "udp");
	fprintf(out, ", backends: [{address: 10.%u.%u.%u}]}\n",
		below(8) ? 9 : 0, below(3), below(80));
}

static void write_file(unsigned int file)
{
	unsigned int count = below(4);
	char path[64];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%u.yaml", dir, file);
	out = fopen(path, "w");
	assert_non_null(out);
	fputs(count ? "services:\n" : "services: []\n", out);
	for (unsigned int i = 0; i < count; i++)
		put_service(out, file, i);
	assert_int_equal(fclose(out), 0);
}

/* What is said, and what there is of services; the caller's. */
static char *outcome(struct definitions *d, int *ret)
{
	struct model *m = NULL;
	char *text = NULL;
	bool has_changed;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	*ret = definitions_reload(d, &m, out, &has_changed);
	for (size_t i = 0; m && i < m->nr_services; i++)
		fprintf(out, "%s\n", m->services[i]->name);
	fclose(out);
	model_free(m);
	return text;
}

static void what_was_followed_is_what_is_read_anew(void **state)
{
	const struct definitions_from from = { .path = dir };
	unsigned int right = 0;
	struct definitions *d;

	for (unsigned int i = 0; i < FILES; i++)
		write_file(i);
	assert_int_equal(definitions_open(&from, &d), 0);
	for (unsigned int i = 0; i < STEPS; i++) {
		struct definitions *anew;
		char *a, *b;
		int x, y;

		write_file(below(FILES));
		assert_int_equal(definitions_open(&from, &anew), 0);
		a = outcome(d, &x);
		b = outcome(anew, &y);
		assert_int_equal(x, y);
		assert_string_equal(a, b);
		right += !x;
		definitions_close(anew);
		free(a);
		free(b);
	}
	definitions_close(d);
	/* both kinds have been there */
	assert_in_range(right, STEPS / 10, STEPS - STEPS / 10);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_was_followed_is_what_is_read_anew, make_dir,
			remove_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Files of a directory that change one after another, at random: who has
 * followed them says of each state what who reads it anew says, to the letter,
 * whether it is right or wrong. Beside a source of objects, as an API server is
 * one, what is in force is that source and the files as they were last right.
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

#include "base/addr.h"
#include "definitions/definitions.h"

#define FILES 8
#define STEPS 500

static char dir[] = "/tmp/index_test.XXXXXX";
static char now[64], good[64], objects[64];

static int remove_entry(const char *path, const struct stat *st, int type,
			struct FTW *ftw)
{
	return remove(path);
}

static int make_dir(void **state)
{
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(now, sizeof(now), "%s/now", dir);
	snprintf(good, sizeof(good), "%s/good", dir);
	snprintf(objects, sizeof(objects), "%s/objects", dir);
	return mkdir(now, 0700) || mkdir(good, 0700) || mkdir(objects, 0700);
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

/* In the test's directory; "now" is that of files. */
static FILE *open_in(const char *name, unsigned int file, const char *mode)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s/%u.yaml", dir, name, file);
	f = fopen(path, mode);
	assert_non_null(f);
	return f;
}

static void write_file(unsigned int file)
{
	unsigned int count = below(4);
	FILE *out = open_in("now", file, "w");

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
	const struct definitions_from from = { .path = now };
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

/* Services whose cluster IPs files may have as well, and their endpoints. */
static void write_objects(void)
{
	FILE *out = open_in("objects", 0, "w");

	fputs("{apiVersion: v1, kind: Service, metadata: {name: none}, spec: {clusterIP: None}}\n",
	      out);
	for (unsigned int i = 0; i < 4; i++) {
		if (!below(3))
			continue;
		fprintf(out, "---\n{apiVersion: v1, kind: Service, metadata: {name: o%u}, spec: {clusterIP: 10.0.%u.%u, ports: [{name: p, port: %u}]}}\n",
			i, below(3), below(80), 80 + below(6));
		fprintf(out, "---\n{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: o%u-1, labels: {kubernetes.io/service-name: o%u}}, addressType: IPv4, ports: [{name: p, port: %u}], endpoints: [{addresses: [10.%u.%u.%u]}]}\n",
			i, i, 80 + below(6), below(8) ? 9 : 0, below(3),
			below(80));
	}
	assert_int_equal(fclose(out), 0);
}

static struct definitions *open_both(const char *files)
{
	const struct definitions_from from = { .path = files };
	struct definitions *d;
	struct source *s;

	assert_int_equal(definitions_open(&from, &d), 0);
	assert_int_equal(files_new(objects, FILES_FOLLOWED, &s), 0);
	s->is_of_objects = true;
	assert_int_equal(definitions_add(d, s), 0);
	return d;
}

static void put_model(FILE *out, const struct model *m)
{
	char front[FRONT_TEXT_MAX], addr[ADDR_TEXT_MAX];

	for (size_t i = 0; m && i < m->nr_services; i++) {
		const struct model_service *s = m->services[i];

		fprintf(out, "%s", s->name);
		for (size_t j = 0; j < s->nr_fronts; j++)
			fprintf(out, " %s", model_front_text(&s->fronts[j],
							     s->proto, front));
		for (size_t j = 0; j < s->nr_backends; j++)
			fprintf(out, ">%s:%u",
				addr_format(&s->backends[j].addr, addr),
				s->backends[j].port);
		fputc('\n', out);
	}
}

static bool begins_a_line(const char *text, const char *begin)
{
	while (strncmp(text, begin, strlen(begin))) {
		text = strchr(text, '\n');
		if (!text++)
			return false;
	}
	return true;
}

/* All that would be in force, and not what is said; the caller's. */
static char *in_force(struct definitions *d, int *ret, bool *ret_is_wrong)
{
	struct model *m = NULL;
	char *said = NULL, *text = NULL;
	bool has_changed;
	size_t len;
	FILE *errors = open_memstream(&said, &len), *out;

	*ret = definitions_reload(d, &m, errors, &has_changed);
	fclose(errors);
	out = open_memstream(&text, &len);
	put_model(out, m);
	fclose(out);
	*ret_is_wrong = begins_a_line(said, now);
	model_free(m);
	free(said);
	return text;
}

static void copy_to_good(void)
{
	char text[4096];

	for (unsigned int i = 0; i < FILES; i++) {
		FILE *in = open_in("now", i, "r");
		FILE *out = open_in("good", i, "w");
		size_t len = fread(text, 1, sizeof(text), in);

		assert_int_equal(fwrite(text, 1, len, out), len);
		fclose(in);
		assert_int_equal(fclose(out), 0);
	}
}

/* What who reads files and objects anew has in force. */
static char *in_force_anew(const char *files, int *ret)
{
	struct definitions *d = open_both(files);
	bool is_wrong;
	char *text = in_force(d, ret, &is_wrong);

	definitions_close(d);
	return text;
}

static void change_something(void)
{
	if (below(3))
		write_file(below(FILES));
	else
		write_objects();
}

static void what_stands_is_what_was_last_right(void **state)
{
	unsigned int right = 0;
	struct definitions *d;
	int x, y;

	for (unsigned int i = 0; i < FILES; i++) {
		FILE *out = open_in("now", i, "w");

		fputs("services: []\n", out);
		fclose(out);
	}
	write_objects();
	d = open_both(now);
	for (unsigned int i = 0; i < STEPS; i++) {
		char *a, *b;
		bool is_wrong;

		a = in_force(d, &x, &is_wrong);
		assert_int_equal(x, 0);
		b = in_force_anew(now, &y);
		assert_int_equal(is_wrong, !!y);
		if (!y) {
			copy_to_good();
			right++;
		} else {
			free(b);
			b = in_force_anew(good, &y);
			assert_int_equal(y, 0);
		}
		assert_string_equal(a, b);
		free(a);
		free(b);
		change_something();
	}
	definitions_close(d);
	assert_in_range(right, STEPS / 10, STEPS - STEPS / 10);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_was_followed_is_what_is_read_anew, make_dir,
			remove_dir),
		cmocka_unit_test_setup_teardown(
			what_stands_is_what_was_last_right, make_dir,
			remove_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * How much work a program is for the verifier: loads each program of an
 * object by itself and prints "PROGRAM INSTRUCTIONS", a line each; 0: it does
 * not load.
 *
 *	complexity OBJECT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#define LOG_LEVEL_STATS 4
#define ENTRIES_MAX 1024

static char log_text[1 << 20];

/* The verdict is the same for small maps, and they are made sooner. */
static void maps_shrink(struct bpf_object *object)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object) {
		if (bpf_map__is_internal(map) ||
		    bpf_map__type(map) == BPF_MAP_TYPE_RINGBUF)
			continue;
		if (bpf_map__max_entries(map) > ENTRIES_MAX)
			bpf_map__set_max_entries(map, ENTRIES_MAX);
	}
}

static void measure(const char *path, const char *name)
{
	struct bpf_object *object = bpf_object__open(path);
	struct bpf_program *program;
	const char *said;
	int err;

	if (!object)
		return;
	maps_shrink(object);
	bpf_object__for_each_program(program, object)
		bpf_program__set_autoload(program,
			!strcmp(bpf_program__name(program), name));
	program = bpf_object__find_program_by_name(object, name);
	log_text[0] = '\0';
	bpf_program__set_log_level(program, LOG_LEVEL_STATS);
	bpf_program__set_log_buf(program, log_text, sizeof(log_text));

	err = bpf_object__load(object);
	said = strstr(log_text, "processed ");
	if (err)
		fprintf(stderr, "complexity: %s: %s\n%s", name, strerror(-err),
			log_text);
	printf("%s %lu\n", name,
	       err || !said ? 0 : strtoul(said + 10, NULL, 10));
	bpf_object__close(object);
}

int main(int argc, char **argv)
{
	struct bpf_object *object;
	struct bpf_program *program;

	if (argc != 2) {
		fputs("usage: complexity OBJECT\n", stderr);
		return 2;
	}
	object = bpf_object__open(argv[1]);
	if (!object)
		return 1;
	bpf_object__for_each_program(program, object)
		measure(argv[1], bpf_program__name(program));
	bpf_object__close(object);
	return 0;
}

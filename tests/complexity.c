// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * How much work a program is for the verifier, and how much stack it takes:
 * loads each program of an object by itself and prints "PROGRAM INSTRUCTIONS
 * STACK", a line each; 0: it does not load.
 *
 * The verifier says what each function takes. What counts is the deepest chain
 * of calls, each frame rounded up to 32 bytes (check_max_stack_depth()).
 *
 *	complexity OBJECT
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#define LOG_LEVEL_STATS 4
#define ENTRIES_MAX 1024
#define FUNCTIONS_MAX 256
#define FRAME_UNIT 32

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

/* A function of a program, main first, in the order of their instructions. */
struct function {
	size_t start;
	unsigned int frame;	/* bytes of stack */
};

struct functions {
	struct function all[FUNCTIONS_MAX + 1];	/* one more: the end */
	size_t count;
	const struct bpf_insn *insns;
};

static bool is_call(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP | BPF_CALL) &&
	       insn->src_reg == BPF_PSEUDO_CALL;
}

/* Instructions before target become a function's, those after it another's. */
static void functions_add(struct functions *f, size_t start)
{
	size_t i = f->count;

	while (i && f->all[i - 1].start > start)
		i--;
	if ((i && f->all[i - 1].start == start) || f->count == FUNCTIONS_MAX)
		return;
	memmove(&f->all[i + 1], &f->all[i],
		(f->count - i) * sizeof(f->all[0]));
	f->all[i] = (struct function){ .start = start };
	f->count++;
}

/* said: "stack depth 40+24+0". */
static void functions_find(struct functions *f,
			   const struct bpf_program *program, const char *said)
{
	size_t count = bpf_program__insn_cnt(program);

	*f = (struct functions){ .insns = bpf_program__insns(program) };
	functions_add(f, 0);
	for (size_t i = 0; i < count; i++)
		if (is_call(&f->insns[i]))
			functions_add(f, i + 1 + f->insns[i].imm);
	f->all[f->count].start = count;
	for (size_t i = 0; said && i < f->count; i++) {
		f->all[i].frame = strtoul(said, (char **)&said, 10);
		said += *said == '+';
	}
}

static unsigned int stack_from(const struct functions *f, size_t function)
{
	const struct function *at = &f->all[function];
	unsigned int deepest = 0, below;
	size_t callee;

	for (size_t i = at->start; i < at[1].start; i++) {
		if (!is_call(&f->insns[i]))
			continue;
		for (callee = 0; callee < f->count; callee++)
			if (f->all[callee].start == i + 1 + f->insns[i].imm)
				break;
		below = callee < f->count ? stack_from(f, callee) : 0;
		deepest = below > deepest ? below : deepest;
	}
	below = at->frame ? at->frame : 1;
	return (below + FRAME_UNIT - 1) / FRAME_UNIT * FRAME_UNIT + deepest;
}

static unsigned int stack_of(const struct bpf_program *program)
{
	static const char depth[] = "stack depth ";
	const char *said = strstr(log_text, depth);
	struct functions f;

	functions_find(&f, program, said ? said + strlen(depth) : NULL);
	return stack_from(&f, 0);
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
	if (err || !said)
		printf("%s 0 0\n", name);
	else
		printf("%s %lu %u\n", name, strtoul(said + 10, NULL, 10),
		       stack_of(program));
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

// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The probes that need more than one call: see compat.h. */
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "compat.h"

bool compat_has_fentry(void)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		.expected_attach_type = BPF_TRACE_FENTRY,
	);
	int id, prog, link;

	id = libbpf_find_vmlinux_btf_id("bpf_fentry_test1", BPF_TRACE_FENTRY);
	if (id < 0)
		return false;
	opts.attach_btf_id = id;
	prog = bpf_prog_load(BPF_PROG_TYPE_TRACING, "fl_probe", "GPL", insns, 2,
			     &opts);
	if (prog < 0)
		return false;
	link = bpf_raw_tracepoint_open(NULL, prog);
	if (link >= 0)
		close(link);
	close(prog);
	return link >= 0;
}

/* Its names are in there as they are, each between two NULs. */
static bool btf_has(const char *of, const char *name)
{
	__cleanup(close_fd) int fd = -1;
	char path[80], word[80];
	struct stat st;
	char *bytes;
	bool has;
	size_t got = 0;

	snprintf(path, sizeof(path), "/sys/kernel/btf/%s", of);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return false;
	bytes = malloc(st.st_size + 1);
	for (ssize_t n = 1; bytes && n > 0; got += n) {
		n = read(fd, bytes + got, st.st_size - got);
		if (n <= 0)
			break;
	}
	snprintf(word + 1, sizeof(word) - 1, "%s", name);
	*word = '\0';
	has = bytes && memmem(bytes, got, word, strlen(name) + 2);
	free(bytes);
	return has;
}

bool compat_has_kfunc(const char *name, const char *module)
{
	return btf_has("vmlinux", name) || btf_has(module, name);
}

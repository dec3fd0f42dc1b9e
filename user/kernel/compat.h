/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What kernels before the newest lack, and headers of Debian 12's libbpf 1.1
 * do not name. Each with the kernel that brought it.
 */
#ifndef FAIRLEAD_COMPAT_H
#define FAIRLEAD_COMPAT_H

#include <stdbool.h>

/* 6.6: tcx; before, clsact. enum bpf_attach_type's numbers. */
#define COMPAT_TCX_INGRESS 46
#define COMPAT_TCX_EGRESS 47

/* Can a program be attached to a kernel function (x86: 5.5; arm64: 6.0)? */
bool compat_has_fentry(void);

/* Has the kernel, or that module of it, such a function for BPF programs (6.1:
 * conntrack's)? By its BTF. */
bool compat_has_kfunc(const char *name, const char *module);

#endif

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

/* 6.3: the netlink family "netdev" tells what a driver's XDP can. */
#define COMPAT_NETDEV_CMD_DEV_GET 1
#define COMPAT_NETDEV_A_DEV_IFINDEX 1
#define COMPAT_NETDEV_A_DEV_XDP_FEATURES 3
#define COMPAT_XDP_BASIC (1 << 0)
#define COMPAT_XDP_REDIRECT (1 << 1)

/* Can a program be attached to a kernel function (x86: 5.5; arm64: 6.0)? */
bool compat_has_fentry(void);

#endif

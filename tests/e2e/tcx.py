#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What is attached by TCX in this network namespace: a line of interface,
direction and number of programs each. bpftool 7.1 knows nothing of it. Before
Linux 6.6 there is nothing of that kind.
"""
import ctypes
import errno
import os
import socket
import struct

NR_BPF = {"x86_64": 321, "aarch64": 280}[os.uname().machine]
BPF_PROG_QUERY = 16
POINTS = {"ingress": 46, "egress": 47}  # BPF_TCX_INGRESS, BPF_TCX_EGRESS
ATTR = struct.Struct("=IIIIQI36x")  # union bpf_attr, query
COUNT = 5

libc = ctypes.CDLL(None, use_errno=True)


def count(ifindex, point):
    attr = ctypes.create_string_buffer(
        ATTR.pack(ifindex, point, 0, 0, 0, 0), ATTR.size)
    if libc.syscall(NR_BPF, BPF_PROG_QUERY, attr, ATTR.size) == 0:
        return ATTR.unpack(attr.raw)[COUNT]
    if ctypes.get_errno() == errno.EINVAL:
        return 0
    raise OSError(ctypes.get_errno(), "BPF_PROG_QUERY")


for index, name in socket.if_nameindex():
    for direction, point in POINTS.items():
        programs = count(index, point)
        if programs:
            print(name, direction, programs)

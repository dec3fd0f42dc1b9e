#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""tunnel.py INTERFACE LOCAL REMOTE PORT: IP packets of a tun interface, which
is made, in UDP datagrams between two hosts; until killed."""
import fcntl
import os
import select
import socket
import struct
import sys

TUNSETIFF = 0x400454ca
IFF_TUN, IFF_NO_PI = 1, 0x1000


def main(name, local, remote, port):
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, TUNSETIFF,
                struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((local, int(port)))
    sock.connect((remote, int(port)))
    while True:
        ready, _, _ = select.select([tun, sock], [], [])
        try:
            if tun in ready:
                sock.send(os.read(tun, 65536))
            if sock in ready:
                os.write(tun, sock.recv(65536))
        except OSError:     # the other one is not there, or the interface down
            pass


main(*sys.argv[1:])

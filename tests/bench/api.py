#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""
What a daemon needs for changes that an API server tells it of: a server whose
answers are made beforehand, so that none of its time is in what is measured.

    api.py serve --port N --services N --endpoints N
    api.py measure --port N --log FILE --events N

`serve`: N Services of N endpoints each; a GET of /event changes an endpoint of
one of them, in the middle, and answers with the time (CLOCK_MONOTONIC, ns) at
which the event was written to the connection that watches.
`measure`: until the daemon's log FILE has "applied generation" for each of N
such events, one after another; the milliseconds that each took, a line each.
"""
import argparse
import json
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WATCHES = {}            # path: the handler that writes to it
READY = threading.Condition()


def service(i):
    return {"metadata": {"namespace": "default", "name": f"s{i:06d}"},
            "spec": {"clusterIP": f"10.{96 + (i >> 16)}.{i >> 8 & 255}.{i & 255}",
                     "ports": [{"name": "http", "port": 80}]}}


def slice_of(i, count, port=8080):
    first = i * count
    return {"metadata": {"namespace": "default", "name": f"s{i:06d}-x",
                         "labels": {"kubernetes.io/service-name": f"s{i:06d}"}},
            "addressType": "IPv4",
            "ports": [{"name": "http", "port": port, "protocol": "TCP"}],
            "endpoints": [{
                "addresses": [f"11.{n >> 16}.{n >> 8 & 255}.{n & 255}"],
                "conditions": {"ready": True, "serving": True,
                               "terminating": False},
                "nodeName": f"node-{n % 500}",
                "targetRef": {"kind": "Pod", "namespace": "default",
                              "name": f"pod-{n}"},
            } for n in range(first, first + count)]}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 0

    def log_message(self, *args):
        pass

    def body(self, data):
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def do_GET(self):
        path, _, query = self.path.partition("?")
        if path == "/event":
            self.body(str(event()).encode())
        elif "watch=1" in query:
            self.watch(path)
        else:
            self.body(LISTS[path])

    def watch(self, path):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        with READY:
            WATCHES[path] = self
            READY.notify_all()
        time.sleep(3600)


def event():
    event.number += 1
    thing = slice_of(ARGS.services // 2, ARGS.endpoints)
    thing["kind"] = "EndpointSlice"
    thing["apiVersion"] = "discovery.k8s.io/v1"
    thing["metadata"]["resourceVersion"] = str(1000 + event.number)
    thing["endpoints"][0]["addresses"] = [f"12.0.0.{event.number % 250}"]
    data = json.dumps({"type": "MODIFIED", "object": thing}).encode() + b"\n"
    with READY:
        while SLICES not in WATCHES:
            READY.wait()
    now = time.monotonic_ns()
    WATCHES[SLICES].chunk(data)
    return now


def make_list(kind, version, items):
    return json.dumps({"kind": kind, "apiVersion": version, "metadata": {
        "resourceVersion": "1000"}, "items": list(items)}).encode()


def serve():
    LISTS["/api/v1/services"] = make_list(
        "ServiceList", "v1", map(service, range(ARGS.services)))
    LISTS[SLICES] = make_list(
        "EndpointSliceList", "discovery.k8s.io/v1",
        (slice_of(i, ARGS.endpoints) for i in range(ARGS.services)))
    LISTS["/api/v1/nodes"] = make_list("NodeList", "v1", [
        {"metadata": {"name": "node-1"}}])
    ThreadingHTTPServer.daemon_threads = True
    ThreadingHTTPServer(("127.0.0.1", ARGS.port), Handler).serve_forever()


def measure():
    with open(ARGS.log) as log:
        log.read()
        for _ in range(ARGS.events):
            url = f"http://127.0.0.1:{ARGS.port}/event"
            start = int(urllib.request.urlopen(url).read())
            text = ""
            while "applied generation" not in text:
                if time.monotonic_ns() - start > 60e9:
                    sys.exit("not in force after 60 s")
                time.sleep(0.00005)
                text += log.read()
            print("%.3f" % ((time.monotonic_ns() - start) / 1e6), flush=True)
            time.sleep(0.1)


LISTS = {}
SLICES = "/apis/discovery.k8s.io/v1/endpointslices"
event.number = 0
PARSER = argparse.ArgumentParser(description=__doc__)
PARSER.add_argument("what", choices=["serve", "measure"])
PARSER.add_argument("--port", type=int, required=True)
PARSER.add_argument("--services", type=int, default=10000)
PARSER.add_argument("--endpoints", type=int, default=10)
PARSER.add_argument("--events", type=int, default=50)
PARSER.add_argument("--log")
ARGS = PARSER.parse_args()
{"serve": serve, "measure": measure}[ARGS.what]()

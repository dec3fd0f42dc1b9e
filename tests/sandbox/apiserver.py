#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""
A stand-in for a Kubernetes API server, for tests: lists and watches of the
kinds that a service proxy reads, as kube-apiserver's documentation ("API
concepts") has them, and as a server that has gone mad could. It is no API
server: it checks nothing, and keeps everything in memory.

    apiserver.py --port N [--log FILE] [--cert F --key F [--client-ca F]]

It is told what to do by POST /control with a JSON object, on its own port or
with --control-port on one without TLS:

    {"put": {...}} {"delete": {...}}    an object; its kind says where
    {"bookmark": "services"}            now, to all who watch
    {"compact": true}                   forget all events up to now
    {"break": true}                     cut all connections that watch
    {"mode": {"services": "garbage"}}   what the next answers are; see MODES
    {"token": "..."}                    who has another one gets 401
    {"set": {"field_selectors": false, "slices_v1": false, "page": 2,
             "cluster_policies": false}}
"""
import argparse
import json
import socket
import ssl
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PATHS = {
    "/api/v1/services": ("services", "Service", "v1"),
    "/api/v1/nodes": ("nodes", "Node", "v1"),
    "/apis/discovery.k8s.io/v1/endpointslices":
        ("slices", "EndpointSlice", "discovery.k8s.io/v1"),
    "/apis/discovery.k8s.io/v1beta1/endpointslices":
        ("slices", "EndpointSlice", "discovery.k8s.io/v1beta1"),
    "/api/v1/pods": ("pods", "Pod", "v1"),
    "/api/v1/namespaces": ("namespaces", "Namespace", "v1"),
    "/apis/networking.k8s.io/v1/networkpolicies":
        ("policies", "NetworkPolicy", "networking.k8s.io/v1"),
    "/apis/policy.networking.k8s.io/v1alpha2/clusternetworkpolicies":
        ("clusterpolicies", "ClusterNetworkPolicy",
         "policy.networking.k8s.io/v1alpha2"),
}
KINDS = {"Service": "services", "Node": "nodes", "EndpointSlice": "slices",
         "Pod": "pods", "Namespace": "namespaces", "NetworkPolicy": "policies",
         "ClusterNetworkPolicy": "clusterpolicies"}

# Of a list and of a watch alike, until the mode is another one.
MODES = {
    "": "as it should be",
    "garbage": "what is no JSON",
    "half": "it ends in the middle of an object",
    "stall": "it stops in the middle of an object, the connection stays",
    "silent": "no answer at all",
    "flood": "one line without an end",
    "html": "502, and a page for people",
    "empty": "200 and {}",
    "gone": "HTTP 410",
    "gone-event": "of a watch: an ERROR event of code 410",
    "ahead": "504, ResourceVersionTooLarge, Retry-After 1",
    "break-list": "a whole list breaks off, a page does not",
    "forbidden": "403",
}


class State:
    def __init__(self):
        self.lock = threading.Condition()
        # later than before a restart, as that of a database would be
        self.version = int(time.time() * 100)
        self.objects = {kind: {} for kind in KINDS.values()}
        self.events = []            # (version, kind, type, object)
        self.floor = self.version   # events up to it are forgotten
        self.mode = {kind: "" for kind in KINDS.values()}
        self.mode["events"] = ""    # else 500
        self.token = None
        self.epoch = 0              # watches of an older one are cut
        self.settings = {"field_selectors": True, "slices_v1": True,
                         "page": 0, "cluster_policies": True}

    def put(self, thing, kind_of_event=None):
        kind = KINDS[thing["kind"]]
        meta = thing["metadata"]
        key = (meta.get("namespace", ""), meta["name"])
        self.version += 1
        meta["resourceVersion"] = str(self.version)
        had = key in self.objects[kind]
        if kind_of_event == "DELETED":
            thing = self.objects[kind].pop(key, thing)
            thing["metadata"]["resourceVersion"] = str(self.version)
        else:
            self.objects[kind][key] = thing
            kind_of_event = "MODIFIED" if had else "ADDED"
        self.events.append((self.version, kind, kind_of_event, thing))

    def control(self, order):
        with self.lock:
            if "put" in order:
                self.put(order["put"])
            if "delete" in order:
                self.put(order["delete"], "DELETED")
            if "bookmark" in order:
                self.version += 1
                self.events.append((self.version, order["bookmark"],
                                    "BOOKMARK", {"metadata": {
                                        "resourceVersion": str(self.version)
                                    }}))
            if "compact" in order:
                self.events = []
                self.floor = self.version
            if "break" in order:
                self.epoch += 1
            if "mode" in order:
                self.mode.update(order["mode"])
            if "token" in order:
                self.token = order["token"]
            self.settings.update(order.get("set", {}))
            self.lock.notify_all()


STATE = State()


def wanted(thing, query):
    """Selectors, as far as they are asked for here."""
    labels = thing["metadata"].get("labels", {})
    for selector in filter(None, query.get("labelSelector", "").split(",")):
        assert selector[0] == "!", selector
        if selector[1:] in labels:
            return False
    field = query.get("fieldSelector", "")
    if field.startswith("metadata.name="):
        return thing["metadata"]["name"] == field.split("=", 1)[1]
    if field == "spec.clusterIP!=None":
        return thing.get("spec", {}).get("clusterIP") != "None"
    if field == "status.phase!=Succeeded,status.phase!=Failed":
        return thing.get("status", {}).get("phase") not in ("Succeeded",
                                                            "Failed")
    return True


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 0

    def log_message(self, *args):
        pass

    def note(self, what):
        if ARGS.log:
            with open(ARGS.log, "a") as log:
                log.write(what + "\n")

    def body(self, data, code=200, headers=()):
        data = data if isinstance(data, bytes) else json.dumps(data).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def status(self, code, reason, message, details=None, headers=()):
        self.body({"kind": "Status", "apiVersion": "v1", "status": "Failure",
                   "message": message, "reason": reason, "code": code,
                   "details": details or {}}, code, headers)

    def begin_chunks(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        if self.path.startswith("/apis/events.k8s.io/v1/namespaces/"):
            if STATE.mode["events"]:
                self.note(f"REFUSED {self.path}")
                self.status(500, "InternalError", "no")
            else:
                self.note(f"POST {self.path} {body.decode()}")
                self.body(json.loads(body), 201)
            return
        STATE.control(json.loads(body))
        self.body({"ok": True})

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        token = self.headers.get("Authorization", "")
        peer = ""
        if isinstance(self.connection, ssl.SSLSocket):
            cert = self.connection.getpeercert() or {}
            peer = " ".join(v for part in cert.get("subject", ())
                            for k, v in part if k == "commonName")
        self.note(f"GET {self.path} token={token} peer={peer} "
                  f"host={self.headers.get('Host')}")
        if STATE.token and token != "Bearer " + STATE.token:
            self.status(401, "Unauthorized", "Unauthorized")
        elif url.path not in PATHS or (
                url.path.endswith("/v1/endpointslices") and
                not STATE.settings["slices_v1"]) or (
                url.path.endswith("/clusternetworkpolicies") and
                not STATE.settings["cluster_policies"]):
            self.body(b"404 page not found\n", 404)
        elif "fieldSelector" in query and "metadata.name" not in self.path \
                and not STATE.settings["field_selectors"]:
            self.status(400, "BadRequest", "field label not supported")
        else:
            self.answer(PATHS[url.path], query)

    def answer(self, path, query):
        mode = STATE.mode[path[0]]
        if mode == "silent":
            while STATE.mode[path[0]] == "silent":
                time.sleep(0.05)
            self.close_connection = True
        elif mode == "html":
            self.body(b"<html>bad gateway</html>", 502)
        elif mode == "empty":
            self.body({})
        elif mode == "gone":
            self.status(410, "Expired", "too old resource version")
        elif mode == "forbidden":
            self.status(403, "Forbidden", "no such right")
        elif mode == "ahead":
            self.status(504, "Timeout", "Too large resource version", {
                "causes": [{"reason": "ResourceVersionTooLarge"}],
                "retryAfterSeconds": 1}, [("Retry-After", "1")])
        elif mode == "flood":
            self.begin_chunks()
            self.chunk(b'{"type":"ADDED","object":{"x":"')
            while STATE.mode[path[0]] == "flood":
                self.chunk(b"x" * 65536)
        elif "watch" in query:
            self.watch(path, query)
        else:
            self.list(path, query)

    def list(self, path, query):
        kind, name, api = path
        mode = STATE.mode[kind]
        with STATE.lock:
            items = [thing for _, thing in sorted(STATE.objects[kind].items())
                     if wanted(thing, query)]
            version = STATE.version
        begin = int(query.get("continue", "0"))
        page = STATE.settings["page"] if "limit" in query else 0
        answer = {"kind": name + "List", "apiVersion": api, "metadata": {
            "resourceVersion": str(version)}, "items": items}
        if page and begin + page < len(items):
            answer["metadata"]["continue"] = str(begin + page)
        if page:
            answer["items"] = items[begin:begin + page]
        # as kube-apiserver: items have no kind
        data = json.dumps(answer).encode()
        if mode == "garbage":
            data = b"\x00\xffgarbage"
        if mode in ("half", "stall") or \
                (mode == "break-list" and "limit" not in query):
            self.partly(kind, mode, data)
            return
        self.body(data)

    def partly(self, kind, mode, data):
        self.begin_chunks()
        self.chunk(data[:len(data) // 2])
        while mode == "stall" and STATE.mode[kind] == mode:
            time.sleep(0.05)
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def event(self, kind_of_event, thing):
        self.chunk(json.dumps({"type": kind_of_event,
                               "object": thing}).encode() + b"\n")

    def watch(self, path, query):
        kind = path[0]
        seen = int(query.get("resourceVersion", "0"))
        end = time.monotonic() + float(query.get("timeoutSeconds", "300"))
        epoch = STATE.epoch
        self.begin_chunks()
        if seen < STATE.floor or STATE.mode[kind] == "gone-event":
            self.event("ERROR", {"kind": "Status", "code": 410,
                                 "reason": "Expired",
                                 "message": "too old resource version"})
            self.chunk(b"")
            return
        while time.monotonic() < end:
            with STATE.lock:
                events = [e for e in STATE.events
                          if e[0] > seen and e[1] == kind]
                mode = STATE.mode[kind]
                if epoch != STATE.epoch:
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                if not events and not mode:
                    STATE.lock.wait(0.2)
                    continue
            for version, _, kind_of_event, thing in events:
                seen = version
                if kind_of_event == "BOOKMARK" or wanted(thing, query):
                    self.event(kind_of_event, dict(
                        thing, kind=path[1], apiVersion=path[2]))
                elif kind_of_event != "DELETED":
                    self.event("DELETED", thing)
            if mode == "garbage":
                self.chunk(b"\x00\xffgarbage\n")
                return
            if mode in ("half", "stall"):
                self.partly_event(kind, mode)
                return
            if mode:
                time.sleep(0.05)
        self.chunk(b"")

    def partly_event(self, kind, mode):
        self.chunk(b'{"type":"ADDED","object":{"metadata":{"name":"hal')
        while mode == "stall" and STATE.mode[kind] == mode:
            time.sleep(0.05)
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    address_family = socket.AF_INET

    def handle_error(self, request, client_address):
        pass


def main():
    server = Server(("127.0.0.1", ARGS.port), Handler)
    if ARGS.cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(ARGS.cert, ARGS.key)
        if ARGS.client_ca:
            context.load_verify_locations(ARGS.client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
        server.socket = context.wrap_socket(server.socket, server_side=True,
                                            do_handshake_on_connect=False)
    if ARGS.control_port:
        control = Server(("127.0.0.1", ARGS.control_port), Handler)
        threading.Thread(target=control.serve_forever, daemon=True).start()
    server.serve_forever()


PARSER = argparse.ArgumentParser(description=__doc__)
PARSER.add_argument("--port", type=int, required=True)
PARSER.add_argument("--control-port", type=int)
PARSER.add_argument("--log")
PARSER.add_argument("--cert")
PARSER.add_argument("--key")
PARSER.add_argument("--client-ca")
ARGS = PARSER.parse_args()
main()

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The highest rate without loss, RFC 2544 (26.1), by the kernel's pktgen.

Runs in the network namespace of the sender; pktgen.sh calls it for each
balancer and case. Prints a line of JSON for each repetition, and says on
standard error what it is doing.

Sender, balancer and receiver share the CPUs of one machine. A trial is a
number of packets at a rate; it holds if no more than the tolerated part of
them is missing at the sink. The first trial of a search is sent as fast as
pktgen can. If it holds, nothing faster can be offered: that rate is the
machine's, balancer and sender together, and "limit" says "sender". Otherwise
the rate is halved in between ("limit" is "loss"). The figure is the rate that
pktgen reached in the best trial, never one that it was merely told.

CPU time per packet is what all CPUs were busy in that trial (/proc/stat), less
what pktgen spun away between packets, over the packets that arrived. It has the
sender's and the sink's work in it; the same over a wire without a balancer
tells how much.
"""
import argparse
import json
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field

PROC = "/proc/net/pktgen/"
FCS = 4             # frame sizes are told with it, pktgen's without
LEAST = {4: 64, 6: 82}  # Ethernet, IP, UDP, pktgen's own 16 bytes, FCS
SPORT = 1024
PORTS = {4: 4096, 6: 32768}
SPIN_NS = 100000    # pktgen spins for shorter delays and sleeps for longer
TICK_NS = 10**7     # /proc/stat counts hundredths of a second
SETTLE_S = 0.1


@dataclass
class Trial:
    sent: int
    received: int
    pps: float              # what pktgen reached
    cpu_ns: float = 0       # per packet that arrived
    commands: list = field(default_factory=list)

    @property
    def loss(self):
        return max(1 - self.received / self.sent, 0) if self.sent else 1


@dataclass
class Found:
    best: Trial = None      # None: every rate lost packets
    limit: str = "loss"
    trials: int = 0


def search(run, loss, resolution, tell=lambda *_: None):
    """The best of the trials that run(rate) makes; rate 0 is all it can."""
    found = Found()

    def holds(rate):
        trial = run(rate)
        found.trials += 1
        held = trial.loss <= loss
        if held and (not found.best or trial.pps > found.best.pps):
            found.best = trial
        tell(rate, trial, found)
        return held, trial

    held, trial = holds(0)
    if held:
        found.limit = "sender"
        return found
    low, high = 0, trial.pps
    rate = trial.pps * (1 - trial.loss)
    while high - low > resolution * high and rate >= resolution * trial.pps:
        if holds(int(rate))[0]:
            low = rate
        else:
            high = rate
        rate = (low + high) / 2
    return found


def ranges(family, flows, services):
    """Source addresses and ports that make the flows with the services."""
    each = flows // services
    ports = min(each, PORTS[family])
    if flows % services or each % ports:
        raise ValueError(f"{flows} flows do not spread evenly over {services}"
                         f" services")
    if family == 6 and each > ports:
        raise ValueError(f"pktgen has one IPv6 source address, so at most"
                         f" {ports} flows for each service, not {each}")
    return each // ports, ports


def ipv4(first, n):
    a, b, c, d = map(int, first.split("."))
    n += (a << 24) + (b << 16) + (c << 8) + d
    return ".".join(str(n >> shift & 255) for shift in (24, 16, 8, 0))


def addresses(family, sources, services):
    if family == 4:
        return [f"src_min {ipv4('172.16.0.1', 0)}",
                f"src_max {ipv4('172.16.0.1', sources - 1)}",
                f"dst_min {ipv4('198.18.0.1', 0)}",
                f"dst_max {ipv4('198.18.0.1', services - 1)}"]
    # Bits that only the maximum has are random.
    return ["src6 fd16::1", "dst6 2001:db8:18::1:0",
            "dst6_min 2001:db8:18::1:0",
            f"dst6_max 2001:db8:18::1:{services - 1:x}"]


def frame(family, size):
    return max(size, LEAST[family])


def device_lines(case, thread):
    sources, ports = ranges(case.family, case.flows, case.services)
    lines = ["clone_skb 0", f"pkt_size {frame(case.family, case.size) - FCS}",
             f"dst_mac {case.mac}", "flag UDPCSUM",
             f"queue_map_min {thread}", f"queue_map_max {thread}",
             "udp_dst_min 80", "udp_dst_max 80", f"udp_src_min {SPORT}",
             f"udp_src_max {SPORT + ports - (ports == 1)}"]
    if ports > 1:
        lines.append("flag UDPSRC_RND")
    return lines + addresses(case.family, sources, case.services)


def parse_result(text):
    """Packets sent, seconds that took, seconds of them spent waiting."""
    m = re.search(r"Result: OK: (\d+)\(c\d+\+d(\d+)\) usec, (\d+) ", text)
    if not m:
        raise ValueError(f"pktgen did not finish: {text.strip()[-200:]!r}")
    return int(m[3]), int(m[1]) / 1e6, int(m[2]) / 1e6


def busy_ns():
    with open("/proc/stat") as f:
        user, nice, system, _, _, irq, softirq = \
            map(int, f.readline().split()[1:8])
    return (user + nice + system + irq + softirq) * TICK_NS


class Pktgen:
    """One device for each thread, on a queue of its own."""

    def __init__(self, case):
        self.case = case
        self.devices = [f"{case.device}@{t}" for t in range(case.threads)]
        self.lines = []
        for t, device in enumerate(self.devices):
            self.write(f"kpktgend_{t}", "rem_device_all")
            self.write(f"kpktgend_{t}", f"add_device {device}")
            for line in device_lines(case, t):
                self.write(device, line)
        self.setup = self.lines

    def write(self, name, line):
        try:
            with open(PROC + name, "w") as f:
                f.write(line + "\n")
        except OSError as e:
            sys.exit(f"pktgen.py: \"{line}\" to {PROC}{name}: {e.strerror}")
        self.lines.append(f"{name}: {line}")

    def received(self):
        done = subprocess.run(["bpftool", "-j", "map", "dump", "pinned",
                               self.case.counter], check=True,
                              capture_output=True)
        entry = json.loads(done.stdout)[0]
        return sum(v["value"] for v in entry["formatted"]["values"])

    def settled(self, want):
        """The count once nothing more arrives."""
        now = self.received()
        while now < want:
            time.sleep(SETTLE_S)
            before, now = now, self.received()
            if now == before:
                break
        return now

    def trial(self, rate, count):
        self.lines = []
        each = max(count // len(self.devices), 1)
        pace = rate // len(self.devices)
        for device in self.devices:
            self.write(device, f"count {each}")
            self.write(device, f"ratep {pace}" if pace else "delay 0")
        received, busy = self.received(), busy_ns()
        self.write("pgctrl", "start")
        busy = busy_ns() - busy
        sent, seconds, waited = self.results()
        got = self.settled(received + sent) - received
        if 0 < pace and 1e9 / pace < SPIN_NS:
            busy -= waited * 1e9
        return Trial(sent, got, sent / seconds, max(busy, 0) / max(got, 1),
                     self.setup + self.lines)

    def results(self):
        sent, seconds, waited = 0, 0, 0
        for device in self.devices:
            with open(PROC + device) as f:
                n, took, idle = parse_result(f.read())
            sent, seconds, waited = sent + n, max(seconds, took), waited + idle
        return sent, seconds, waited


def number(x):
    return f"{x:,.0f}".replace(",", " ")


def teller(case, repeat):
    where = (f"{case.way}, IPv{case.family}, {frame(case.family, case.size)}"
             f" bytes, flows {case.flows}, services {case.services}, run"
             f" {repeat}/{case.repeats}: ")

    def tell(rate, trial, found):
        best = f"{number(found.best.pps)}/s" if found.best else "none"
        asked = f"asked {number(rate)}/s, " if rate else "all it can, "
        print(f"  {where}{asked}sent {number(trial.pps)}/s, lost"
              f" {trial.loss:.2%}, best {best}", file=sys.stderr, flush=True)
    return tell


def measure(case):
    """Once to find out how many packets a trial is, and so that every flow is
    known to everybody; then the searches."""
    pktgen = Pktgen(case)
    guess = pktgen.trial(0, max(4 * case.flows, case.warm))
    for repeat in range(1, case.repeats + 1):
        def run(rate):
            return pktgen.trial(rate, int((rate or guess.pps) * case.seconds))
        found = search(run, case.loss, case.resolution,
                       teller(case, repeat))
        yield result(case, found)


def result(case, found):
    best = found.best or Trial(0, 0, 0)
    return {"section": "pktgen", "way": case.way, "family": case.family,
            "size": frame(case.family, case.size), "flows": case.flows,
            "services": case.services, "threads": case.threads,
            "seconds": case.seconds, "tolerated": case.loss,
            "path": case.path, "pps": best.pps, "loss": best.loss,
            "cpu_ns": best.cpu_ns if found.best else None,
            "limit": found.limit, "trials": found.trials,
            "command": case.command, "pktgen": best.commands}


def options(argv):
    p = argparse.ArgumentParser(prog="pktgen.py")
    for name, kind in [("way", str), ("path", str), ("command", str),
                       ("device", str), ("mac", str), ("counter", str),
                       ("family", int), ("size", int), ("flows", int),
                       ("services", int), ("threads", int), ("repeats", int),
                       ("warm", int), ("seconds", float), ("loss", float),
                       ("resolution", float)]:
        p.add_argument("--" + name, type=kind, required=True)
    return p.parse_args(argv)


def main(argv):
    for line in measure(options(argv)):
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

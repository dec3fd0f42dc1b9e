#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What scripts/bench measured, as JSON, as text, and in the README.

  report.py collect LINES            lines of JSON to one object, to stdout
  report.py text FILE                tables
  report.py readme FILE README       between bench:begin and bench:end
"""
import json
import os
import platform
import re
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
TRAFFIC = {"hot": "one flow", "many": "1M flows", "new": "new"}
STAGES = {
    "addrs": "Ethernet and addresses", "filter": "VIP filter",
    "parse": "rest of the headers", "hash": "flow hash",
    "service": "service", "slot": "slot", "egress": "backend, link",
    "send": "hops, tunnel headers", "finish": "counters, verdict",
}


def cpu_model():
    with open("/proc/cpuinfo") as f:
        for line in f:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def commit():
    """None in a copy without history, or on a machine without git."""
    ask = ["git", "-C", HERE, "rev-parse", "--short=12", "HEAD"]
    try:
        done = subprocess.run(ask, capture_output=True, text=True)
    except FileNotFoundError:
        return None
    return done.stdout.strip() or None


def peers():
    with open(os.path.join(HERE, "peers.tsv")) as f:
        rows = [line.rstrip("\n").split("\t") for line in f if line[0] != "#"]
    return [{"balancer": b, "case": c, "ns": int(ns)} for b, c, ns in rows]


def spread(values):
    return {"median": statistics.median(values), "min": min(values),
            "max": max(values)}


def grouped(lines, section, fields):
    """Runs of one way and number of services, as median, min and max."""
    groups = {}
    for line in lines:
        if line["section"] == section:
            groups.setdefault((line["way"], line["services"]), []).append(line)
    return [{"way": way, "services": services,
             **{f: spread([r[f] for r in runs]) for f in fields}}
            for (way, services), runs in groups.items()]


def collect(path):
    with open(path) as f:
        lines = [json.loads(line) for line in f]
    return {
        "machine": {"cpu": cpu_model(), "cpus": os.cpu_count(),
                    "kernel": platform.release()},
        "commit": commit(),
        "datapath": [l for l in lines if l["section"] == "datapath"],
        "profile": [l for l in lines if l["section"] == "profile"],
        "packets": grouped(lines, "packets",
                           ["sent", "received", "nothing", "ns"]),
        "connections": grouped(lines, "connections",
                               ["per_s", "p50_us", "p99_us"]),
        "peers": peers(),
    }


def family(text):
    return {"4": "IPv4", "6": "IPv6", "6in4": "IPv6 in IPv4"}[text]


def number(x, digits=0):
    return f"{x:,.{digits}f}".replace(",", " ")


def ranged(s, digits=0):
    return (f"{number(s['median'], digits)} "
            f"({number(s['min'], digits)}..{number(s['max'], digits)})")


def datapath_rows(result):
    for case in result["datapath"]:
        ns, floor = case["ns"]["median"], case["floor"]["median"]
        yield [case["mode"], family(case["family"]),
               number(case["services"]) if case["services"] else "",
               TRAFFIC[case["traffic"]], ranged(case["ns"]),
               f"{ns / case['empty']['median']:.1f}",
               number(floor) if floor else "",
               f"{ns / floor:.1f}" if floor else ""]


def profile_rows(result):
    before = 0
    for stage in result["profile"]:
        ns = stage["ns"]["median"]
        if stage["stage"] == "move":
            yield ["(in tunnel headers: bpf_xdp_adjust_head)", f"{ns:.1f}", ""]
            continue
        yield [STAGES[stage["stage"]], f"{ns - before:.1f}", f"{ns:.1f}"]
        before = ns


def packets_rows(result):
    for p in result["packets"]:
        lost = 1 - p["received"]["median"] / p["sent"]["median"]
        yield [p["way"], number(p["services"]), ranged(p["received"]),
               ranged(p["ns"]), f"{max(lost, 0):.1%}"]


def connections_rows(result):
    for c in result["connections"]:
        yield [c["way"], number(c["services"]), ranged(c["per_s"]),
               number(c["p50_us"]["median"]), number(c["p99_us"]["median"])]


def peers_rows(result):
    for p in result["peers"]:
        yield [p["balancer"], p["case"], number(p["ns"])]


TABLES = [
    ("The datapath: ns per packet on one CPU, the test loop's time taken off",
     ["mode", "family", "services", "traffic", "ns (min..max)", "x empty",
      "floor", "x floor"], datapath_rows,
     "x empty: in runs of an empty program, loop and all. floor: the same"
     " packet parsed\nand rewritten with fixed values, without a map."),
    ("Where the time goes: IPIP over IPv4, one flow", ["stage", "ns", "sum"],
     profile_rows, ""),
    ("Other balancers' programs, the same method on the machine of"
     " peers.tsv, not in this run", ["balancer", "case", "ns"], peers_rows, ""),
    ("Packets per second on one CPU that sends, balances and receives: 64"
     " bytes, 4096 flows", ["way", "services", "packets/s (min..max)",
                            "ns (min..max)", "lost"], packets_rows,
     "ns: what a packet costs beyond a wire without a balancer, run in turn."),
    ("TCP connections on one CPU that asks, balances and answers, 4 at once",
     ["way", "services", "connections/s (min..max)", "p50 us", "p99 us"],
     connections_rows, ""),
]


def aligned(head, rows):
    rows = [head] + rows
    widths = [max(len(r[i]) for r in rows) for i in range(len(head))]
    numeric = [all(re.match(r"$|\d", r[i]) for r in rows[1:])
               for i in range(len(head))]
    for row in rows:
        cells = [cell.rjust(w) if right else cell.ljust(w)
                 for cell, w, right in zip(row, widths, numeric)]
        yield "  ".join(cells).rstrip()


def text(result):
    machine = result["machine"]
    print(f"{machine['cpu']}, {machine['cpus']} CPUs, Linux"
          f" {machine['kernel']}, commit {result['commit'] or 'unknown'}")
    for title, head, rows, note in TABLES:
        rows = list(rows(result))
        if not rows:
            continue
        print(f"\n{title}\n")
        print("\n".join(aligned(head, rows)))
        if note:
            print(f"\n{note}")


def ns_of(result, mode, traffic, fam="4", services=1):
    for c in result["datapath"]:
        if (c["mode"], c["traffic"], c["family"]) == (mode, traffic, fam) and \
                c["services"] in (0, services):
            return number(c["ns"]["median"])
    return ""


def peer_of(result, balancer, case):
    for p in result["peers"]:
        if (p["balancer"], p["case"]) == (balancer, case):
            return number(p["ns"])
    return ""


def markdown(head, rows):
    yield "| " + " | ".join(head) + " |"
    yield "|" + "|".join(["---"] + ["--:"] * (len(head) - 1)) + "|"
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def readme_datapath(result):
    one, many, new = ("established, one hot flow", "established, 1M flows",
                      "new connection")
    katran, snat, dsr = "Katran IPIP", "Cilium SNAT", "Cilium DSR IPIP"
    rows = [["stranger's packet", ns_of(result, "stranger", "hot"),
             ns_of(result, "stranger", "many"), ""]]
    for mode in ["ipip", "gue", "gre", "geneve", "l2", "nat", "nat reply"]:
        rows.append([mode] + [ns_of(result, mode, t)
                              for t in ["hot", "many", "new"]])
    rows += [
        [f"*{katran}*", peer_of(result, katran, one),
         peer_of(result, katran, many), peer_of(result, katran, new)],
        [f"*{dsr}*", peer_of(result, dsr, one), "", ""],
        [f"*{snat}*", peer_of(result, snat, one), "",
         peer_of(result, snat, new)],
        [f"*{snat}, reply*", peer_of(result, snat, "reply, one hot flow"), "",
         ""],
    ]
    return markdown(["ns per packet", "one flow", "1M flows", "new"], rows)


def readme_rivals(result):
    """Of TCP the median time alone: what a busy machine disturbs least."""
    connections = {(c["way"], c["services"]): c for c in result["connections"]}
    rows = []
    for p in result["packets"]:
        c = connections.get((p["way"], p["services"]))
        rows.append([p["way"], number(p["services"]),
                     number(p["received"]["median"]),
                     number(p["ns"]["median"]),
                     number(c["p50_us"]["median"]) if c else ""])
    return markdown(["by", "services", "packets/s", "ns each",
                     "TCP request, µs"], rows)


def replace_section(path, name, lines):
    """What stands between two markers of a file."""
    with open(path) as f:
        old = f.read()
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    if begin not in old or end not in old:
        sys.exit(f"report.py: \"{path}\" has no {begin} and {end}")
    new = (old[:old.index(begin) + len(begin)] + "\n".join(lines) +
           old[old.index(end):])
    with open(path, "w") as f:
        f.write(new)


def readme(result, path):
    machine = result["machine"]
    lines = ["", f"Medians on one CPU of: {machine['cpu']}, Linux"
             f" {machine['kernel']}. IPv4, 64 bytes, 100 backends; other"
             " balancers (in italics) on the same machine earlier.", "",
             *readme_datapath(result), "",
             "Through network namespaces, sender and receiver on the same"
             " CPU; by the kernel alone, by nftables and iptables as"
             " kube-proxy sets them up, and by Fairlead:", "",
             *readme_rivals(result), "",
             "`scripts/bench` says all, with spreads.", ""]
    replace_section(path, "bench", lines)


def main(argv):
    if len(argv) == 3 and argv[1] == "collect":
        json.dump(collect(argv[2]), sys.stdout, indent=1)
        print()
        return
    if argv[1:2] not in (["text"], ["readme"]) or \
            len(argv) != (3 if argv[1] == "text" else 4):
        sys.exit(__doc__)
    with open(argv[2]) as f:
        result = json.load(f)
    if argv[1] == "text":
        text(result)
    else:
        readme(result, argv[3])


if __name__ == "__main__":
    main(sys.argv)

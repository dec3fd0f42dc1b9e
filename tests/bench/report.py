#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What scripts/bench measured, as JSON, text, a picture, and in the READMEs.

  report.py collect LINES            lines of JSON to one object, to stdout
  report.py text FILE                tables
  report.py readme FILE README LONG  between bench:begin and bench:end: README
                                     gets a small table, LONG all of them, and
                                     the picture is tests/bench/speed.png
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
TRIPS = ["packets-there", "packets-back"]
PICTURE = "speed.png"
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


def machine():
    return {"cpu": cpu_model(), "cpus": os.cpu_count(),
            "kernel": platform.release()}


def collect(path):
    with open(path) as f:
        lines = [json.loads(line) for line in f]
    return {
        "machine": machine(),
        "commit": commit(),
        "datapath": [l for l in lines if l["section"] == "datapath"],
        "pairs": [l for l in lines if l["section"] == "pairs"],
        "profile": [l for l in lines if l["section"] == "profile"],
        **{trip: grouped(lines, trip, ["sent", "received", "nothing", "ns"])
           for trip in TRIPS},
        "connections": grouped(lines, "connections",
                               ["per_s", "p50_us", "p99_us"]),
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


def pairs_rows(result):
    for case in result["pairs"]:
        yield [case["mode"], family(case["family"]), number(case["services"]),
               TRAFFIC[case["traffic"]], ranged(case["settled"]),
               ranged(case["tracked"]), ranged(case["ratio"], 1)]


def profile_rows(result):
    before = 0
    for stage in result["profile"]:
        ns = stage["ns"]["median"]
        if stage["stage"] == "move":
            yield ["(in tunnel headers: bpf_xdp_adjust_head)", f"{ns:.1f}", ""]
            continue
        yield [STAGES[stage["stage"]], f"{ns - before:.1f}", f"{ns:.1f}"]
        before = ns


def packets_rows(trip):
    def rows(result):
        for p in result[trip]:
            lost = 1 - p["received"]["median"] / p["sent"]["median"]
            yield [p["way"], number(p["services"]), ranged(p["received"]),
                   ranged(p["ns"]), f"{max(lost, 0):.1%}"]
    return rows


def connections_rows(result):
    for c in result["connections"]:
        yield [c["way"], number(c["services"]), ranged(c["per_s"]),
               number(c["p50_us"]["median"]), number(c["p99_us"]["median"])]


TABLES = [
    ("The datapath: ns per packet on one CPU, the test loop's time taken off",
     ["mode", "family", "services", "traffic", "ns (min..max)", "x empty",
      "floor", "x floor"], datapath_rows,
     "x empty: in runs of an empty program, loop and all. floor: the same"
     " packet parsed\nand rewritten with fixed values, without a map."),
    ("What it costs to record each choice: ns per packet, rounds in turn",
     ["mode", "family", "services", "traffic", "settled (min..max)",
      "tracked (min..max)", "x (min..max)"], pairs_rows,
     "settled: the choice follows from the packet. tracked: it is looked up,"
     " as of services that\nchoose by chance, and for a while after a change of"
     " backends. x: of both in one round."),
    ("Where the time goes: IPIP over IPv4, one flow", ["stage", "ns", "sum"],
     profile_rows, ""),
    ("Packets per second on one CPU that sends, balances and receives: 64"
     " bytes, 4096 flows", ["way", "services", "packets/s (min..max)",
                            "ns (min..max)", "lost"],
     packets_rows("packets-there"),
     "ns: what a packet costs beyond a wire without a balancer, run in turn;"
     " the receiver\nis the same program in tc for all."),
    ("The same in both directions: the receiver answers, answers are counted",
     ["way", "services", "answers/s (min..max)", "ns (min..max)", "lost"],
     packets_rows("packets-back"), "ns: of a packet and its answer."),
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


def markdown(head, rows):
    yield "| " + " | ".join(head) + " |"
    yield "|" + "|".join(["---"] + ["--:"] * (len(head) - 1)) + "|"
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def cells(result, section, field, digits=0):
    return {(r["way"], r["services"]): ranged(r[field], digits)
            for r in result[section]}


def readme_rows(result):
    """Of TCP the median time alone: what a busy machine disturbs least."""
    there = cells(result, "packets-there", "ns")
    back = cells(result, "packets-back", "ns")
    requests = cells(result, "connections", "p50_us")
    for key in there:
        yield [key[0], number(key[1]), there[key], back.get(key, ""),
               requests.get(key, "")]


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


def machine_text(m):
    return f"{m['cpu']}, {m['cpus']} CPUs, Linux {m['kernel']}"


def picture(result):
    """What a packet costs by each way, as bars with their spread."""
    services = sorted({p["services"] for p in result["packets-there"]})
    ways = list(dict.fromkeys(p["way"] for p in result["packets-there"]))
    ns = {(p["way"], p["services"]): p["ns"] for p in result["packets-there"]}
    data = ["$data << END"]
    for way in ways:
        row = [f'"{way}"']
        for n in services:
            s = ns.get((way, n), {"median": 0, "min": 0, "max": 0})
            row += [str(s[k]) for k in ("median", "min", "max")]
        data.append(" ".join(row))
    bars = [f"$data using {2 + 3 * i}:{3 + 3 * i}:{4 + 3 * i}:xtic(1)"
            f" title '{number(n)} service{'s'[:n > 1]}'"
            f" linecolor rgb '#{['1f77b4', 'ff7f0e'][i % 2]}'"
            for i, n in enumerate(services)]
    script = data + [
        "END", "set terminal pngcairo size 900,420 font ',11'",
        f"set output '{os.path.join(HERE, PICTURE)}'", "set encoding utf8",
        f"set title '{machine_text(result['machine'])}' noenhanced",
        "set style data histograms",
        "set style histogram errorbars gap 1 linewidth 1",
        "set style fill solid 0.8", "set yrange [0:*]", "set grid ytics",
        "set ylabel 'ns of CPU time a packet, beyond the wire'",
        "plot " + ", ".join(bars), ""]
    subprocess.run(["gnuplot", "-"], input="\n".join(script), text=True,
                   check=True)


def long_lines(result):
    yield ""
    yield f"{machine_text(result['machine'])}; medians, with spread."
    for title, head, rows, note in TABLES:
        rows = list(rows(result))
        if not rows:
            continue
        yield from ["", f"## {title}", "", *markdown(head, rows)]
        if note:
            yield from ["", note.replace("\n", " ")]
    yield ""


def readme(result, path, long_path):
    head = ["by", "services", "ns a packet", "ns there and back",
            "TCP request, µs"]
    lines = ["", f"{machine_text(result['machine'])}. UDP of 64 bytes in 4 096"
             " flows through network namespaces; sender, balancer and receiver"
             " share one CPU. ns: CPU time beyond the same wire without a"
             " balancer, median (min..max) of runs in turn. TCP: connect, ask,"
             " answer and close, median.", "",
             *markdown(head, readme_rows(result)), ""]
    replace_section(path, "bench", lines)
    replace_section(long_path, "bench", long_lines(result))
    picture(result)


def main(argv):
    if len(argv) == 3 and argv[1] == "collect":
        json.dump(collect(argv[2]), sys.stdout, indent=1)
        print()
        return
    words = {"text": 3, "readme": 5}
    if len(argv) < 2 or len(argv) != words.get(argv[1]):
        sys.exit(__doc__)
    with open(argv[2]) as f:
        result = json.load(f)
    if argv[1] == "text":
        text(result)
    else:
        readme(result, argv[3], argv[4])


if __name__ == "__main__":
    main(sys.argv)

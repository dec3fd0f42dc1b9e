#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What scripts/bench pktgen measured, as JSON, text, pictures, in the README.

  pktgen_report.py collect LINES          lines of JSON to one object
  pktgen_report.py text FILE              a table, and how to repeat each row
  pktgen_report.py picture FILE PICTURE   by gnuplot: .png or .svg
  pktgen_report.py readme FILE README     between pktgen:begin and pktgen:end,
                                          with tests/bench/pktgen.png
"""
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile

from report import (HERE, aligned, commit, cpu_model, markdown, number,
                    ranged, replace_section, spread)

CASE = ["family", "size", "flows", "services"]
SAME = ["way", "path", *CASE, "threads", "seconds", "tolerated", "command"]
PICTURE = "pktgen.png"
COLOURS = {"wire": "999999", "forwarding": "000000", "nft": "8c564b", "flowtable": "7f7f7f",
           "iptables": "bcbd22", "ipvs-masq": "d62728", "ipvs-ipip": "ff7f0e",
           "fairlead-nat": "1f77b4", "fairlead-l2": "17becf",
           "fairlead-ipip": "2ca02c", "fairlead-gue": "9467bd",
           "fairlead-gre": "e377c2", "fairlead-geneve": "003f7f"}
PANELS = [("pps", 1e3, "thousand packets/s"),
          ("cpu_ns", 1e3, "µs of CPU time a packet")]


def virtual():
    """What a virtual machine runs in, or None."""
    if "TCG" in cpu_model():
        return "qemu"
    if not shutil.which("systemd-detect-virt"):
        return None
    done = subprocess.run(["systemd-detect-virt", "--vm"], text=True,
                          capture_output=True)
    return done.stdout.strip() if done.returncode == 0 else None


def spread_of(runs, name):
    values = [r[name] for r in runs if r[name] is not None]
    return spread(values) if values else None


def merge(runs):
    """One figure of the repetitions of a case."""
    first = runs[0]
    best = max(runs, key=lambda r: r["pps"])
    return {**{name: first[name] for name in SAME},
            "runs": len(runs), "pps": spread_of(runs, "pps"),
            "cpu_ns": spread_of(runs, "cpu_ns"),
            "loss": max(r["loss"] for r in runs),
            "limit": "loss" if any(r["limit"] == "loss" for r in runs)
            else "sender",
            "trials": sum(r["trials"] for r in runs),
            "pktgen": best["pktgen"]}


def case_of(figure):
    return tuple(figure[name] for name in CASE)


def beyond_wire(figures):
    """What a packet costs more than over a wire without a balancer."""
    wires = {case_of(f): f["cpu_ns"]["median"] for f in figures
             if f["way"] == "wire" and f["cpu_ns"]}
    for f in figures:
        wire = wires.get(case_of(f))
        known = f["way"] != "wire" and wire is not None and f["cpu_ns"]
        f["own_ns"] = f["cpu_ns"]["median"] - wire if known else None


def collect(lines):
    groups = {}
    for line in lines:
        groups.setdefault((line["way"], case_of(line)), []).append(line)
    figures = [merge(runs) for runs in groups.values()]
    beyond_wire(figures)
    return {"machine": {"cpu": cpu_model(), "cpus": os.cpu_count(),
                        "kernel": platform.release(), "virtual": virtual(),
                        "host_cpu": os.environ.get("VM_HOST_CPU")},
            "commit": commit(), "figures": figures}


def machine_text(m):
    text = f"{m['cpu']}, {m['cpus']} CPUs, Linux {m['kernel']}"
    inside = {"qemu": "QEMU without acceleration (TCG)"}.get(m["virtual"],
                                                            m["virtual"])
    if inside:
        text += f", a virtual machine under {inside}"
        if m["host_cpu"]:
            text += f" on {m['host_cpu']}"
    return text


def rows(result):
    for f in result["figures"]:
        yield [f["way"], f["path"], f"IPv{f['family']}", number(f["size"]),
               number(f["flows"]), number(f["services"]), ranged(f["pps"]),
               f["limit"], ranged(f["cpu_ns"]) if f["cpu_ns"] else "",
               number(f["own_ns"]) if f["own_ns"] is not None else ""]


def text(result):
    print(f"{machine_text(result['machine'])}, commit {result['commit'] or 'unknown'}\n")
    print("The highest rate without loss, and CPU time per packet: median"
          " (min..max)\n")
    head = ["way", "path", "family", "bytes", "flows", "services",
            "packets/s", "limit", "CPU ns", "beyond wire"]
    print("\n".join(aligned(head, list(rows(result)))))
    print("\nlimit: what kept the rate from being higher; sender: nothing was"
          " lost at all that\npktgen can send while it shares the CPUs. CPU ns"
          " has the sender's and the sink's\nwork in it, beyond wire has not."
          "\n\nEach again:\n")
    for f in result["figures"]:
        print(f["command"])


def sweep(figures, name):
    """The figures in which only name differs: where it has most values."""
    groups = {}
    for f in figures:
        rest = tuple(f[n] for n in CASE if n != name)
        groups.setdefault(rest, []).append(f)
    return max(groups.values(), key=lambda g: len({f[name] for f in g}))


def ways_of(figures):
    return list(dict.fromkeys(f["way"] for f in figures))


def line_of(way):
    """A mode has the same colour by generic XDP, and dashes."""
    mode = way.removesuffix("-generic")
    order = list(COLOURS).index(mode)
    return (f"linecolor rgb '#{COLOURS[mode]}' linewidth 1.5"
            f" dashtype {1 if way == mode else 2} pointtype {order % 12 + 1}")


def panel(figures, name, measure, out):
    """gnuplot's words for one of the pictures; its data goes to files."""
    key, unit, label = measure
    points = sweep(figures, name)
    rest = {n: points[0][n] for n in CASE if n != name}
    other = "services" if name == "flows" else "flows"
    plots = []
    for n, way in enumerate(ways_of(figures), 1):
        data = [f for f in points if f["way"] == way and f[key]]
        path = os.path.join(out, f"{key}-{name}-{n}")
        with open(path, "w") as f:
            for p in sorted(data, key=lambda p: p[name]):
                s = p[key]
                f.write(f"{p[name]} {s['median'] / unit} {s['min'] / unit}"
                        f" {s['max'] / unit}\n")
        if data:
            plots.append(f"'{path}' with yerrorlines title '{way}'"
                         f" {line_of(way)}")
    values = ", ".join(str(v) for v in sorted({p[name] for p in points}))
    return [f"set title 'IPv{rest['family']}, {rest['size']} bytes,"
            f" {other}: {rest[other]}'", f"set xtics ({values})",
            f"set xlabel '{name}'", f"set ylabel '{label}'",
            "plot " + ", ".join(plots)]


def script(result, path, out):
    figures = result["figures"]
    kind = "svg" if path.endswith(".svg") else "pngcairo"
    title = machine_text(result["machine"])
    lines = [f"set terminal {kind} size 1100,900 font ',10'",
             f"set output '{path}'", "set encoding utf8",
             f"set multiplot layout 2,2 title '{title}' noenhanced"
             " margins 0.07,0.79,0.07,0.9 spacing 0.09,0.13",
             "set logscale x 2", "set offsets graph 0.05, graph 0.05, 0, 0",
             "set yrange [0:*]", "set grid ytics", "set key noenhanced",
             "unset key"]
    for row, measure in enumerate(PANELS):
        for column, name in enumerate(["flows", "services"]):
            if (row, column) == (0, 1):
                lines.append("set key at screen 0.99,0.9 right top noenhanced")
            lines += panel(figures, name, measure, out) + ["unset key"]
    return "\n".join(lines + ["unset multiplot", ""])


def picture(result, path):
    with tempfile.TemporaryDirectory() as out:
        subprocess.run(["gnuplot", "-"], input=script(result, path, out),
                       text=True, check=True)


def case_name(case):
    family, size, flows, services = case
    return (f"IPv{family}, {size} bytes, {number(flows)} flow{'s'[:flows > 1]},"
            f" {number(services)} service{'s'[:services > 1]}")


def pivot(result, key):
    """A row for each way, a column for each case."""
    figures = result["figures"]
    cases = list(dict.fromkeys(case_of(f) for f in figures))
    cell = {(f["way"], case_of(f)): ranged(f[key]) for f in figures if f[key]}
    table = [[way] + [cell.get((way, case), "") for case in cases]
             for way in ways_of(figures)]
    return markdown(["by", *map(case_name, cases)], table)


def readme(result, path):
    example = next((f for f in result["figures"] if f["way"] != "wire"),
                   result["figures"][0])
    lines = ["", "The highest rate without loss that the kernel's pktgen"
             " finds, median (min..max) of"
             f" {example['runs']}, in packets per second, on:"
             f" {machine_text(result['machine'])}. Sender, balancer and"
             " receiver share its CPUs; `wire` has no balancer. The figures"
             " compare with one another; what a machine of another kind does,"
             " they do not tell.", "", *pivot(result, "pps"), "",
             "CPU time per packet, ns, the sender's and the receiver's work"
             " in it:", "", *pivot(result, "cpu_ns"), "",
             f"![packets per second and CPU time]({PICTURE})", "",
             f"`{example['command']}` repeats the figures of"
             f" {example['way']} in one case; `scripts/bench pktgen` prints"
             " such a line for each.", ""]
    replace_section(path, "pktgen", lines)
    picture(result, os.path.join(HERE, os.path.basename(PICTURE)))


def main(argv):
    arguments = {"collect": 1, "text": 1, "picture": 2, "readme": 2}
    if len(argv) < 2 or len(argv) - 2 != arguments.get(argv[1]):
        sys.exit(__doc__)
    with open(argv[2]) as f:
        if argv[1] == "collect":
            result = collect([json.loads(line) for line in f])
            json.dump(result, sys.stdout, indent=1)
            print()
            return
        result = json.load(f)
    {"text": text, "picture": picture,
     "readme": readme}[argv[1]](result, *argv[3:])


if __name__ == "__main__":
    main(sys.argv)

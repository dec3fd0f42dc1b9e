#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What scripts/bench node measured.

  node_report.py collect LINES       lines of JSON to one object, to stdout
  node_report.py text FILE           tables
  node_report.py readme FILE README  between node:begin and node:end
"""
import json
import statistics
import sys

import report

WAYS = {"none": "no proxy", "sockets": "fairlead, sockets",
        "packets": "fairlead, packets", "beside": "fairlead, no service",
        "nft": "nft", "iptables": "iptables"}
CASES = {"pod": "pod to cluster IP, endpoint here",
         "local": "outside to node port, endpoint here",
         "remote": "outside to node port, endpoint elsewhere"}
WHATS = {"connections": "new connection of TCP", "trips": "TCP, there and back",
         "packets": "UDP, there and back, known flow",
         "flows": "UDP, there and back, new flow"}
NOTE = """\
No proxy: ns of CPU time, of sender, receiver and all between them, on one thread.
The others: what they cost beyond that in the same round, median (first..third
quartile). Fairlead, no service: there, too, the endpoint itself is asked.
Of as many services, half have their endpoints here, half are TCP; 4 are one of
each kind. A new connection is opened, asked a byte, answered a byte, and closed."""


def quartiles(values):
    low, middle, high = statistics.quantiles(values, n=4)
    return {"median": middle, "low": low, "high": high}


def compared(lines, keys):
    """Of each case, by keys: every way's time, and what it takes beyond "none"
    in the same round."""
    rounds = {}         # case: {way: {round: ns}}
    for line in lines:
        ways = rounds.setdefault(tuple(line[key] for key in keys), {})
        ways.setdefault(line["way"], {})[line["round"]] = line["ns"]
    for case, ways in rounds.items():
        none = ways["none"]
        yield case, {
            way: {"ns": quartiles(list(ns.values())),
                  "beyond": quartiles([ns[r] - none[r] for r in ns]),
                  "ratio": statistics.median(ns[r] / none[r] for r in ns)}
            for way, ns in ways.items()}


def collect(path):
    with open(path) as f:
        lines = [json.loads(line) for line in f]
    keys = ["services", "case", "what"]
    return {"machine": report.machine(), "commit": report.commit(),
            "node": [{**dict(zip(keys, case)), "ways": ways}
                     for case, ways in compared(lines, keys)]}


def ranged(s):
    low, high = (report.number(s[k]) for k in ("low", "high"))
    return f"{report.number(s['median'])} ({low}..{high})"


def rows(cases, ways):
    for c in cases:
        yield [WHATS[c["what"]], report.number(c["services"]),
               ranged(c["ways"]["none"]["ns"]),
               *(ranged(c["ways"][way]["beyond"]) if way in c["ways"] else ""
                 for way in ways)]


def tables(result):
    for case, title in CASES.items():
        cases = [c for c in result["node"] if c["case"] == case]
        ways = [w for w in WAYS if w != "none" and
                any(w in c["ways"] for c in cases)]
        yield (title, ["what", "services", WAYS["none"],
                       *(WAYS[way] for way in ways)], list(rows(cases, ways)))


def text(result):
    print(report.machine_text(result["machine"]))
    for title, head, lines in tables(result):
        print(f"\n{title}\n")
        print("\n".join(report.aligned(head, lines)))
    print(f"\n{NOTE}")


def readme(result, path):
    out = ["", report.machine_text(result["machine"]) + ".", "",
           *NOTE.splitlines()]
    for title, head, lines in tables(result):
        out += ["", f"## {title[0].upper()}{title[1:]}", "",
                *report.markdown(head, lines)]
    report.replace_section(path, "node", out + [""])


def main(argv, usage, collect, text, readme):
    words = {"collect": 3, "text": 3, "readme": 4}
    if len(argv) < 2 or len(argv) != words.get(argv[1]):
        sys.exit(usage)
    if argv[1] == "collect":
        json.dump(collect(argv[2]), sys.stdout, indent=1)
        print()
        return
    with open(argv[2]) as f:
        result = json.load(f)
    if argv[1] == "text":
        text(result)
    else:
        readme(result, argv[3])


if __name__ == "__main__":
    main(sys.argv, __doc__, collect, text, readme)

#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What scripts/bench policy measured.

  policy_report.py collect LINES       lines of JSON to one object, to stdout
  policy_report.py text FILE           tables
  policy_report.py readme FILE README  between policy:begin and policy:end
"""
import json
import sys

import node_report
import report

TRAFFIC = {"new": "new connection", "many": "known, of 32 768",
           "hot": "known, one"}
CHANGES = {"compile": "policies compiled", "all": "all of them, into tables",
           "pod": "a pod more", "policy": "another port in one policy"}
PROGRAMS_NOTE = """\
Each packet meets two programs, one at the interface of the pod that sends it and
one at that of the pod that it is for; both: what the two take together. No policing:
programs of a node where nobody is held to policies. Rounds in turn."""
END_NOTE = """\
No policing: ns of CPU time, of sender, receiver and all between them, on one thread.
The others: what they cost beyond that in the same round, median (first..third
quartile). nft: the same rules, with sets. A new connection is opened, asked a byte,
answered a byte, and closed."""
RATES_NOTE = "As many as one CPU does of them that does all of it, by the medians."


def collect(path):
    with open(path) as f:
        lines = [json.loads(line) for line in f]
    ends = [line for line in lines if line["section"] == "end"]
    return {"machine": report.machine(), "commit": report.commit(),
            **{section: [line for line in lines if line["section"] == section]
               for section in ("programs", "changes", "memory")},
            "end": [{"what": what, "ways": ways} for (what,), ways in
                    node_report.compared(ends, ["what"])]}


def policies(text):
    return "no policing" if text == "none" else report.number(int(text))


def programs_rows(result):
    for case in result["programs"]:
        yield [TRAFFIC[case["traffic"]], policies(case["policies"]),
               report.family(str(case["family"])),
               *(report.ranged(case[k]) for k in ("in", "out", "both"))]


def end_sizes(result):
    ways = result["end"][0]["ways"] if result["end"] else {}
    return [way.split("-")[1] for way in ways if way.startswith("fairlead-")]


def end_rows(result):
    for case in result["end"]:
        ways = case["ways"]
        for size in end_sizes(result):
            yield [node_report.WHATS[case["what"]], policies(size),
                   node_report.ranged(ways["none"]["ns"]),
                   *(node_report.ranged(ways[f"{way}-{size}"]["beyond"])
                     for way in ("fairlead", "nft"))]


def rates_rows(result):
    def rate(way):
        return report.number(1e9 / way["ns"]["median"])

    for case in result["end"]:
        ways = case["ways"]
        for size in end_sizes(result):
            yield [node_report.WHATS[case["what"]], policies(size),
                   rate(ways["none"]), rate(ways[f"fairlead-{size}"]),
                   rate(ways[f"nft-{size}"])]


def changes_rows(result):
    for c in result["changes"]:
        yield [CHANGES[c["what"]], policies(c["policies"]),
               report.number(c["pods"]), report.ranged(c["cpu_ms"], 2),
               report.ranged(c["ms"], 2)]


def memory_rows(result):
    for m in result["memory"]:
        yield [policies(m["policies"]), report.number(m["pods"]),
               report.number(m["bytes"] / 1e6, 1)]


TABLES = [
    ("The programs: ns per packet on one CPU, the test loop's time taken off",
     ["traffic", "policies", "family", "from the pod", "to the pod", "both"],
     programs_rows, PROGRAMS_NOTE),
    ("Pod to pod, on one node", ["what", "policies", "no policing", "fairlead",
                                 "nft"], end_rows, END_NOTE),
    ("The same, a second", ["what", "policies", "no policing", "fairlead",
                            "nft"], rates_rows, RATES_NOTE),
    ("Changes", ["what", "policies", "pods", "ms of CPU time (min..max)",
                 "ms (min..max)"], changes_rows, ""),
    ("Tables of policy", ["policies", "pods", "MB"], memory_rows, ""),
]


def text(result):
    print(report.machine_text(result["machine"]))
    for title, head, rows, note in TABLES:
        print(f"\n{title}\n")
        print("\n".join(report.aligned(head, list(rows(result)))))
        if note:
            print(f"\n{note}")


def readme(result, path):
    out = ["", report.machine_text(result["machine"]) + "."]
    for title, head, rows, note in TABLES:
        out += ["", f"## {title}", "",
                *report.markdown(head, list(rows(result)))]
        if note:
            out += ["", *note.splitlines()]
    report.replace_section(path, "policy", out + [""])


if __name__ == "__main__":
    node_report.main(sys.argv, __doc__, collect, text, readme)

#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""
What became of tests whose names are the lines of standard input, by the JUnit
files of a directory: a line for each, and how many passed and failed in the
last one. One that is in no file has failed, as has one that upstream skipped:
it was listed because it can run here.

    verdict.py DIRECTORY LOG
"""
import glob
import sys
import xml.etree.ElementTree as ElementTree


def results(directory):
    found = {}
    for path in glob.glob(directory + "/junit*.xml"):
        for case in ElementTree.parse(path).iter("testcase"):
            name = case.get("name", "").strip()
            if case.find("skipped") is not None:
                continue
            failure = case.find("failure")
            found[name] = (float(case.get("time", "0")),
                           None if failure is None else failure.text or "?")
    return found


def main():
    directory, log = sys.argv[1:]
    found = results(directory)
    passed = failed = 0
    for name in sys.stdin.read().splitlines():
        seconds, why = found.get(name.strip(), (0, "no result, see " + log))
        passed += why is None
        failed += why is not None
        print(f"{'ok' if why is None else 'not ok'} - {name} ({seconds:.0f} s)")
        for line in (why or "").splitlines()[:12]:
            print("#  " + line)
    print(f"{passed} passed, {failed} failed")
    return failed > 0 or not passed


sys.exit(main())

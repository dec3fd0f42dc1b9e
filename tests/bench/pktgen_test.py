#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What scripts/bench pktgen computes, without pktgen; tests/e2e/pktgen.sh runs
each of these as a case."""
import json
import os
import shutil
import tempfile
import unittest
from argparse import Namespace
from unittest import mock

import pktgen
import pktgen_report
import report

RECORDED = os.path.join(os.path.dirname(__file__), "pktgen_lines.json")
RESULT = """Params: count 1000  min_pkt_size: 60  max_pkt_size: 60
Current:
     pkts-sofar: 1000  errors: 0
Result: OK: 263(c200+d63) usec, 1000 (60byte,0frags)
  3802281pps 1825Mb/sec (1825094880bps) errors: 0
"""


class Network:
    """Loses what is beyond its capacity; the sender has a limit as well."""

    def __init__(self, capacity, sender, noise=0):
        self.capacity, self.sender, self.noise = capacity, sender, noise
        self.asked = []

    def run(self, rate):
        self.asked.append(rate)
        pps = min(rate or self.sender, self.sender)
        through = min(pps, self.capacity) * (1 - self.noise)
        return pktgen.Trial(round(pps), round(through), pps)


class Search(unittest.TestCase):
    def test_finds_the_capacity_to_the_resolution(self):
        net = Network(capacity=123456, sender=10**6)
        found = pktgen.search(net.run, 0, 0.01)
        self.assertEqual(found.limit, "loss")
        self.assertLessEqual(found.best.pps, 123456)
        self.assertGreater(found.best.pps, 123456 * 0.98)
        self.assertEqual(found.best.loss, 0)
        self.assertEqual(found.trials, len(net.asked))

    def test_asks_once_if_all_that_can_be_sent_arrives(self):
        net = Network(capacity=10**6, sender=1000)
        found = pktgen.search(net.run, 0, 0.01)
        self.assertEqual((found.limit, found.best.pps), ("sender", 1000))
        self.assertEqual(net.asked, [0])

    def test_says_none_if_every_rate_loses(self):
        found = pktgen.search(Network(10**6, 10**5, noise=0.01).run, 0, 0.01)
        self.assertIsNone(found.best)

    def test_overlooks_a_tolerated_loss_and_no_more(self):
        net = Network(10**6, 10**5, noise=0.01)
        self.assertIsNotNone(pktgen.search(net.run, 0.011, 0.01).best)
        self.assertIsNone(pktgen.search(net.run, 0.009, 0.01).best)

    def test_counts_the_rate_that_was_reached(self):
        def half(rate):
            lost = rate == 0
            return pktgen.Trial(1000, 900 if lost else 1000,
                                rate / 2 if rate else 2000)
        found = pktgen.search(half, 0, 0.01)
        self.assertLessEqual(found.best.pps, 1000)

    def test_nothing_sent_is_no_success(self):
        self.assertEqual(pktgen.Trial(0, 0, 0).loss, 1)


class Packets(unittest.TestCase):
    def test_ranges_make_as_many_flows_as_were_asked_for(self):
        for family, flows, services in [(4, 1, 1), (4, 65536, 1),
                                        (4, 65536, 1024), (6, 32768, 1),
                                        (6, 1024, 1024)]:
            sources, ports = pktgen.ranges(family, flows, services)
            self.assertEqual(sources * ports * services, flows)

    def test_flows_that_cannot_be_made_are_refused(self):
        for family, flows, services in [(4, 1, 2), (6, 65536, 1)]:
            with self.assertRaises(ValueError):
                pktgen.ranges(family, flows, services)

    def test_addresses_cover_all_services(self):
        lines = pktgen.addresses(4, 16, 1024)
        self.assertIn("src_max 172.16.0.16", lines)
        self.assertIn("dst_min 198.18.0.1", lines)
        self.assertIn("dst_max 198.18.4.0", lines)
        self.assertIn("dst6_max 2001:db8:18::1:3ff",
                      pktgen.addresses(6, 1, 1024))

    def test_a_frame_has_room_for_what_pktgen_writes(self):
        case = Namespace(family=6, size=64, flows=1024, services=1, mac="m")
        self.assertIn("pkt_size 78", pktgen.device_lines(case, 0))
        case.family = 4
        lines = pktgen.device_lines(case, 1)
        self.assertIn("pkt_size 60", lines)
        self.assertIn("queue_map_min 1", lines)
        self.assertIn("flag UDPSRC_RND", lines)

    def test_results_of_pktgen_are_understood(self):
        self.assertEqual(pktgen.parse_result(RESULT), (1000, 263e-6, 63e-6))
        with self.assertRaises(ValueError):
            pktgen.parse_result("Result: Idle")


class Report(unittest.TestCase):
    def setUp(self):
        with open(RECORDED) as f:
            self.lines = [json.loads(line) for line in f]
        self.result = pktgen_report.collect(self.lines)

    def figure(self, way, flows=1024):
        for f in self.result["figures"]:
            if (f["way"], f["flows"]) == (way, flows):
                return f
        self.fail(f"no figure of {way}")

    def test_has_median_and_spread_of_the_repetitions(self):
        self.assertEqual(self.figure("ipvs-masq")["pps"],
                         {"median": 80000, "min": 70000, "max": 90000})
        self.assertEqual(self.figure("ipvs-masq")["runs"], 3)

    def test_says_how_to_repeat_a_figure(self):
        f = self.figure("fairlead-nat")
        self.assertIn("--ways wire,fairlead-nat", f["command"])
        self.assertIn("eth0@0: ratep 50000", f["pktgen"])

    def test_takes_off_what_the_wire_costs_in_the_same_case(self):
        self.assertEqual(self.figure("fairlead-nat")["own_ns"], 3000)
        self.assertEqual(self.figure("ipvs-masq")["own_ns"], 9000)
        self.assertIsNone(self.figure("wire")["own_ns"])
        self.assertIsNone(self.figure("fairlead-nat", 1)["own_ns"])

    def test_one_run_that_lost_makes_loss_the_limit(self):
        self.assertEqual(self.figure("ipvs-masq")["limit"], "loss")
        self.assertEqual(self.figure("wire")["limit"], "sender")

    def test_a_case_without_a_figure_is_left_blank(self):
        line = dict(self.lines[0], way="nft", cpu_ns=None, pps=0)
        result = pktgen_report.collect(self.lines + [line])
        row = [r for r in pktgen_report.rows(result) if r[0] == "nft"][0]
        self.assertEqual(row[-2:], ["", ""])

    def test_names_an_emulated_machine_as_such(self):
        text = pktgen_report.machine_text(
            {"cpu": "TCG", "cpus": 2, "kernel": "6.1", "virtual": "qemu",
             "host_cpu": "EPYC"})
        self.assertIn("QEMU without acceleration (TCG) on EPYC", text)

    def test_readme_gets_a_column_for_each_case(self):
        table = list(pktgen_report.pivot(self.result, "pps"))
        self.assertEqual(table[0].count("IPv4, 64 bytes"), 2)
        self.assertTrue(any("80 000 (70 000..90 000)" in row
                            for row in table))

    @unittest.skipUnless(shutil.which("gnuplot"), "gnuplot is not installed")
    def test_picture_shows_every_way(self):
        with tempfile.TemporaryDirectory() as out:
            path = os.path.join(out, "picture.svg")
            pktgen_report.picture(self.result, path)
            with open(path) as f:
                picture = f.read()
        for way in pktgen_report.ways_of(self.result["figures"]):
            self.assertIn(way, picture)


class Machine(unittest.TestCase):
    def test_the_commit_is_unknown_without_git(self):
        with mock.patch.dict(os.environ, PATH="/nowhere"):
            self.assertIsNone(report.commit())


if __name__ == "__main__":
    unittest.main()

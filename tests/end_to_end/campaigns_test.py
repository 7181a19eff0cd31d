#!/usr/bin/env python3
"""Campaigns with a rate, and campaigns moved to another carrier, on the real daemon, with kills.

Both carriers are scripted; what arrived where, and when, is the witness.
"""

import subprocess
import time

import stentor_under_test as under_test
from controls_test import Bench
from scripted_carrier import ScriptedCarrier

RATE = 40


class TwoCarriers(Bench):
    """north is where the default route leads; south is up."""

    settings = {"window": 10}

    def new_daemon(self):
        self.south = ScriptedCarrier()
        return under_test.Daemon(
            [under_test.carrier("north", self.carrier.address, **self.settings),
             under_test.carrier("south", self.south.address, window=10)],
            tables={"queue": {"shards": 2}})

    def setUp(self):
        super().setUp()
        for name in ("north", "south"):
            self.daemon.wait_bound(name)

    def tearDown(self):
        super().tearDown()
        self.south.close()

    def arrived_south(self, numbers):
        with self.south.lock:
            return [a.submit.destination[2] for a in self.south.arrivals
                    if a.submit.destination[2] in numbers]

    def times(self, numbers):
        found = []
        for carrier in (self.carrier, self.south):
            with carrier.lock:
                found += [a.time for a in carrier.arrivals if a.submit.destination[2] in numbers]
        return sorted(found)


class Rate(TwoCarriers):
    def most_in_a_second(self, times):
        return max(sum(1 for t in times if begin <= t < begin + 1) for begin in times)

    def test_a_rate_holds_over_all_carriers_and_across_a_kill_and_others_go_on(self):
        self.campaign("create", "spring", rate=RATE)
        spring = self.send_many(RATE, "spring")
        spring.update(self.send_many(RATE, "spring", carrier="south"))
        self.restart()
        other = self.send_many(200, "other")
        self.assertEqual(self.wait_finals(other.values()), {"delivered": 200})
        shown = self.campaign("show", "spring")
        self.assertEqual(shown["rate_limit"], RATE)
        under_test.wait_until(
            lambda: self.campaign("show", "spring")["limited_by"] == "campaign rate",
            "its own rate is what limits it")
        self.assertEqual(self.wait_finals(spring.values())["delivered"], 2 * RATE)
        self.assertTrue(self.arrived(spring) and self.arrived_south(spring))
        # A fifth of a second may be saved up; the network shifts a few.
        self.assertLessEqual(self.most_in_a_second(self.times(spring)), RATE * 1.2 + 6)

    def test_a_rate_acts_on_what_waits_and_is_taken_off_again(self):
        self.campaign("create", "spring", rate=1)
        spring = self.send_many(300, "spring")
        time.sleep(1.5)
        self.assertLessEqual(len(self.arrived(spring)), 6)
        before = len(self.arrived(spring))
        reply = self.campaign("set", "spring", rate=0)
        # What is under way may have arrived, and be so before the reply is read.
        self.assertLessEqual(reply["waiting"] + before, 300)
        self.assertGreaterEqual(
            reply["waiting"] + reply["under_way"] + len(self.arrived(spring)), 300)
        self.assertEqual(self.wait_finals(spring.values()), {"delivered": 300})
        self.assertNotIn("rate_limit", self.campaign("show", "spring"))


class Move(TwoCarriers):
    settings = {"window": 10, "rate": 20}

    def test_what_waits_goes_elsewhere_in_its_order_and_what_comes_later_does_not(self):
        self.campaign("pause", self.paused_campaign())
        spring = self.send_many(400, "spring")
        later = self.send_many(1, "spring", not_before=3)
        under_test.wait_until(lambda: self.arrived(spring), "some went out in the north")
        reply = self.campaign("move", "spring", carrier="south")
        in_north = len(self.arrived(spring))
        self.assertGreater(reply["moving"], 300)
        self.assertEqual(self.wait_finals(spring.values()), {"delivered": 400})
        moved = self.arrived_south(spring)
        self.assertLessEqual(len(self.arrived(spring)), in_north + 20, "a window and reserve")
        self.assertEqual(sorted(self.arrived(spring) + moved), sorted(spring), "each once")
        self.assertEqual(moved, sorted(moved), "in the order of acceptance")
        self.assertEqual(self.wait_finals(later.values()), {"delivered": 1})
        self.assertEqual(self.arrived_south(later), list(later), "its time went with it")
        new = self.send_many(5, "spring")
        self.assertEqual(self.wait_finals(new.values()), {"delivered": 5})
        self.assertEqual(self.arrived(new), list(new))
        history = self.daemon.ask(op="message", id=spring[moved[-1]])["history"]
        step = next(step for step in history if step["what"] == "moved")
        self.assertEqual((step["from"], step["to"], step["reason"]), ("north", "south", "campaign"))
        self.assertEqual(self.campaign("show", "spring")["moved_to"], "south")
        self.campaign("cancel", "paused")

    def paused_campaign(self):
        self.campaign("create", "paused")
        return "paused"

    def test_a_move_of_what_is_paused_survives_a_kill_and_a_dead_carrier(self):
        self.campaign("create", "spring")
        self.campaign("pause", "spring")
        spring = self.send_many(300, "spring", carrier="north")
        self.carrier.close()
        self.campaign("move", "spring", carrier="south")
        self.daemon.kill()  # some have moved, or none
        self.daemon.start()
        self.daemon.wait_bound("south")
        self.campaign("resume", "spring")
        self.assertEqual(self.wait_finals(spring.values()), {"delivered": 300})
        self.assertEqual(self.arrived_south(spring), list(spring), "each once, in order")

    def test_mistakes_are_told(self):
        self.campaign("create", "spring")
        reply = self.daemon.ask(op="campaign", action="move", name="spring", carrier="east")
        self.assertEqual(reply["error"]["code"], "unknown_carrier")
        shown = subprocess.run(
            [under_test.program("stentorctl"), "--socket",
             self.daemon.socket_path, "campaign", "set", "spring", "--rate", "25"],
            check=True, capture_output=True, text=True, timeout=under_test.PATIENCE)
        self.assertRegex(shown.stdout, r"rate_limit\s+25")


if __name__ == "__main__":
    under_test.run_cases(__doc__.splitlines()[0])

#!/usr/bin/env python3
"""A backlog beyond memory on the real daemon: it waits on disk and starves nobody.

Eight carriers share the least memory the configuration allows, so that each keeps 16,384 tickets;
what a paused campaign has more goes to state_dir/spill.
"""

import os
import re
import time
import unittest

import overload_test
import stentor_under_test as under_test
from scripted_carrier import Answer, ScriptedCarrier

TICKETS_IN_MEMORY = 16_384
LIMITED_MAX = 65_536  # tickets of a carrier that wait at limits
QUEUE_MIB = 16
# docs/operations.md, "Beside memory", with one shard: the program 25, texts on their way 4 + 32, the
# newest ones 2 + 16, blocks read back 18, the index for histories 40, and a third of all for what the
# C library keeps.
BESIDE_MIB = 183
AT_ONCE = 3000  # destinations of one request: its line stays below 64 KiB


class Backlog(unittest.TestCase):
    messages = 60_000

    def setUp(self):
        self.carrier = ScriptedCarrier(lambda submit, attempt: Answer())
        absent = [under_test.carrier(f"absent{i}", f"127.0.0.1:{under_test.free_port()}")
                  for i in range(7)]
        self.daemon = under_test.Daemon(
            [under_test.carrier("north", self.carrier.address, window=100,
                                limits=[{"sender": "SLOW", "rate": 1}])] + absent,
            [{"default": True, "carriers": ["north"]},
             {"prefix": ["7999"], "carriers": ["absent0", "north"]}],
            tables={"queue": {"memory": f"{QUEUE_MIB}MiB", "shards": 1}}).start()
        self.daemon.wait_bound("north")
        self.number = 0

    def peak_mib(self):
        """The most memory that the process ever had."""
        with open(f"/proc/{self.daemon.process.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1)) / 1024

    def check_memory(self):
        if not overload_test.is_sanitized():  # its shadow is memory too
            self.assertLess(self.peak_mib(), QUEUE_MIB + BESIDE_MIB,
                            f"MiB, for {self.messages} that wait")

    def tearDown(self):
        self.check_memory()
        self.assertEqual(under_test.ledger_gap(self.daemon.status()), 0)
        self.assertEqual(self.daemon.stop(), 0, self.daemon.log_tail())
        left = os.listdir(self.spill()) if os.path.isdir(self.spill()) else []
        self.assertEqual(left, [], "spill files go with the daemon")
        self.carrier.close()

    def spill(self):
        return os.path.join(self.daemon.state, "spill")

    def send_many(self, count, **more):
        for start in range(0, count, AT_ONCE):
            numbers = []
            for _ in range(min(AT_ONCE, count - start)):
                self.number += 1
                numbers.append(f"7916{self.number:07d}")
            reply = self.daemon.ask(op="send", to=numbers, text="Hello", receipt="none",
                                    **{"from": "SHOP", **more})
            self.assertEqual(reply["status"], "accepted", reply)

    def campaign(self, action, name="spring"):
        reply = self.daemon.ask(op="campaign", action=action, name=name)
        self.assertEqual(reply["status"], "ok", reply)
        return reply

    def north(self):
        return self.daemon.status()["carriers"][0]

    def absent(self):
        return self.daemon.status()["carriers"][1]

    def test_a_paused_campaign_beyond_memory_waits_on_disk_and_starves_nobody(self):
        self.send_many(1, campaign="spring", not_before=3600)  # a campaign exists by its first
        self.campaign("pause")
        self.send_many(self.messages, campaign="spring")
        under_test.wait_until(lambda: self.north()["waiting_bulk"] >= self.messages,
                              lambda: f"all to wait: {self.north()}")
        least = self.messages - 2 * TICKETS_IN_MEMORY
        self.assertGreaterEqual(self.north()["waiting_spilled"], least)
        self.assertEqual(self.north()["waiting_held"], self.messages)
        under_test.wait_until(
            lambda: sum(os.path.getsize(os.path.join(self.spill(), name))
                        for name in os.listdir(self.spill())) >= least * 16,
            "the tickets to be on disk")

        began = time.monotonic()
        self.send_many(10, campaign="summer")
        under_test.wait_until(lambda: self.daemon.status()["sent"] >= 10, "ten to pass by")
        self.assertLess(time.monotonic() - began, 5.0)

        # Accepted last, so that they stand behind everything on disk; they expire all the same.
        self.send_many(100, campaign="spring", expires=3)
        sent = time.time()
        under_test.wait_until(lambda: self.daemon.status()["expired"] == 100,
                              lambda: f"a hundred to expire: {self.daemon.status()}")
        self.assertLess(time.time() - sent, 3 + 3)

        self.check_memory()
        self.daemon.kill()
        self.daemon.start()
        self.assertGreaterEqual(self.north()["waiting_spilled"], least, "made anew from the journal")
        self.assertEqual(self.north()["waiting_held"], self.messages, "still paused")

        self.campaign("cancel")
        under_test.wait_until(lambda: self.daemon.status()["cancelled"] == self.messages + 1,
                              lambda: f"all to be cancelled: {self.daemon.status()}", 120)
        self.assertEqual(self.north()["waiting_spilled"], 0)
        self.assertEqual(len(self.carrier.arrived()), 10)

    def test_what_waited_on_disk_is_sent_in_its_order(self):
        self.send_many(1, campaign="spring", not_before=3600)
        self.campaign("pause")
        self.send_many(24_000, campaign="spring")
        under_test.wait_until(lambda: self.north()["waiting_spilled"] > 0, "some to be on disk")

        self.campaign("resume")

        under_test.wait_until(lambda: self.daemon.status()["sent"] == 24_000,
                              lambda: f"all to be sent: {self.daemon.status()}", 180)
        numbers = [arrival.submit.destination[2] for arrival in self.carrier.arrived()]
        self.assertEqual(numbers, sorted(numbers), "one bind sends in the order of acceptance")
        self.campaign("cancel")
        under_test.wait_until(lambda: self.daemon.status()["cancelled"] == 1, "the last one")


    def test_what_waits_behind_a_limit_is_bounded_and_starves_nobody(self):
        self.send_many(LIMITED_MAX + 4000, campaign="slow", **{"from": "SLOW"})
        under_test.wait_until(lambda: self.north()["waiting_limits"] >= LIMITED_MAX - 100,
                              lambda: f"the limit's place to be full: {self.north()}")
        self.send_many(10, campaign="summer")
        under_test.wait_until(lambda: self.numbers_arrived(10), "others to pass by")
        self.assertLessEqual(self.north()["waiting_limits"], LIMITED_MAX + 1)
        self.assertGreaterEqual(self.north()["waiting_bulk"], LIMITED_MAX + 3800, "none is lost")
        self.campaign("cancel", "slow")
        under_test.wait_until(lambda: self.daemon.status()["live"] == 0,
                              lambda: f"all to end: {self.daemon.status()}", 120)

    def numbers_arrived(self, last):
        numbers = {arrival.submit.destination[2] for arrival in self.carrier.arrived()}
        return all(f"7916{self.number - i:07d}" in numbers for i in range(last))

    def test_what_cannot_go_elsewhere_waits_on_disk_too(self):
        self.send_many(30_000, campaign="stuck", carrier="absent0")
        # All was looked at and set aside, of which a quarter as much stays in memory.
        under_test.wait_until(
            lambda: self.absent()["waiting_spilled"] >= 30_000 - 2 * TICKETS_IN_MEMORY // 4,
            lambda: f"set aside, on disk: {self.absent()}", 60)
        self.send_many(20, campaign="stuck", carrier="absent0", expires=3)
        under_test.wait_until(lambda: self.daemon.status()["expired"] == 20,
                              lambda: f"those to expire: {self.daemon.status()}")
        self.campaign("cancel", "stuck")
        under_test.wait_until(lambda: self.daemon.status()["cancelled"] == 30_000,
                              lambda: f"all to be cancelled: {self.daemon.status()}", 120)


def main():
    arguments, _ = under_test.begin(__doc__, lambda parser: parser.add_argument(
        "--messages", type=int, default=Backlog.messages, help="how many the paused campaign has"))
    Backlog.messages = arguments.messages
    under_test.run_selected(arguments.rest)


if __name__ == "__main__":
    main()

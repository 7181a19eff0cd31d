#!/usr/bin/env python3
"""What retention lets go and what it keeps: live messages are carried out of their files, and files
inside the guard stay."""

import json
import os
import re
import time
import unittest

import stentor_under_test as under_test
from scripted_carrier import Answer, Receipt, ScriptedCarrier

RETIREMENT = 5.0  # seconds between two looks at what may go


class Retention(unittest.TestCase):
    def begin(self, script=None, **queue):
        self.carrier = ScriptedCarrier(script)
        self.daemon = under_test.Daemon(
            [under_test.carrier("north", self.carrier.address, window=200)],
            tables={"journal": {"retention": "1s", "retention_size": "1MiB"},
                    "queue": queue}).start()
        self.daemon.wait_bound("north")
        self.sent = 0

    def tearDown(self):
        self.assertEqual(self.daemon.stop(), 0, self.daemon.log_tail())
        self.carrier.close()

    def has_first_file(self):
        return self.daemon.journal_files()[0].endswith("00000001.stj")

    def deliver(self, live=0):
        """Three hundred more messages, each with a ref."""
        with self.daemon.connect() as connection:
            for _ in range(300):
                connection.write_request(ref=f"r-{self.sent}", to=f"+7916{self.sent:07d}",
                                         text="x" * 600, **{"from": "SHOP"})
                self.sent += 1
            for _ in range(300):
                self.assertEqual(connection.read()["status"], "accepted")
        under_test.wait_until(lambda: self.daemon.status()["live"] == live, "all is delivered")

    def metric(self, name):
        page = self.daemon.http("/metrics")[1]
        return float(re.search(rf"^{name} (\S+)", page, re.MULTILINE).group(1))

    def overdue(self):
        """(octets, live messages) that stay beyond retention."""
        return (self.metric("stentor_journal_overdue_bytes"),
                self.metric("stentor_journal_overdue_live_messages"))

    def excerpts(self):
        folder = os.path.join(self.daemon.state, "journal")
        return sorted(name for name in os.listdir(folder)
                      if name.startswith("carried-") and name.endswith(".stx"))

    def campaign(self, action):
        reply = self.daemon.ask(op="campaign", action=action, name="held")
        self.assertEqual(reply["status"], "ok", reply)

    def carry(self):
        """A message of a paused campaign and one for much later, carried out of the first file."""
        self.campaign("create")
        self.campaign("pause")
        held = self.daemon.ask(to="+79168888888", text="Held", campaign="held", ref="held",
                               **{"from": "SHOP"})
        later = self.daemon.ask(to="+79169999999", text="Later", not_before=3600,
                                **{"from": "SHOP"})
        under_test.wait_until(lambda: self.deliver(live=2) or not self.has_first_file(),
                              "the first file to go", patience=150, step=0.5)
        return held["id"], later["id"]

    def assert_known(self, held, later):
        """Their histories from the first record on, by id and by ref."""
        for asked, state in (({"id": held}, "queued"), ({"ref": "held"}, "queued"),
                             ({"id": later}, "scheduled")):
            told = self.daemon.ask(op="message", **asked)
            self.assertEqual(told["state"], state, told)
            self.assertEqual(told["history"][0]["what"], "accepted", told)

    def test_live_messages_are_carried_out_of_old_files_and_delivered_in_the_end(self):
        self.begin(guard="1s")
        held, later = self.carry()
        under_test.wait_until(lambda: len(self.excerpts()) == 1, "one excerpt")
        self.assertRegex(self.daemon.log(), r"\d+ live messages carried out of the files before \d+")
        under_test.wait_until(
            lambda: self.metric("stentor_journal_carried_live_messages") == 2, "the metric")
        self.assertLess(self.metric("stentor_journal_carried_bytes"), 1 << 20)
        self.assert_known(held, later)
        self.assertIsNone(under_test.audit_complaint(self.daemon.audit()))

        self.daemon.kill()
        self.assertIsNone(under_test.audit_complaint(self.daemon.audit()))
        self.daemon.start()
        self.daemon.wait_bound("north")
        self.assert_known(held, later)

        first = self.excerpts()
        under_test.wait_until(lambda: self.deliver(live=2) or self.excerpts() != first,
                              "the next excerpt", patience=150, step=0.5)
        self.assert_known(held, later)
        self.campaign("resume")
        under_test.wait_until(
            lambda: self.daemon.ask(op="message", id=held)["state"] == "delivered", "its delivery")
        self.assertEqual(len(self.carrier.arrived("79168888888")), 1)
        history = self.daemon.ask(op="message", id=held)["history"]
        self.assertEqual(history[0]["what"], "accepted")

        self.assertEqual(self.daemon.ask(op="cancel", id=later)["status"], "ok")
        under_test.wait_until(lambda: self.deliver() or not self.excerpts(),
                              "the excerpt to go", patience=90, step=0.5)
        under_test.wait_until(lambda: self.overdue() == (0, 0), "nothing to be overdue")

    def test_a_spoilt_excerpt_is_refused_and_salvaging_lists_what_it_held(self):
        self.begin(guard="1s")
        held, later = self.carry()
        self.daemon.kill()
        path = os.path.join(self.daemon.state, "journal", self.excerpts()[-1])
        with open(path, "r+b") as file:
            octets = file.read()
            at = octets.index(b"Held")
            file.seek(at)
            file.write(bytes([octets[at] ^ 0x10]))
        status, printed = self.daemon.start_and_fail()
        self.assertEqual(status, 3, printed)
        self.assertIn(os.path.basename(path), printed)
        self.assertEqual(self.daemon.audit()[0], 2)

        self.daemon.audits_at_stop = False  # it must find what is missing
        self.daemon.arguments = ["--salvage"]
        self.daemon.start()
        self.daemon.arguments = []
        self.assertIn(f"set aside: {os.path.basename(path)}", self.daemon.log())
        with open(os.path.join(self.daemon.state, "journal", "quarantine",
                               "lost-00000001.jsonl"), encoding="utf-8") as lines:
            listed = [json.loads(line) for line in lines]
        self.assertEqual({line["id"] for line in listed if line.get("state") == "lost"},
                         {held, later})
        self.daemon.stop()
        self.daemon.start()  # without --salvage
        self.assertEqual(self.metric("stentor_live_messages"), 0)

    def test_an_unknown_message_is_corrected_when_its_own_file_has_gone(self):
        handset = "79168888888"
        self.begin(lambda submit, attempt: Answer(receipts=() if submit.destination[2] == handset
                                                  else (Receipt(),)), guard="1s")
        events = under_test.EventFollower(self.daemon)
        self.addCleanup(events.close)
        unheard = self.daemon.ask(to="+" + handset, text="Hello", **{"from": "SHOP"})["id"]
        under_test.wait_until(lambda: self.deliver(live=1) or not self.has_first_file(),
                              "the first file to go", patience=150, step=0.5)
        carrier_id = self.carrier.arrived(handset)[0].message_id

        def report(stat):
            self.carrier.report(carrier_id, Receipt(stat=stat), (1, 1, handset), (5, 0, "SHOP"))

        report("UNKNOWN")
        events.wait_for(unheard, "unknown")
        under_test.wait_until(lambda: not self.excerpts(), "what carried it to go", patience=60)
        self.assertEqual(self.daemon.ask(op="message", id=unheard)["status"], "rejected")
        for _ in range(2):
            self.daemon.kill()
            self.daemon.start()
            self.daemon.wait_bound("north")
        report("DELIVRD")
        self.assertEqual(events.wait_for(unheard, "delivered")["corrects"], "unknown")
        self.assertEqual(self.daemon.status()["unknown"], 0)

    def test_a_file_inside_the_guard_stays_whatever_its_size(self):
        self.begin(guard="1h")
        under_test.wait_until(lambda: self.deliver() or len(self.daemon.journal_files()) > 2,
                              "more files", patience=90)
        time.sleep(RETIREMENT + 1)

        self.assertTrue(self.has_first_file())
        again = self.daemon.ask(ref="r-0", to="+79160000000", text="x" * 600, **{"from": "SHOP"})
        self.assertEqual(again["status"], "duplicate")


if __name__ == "__main__":
    under_test.run_cases(__doc__)

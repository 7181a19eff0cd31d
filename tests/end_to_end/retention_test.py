#!/usr/bin/env python3
"""What retention may not drop: files with live messages, and files inside the guard."""

import re
import time
import unittest

import stentor_under_test as under_test
from scripted_carrier import ScriptedCarrier

RETIREMENT = 5.0  # seconds between two looks at what may go


class Retention(unittest.TestCase):
    def begin(self, **queue):
        self.carrier = ScriptedCarrier()
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

    def overdue(self):
        """(octets, live messages) that stay beyond retention."""
        page = self.daemon.http("/metrics")[1]
        return tuple(float(re.search(rf"^{name} (\S+)", page, re.MULTILINE).group(1))
                     for name in ("stentor_journal_overdue_bytes",
                                  "stentor_journal_overdue_live_messages"))

    def test_a_live_message_keeps_its_file_and_is_told(self):
        self.begin(guard="1s")
        later = self.daemon.ask(to="+79169999999", text="Later", not_before=3600,
                                **{"from": "SHOP"})

        def is_overdue():
            self.deliver(live=1)
            return self.overdue()[1] == 1

        under_test.wait_until(is_overdue, "the file to be overdue", patience=90, step=0.5)
        self.assertGreater(self.overdue()[0], 0)
        self.assertTrue(self.has_first_file())
        self.daemon.kill()
        self.daemon.start()
        self.assertEqual(self.daemon.ask(op="message", id=later["id"])["state"], "scheduled")

        self.assertEqual(self.daemon.ask(op="cancel", id=later["id"])["status"], "ok")

        def has_gone():
            self.deliver()
            return not self.has_first_file()

        under_test.wait_until(has_gone, "the file to go", patience=90, step=0.5)
        under_test.wait_until(lambda: self.overdue() == (0, 0), "nothing to be overdue")

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

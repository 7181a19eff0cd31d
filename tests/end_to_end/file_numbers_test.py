#!/usr/bin/env python3
"""A journal near the end of its file numbers: it says so while there is time, then takes no new
message, then does not start; each time in words of its own."""

import os
import re
import struct
import unittest

import stentor_under_test as under_test
from step_back_test import crc32c

LAST = 1_048_575  # docs/journal.md, "File numbers"
KEPT = 1024
CANNOT_START = 1


class FileNumbers(unittest.TestCase):
    def setUp(self):
        self.daemon = under_test.Daemon(
            [under_test.carrier("north", f"127.0.0.1:{under_test.free_port()}")])

    def begin_at(self, number):
        """The journal of a daemon that has accepted nothing, as if it had had many files before."""
        self.daemon.start()
        self.assertEqual(self.daemon.stop(), 0)
        self.daemon.audits_at_stop = False
        first, *behind = self.daemon.journal_files()
        for path in behind:  # made ahead and never used
            os.remove(path)
        with open(first, "r+b") as file:
            header = bytearray(file.read(64))
            header[12:16] = struct.pack("<I", number)
            header[60:64] = struct.pack("<I", crc32c(header[:60]))
            file.seek(0)
            file.write(header)
        os.rename(first, os.path.join(os.path.dirname(first), f"journal-{number:08}.stj"))

    def send(self):
        return self.daemon.ask(to="+79161234567", text="Hi", **{"from": "SHOP"})

    def numbers_left(self):
        page = self.daemon.http("/metrics")[1]
        return int(re.search(r"^stentor_journal_numbers_left (\d+)$", page, re.M)[1])

    def test_warns_in_the_last_tenth_and_goes_on(self):
        self.begin_at(LAST - LAST // 10)
        self.daemon.start()
        under_test.wait_until(
            lambda: "at 1024 new messages are refused" in self.daemon.log(), "it warns")
        self.assertEqual(self.numbers_left(), LAST // 10 - 1)
        self.assertEqual(self.send()["status"], "accepted")

    def test_does_not_warn_before(self):
        self.begin_at(LAST - LAST // 10 - 3)
        self.daemon.start()
        self.assertEqual(self.send()["status"], "accepted")
        self.assertEqual(self.numbers_left(), LAST // 10 + 2)
        self.assertNotIn("file numbers are left", self.daemon.log())

    def test_keeps_the_last_ones_for_what_was_accepted(self):
        self.begin_at(LAST - KEPT - 1)
        self.daemon.start()
        under_test.wait_until(lambda: self.send()["status"] == "rejected", "it refuses")
        refused = self.send()["error"]
        self.assertEqual(refused["code"], "unavailable")
        self.assertIn("no file number left", refused["detail"])
        status, why = self.daemon.http("/readyz")
        self.assertEqual(status, 503)
        self.assertIn("file numbers are at their end", why)
        self.assertIn("new messages are refused for good", self.daemon.log())
        self.assertEqual(self.daemon.stop(), 0, self.daemon.log_tail())

    def test_does_not_start_behind_the_last_and_says_what_to_do(self):
        self.begin_at(LAST)
        status, printed = self.daemon.start_and_fail()
        self.assertEqual(status, CANNOT_START)
        self.assertIn("no file number is left; go on in an empty state directory", printed)


if __name__ == "__main__":
    under_test.run_cases(__doc__.splitlines()[0])

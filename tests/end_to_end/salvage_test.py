#!/usr/bin/env python3
"""Salvaging where a checkpoint stands for the damaged file: what it has cost stays lost at every
later start, and is not sent, counted or remembered because an old checkpoint still speaks of it."""

import glob
import json
import os
import unittest

import stentor_under_test as under_test


class Salvage(unittest.TestCase):
    messages = 33_000  # some 10 MiB: more than one file

    def setUp(self):
        self.daemon = under_test.Daemon(
            [under_test.carrier("north", f"127.0.0.1:{under_test.free_port()}")],
            tables={"journal": {"checkpoint": "1MiB"}}).start()

    def checkpoints(self):
        return glob.glob(os.path.join(self.daemon.state, "journal", "checkpoint-*.stx"))

    def send(self, numbers):
        return self.daemon.send_numbered(numbers, ref="s-{}.", text="Hello" * 20)

    def spoil(self, ref):
        """Flips a bit in a message's accepted record."""
        for path in self.daemon.journal_files():
            with open(path, "r+b") as file:
                at = file.read().find(ref.encode())
                if at < 0:
                    continue
                file.seek(at)
                octet = file.read(1)[0]
                file.seek(at)
                file.write(bytes([octet ^ 0x10]))
                return
        self.fail(f"{ref} is in no file")

    def expect_live(self, count):
        status = self.daemon.status()
        self.assertEqual(under_test.ledger_gap(status), 0, status)
        self.assertEqual(status["live"], count, status)

    def test_what_it_has_cost_does_not_come_back_from_a_checkpoint(self):
        replies = self.send(range(self.messages))
        self.assertTrue(all(reply["status"] == "accepted" for reply in replies))
        under_test.wait_until(self.checkpoints, "a checkpoint", 60)
        self.daemon.kill()
        self.spoil("s-20.")

        self.daemon.arguments = ["--salvage"]
        self.daemon.start(120)
        self.daemon.arguments = []
        with open(os.path.join(self.daemon.state, "journal", "quarantine",
                               "lost-00000001.jsonl"), encoding="utf-8") as lines:
            lost = [json.loads(line) for line in lines]
        count = lost[-1]["named"]
        self.assertGreater(count, 0)
        self.assertEqual(lost[-1]["unnamed_at_most"], 0, "the checkpoint knew them by name")
        self.expect_live(self.messages - count)
        again = self.send(range(20, 21))[0]
        self.assertEqual(again["status"], "accepted", "its reference is free")
        self.assertNotEqual(again["id"], replies[20]["id"])
        self.daemon.kill()

        self.daemon.start(120)
        self.expect_live(self.messages - count + 1)
        self.assertEqual(self.send(range(20, 21))[0]["id"], again["id"])
        self.daemon.audits_at_stop = False  # the totals of later files count what is set aside
        self.assertEqual(self.daemon.stop(), 0, self.daemon.log_tail())


if __name__ == "__main__":
    under_test.run_cases(__doc__.splitlines()[0])

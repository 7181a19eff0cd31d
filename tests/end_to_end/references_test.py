#!/usr/bin/env python3
"""References beyond memory: all are known, through a kill and through the loss of their files."""

import os
import unittest

import stentor_under_test as under_test

IN_MEMORY = 30_840  # a sixteenth of 16 MiB, 34 octets each


class References(unittest.TestCase):
    references = 70_000

    def setUp(self):
        self.daemon = under_test.Daemon(
            [under_test.carrier("north", f"127.0.0.1:{under_test.free_port()}")],
            [{"default": True, "carriers": ["north"]}],
            tables={"queue": {"memory": "16MiB"}}).start()

    def tearDown(self):
        self.assertEqual(self.daemon.stop(), 0, self.daemon.log_tail())

    def folder(self):
        return os.path.join(self.daemon.state, "references")

    def runs(self):
        return sorted(name for name in os.listdir(self.folder()) if name.endswith(".refs"))

    def expect_known(self, numbers, ids):
        for number, reply in zip(numbers, self.daemon.send_numbered(numbers)):
            self.assertEqual((reply["status"], reply.get("id")), ("duplicate", ids[number]), number)

    def test_all_are_known_through_a_kill_and_the_loss_of_their_files(self):
        replies = self.daemon.send_numbered(range(self.references))
        self.assertTrue(all(reply["status"] == "accepted" for reply in replies))
        ids = [reply["id"] for reply in replies]
        under_test.wait_until(lambda: self.runs(), "a file of references")
        some = range(0, self.references, 97)
        self.expect_known(some, ids)

        self.daemon.kill()
        self.daemon.start()
        self.expect_known(some, ids)
        self.assertEqual(self.daemon.send_numbered([0], text="Other")[0]["error"]["code"], "conflict")

        self.daemon.kill()
        lost = os.path.join(self.folder(), self.runs()[0])
        with open(lost, "r+b") as file:
            file.seek(20)
            file.write(b"\xff\xff")
        self.daemon.start()
        self.expect_known(some, ids)

        self.daemon.kill()
        for name in self.runs():
            os.remove(os.path.join(self.folder(), name))
        self.daemon.start()
        self.expect_known(some, ids)
        self.assertEqual(self.daemon.send_numbered([self.references])[0]["status"], "accepted")


if __name__ == "__main__":
    under_test.run_cases(__doc__)

#!/usr/bin/env python3
"""stentorctl audit proves the ledger from the journal alone: of a daemon under load, of one that was
killed, of one that has stopped. What it counts is compared with what the client was told."""

import os
import threading
import unittest

import stentor_under_test as under_test
from scripted_carrier import Answer, ScriptedCarrier


class Load(threading.Thread):
    """Sends without pause until told to stop; keeps what was acknowledged."""

    def __init__(self, daemon):
        super().__init__(daemon=True)
        self.daemon_process = daemon
        self.accepted = {}
        self.finishing = threading.Event()

    def run(self):
        number = 0
        try:
            with self.daemon_process.connect() as connection:
                while not self.finishing.is_set():
                    for _ in range(50):
                        number += 1
                        connection.write_request(
                            to=f"+7916{number:07d}", ref=f"a-{number}",
                            text="x" * (400 if number % 4 == 0 else 20), **{"from": "SHOP"})
                    for _ in range(50):
                        reply = connection.read()
                        self.accepted[reply["ref"]] = reply["id"]
        except (OSError, TypeError):
            pass  # the daemon was killed


class Audit(unittest.TestCase):
    def setUp(self):
        self.carrier = ScriptedCarrier(
            lambda submit, attempt: Answer(status=0x0B) if submit.destination[2].endswith("7")
            else Answer())
        self.addCleanup(self.carrier.close)
        self.daemon = under_test.Daemon(
            [under_test.carrier("north", self.carrier.address, window=50)],
            tables={"journal": {"checkpoint": "64KiB"}}).start()
        self.daemon.wait_bound("north")

    def assert_sound(self, beside_daemon):
        audited = self.daemon.audit()
        self.assertIsNone(under_test.audit_complaint(audited))
        last = audited[2]
        self.assertEqual(last["status"], "ok")
        self.assertEqual(last["beside_daemon"], beside_daemon)
        return last

    def test_under_load_after_a_kill_and_after_a_stop(self):
        load = Load(self.daemon)
        load.start()
        under_test.wait_until(lambda: len(load.accepted) > 500, "some messages are accepted")
        looks = [self.assert_sound(True) for _ in range(5)]
        self.assertGreater(looks[-1]["accepted"], looks[0]["accepted"])
        self.daemon.kill()
        load.join()
        killed = self.assert_sound(False)
        self.assertGreaterEqual(killed["accepted"], len(load.accepted))

        self.daemon.start()
        under_test.wait_until(lambda: self.daemon.status()["live"] == 0, "all is final", 60)
        journal = os.path.join(self.daemon.state, "journal")
        under_test.wait_until(  # of the file that the start has sealed
            lambda: any(name.endswith(".stx") for name in os.listdir(journal)), "a checkpoint")
        status = self.daemon.status()
        self.assertEqual(self.daemon.stop(), 0)
        stopped = self.assert_sound(False)
        for figure in ("accepted", "delivered", "failed", "sent", "live"):
            self.assertEqual(stopped[figure], status[figure], figure)
        self.assertGreater(stopped["checkpoints"], 0)
        self.assertGreater(stopped["failed"], 0)

    def test_a_file_that_is_gone_is_no_proof(self):
        self.daemon.audits_at_stop = False
        with self.daemon.connect() as connection:
            for number in range(3):
                connection.ask(to="+79161234567", ref=f"r-{number}", text="x", **{"from": "SHOP"})
        under_test.wait_until(lambda: self.daemon.status()["live"] == 0, "all is final")
        self.assertEqual(self.daemon.stop(), 0)
        first = self.daemon.journal_files()[0]
        with open(first, "r+b") as file:
            file.seek(70)
            file.write(b"\xff")
        status, findings, last = self.daemon.audit()
        self.assertEqual(status, 2)
        self.assertEqual(findings, [])
        self.assertIn(os.path.basename(first) + ": offset 64: ", last["error"])


if __name__ == "__main__":
    under_test.run_cases(__doc__.splitlines()[0])

#!/usr/bin/env python3
"""A consumer that stays away longer than retention is told exactly what it missed."""

import time
import unittest

import stentor_under_test as under_test
from scripted_carrier import ScriptedCarrier


class Gap(unittest.TestCase):
    def test_the_count_is_exact_over_a_kill_and_by_type(self):
        carrier = ScriptedCarrier()
        daemon = under_test.Daemon(
            [under_test.carrier("north", carrier.address, window=200)],
            tables={"journal": {"retention": "1s", "retention_size": "1MiB"},
                    "queue": {"guard": "1s"}}).start()
        daemon.wait_bound("north")
        with daemon.connect() as connection:  # exists from now on, and stays away
            begun_at = connection.ask(op="events", consumer="away")["cursor"]
        with daemon.connect() as connection:
            connection.ask(op="events", consumer="elsewhere")
        with daemon.connect() as connection:
            connection.ask(op="events", consumer="of-spring", campaign="spring")
        with daemon.connect() as connection:
            connection.ask(op="events", consumer="other", campaign="autumn")
        watcher = under_test.EventFollower(daemon, "here")
        reads_on = under_test.EventFollower(daemon, "reads-on", acknowledge=False)
        sent = 0

        def has_gone():
            nonlocal sent
            with daemon.connect() as connection:
                for _ in range(300):
                    connection.write_request(to=f"+7916{sent % 10**7:07d}", text="x" * 600,
                                             **{"from": "SHOP"},
                                             **({"campaign": "spring"} if sent % 3 else {}))
                    sent += 1
                for _ in range(300):
                    self.assertEqual(connection.read()["status"], "accepted")
            under_test.wait_until(lambda: daemon.status()["live"] == 0, "all is delivered")
            return not daemon.journal_files()[0].endswith("00000001.stj")

        under_test.wait_until(has_gone, "the first file is gone", patience=90, step=1)
        under_test.wait_until(
            lambda: sum(e["type"] == "delivered" for e in watcher.events) == sent, "all is told")
        reads_on.close()
        for _ in range(2):
            with daemon.connect(5.0) as connection:
                connection.write_request(op="events", consumer="away")
                connection.read()
                gap = connection.read()
                self.assertEqual(gap["type"], "gap")
                gone = [e for e in watcher.events if e["cursor"] < gap["to"]]
                self.assertEqual(gap["missed"], len(gone))
                self.assertGreater(len(gone), 0)
            with daemon.connect(5.0) as connection:
                connection.write_request(op="events", consumer="away", types=["delivered"])
                connection.read()
                gap = connection.read()
                self.assertEqual(gap["missed"], sum(e["type"] == "delivered"
                                                    for e in watcher.events
                                                    if e["cursor"] < gap["to"]))
            with daemon.connect(5.0) as connection:  # was given all, and acknowledged nothing
                connection.write_request(op="events", consumer="reads-on")
                connection.read()
                gap = connection.read()
                self.assertEqual((gap["type"], gap["missed"]),
                                 ("gap", sum(e["cursor"] < gap["to"] for e in watcher.events)))
            for types in ({}, {"types": ["sent", "receipt"]}):
                with daemon.connect(5.0) as connection:
                    connection.write_request(op="events", consumer="of-spring", campaign="spring",
                                             **types)
                    connection.read()
                    gap = connection.read()
                    self.assertEqual(gap["missed"], sum(
                        e.get("campaign") == "spring" and e["type"] in types.get("types", [e["type"]])
                        for e in watcher.events if e["cursor"] < gap["to"]))
            with daemon.connect(5.0) as connection:  # the place that it acknowledged, said by itself
                connection.write_request(op="events", consumer="away", **{"from": begun_at})
                connection.read()
                gap = connection.read()
                self.assertEqual(gap["missed"], sum(e["cursor"] < gap["to"]
                                                    for e in watcher.events))
            for place in ({"from": watcher.events[1]["cursor"]}, {}):
                with daemon.connect(5.0) as connection:  # another place, and again from there
                    connection.write_request(op="events", consumer="elsewhere", **place)
                    connection.read()
                    gap = connection.read()
                    self.assertEqual((gap["type"], "missed" in gap), ("gap", False))
            with daemon.connect(5.0) as connection:  # how many of a campaign, nobody counted
                connection.write_request(op="events", consumer="other", campaign="spring")
                connection.read()
                gap = connection.read()
                self.assertEqual((gap["type"], "missed" in gap), ("gap", False))
            time.sleep(0.2)
            daemon.kill()
            daemon.start()
        watcher.close()
        self.assertEqual(daemon.stop(), 0)
        carrier.close()


if __name__ == "__main__":
    under_test.run_cases(__doc__)

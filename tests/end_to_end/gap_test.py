#!/usr/bin/env python3
"""A consumer is told what it missed: exactly where that was counted, else what is known of it."""

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
        for life in range(2):
            with daemon.connect() as connection:
                connection.ask(op="events", consumer=f"elsewhere-{life}")
        with daemon.connect() as connection:
            connection.ask(op="events", consumer="of-spring", campaign="spring")
        with daemon.connect() as connection:
            connection.ask(op="events", consumer="other", campaign="autumn")
        watcher = under_test.EventFollower(daemon, "here")
        reads_on = under_test.EventFollower(daemon, "reads-on", acknowledge=False)
        for _ in range(2):  # for those who ask from an earlier place than they stand at
            with daemon.connect() as connection:
                connection.ask(op="send", to="+79160000000", text="Hello", **{"from": "SHOP"})
        under_test.wait_until(
            lambda: sum(e["type"] == "delivered" for e in watcher.events) == 2, "their ends")
        passed = len(watcher.events)
        for life in range(2):
            with daemon.connect() as connection:
                connection.ask(op="events", consumer=f"earlier-{life}")
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
            lambda: sum(e["type"] == "delivered" for e in watcher.events) == sent + 2,
            "all is told")
        reads_on.close()
        for life in range(2):
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
            # A later place, and again from there: no more than was counted from its own.
            later = watcher.events[1]["cursor"]
            for place in ({"from": later}, {}):
                with daemon.connect(5.0) as connection:
                    connection.write_request(op="events", consumer=f"elsewhere-{life}", **place)
                    connection.read()
                    gap = connection.read()
                    self.assertEqual((gap["type"], "missed" in gap), ("gap", False))
                    gone = [e for e in watcher.events if later < e["cursor"] < gap["to"]]
                    self.assertGreaterEqual(gap["missed_at_most"], len(gone))
                    self.assertLessEqual(gap["missed_at_most"], len(gone) + 2)
            # An earlier one: no fewer.
            with daemon.connect(5.0) as connection:
                connection.write_request(op="events", consumer=f"earlier-{life}",
                                         **{"from": begun_at})
                connection.read()
                gap = connection.read()
                gone = [e for e in watcher.events if e["cursor"] < gap["to"]]
                self.assertEqual((gap["type"], "missed" in gap), ("gap", False))
                self.assertLessEqual(gap["missed_at_least"], len(gone))
                self.assertGreaterEqual(gap["missed_at_least"], len(gone) - passed)
            with daemon.connect(5.0) as connection:  # one that never was: nobody knows
                connection.write_request(op="events", consumer=f"new-{life}", **{"from": begun_at})
                connection.read()
                gap = connection.read()
                self.assertEqual((gap["type"], [k for k in gap if k.startswith("missed")]),
                                 ("gap", []))
            with daemon.connect(5.0) as connection:  # of a campaign no more than of all
                connection.write_request(op="events", consumer="other", campaign="spring")
                connection.read()
                gap = connection.read()
                self.assertEqual((gap["type"], "missed" in gap), ("gap", False))
                gone = [e for e in watcher.events if e["cursor"] < gap["to"]]
                self.assertEqual(gap["missed_at_most"], len(gone))
            time.sleep(0.2)
            daemon.kill()
            daemon.start()
        watcher.close()
        self.assertEqual(daemon.stop(), 0)
        carrier.close()


class Lost(unittest.TestCase):
    def test_what_the_disk_has_lost_is_told_and_the_rest_comes(self):
        carrier = ScriptedCarrier()
        self.addCleanup(carrier.close)
        daemon = under_test.Daemon([under_test.carrier("north", carrier.address)]).start()
        daemon.wait_bound("north")
        watcher = under_test.EventFollower(daemon, "here")
        self.addCleanup(watcher.close)
        with daemon.connect() as connection:
            connection.ask(op="events", consumer="away")
        for name in ("before", "lost", "behind"):
            sent = daemon.ask(op="send", to="+79161234567", ref=f"is-{name}", text="Hello",
                              **{"from": "SHOP"})
            watcher.wait_for(sent["id"], "delivered")
        with open(daemon.journal_files()[0], "r+b") as file:  # the block that has its last record
            file.seek(file.read().rindex(b"is-lost"))
            file.write(b"I")
        with daemon.connect(10.0) as connection:
            connection.ask(op="events", consumer="away")
            told = []
            while not told or (told[-1].get("ref"), told[-1]["type"]) != ("is-behind", "delivered"):
                told.append(connection.read())
        gaps = [e for e in told if e["type"] == "gap"]
        self.assertEqual(len(gaps), 1, told)
        self.assertEqual(gaps[0]["reason"], "unreadable")
        self.assertLess(gaps[0]["from"], gaps[0]["to"])
        place = told.index(gaps[0])
        self.assertTrue(all(e["cursor"] <= gaps[0]["from"] for e in told[:place]), told)
        self.assertTrue(all(e["cursor"] >= gaps[0]["to"] for e in told[place + 1:]), told)
        self.assertIn(("is-before", "delivered"), [(e.get("ref"), e["type"]) for e in told])
        self.assertNotIn(("is-lost", "delivered"), [(e.get("ref"), e["type"]) for e in told])


if __name__ == "__main__":
    under_test.run_cases(__doc__)

#!/usr/bin/env python3
"""Orders for what waits: campaigns paused, resumed and cancelled on the real daemon, with kills.

The carrier is scripted and slow where a test wants something to wait; what arrived there and the
stream of events are the witnesses.
"""

import collections
import time
import unittest

import stentor_under_test as under_test
from scripted_carrier import Answer, ScriptedCarrier

WINDOW = 10
RATE = 200


class Bench(unittest.TestCase):
    """A daemon with a carrier of its own for each test."""

    settings = {"window": WINDOW, "rate": RATE}

    def setUp(self):
        self.scripts = {}
        self.carrier = ScriptedCarrier(self.script)
        self.daemon = self.new_daemon().start()
        self.events = under_test.EventFollower(self.daemon)
        self.numbers = 0

    def new_daemon(self):
        return under_test.Daemon([under_test.carrier("north", self.carrier.address,
                                                     **self.settings)])

    def tearDown(self):
        status = self.daemon.status()
        self.events.close()
        self.assertEqual(under_test.ledger_gap(status), 0, status)
        self.assertEqual(self.daemon.stop(), 0, self.daemon.log_tail())
        self.assertFalse(self.carrier.malformed)
        self.carrier.close()

    def script(self, submit, attempt):
        play = self.scripts.get(submit.destination[2])
        return play(submit, attempt) if play else Answer()

    def restart(self):
        self.daemon.kill()
        self.daemon.start()

    def send_many(self, count, campaign=None, **more):
        """Ids by number."""
        sent = {}
        with self.daemon.connect() as connection:
            waiting = []  # a connection that only writes stops itself
            for _ in range(count):
                if len(waiting) == 500:
                    self.read_ids(connection, waiting, sent)
                self.numbers += 1
                digits = f"7916{self.numbers:07d}"
                request = {"to": "+" + digits, "text": "Hello", "from": "SHOP", **more}
                if campaign:
                    request["campaign"] = campaign
                connection.write_request(**request)
                waiting.append(digits)
            self.read_ids(connection, waiting, sent)
        return sent

    def read_ids(self, connection, waiting, sent):
        for digits in waiting:
            reply = connection.read()
            self.assertEqual(reply["status"], "accepted", reply)
            sent[digits] = reply["id"]
        waiting.clear()

    def campaign(self, action, name, **more):
        reply = self.daemon.ask(op="campaign", action=action, name=name, **more)
        self.assertEqual(reply["status"], "ok", reply)
        return reply

    def arrived(self, numbers):
        with self.carrier.lock:
            return [a.submit.destination[2] for a in self.carrier.arrivals
                    if a.submit.destination[2] in numbers]

    def finals(self, ids):
        """Final events by id: lists of types."""
        ids = set(ids)
        found = collections.defaultdict(list)
        for message_id, events in self.events.by_message().items():
            if message_id in ids:
                found[message_id] += [e["type"] for e in events if e["type"] in under_test.FINAL]
        return found

    def wait_finals(self, ids, patience=under_test.PATIENCE):
        under_test.wait_until(lambda: len(self.finals(ids)) == len(ids)
                              and all(self.finals(ids).values()),
                              lambda: f"finals of {len(ids)}; have {len(self.finals(ids))}",
                              patience, step=0.1)
        finals = self.finals(ids)
        for message_id, types in finals.items():
            self.assertEqual(len(types), 1, (message_id, types))
        return collections.Counter(types[0] for types in finals.values())


class Campaigns(Bench):
    def test_a_pause_stops_within_window_and_reserve_and_resume_goes_on_where_it_stopped(self):
        spring = self.send_many(1000, "spring")
        under_test.wait_until(lambda: len(self.arrived(spring)) > 50, "some went out")

        reply = self.campaign("pause", "spring")
        at_pause = len(self.arrived(spring))
        self.assertEqual(reply["state"], "paused")
        time.sleep(0.7)  # what was under way arrives
        stopped_at = self.arrived(spring)
        self.assertLessEqual(len(stopped_at) - at_pause, 2 * WINDOW)
        other = self.send_many(20, "other")
        self.assertEqual(self.wait_finals(other.values()), {"delivered": 20})
        self.assertEqual(self.arrived(spring), stopped_at)
        shown = self.campaign("show", "spring")
        self.assertEqual(shown["state"], "paused")
        self.assertEqual(shown["limited_by"], "paused")
        self.assertEqual(shown["accepted"], 1000)
        self.assertEqual(shown["sent"], len(stopped_at))
        self.assertEqual(shown["waiting"], 1000 - len(stopped_at))

        self.campaign("resume", "spring")
        self.assertEqual(self.wait_finals(spring.values()), {"delivered": 1000})
        self.assertEqual(self.arrived(spring), list(spring), "each once, in the order of acceptance")

    def test_a_pause_and_the_counts_survive_a_kill(self):
        spring = self.send_many(300, "spring")
        under_test.wait_until(lambda: len(self.arrived(spring)) > 20, "some went out")
        self.campaign("pause", "spring")
        time.sleep(0.5)
        before = self.campaign("show", "spring")

        self.restart()

        self.daemon.wait_bound("north")
        time.sleep(0.5)
        after = self.campaign("show", "spring")
        self.assertEqual(after["state"], "paused")
        for figure in ("accepted", "sent", "waiting", "delivered", "failed", "live"):
            self.assertEqual(after[figure], before[figure], figure)
        self.assertEqual(len(self.arrived(spring)), before["sent"])
        more = self.send_many(5, "spring")  # they wait with the others
        self.campaign("resume", "spring")
        finals = self.wait_finals(list(spring.values()) + list(more.values()))
        self.assertEqual(finals, {"delivered": 305})

    def test_a_cancel_ends_what_waits_and_leaves_alone_what_comes_later(self):
        spring = self.send_many(2000, "spring")
        scheduled = self.send_many(50, "spring", not_before=3600)
        others = self.send_many(30, "others")
        under_test.wait_until(lambda: len(self.arrived(spring)) > 30, "some went out")

        began = time.monotonic()
        reply = self.campaign("cancel", "spring")
        self.assertLess(time.monotonic() - began, 1.0)
        later = self.send_many(10, "spring")
        finals = self.wait_finals(list(spring.values()) + list(scheduled.values()))

        self.assertEqual(set(finals), {"cancelled", "delivered"})
        self.assertEqual(sum(finals.values()), 2050)
        # Nearly all that was answered for; a little may have come back from the wire meanwhile.
        self.assertAlmostEqual(reply["cancelling"], finals["cancelled"], delta=2 * WINDOW)
        self.assertEqual(finals["delivered"], len(self.arrived(spring)))
        self.assertEqual(self.wait_finals(later.values()), {"delivered": 10})
        self.assertEqual(self.wait_finals(others.values()), {"delivered": 30})
        waited = self.campaign("wait", "spring")
        self.assertEqual(waited["state"], "done")
        self.assertEqual(waited["cancelled"], finals["cancelled"])
        self.assertEqual(waited["accepted"], 2060)

    def test_a_cancel_of_what_is_paused_goes_on_across_kills(self):
        spring = self.send_many(8000, "spring")
        self.campaign("pause", "spring")
        reply = self.daemon.ask(op="campaign", action="cancel", name="spring")
        self.assertEqual(reply["status"], "ok")
        for pause in (0.0, 0.05, 0.1):
            time.sleep(pause)
            self.restart()

        finals = self.wait_finals(spring.values())
        self.assertEqual(sum(finals.values()), 8000)
        self.assertEqual(set(finals) | {"delivered"}, {"cancelled", "delivered"})
        self.assertEqual(len(set(self.arrived(spring))), finals["delivered"])
        shown = self.campaign("show", "spring")
        self.assertEqual(shown["live"], 0)
        self.assertEqual(shown["cancelled"], finals["cancelled"])

    def test_names_are_kept_apart_and_listed(self):
        self.send_many(3, "one")
        self.campaign("create", "two", weight=5)
        again = self.daemon.ask(op="campaign", action="create", name="two")
        self.assertEqual(again["error"]["code"], "conflict")
        missing = self.daemon.ask(op="campaign", action="pause", name="three")
        self.assertEqual(missing["error"]["code"], "not_found")
        with self.daemon.connect() as connection:
            connection.write_request(op="campaign", action="list")
            lines = [connection.read() for _ in range(3)]
        self.assertEqual([line.get("name") for line in lines], ["one", "two", None])
        self.assertEqual(lines[1]["weight"], 5)
        self.assertEqual(lines[2], {"status": "ok", "done": True, "lines": 2})


if __name__ == "__main__":
    under_test.run_cases(__doc__.splitlines()[0])

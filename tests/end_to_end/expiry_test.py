#!/usr/bin/env python3
"""What expires while it waits has its event then, wherever it waits.

One daemon, one moment in which messages in every kind of waiting place expire. The events' own
times are the witness.
"""

import datetime
import time
import unittest

import stentor_under_test as under_test
from scripted_carrier import Answer, ScriptedCarrier

SYSTEM_ERROR = 8
# Events are due within 100 ms; the rest is for a machine that does three other things.
LATE_MAX = 0.9


def rfc3339(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).isoformat(
        timespec="milliseconds").replace("+00:00", "Z")


class Expiry(unittest.TestCase):
    def setUp(self):
        self.scripts = {}
        self.north = ScriptedCarrier(self.script)
        self.full = ScriptedCarrier(lambda submit, attempt: Answer(silent=True))
        self.silent = ScriptedCarrier(lambda submit, attempt: Answer(silent=True))
        gone = under_test.free_port()
        self.daemon = under_test.Daemon(
            [under_test.carrier("north", self.north.address, uncertain="hold",
                                retry={"temporary": {"attempts": 9, "pauses": ["1h"]}},
                                limits=[{"sender": "SLOW", "rate": 1}]),
             under_test.carrier("full", self.full.address, window=1),
             under_test.carrier("silent", self.silent.address, uncertain="hold"),
             under_test.carrier("gone", f"127.0.0.1:{gone}"),
             under_test.carrier("still", self.north.address)],
            tables={"queue": {"order_hold": "1h"}}).start()
        for name in ("north", "full", "silent", "still"):
            self.daemon.wait_bound(name)
        self.events = under_test.EventFollower(self.daemon)
        self.numbers = 0

    def tearDown(self):
        status = self.daemon.status()
        self.events.close()
        self.assertEqual(under_test.ledger_gap(status), 0, status)
        self.daemon.kill()
        for carrier in (self.north, self.full, self.silent):
            carrier.close()

    def script(self, submit, attempt):
        play = self.scripts.get(submit.destination[2])
        return play if play else Answer()

    def send(self, to=None, **more):
        self.numbers += 1
        to = to or f"7916{self.numbers:07d}"
        reply = self.daemon.ask(to="+" + to, text="Hello", **{"from": "SHOP", "carrier": "north",
                                                             **more})
        self.assertEqual(reply["status"], "accepted", reply)
        return reply["id"]

    def ask(self, **request):
        self.assertEqual(self.daemon.ask(**request)["status"], "ok", request)

    def test_at_its_whole_second_wherever_it_waits(self):
        self.check(int(time.time()) + 6)

    def test_at_its_millisecond_wherever_it_waits(self):
        self.check(int(time.time()) + 6.027)

    def test_at_its_millisecond_after_a_kill(self):
        ends = int(time.time()) + 8.027
        message = self.send(carrier="gone", expires=rfc3339(ends))
        self.assertEqual(self.daemon.ask(op="message", id=message)["expires"], rfc3339(ends))
        self.daemon.kill()
        self.daemon.start()
        self.assertLess(time.time(), ends, "it waits when the time comes")
        self.check_event(self.expired(message, "after a kill"), ends)

    def check_event(self, event, ends):
        told = datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00"))
        late = round(told.timestamp() - ends, 3)
        self.assertGreaterEqual(late, 0, event)
        self.assertLess(late, LATE_MAX, event)

    def check(self, ends):
        at = rfc3339(ends)
        self.ask(op="carrier", action="suspend", name="still")
        for campaign, more in (("paused", {}), ("slow", {"rate": 1})):
            self.ask(op="campaign", action="create", name=campaign, **more)
        self.ask(op="campaign", action="pause", name="paused")
        for refused in ("79160000701", "79160000702"):
            self.scripts[refused] = Answer(status=SYSTEM_ERROR)

        waits = {"in a lane, its carrier gone": self.send(carrier="gone", expires=at),
                 "in a lane, its carrier suspended": self.send(carrier="still", expires=at),
                 "in a lane, its campaign paused": self.send(campaign="paused", expires=at),
                 "for a retry": self.send(to="79160000701", expires=at)}
        lost = self.send(carrier="silent", expires=at)
        waits["in doubt"] = lost
        under_test.wait_until(lambda: self.silent.arrived(), "it was written")
        self.silent.cut()
        self.send(to="79160000702", expires=3600)
        under_test.wait_until(lambda: self.north.arrived("79160000702"), "it was refused")
        under_test.wait_until(
            lambda: self.daemon.carrier_status("north")["waiting_timers"] >= 2, "and waits")
        waits["held back by order"] = self.send(to="79160000702", expires=at)
        for _ in range(3):
            last = self.send(carrier="full", expires=at)
        waits["reserved, the window full"] = last
        for _ in range(12):
            last = self.send(**{"from": "SLOW"}, expires=at)
        waits["behind a limit"] = last
        for _ in range(12):
            last = self.send(campaign="slow", expires=at)
        waits["for its campaign's rate"] = last
        # not_before is over by then: held in its lane.
        waits["scheduled, then paused"] = self.send(campaign="paused", not_before=1, expires=at)
        self.assertLess(time.time(), ends, "all wait before the second comes")

        late = {}
        for where, message_id in waits.items():
            event = self.expired(message_id, where)
            told = datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00"))
            late[where] = round(told.timestamp() - ends, 3)
        for where, seconds in late.items():
            self.assertGreaterEqual(seconds, 0, (where, late))
            self.assertLess(seconds, LATE_MAX, (where, late))

    def expired(self, message_id, where):
        try:
            return self.events.wait_for(message_id, "expired")
        except AssertionError as error:
            raise AssertionError(f"{where}: {error}") from error


if __name__ == "__main__":
    under_test.run_cases(__doc__.splitlines()[0])

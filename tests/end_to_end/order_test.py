#!/usr/bin/env python3
"""The order of messages to one recipient, when one of them is refused or its answer is lost.

The carrier refuses the first message for now; what arrives there, and when, is the witness.
"""

import time
import unittest

import stentor_under_test as under_test
from scripted_carrier import Answer, ScriptedCarrier

SYSTEM_ERROR = 8
RECIPIENT = "79161234567"
OTHER = "79167654321"


class Order(unittest.TestCase):
    def begin(self, hold, others=(), **settings):
        self.first = []  # answers to the attempts of the first message
        self.carrier = ScriptedCarrier(self.script)
        carriers = [under_test.carrier("north", self.carrier.address, **settings)]
        for name, other in others:
            carriers.append(under_test.carrier(name, other.address))
            self.addCleanup(other.close)
        self.daemon = under_test.Daemon(
            carriers, [{"default": True, "carriers": [c["name"] for c in carriers]}],
            tables={"queue": {"order_hold": hold}}).start()
        for carrier in carriers:
            self.daemon.wait_bound(carrier["name"])
        self.events = under_test.EventFollower(self.daemon)

    def tearDown(self):
        status = self.daemon.status()
        self.events.close()
        self.assertEqual(under_test.ledger_gap(status), 0, status)
        self.assertEqual(self.daemon.stop(), 0, self.daemon.log_tail())
        self.carrier.close()

    def script(self, submit, attempt):
        if self.text(submit) == "one" and self.first:
            return self.first.pop(0)
        return Answer()

    @staticmethod
    def text(submit):
        return submit.short_message.decode("ascii")

    def send(self, text, to=RECIPIENT, **more):
        reply = self.daemon.ask(to="+" + to, text=text, **{"from": "SHOP"}, **more)
        self.assertEqual(reply["status"], "accepted", reply)
        return reply["id"]

    def arrived(self, carrier=None):
        carrier = carrier or self.carrier
        with carrier.lock:
            return [(a.submit.destination[2], self.text(a.submit), a.time)
                    for a in carrier.arrivals]

    def texts(self, carrier=None):
        return [text for to, text, _ in self.arrived(carrier) if to == RECIPIENT]

    def wait_refused(self):
        under_test.wait_until(lambda: self.texts() == ["one"], "the first was tried")
        under_test.wait_until(lambda: self.daemon.carrier_status("north")["waiting_timers"] == 1,
                              "it waits for its next attempt")

    def test_later_ones_wait_for_a_retry_and_others_do_not(self):
        self.begin("30s", retry={"temporary": {"attempts": 5, "pauses": ["2s"]}})
        self.first = [Answer(status=SYSTEM_ERROR)]
        self.send("one")
        self.wait_refused()
        last = [self.send(text) for text in ("two", "three")][-1]
        other = self.send("other", OTHER)
        self.events.wait_for(other, "delivered")
        self.assertEqual(self.texts(), ["one"], "others went, its later ones did not")
        self.assertEqual(self.daemon.carrier_status("north")["waiting_order"], 2)
        self.events.wait_for(last, "delivered")
        self.assertEqual(self.texts(), ["one", "one", "two", "three"])

    def test_they_pass_after_the_hold_across_a_restart_and_history_says_so(self):
        self.begin("4s", retry={"temporary": {"attempts": 5, "pauses": ["1h"]}})
        self.first = [Answer(status=SYSTEM_ERROR)]
        one = self.send("one")
        self.wait_refused()
        tried = self.arrived()[0][2]
        two = self.send("two")
        self.daemon.kill()
        self.daemon.start()
        self.daemon.wait_bound("north")
        other = self.send("other", OTHER)
        self.events.wait_for(other, "delivered")
        self.events.wait_for(two, "delivered")
        arrived = [a for a in self.arrived() if a[0] == RECIPIENT]
        self.assertEqual([text for _, text, _ in arrived], ["one", "two"])
        # The second of its refusal is remembered, not the millisecond.
        self.assertGreaterEqual(arrived[1][2] - tried, 2.9)
        history = self.daemon.ask(op="message", id=two)["history"]
        passed = [step for step in history if step["what"] == "passed"]
        self.assertEqual([step["earlier"] for step in passed], [one], history)

    def test_later_ones_wait_for_a_doubt_and_go_when_somebody_has_spoken(self):
        self.begin("60s", uncertain="hold")
        self.first = [Answer(silent=True)]
        one = self.send("one")
        under_test.wait_until(lambda: self.texts() == ["one"], "the first was written")
        self.carrier.cut()
        self.events.wait_for(one, "uncertain")
        two = self.send("two")
        other = self.send("other", OTHER)
        self.events.wait_for(other, "delivered")
        self.assertEqual(self.texts(), ["one"])
        self.assertEqual(self.daemon.ask(op="resolve", id=one, **{"as": "sent"})["status"], "ok")
        self.events.wait_for(two, "delivered")

    def refuse_one_and_suspend(self, hold, pauses):
        """The carrier that takes over, and the ids of one, two and other."""
        south = ScriptedCarrier()
        self.begin(hold, [("south", south)],
                   retry={"temporary": {"attempts": 5, "pauses": pauses}})
        self.first = [Answer(status=SYSTEM_ERROR)]
        one = self.send("one")
        self.wait_refused()
        two = self.send("two")
        under_test.wait_until(lambda: self.daemon.carrier_status("north")["waiting_order"] == 1,
                              "the second waits behind the first")
        self.daemon.ask(op="carrier", action="suspend", name="north")
        other = self.send("other", OTHER)
        self.events.wait_for(other, "delivered")
        self.assertEqual(south.arrived(OTHER)[0].submit.destination[2], OTHER)
        return south, one, two

    def test_they_move_with_the_one_they_wait_for_and_behind_it(self):
        south, _, two = self.refuse_one_and_suspend("1h", ["3s"])
        self.events.wait_for(two, "delivered")
        self.assertEqual(self.texts(), ["one"], "what was refused")
        self.assertEqual(self.texts(south), ["one", "two"])
        history = self.daemon.ask(op="message", id=two)["history"]
        self.assertFalse([step for step in history if step["what"] == "passed"], history)

    def test_they_wait_for_their_time_before_they_move_past_it_and_history_says_so(self):
        south, one, two = self.refuse_one_and_suspend("4s", ["1h"])
        tried = self.arrived()[0][2]
        self.assertEqual(self.texts(south), [], "others moved, the second did not")
        self.events.wait_for(two, "delivered")
        arrived = [a for a in self.arrived(south) if a[0] == RECIPIENT]
        self.assertEqual([text for _, text, _ in arrived], ["two"])
        self.assertGreaterEqual(arrived[0][2] - tried, 3.9)
        history = self.daemon.ask(op="message", id=two)["history"]
        steps = [(step["what"], step.get("earlier"), step.get("to")) for step in history
                 if step["what"] in ("passed", "moved")]
        self.assertEqual(steps, [("passed", one, None), ("moved", None, "south")], history)

    def test_what_is_held_back_expires_in_its_second_and_goes_with_its_campaign(self):
        self.begin("60s", retry={"temporary": {"attempts": 5, "pauses": ["1h"]}})
        self.first = [Answer(status=SYSTEM_ERROR)]
        self.send("one", campaign="spring", expires=3600)
        self.wait_refused()
        two = self.send("two", campaign="spring", expires=2)
        three = self.send("three", campaign="spring")
        began = time.time()
        self.events.wait_for(two, "expired")
        self.assertLess(time.time() - began, 4.5)
        self.daemon.ask(op="campaign", action="cancel", name="spring")
        self.events.wait_for(three, "cancelled")
        self.assertEqual(self.texts(), ["one"])


if __name__ == "__main__":
    under_test.run_cases(__doc__.splitlines()[0])

#!/usr/bin/env python3
"""A message's history says why: each wait with its cause, the route, the encoding, each attempt."""

import datetime
import time
import unittest

import stentor_under_test as under_test
from scripted_carrier import Answer, ScriptedCarrier

WAIT = 1.6  # seconds; causes are noted once a second


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


class Histories(unittest.TestCase):
    """One daemon for all cases; each has a carrier of its own where it holds one back."""

    @classmethod
    def setUpClass(cls):
        cls.scripts = {}
        cls.carriers = {name: ScriptedCarrier(cls.script)
                        for name in ("north", "slow", "narrow", "idle")}
        cls.later_port = under_test.free_port()
        addresses = {name: c.address for name, c in cls.carriers.items()}
        settings = {"slow": {"rate": 1, "window": 1}, "narrow": {"window": 1}}
        cls.daemon = under_test.Daemon(
            [under_test.carrier(name, address, **settings.get(name, {}),
                                retry={"temporary": {"attempts": 3, "pauses": ["2s"]}})
             for name, address in addresses.items()]
            + [under_test.carrier("later", f"127.0.0.1:{cls.later_port}"),
               under_test.carrier("absent", f"127.0.0.1:{under_test.free_port()}")],
            routes=[{"default": True, "carriers": ["north"]},
                    {"prefix": ["7999"], "carriers": ["absent", "north"]},
                    {"prefix": ["7"], "senders": ["SHOP"], "carriers": ["north"]}])
        cls.daemon.start()
        for name in cls.carriers:
            cls.daemon.wait_bound(name)
        cls.events = under_test.EventFollower(cls.daemon)
        cls.numbers = 0

    @classmethod
    def tearDownClass(cls):
        cls.events.close()
        assert cls.daemon.stop() == 0, cls.daemon.log_tail()
        for each in cls.carriers.values():
            each.close()

    @classmethod
    def script(cls, submit, attempt):
        play = cls.scripts.get(submit.destination[2])
        return play(attempt) if play else Answer()

    def send(self, to=None, play=None, **more):
        type(self).numbers += 1
        digits = to or f"7916{self.numbers:07d}"
        if play:
            self.scripts[digits] = play
        reply = self.daemon.ask(op="send", to="+" + digits, text=more.pop("text", "Hello"),
                                **{"from": "SHOP", **more})
        self.assertEqual(reply["status"], "accepted", reply)
        return reply["id"], digits

    def history(self, message_id):
        return self.daemon.ask(op="message", id=message_id)["history"]

    def waited(self, message_id, cause):
        """The longest wait of this cause, once the message is sent; its dates are its length."""
        self.events.wait_for(message_id, "sent")
        steps = self.history(message_id)
        found = [s for s in steps if s["what"] == "waited" and s["cause"] == cause]
        self.assertTrue(found, steps)
        for step in found:
            span = moment(step["until"]) - moment(step["time"])
            self.assertEqual(round(span.total_seconds() * 1000), step["ms"])
        return max(found, key=lambda s: s["ms"])

    def waiting(self, message_id, cause):
        """What it waits for just now."""
        def step():
            last = self.history(message_id)[-1]
            return last if (last["what"], last.get("cause")) == ("waiting", cause) else None
        return under_test.wait_until(step, lambda: f"it waits for {cause}: "
                                     f"{self.history(message_id)}")

    def test_the_carriers_rate(self):
        ids = [self.send(carrier="slow")[0] for _ in range(5)]
        self.assertGreater(self.waited(ids[-1], "rate")["ms"], 500)
        # Reserved, and the next to go: written when the rate lets it out.
        self.assertGreater(self.waited(ids[1], "bind")["ms"], 300)

    def test_the_carriers_window(self):
        ids = [self.send(carrier="narrow", play=lambda attempt: Answer(delay=0.8))[0]
               for _ in range(6)]
        self.events.wait_for(ids[-1], "sent")
        causes = {s["cause"] for s in self.history(ids[-1]) if s["what"] == "waited"}
        # On a slow machine an answer takes more than a second, which has a name of its own.
        self.assertTrue(causes & {"window", "latency"}, self.history(ids[-1]))

    def test_a_link_that_is_down(self):
        message_id, _ = self.send(carrier="later")
        self.waiting(message_id, "link_down")
        time.sleep(WAIT)
        carrier = ScriptedCarrier(port=self.later_port)
        self.addCleanup(carrier.close)
        self.assertGreater(self.waited(message_id, "link_down")["ms"], 1000)

    def test_a_paused_campaign(self):
        self.daemon.ask(op="campaign", action="create", name="spring")
        self.daemon.ask(op="campaign", action="pause", name="spring")
        message_id, _ = self.send(campaign="spring")
        self.waiting(message_id, "pause")
        time.sleep(WAIT)
        self.daemon.ask(op="campaign", action="resume", name="spring")
        self.assertGreater(self.waited(message_id, "pause")["ms"], 1500)

    def test_a_suspended_carrier(self):
        self.daemon.ask(op="carrier", action="suspend", name="idle")
        message_id, _ = self.send(carrier="idle")
        self.waiting(message_id, "suspended")
        time.sleep(WAIT)
        self.daemon.ask(op="carrier", action="resume", name="idle")
        self.assertGreater(self.waited(message_id, "suspended")["ms"], 1000)

    def test_a_time_that_was_asked_for(self):
        message_id, _ = self.send(not_before=2)
        self.assertIn("until", self.waiting(message_id, "not_before"))
        self.assertGreater(self.waited(message_id, "not_before")["ms"], 1900)

    def test_its_hours(self):
        ahead = (3 - time.gmtime().tm_hour + 12) % 24 - 12  # where it is three in the morning
        zone = f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"
        message_id, _ = self.send(hours={"from": "09:00", "to": "21:00", "zone": zone})
        opens = moment(self.waiting(message_id, "hours")["until"])
        self.assertEqual((opens.hour + ahead) % 24, 9)

    def test_a_retry_and_both_attempts_by_bind_and_number(self):
        message_id, digits = self.send(
            play=lambda attempt: Answer(status=8) if attempt == 1 else Answer())
        self.assertGreater(self.waited(message_id, "retry")["ms"], 1900)
        attempts = [s for s in self.history(message_id) if s["what"].startswith("part_")]
        self.assertEqual([(s["what"], s["attempt"], s["bind"], s["command_status"])
                          for s in attempts], [("part_refused", 1, 0, "0x00000008"),
                                               ("part_accepted", 2, 0, "0x00000000")])
        with self.carriers["north"].lock:
            arrived = [a.sequence for a in self.carriers["north"].arrivals
                       if a.submit.destination[2] == digits]
        self.assertEqual([s["sequence"] for s in attempts], arrived)

    def test_the_route_and_who_was_passed_over(self):
        accepted = self.history(self.send("79991234567", **{"from": "BANK"})[0])[0]
        self.assertEqual((accepted["route"], accepted["route_reason"]),
                         (2, "the longest prefix, 7999"))
        self.assertEqual(accepted["passed_over"], [{"carrier": "absent", "health": "down"}])
        accepted = self.history(self.send()[0])[0]
        self.assertEqual(accepted["route_reason"], "its sender, the longest prefix, 7")
        accepted = self.history(self.send("441234567890")[0])[0]
        self.assertEqual(accepted["route_reason"], "the default route: no prefix matches")
        accepted = self.history(self.send(carrier="north")[0])[0]
        self.assertEqual(accepted["route_reason"], "the request names its carrier")

    def test_the_encoding(self):
        accepted = self.history(self.send(text="Hello, Ж")[0])[0]
        self.assertEqual((accepted["encoding"], accepted["encoding_reason"]),
                         ("ucs2", "U+0416 at 7 is in no cheaper alphabet"))
        accepted = self.history(self.send(encoding="ucs2")[0])[0]
        self.assertEqual(accepted["encoding_reason"], "asked for")


class AfterARestart(unittest.TestCase):
    """What a message waits for is told at once, not when its carrier has been looked at a while."""

    def test_each_cause_of_a_wait_is_known_to_the_first_question(self):
        carrier = ScriptedCarrier(lambda submit, attempt: Answer(status=8))
        self.addCleanup(carrier.close)
        daemon = under_test.Daemon(
            [under_test.carrier("north", carrier.address,
                                retry={"temporary": {"attempts": 3, "pauses": ["300s"]}}),
             under_test.carrier("idle", carrier.address),
             under_test.carrier("absent", f"127.0.0.1:{under_test.free_port()}")])
        daemon.start()
        for name in ("north", "idle"):
            daemon.wait_bound(name)
        self.assertTrue(daemon.ask(op="carrier", action="suspend", name="idle")["suspended"])
        daemon.ask(op="campaign", action="create", name="spring")
        daemon.ask(op="campaign", action="pause", name="spring")
        ahead = (3 - time.gmtime().tm_hour + 12) % 24 - 12  # where it is three in the morning
        zone = f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"

        def last_step(message_id):
            return daemon.ask(op="message", id=message_id)["history"][-1]

        def send(number, **more):
            reply = daemon.ask(op="send", to=f"+7916000000{number}", text="Hello",
                               **{"from": "SHOP", **more})
            self.assertEqual(reply["status"], "accepted", reply)
            return reply["id"]

        causes = {send(1, carrier="absent"): "link_down", send(2, carrier="idle"): "suspended",
                  send(3, campaign="spring"): "pause", send(4, not_before=3600): "not_before",
                  send(5, hours={"from": "09:00", "to": "21:00", "zone": zone}): "hours",
                  send(6, carrier="north"): "retry"}
        held = send(7, carrier="absent")
        self.assertTrue(daemon.ask(op="pause", id=held)["paused"])
        causes[held] = "pause"
        for message_id, cause in causes.items():
            under_test.wait_until(lambda i=message_id, c=cause: last_step(i).get("cause") == c,
                                  f"{cause}, before")
        due = {message_id: last_step(message_id).get("until") for message_id in causes}
        daemon.kill()
        daemon.start()
        told = {message_id: last_step(message_id) for message_id in causes}
        for message_id, cause in causes.items():
            with self.subTest(cause):
                step = told[message_id]
                self.assertEqual((step["what"], step["cause"]), ("waiting", cause), step)
                self.assertEqual(step.get("until"), due[message_id])
        self.assertEqual(daemon.stop(), 0, daemon.log_tail())


if __name__ == "__main__":
    under_test.run_cases(__doc__)

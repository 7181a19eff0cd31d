#!/usr/bin/env python3
"""Orders for what waits: campaigns paused, resumed and cancelled on the real daemon, with kills.

The carrier is scripted and slow where a test wants something to wait; what arrived there and the
stream of events are the witnesses.
"""

import os
import collections
import pwd
import re
import subprocess
import time
import unittest

import smpp_octets as smpp
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

    def ctl(self, *arguments):
        """What stentorctl prints."""
        return subprocess.run([under_test.program("stentorctl"), "--socket",
                               self.daemon.socket_path, *arguments], check=True, text=True,
                              capture_output=True, timeout=under_test.PATIENCE).stdout

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
                request = {"to": "+" + digits, "from": "SHOP", **{"text": "Hello", **more}}
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

    def who_cancelled(self, ids):
        """Which clients the histories name, and the one that these messages are of."""
        told = [self.daemon.ask(op="message", id=message_id) for message_id in ids]
        return ({step.get("by") for message in told for step in message["history"]
                 if step.get("state") == "cancelled"}, told[0]["client"])

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
        arrived = set(self.arrived(spring))
        for number, message_id in spring.items():
            if self.events.of(message_id, "delivered"):
                self.assertIn(number, arrived)
            elif number in arrived:  # in doubt when the process died, and then cancelled
                self.assertTrue(self.events.of(message_id, "cancelled")[0]["possible_duplicate"])
        shown = self.campaign("show", "spring")
        self.assertEqual(shown["live"], 0)
        self.assertEqual(shown["cancelled"], finals["cancelled"])

    def test_a_report_has_a_line_for_each_that_came_to_a_bad_end(self):
        self.scripts["79160000003"] = lambda submit, attempt: Answer(status=0x0B)
        sent = self.send_many(5, "spring")
        self.send_many(3, "other")
        self.wait_finals(sent.values())
        self.campaign("pause", "spring")
        more = self.send_many(1500, "spring", meta={"filler": "x" * 900})
        self.campaign("cancel", "spring")
        self.campaign("wait", "spring")
        with self.daemon.connect() as connection:
            connection.write_request(op="campaign", action="report", name="spring")
            connection.write_request(op="status")
            lines = []
            while not lines or "done" not in lines[-1]:
                lines.append(connection.read())
            self.assertEqual(connection.read()["protocol"], 1)
        self.assertEqual(lines[-1], {"status": "ok", "done": True, "lines": 1501})
        self.assertEqual(lines[0]["to"], "+79160000003")
        self.assertEqual(lines[0]["type"], "failed")
        self.assertEqual({line["id"] for line in lines[1:-1]}, set(more.values()))

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


class Weights(Bench):
    """What campaigns and the configuration say that somebody weighs reaches the lanes."""

    settings = {"window": 1, "rate": RATE}

    def new_daemon(self):
        daemon = super().new_daemon()
        with open(daemon.config_path, encoding="utf-8") as config:
            text = config.read()
        user = pwd.getpwuid(os.getuid()).pw_name
        daemon.write_config_text(text + f'\n[[client]]\nname = "crm"\nusers = ["{user}"]\n'
                                 'weight = 4\nroles = ["submit", "observe", "admin"]\n')
        return daemon

    def start_together(self):
        """(numbers of `light`, of `usual`, of `heavy` and of none), all waiting, bulk all."""
        waiting = [self.send_many(400, name, priority="bulk", not_before=1)
                   for name in ("light", "usual", "heavy", None)]
        under_test.wait_until(
            lambda: self.daemon.carrier_status("north")["waiting_bulk"] >= 1600,
            lambda: f"all to be due: {self.daemon.carrier_status('north')}")
        return waiting

    def go(self, action):
        self.assertEqual(self.daemon.ask(op="carrier", action=action, name="north")["status"], "ok")

    def check_shares(self, waiting):
        """Of the first few hundred, so many of each as they weigh: 1, 4, 8 and 4 of 17."""
        numbers = [number for sent in waiting for number in sent]
        self.go("resume")
        under_test.wait_until(lambda: len(self.arrived(numbers)) >= 340, "some to go")
        first = set(self.arrived(numbers)[:340])
        for sent, share in zip(waiting, (20, 80, 160, 80)):
            self.assertAlmostEqual(len(first & set(sent)), share, delta=12)
        for name in ("light", "usual", "heavy"):
            self.campaign("cancel", name)
        self.wait_finals([message_id for sent in waiting for message_id in sent.values()])

    def test_they_reach_the_lanes_when_they_are_set_and_after_a_restart(self):
        self.assertEqual(self.campaign("create", "light", weight=1)["weight"], 1)
        self.assertEqual(self.campaign("create", "usual")["weight"], 4)
        self.campaign("create", "heavy")
        self.assertEqual(self.campaign("set", "heavy", weight=8)["weight"], 8)
        self.go("suspend")
        self.check_shares(self.start_together())

        self.go("suspend")
        waiting = self.start_together()
        self.restart()
        self.daemon.wait_bound("north")
        self.check_shares(waiting)

    def test_a_campaign_that_begins_with_its_first_message_weighs_what_its_client_does(self):
        self.campaign("create", "light", weight=1)
        self.campaign("create", "heavy", weight=8)
        self.go("suspend")
        self.check_shares(self.start_together())


class Cancel(Bench):
    def cancel(self, message_id):
        return self.daemon.ask(op="cancel", id=message_id)

    def test_one_message_is_called_back_wherever_it_waits(self):
        scheduled = self.send_many(1, not_before=2, ref="later")
        self.send_many(1, "idle")
        self.campaign("pause", "idle")
        paused = self.send_many(1, "idle")
        refused = f"7916{self.numbers + 1:07d}"
        self.scripts[refused] = lambda submit, attempt: Answer(status=8)
        retried = self.send_many(1)
        under_test.wait_until(lambda: self.arrived(retried), "it was refused once")
        behind = self.send_many(400)  # two seconds of the carrier's rate
        last = list(behind.values())[-1]
        ids = [scheduled.popitem()[1], paused.popitem()[1], retried.popitem()[1], last]
        time.sleep(0.1)

        for message_id in ids:
            began = time.monotonic()
            reply = self.cancel(message_id)
            self.assertEqual((reply["status"], reply.get("state")), ("ok", "cancelled"), reply)
            self.assertLess(time.monotonic() - began, 1.0)
        self.assertEqual(self.wait_finals(ids), {"cancelled": 4})
        by, client = self.who_cancelled(ids)
        self.assertEqual(by, {client})
        again = self.daemon.ask(op="cancel", ref="later")
        self.assertEqual(again["error"]["code"], "conflict")
        self.campaign("resume", "idle")
        self.assertEqual(self.wait_finals(list(behind.values())[:-1]), {"delivered": 399})
        self.restart()
        self.daemon.wait_bound("north")
        time.sleep(2.2)  # past the retry and not_before
        gone = list(behind)[-1]
        self.assertEqual(self.arrived([gone]), [])
        self.assertEqual(len(self.arrived([refused])), 1)
        self.assertEqual(self.wait_finals(ids), {"cancelled": 4})

    def test_what_has_gone_and_what_never_was_is_refused(self):
        sent = self.send_many(1).popitem()[1]
        self.events.wait_for(sent, "delivered")
        self.assertEqual(self.cancel(sent)["error"]["code"], "conflict")
        self.assertEqual(self.cancel("0" * 26)["error"]["code"], "not_found")
        digits = f"7916{self.numbers + 1:07d}"
        self.scripts[digits] = lambda submit, attempt: Answer(delay=1.0)
        on_wire = self.send_many(1)
        under_test.wait_until(lambda: self.arrived(on_wire), "it is on the wire")
        self.assertEqual(self.cancel(on_wire[digits])["error"]["code"], "conflict")
        self.events.wait_for(on_wire[digits], "delivered")


class Pause(Bench):
    def order(self, op, message_id):
        began = time.monotonic()
        reply = self.daemon.ask(op=op, id=message_id)
        self.assertEqual((reply["status"], reply.get("paused")), ("ok", op == "pause"), reply)
        self.assertLess(time.monotonic() - began, 1.0)

    def steps(self, message_id):
        told = self.daemon.ask(op="message", id=message_id)
        return told, [step["what"] for step in told["history"]]

    def test_a_message_waits_wherever_it_waits_and_goes_when_it_is_resumed_over_kills(self):
        self.daemon.ask(op="campaign", action="create", name="idle")
        self.campaign("pause", "idle")
        idle = self.send_many(1, "idle")
        digits = f"7916{self.numbers + 1:07d}"
        is_refused = True
        self.scripts[digits] = lambda submit, attempt: Answer(status=8 if is_refused else 0)
        retried = self.send_many(1)
        under_test.wait_until(lambda: self.arrived(retried), "it was refused once")
        others = self.send_many(1000)  # five seconds of the carrier's rate
        last = list(others)[-1]
        due = time.time() + 5
        later = self.send_many(1, not_before=5, ref="later")
        ids = {**later, last: others.pop(last), **idle, **retried}

        for message_id in list(ids.values())[:3]:
            self.order("pause", message_id)
        self.order("pause", list(ids.values())[0])  # said twice
        under_test.wait_until(  # not while an attempt of it is under way
            lambda: self.daemon.ask(op="pause", id=retried[digits])["status"] == "ok",
            "it waits for its retry")
        arrived = self.arrived(ids)
        self.campaign("resume", "idle")
        self.assertEqual(self.wait_finals(others.values()), {"delivered": 999})
        for _ in range(2):
            self.restart()
            self.daemon.wait_bound("north")
            self.assertEqual(self.daemon.status()["paused"], 4)
            time.sleep(max(2.2, due + 0.5 - time.time()))  # past the retry and not_before
            self.assertEqual(self.arrived(ids), arrived)
        for message_id in ids.values():
            told, steps = self.steps(message_id)
            self.assertTrue(told["paused"])
            self.assertEqual(steps.count("paused"), 1, steps)
            self.assertEqual(told["history"][-1]["cause"], "pause")
            paused = next(step for step in told["history"] if step["what"] == "paused")
            self.assertEqual(paused["by"], told["client"])

        is_refused = False
        self.daemon.ask(op="resume", ref="later")
        for message_id in ids.values():
            self.order("resume", message_id)
        self.assertEqual(self.wait_finals(ids.values()), {"delivered": 4})
        self.assertEqual(self.daemon.status()["paused"], 0)
        told, steps = self.steps(ids[last])
        self.assertNotIn("paused", told)
        self.assertLess(steps.index("paused"), steps.index("resumed"), steps)
        self.assertLess(steps.index("resumed"), steps.index("part_accepted"), steps)

    def test_a_paused_message_expires_is_cancelled_and_is_moved(self):
        ids = [self.send_many(1, **more).popitem()[1]
               for more in ({"expires": 8, "not_before": 3}, {"not_before": 3},
                            {"campaign": "spring", "not_before": 3})]
        for message_id in ids:
            self.order("pause", message_id)
        self.restart()
        self.daemon.wait_bound("north")
        under_test.wait_until(lambda: self.campaign("show", "spring")["limited_by"] == "paused",
                              "their time has come, and they stand aside")
        reply = self.daemon.ask(op="cancel", id=ids[1])
        self.assertEqual((reply["status"], reply.get("state")), ("ok", "cancelled"), reply)
        self.campaign("move", "spring", carrier="north")
        self.assertEqual(self.campaign("cancel", "spring")["cancelling"], 1)
        self.assertEqual(self.wait_finals(ids), {"cancelled": 2, "expired": 1})
        refused = self.daemon.ask(op="resume", id=ids[0])
        self.assertEqual(refused["error"]["code"], "conflict", refused)
        self.assertEqual(self.daemon.status()["paused"], 0)
        under_test.wait_until(lambda: self.daemon.carrier_status("north")["waiting"] == 0,
                              "no ticket stays behind")

    def test_what_has_gone_and_what_never_was_is_refused(self):
        sent = self.send_many(1).popitem()[1]
        self.events.wait_for(sent, "delivered")
        for op in ("pause", "resume"):
            self.assertEqual(self.daemon.ask(op=op, id=sent)["error"]["code"], "conflict")
            self.assertEqual(self.daemon.ask(op=op, id="0" * 26)["error"]["code"], "not_found")
            self.assertEqual(self.daemon.ask(op=op, ref="never")["error"]["code"], "not_found")
        digits = f"7916{self.numbers + 1:07d}"
        self.scripts[digits] = lambda submit, attempt: Answer(delay=1.0)
        on_wire = self.send_many(1)
        under_test.wait_until(lambda: self.arrived(on_wire), "it is on the wire")
        refused = self.daemon.ask(op="pause", id=on_wire[digits])
        self.assertEqual(refused["error"]["code"], "conflict", refused)
        self.events.wait_for(on_wire[digits], "delivered")
        self.assertEqual(self.daemon.status()["paused"], 0)

    def test_by_stentorctl(self):
        waits = self.send_many(1, not_before=600).popitem()[1]
        self.assertEqual(self.ctl("pause", waits), f"{waits} is paused\n")
        self.assertTrue(self.steps(waits)[0]["paused"])
        self.assertEqual(self.ctl("resume", waits), f"{waits} goes on\n")
        self.assertNotIn("paused", self.steps(waits)[0])


class CarrierCancel(Bench):
    """North is slow; south, to which nothing is routed, is not there."""

    settings = {"window": WINDOW, "rate": 20}

    def new_daemon(self):
        return under_test.Daemon([
            under_test.carrier("north", self.carrier.address, **self.settings),
            under_test.carrier("south", "127.0.0.1:1")])

    def cancel(self, name="north"):
        reply = self.daemon.ask(op="carrier", action="cancel", name=name)
        self.assertEqual(reply["status"], "ok", reply)
        return reply

    def test_what_waits_ends_and_what_comes_later_or_waits_elsewhere_does_not_over_a_kill(self):
        came = self.send_many(3, "came", carrier="south")
        went = self.send_many(3, "went", not_before=3600)
        self.campaign("move", "came", carrier="north")
        self.campaign("move", "went", carrier="south")
        waits_at = lambda name: self.daemon.carrier_status(name)["waiting"]
        under_test.wait_until(lambda: waits_at("south") == 3, "three have moved each way")
        self.daemon.ask(op="campaign", action="create", name="idle")
        self.campaign("pause", "idle")
        ids = {**self.send_many(500), **self.send_many(500, "spring"),
               **self.send_many(500, "idle"), **self.send_many(500, not_before=3600)}
        paused = self.send_many(1, not_before=3600)
        self.assertEqual(self.daemon.ask(op="pause", id=list(paused.values())[0])["status"], "ok")

        began = time.monotonic()
        reply = self.cancel()
        self.assertLess(time.monotonic() - began, 1.0)
        self.daemon.kill()
        self.assertGreater(reply["cancelling"], 1000)
        self.assertLessEqual(reply["under_way"], 2 * WINDOW)
        self.daemon.start()
        after = {**self.send_many(5), **self.send_many(5, "spring")}
        self.campaign("resume", "idle")
        ids.update(paused)
        ids.update(came)
        finals = self.wait_finals(ids.values())
        self.assertEqual(finals["cancelled"], reply["cancelling"])
        self.assertEqual(finals["cancelled"] + finals["delivered"], len(ids), finals)
        by, client = self.who_cancelled(list(paused.values()) + list(came.values()))
        self.assertEqual(by, {client}, "over a kill, too")
        self.assertEqual(self.wait_finals(after.values()), {"delivered": 10})
        self.assertEqual(waits_at("north"), 0)
        self.assertEqual(waits_at("south"), 3)
        self.assertEqual(self.finals(went.values()), {})
        self.campaign("cancel", "went")
        self.assertEqual(self.wait_finals(went.values()), {"cancelled": 3})

    def test_the_order_is_not_given_again_by_a_restart(self):
        first = self.send_many(5, not_before=3600)
        self.cancel()
        self.assertEqual(self.wait_finals(first.values()), {"cancelled": 5})
        by, client = self.who_cancelled(first.values())
        self.assertEqual(by, {client})
        second = self.send_many(5, not_before=3600)
        for _ in range(2):
            self.restart()
            self.daemon.wait_bound("north")
        self.assertEqual(self.finals(second.values()), {})
        self.assertEqual(self.daemon.carrier_status("north")["waiting"], 5)

    def test_by_stentorctl(self):
        waits = self.send_many(5, not_before=3600)
        self.assertEqual(self.ctl("carrier", "cancel", "north"),
                         "north: 5 messages are cancelled; 0 are under way\n")
        self.assertEqual(self.wait_finals(waits.values()), {"cancelled": 5})
        unknown = self.daemon.ask(op="carrier", action="cancel", name="nowhere")
        self.assertEqual(unknown["error"]["code"], "unknown_carrier", unknown)


class Silence:
    """A script for a number: no answer to its first attempt, then as usual."""

    def __init__(self, attempts=1):
        self.attempts = attempts

    def __call__(self, submit, attempt):
        return Answer(silent=True) if attempt <= self.attempts else Answer()


class DoubtBench(Bench):
    settings = {"window": WINDOW, "response_timeout": "60s"}

    def send_one(self, **more):
        """(id, number) of a message whose first submit is not answered."""
        digits = f"7916{self.numbers + 1:07d}"
        self.scripts[digits] = Silence()
        sent = self.send_many(1, **more)
        under_test.wait_until(lambda: self.arrived(sent), "it was written")
        return sent[digits], digits

    def lose_link(self):
        self.carrier.cut()
        time.sleep(0.2)
        self.daemon.wait_bound("north")

    def held(self):
        return self.daemon.carrier_status("north")["in_doubt"]

    def resolve(self, message_id, **how):
        return self.daemon.ask(op="resolve", id=message_id, **how)

    def receipt_for(self, number):
        """The carrier reports a segment that it never answered, and names our reference."""
        submit = self.carrier.arrived(number)[-1].submit
        text = b"id:late-1 sub:001 dlvrd:001 submit date:2601011200 done date:2601011200 " \
               b"stat:DELIVRD err:000 text:"
        tlvs = smpp.tlv(smpp.TLV_USER_MESSAGE_REFERENCE,
                        submit.tlvs[smpp.TLV_USER_MESSAGE_REFERENCE])
        self.carrier.say(smpp.DELIVER_SM, smpp.deliver_sm(
            submit.destination, submit.source, smpp.ESM_RECEIPT, 0, text, tlvs))


class Doubt(DoubtBench):
    def test_a_held_message_is_never_written_again_without_a_word(self):
        first, number = self.send_one(uncertain="hold")
        self.lose_link()
        doubt = self.events.wait_for(first, "uncertain")
        self.assertTrue(doubt["possible_duplicate"])
        self.assertEqual(self.held(), 1)
        self.restart()
        self.daemon.wait_bound("north")
        self.assertEqual(self.held(), 1)
        self.lose_link()
        time.sleep(1.2)
        self.assertEqual(len(self.arrived([number])), 1)

        reply = self.resolve(first, **{"as": "unsent"})
        self.assertEqual(reply["status"], "ok", reply)
        delivered = self.events.wait_for(first, "delivered")
        self.assertEqual(len(self.arrived([number])), 2)
        history = self.daemon.ask(op="message", id=first)["history"]
        self.assertIn("resolved", [step["what"] for step in history])
        again = self.resolve(first, **{"as": "unsent"})
        self.assertEqual(again["error"]["code"], "not_found")
        self.assertEqual(delivered["id"], first)

    def test_a_word_ends_the_doubt_as_sent_or_given_up(self):
        sent, number = self.send_one(uncertain="hold")
        left, other = self.send_one(uncertain="hold", ref="left")
        self.lose_link()
        under_test.wait_until(lambda: self.held() == 2, "both are held")
        self.assertEqual(self.resolve(sent, **{"as": "sent"})["state"], "sent")
        reply = self.daemon.ask(op="resolve", ref="left", **{"as": "abandon"})
        self.assertEqual(reply["state"], "unknown", reply)

        self.events.wait_for(sent, "sent")
        unknown = self.events.wait_for(left, "unknown")
        self.assertEqual(unknown["code"], "unknown_acceptance")
        self.assertTrue(unknown["possible_duplicate"])
        self.assertEqual(self.held(), 0)
        self.restart()
        self.daemon.wait_bound("north")
        time.sleep(0.3)
        self.assertEqual(self.arrived([number, other]), [number, other])

    def overwrite(self, old, new):
        """In the accepted record of a message."""
        for path in self.daemon.journal_files():
            with open(path, "r+b") as file:
                at = file.read().find(old)
                if at >= 0:
                    file.seek(at)
                    file.write(new)
                    return os.path.basename(path)
        self.fail(f"{old} is in no file")

    def test_a_word_on_what_cannot_be_read_is_told_so(self):
        first, _ = self.send_one(uncertain="hold", ref="spoilt-one")
        self.lose_link()
        under_test.wait_until(lambda: self.held() == 1, "it is held")
        self.restart()  # what has been read is not read again
        self.daemon.wait_bound("north")
        file = self.overwrite(b"spoilt-one", b"Spoilt-one")
        try:
            reply = self.resolve(first, **{"as": "sent"})
        finally:
            self.overwrite(b"Spoilt-one", b"spoilt-one")
        self.assertEqual(reply.get("error", {}).get("code"), "unavailable", reply)
        self.assertIn(f"it stays held: {file}: ", reply["error"]["detail"])
        self.assertEqual(self.held(), 1)
        self.assertEqual(self.resolve(first, **{"as": "sent"})["state"], "sent")

    def test_fail_ends_as_unknown_after_a_lost_link_and_after_a_kill(self):
        first, number = self.send_one(uncertain="fail")
        self.lose_link()
        self.assertEqual(self.events.wait_for(first, "unknown")["code"], "unknown_acceptance")
        second, other = self.send_one(uncertain="fail")
        self.restart()
        self.assertEqual(self.events.wait_for(second, "unknown")["code"], "unknown_acceptance")
        self.daemon.wait_bound("north")
        time.sleep(0.3)
        self.assertEqual(self.arrived([number, other]), [number, other])

    def test_a_wait_for_a_receipt_ends_as_the_carrier_says(self):
        first, number = self.send_one(uncertain="wait-dlr:2")
        lost_at = time.monotonic()
        self.lose_link()
        self.events.wait_for(first, "delivered")
        arrived = self.carrier.arrived(number)
        self.assertEqual(len(arrived), 2)
        self.assertGreaterEqual(arrived[1].time - lost_at, 2, "it waited for its receipt")

    def test_a_receipt_that_names_our_reference_ends_a_wait_and_a_hold(self):
        for policy in ("wait-dlr:60", "hold"):
            first, number = self.send_one(uncertain=policy)
            self.lose_link()
            self.events.wait_for(first, "uncertain")
            self.assertEqual(self.held(), 1)
            self.receipt_for(number)
            self.events.wait_for(first, "delivered")
            self.assertTrue(self.events.wait_for(first, "sent")["possible_duplicate"])
            self.assertEqual(len(self.arrived([number])), 1, "it was not written again")
            self.assertEqual(self.held(), 0)

    def test_a_resend_has_the_same_reference_and_is_marked(self):
        text = "Hello " * 40
        digits = f"7916{self.numbers + 1:07d}"
        self.scripts[digits] = Silence()
        sent = self.send_many(1, uncertain="resend", text=text)
        under_test.wait_until(lambda: len(self.arrived(sent)) == 2, "both parts were written")
        self.lose_link()
        for kind in ("sent", "receipt", "delivered"):
            self.assertTrue(self.events.wait_for(sent[digits], kind)["possible_duplicate"], kind)
        arrived = [a.submit.short_message for a in self.carrier.arrived(digits)]
        self.assertEqual(arrived[:2], arrived[2:], "header and text, octet by octet")
        self.assertEqual(self.events.of(sent[digits], "uncertain")[0]["code"], "link_lost")

    def test_a_held_message_expires(self):
        first, number = self.send_one(uncertain="hold", expires=3)
        self.lose_link()
        expired = self.events.wait_for(first, "expired")
        self.assertTrue(expired["possible_duplicate"])
        self.assertEqual(len(self.arrived([number])), 1)

    def test_a_campaign_is_cancelled_with_what_is_held_of_it(self):
        first, number = self.send_one(uncertain="hold", campaign="spring")
        self.lose_link()
        under_test.wait_until(lambda: self.held() == 1, "it is held")
        self.campaign("cancel", "spring")
        self.assertTrue(self.events.wait_for(first, "cancelled")["possible_duplicate"])
        self.assertEqual(len(self.arrived([number])), 1)


class DoubtByTime(DoubtBench):
    settings = {"window": WINDOW, "response_timeout": "1s"}

    def test_a_link_that_stands_and_answers_nothing_in_time_is_told_so(self):
        first, _ = self.send_one(uncertain="hold")
        self.assertEqual(self.events.wait_for(first, "uncertain")["code"], "timeout")
        history = self.daemon.ask(op="message", id=first)["history"]
        step = next(step for step in history if step["what"] == "uncertain")
        self.assertEqual((step["reason"], step["attempt"]), ("timeout", 1))
        self.assertRegex(self.daemon.http("/metrics")[1],
                         r'stentor_uncertain_total\{carrier="north",reason="timeout"\} 1\n')
        self.daemon.ask(op="cancel", id=first)


class DoubtFigures(DoubtBench):
    """What /metrics says of doubts that were real, each kind once."""

    settings = {"window": WINDOW, "response_timeout": "60s", "uncertain": "wait-dlr:2,fail",
                "status": {"0x45": "doubt"}}

    def figures(self):
        """Those of doubts that are not 0, by name and label."""
        found = {}
        for line in self.daemon.http("/metrics")[1].splitlines():
            match = re.fullmatch(r'(stentor_(?:uncertain_total|in_doubt\w*|\w+_duplicates_total))'
                                 r'\{carrier="north"(?:,(?:reason|by)="(\w+)")?\} (\d+)', line)
            if match and match[3] != "0":
                found[" ".join(filter(None, match.group(1, 2)))] = int(match[3])
        return found

    def test_each_reason_and_each_end_is_counted(self):
        self.assertEqual(self.figures(), {})

        waited, number = self.send_one()
        self.lose_link()
        self.events.wait_for(waited, "uncertain")
        self.assertEqual(self.figures(), {
            "stentor_uncertain_total link_lost": 1, "stentor_in_doubt": 1,
            "stentor_possible_duplicates_total": 1})
        unknown = self.events.wait_for(waited, "unknown")
        self.assertEqual(unknown["code"], "unknown_acceptance")
        self.assertEqual(len(self.arrived([number])), 1, "after its wait it is not sent again")
        self.assertEqual(self.figures(), {
            "stentor_uncertain_total link_lost": 1, "stentor_in_doubt_resolved_total waited": 1,
            "stentor_possible_duplicates_total": 1})

        digits = f"7916{self.numbers + 1:07d}"
        self.scripts[digits] = lambda submit, attempt: Answer(status=0x45, receipts=[])
        refused = self.send_many(1, uncertain="hold")[digits]
        self.assertEqual(self.events.wait_for(refused, "uncertain")["code"], "ambiguous_status")
        self.receipt_for(digits)
        self.events.wait_for(refused, "delivered")
        told, _ = self.send_one(uncertain="hold")
        self.lose_link()
        self.events.wait_for(told, "uncertain")
        self.assertEqual(self.resolve(told, **{"as": "sent"})["state"], "sent")
        self.assertEqual(self.figures(), {
            "stentor_uncertain_total link_lost": 2, "stentor_uncertain_total ambiguous_status": 1,
            "stentor_in_doubt_resolved_total waited": 1,
            "stentor_in_doubt_resolved_total receipt": 1,
            "stentor_in_doubt_resolved_total sent": 1, "stentor_possible_duplicates_total": 3})

        crashed, _ = self.send_one(uncertain="hold")
        self.restart()
        self.events.wait_for(crashed, "uncertain")
        self.assertEqual(self.figures(), {
            "stentor_uncertain_total crash": 1, "stentor_in_doubt": 1,
            "stentor_possible_duplicates_total": 1}, "counters begin with the process")
        self.daemon.ask(op="cancel", id=crashed)
        self.events.wait_for(crashed, "cancelled")
        self.assertEqual(self.figures(), {
            "stentor_uncertain_total crash": 1, "stentor_in_doubt_resolved_total cancelled": 1,
            "stentor_possible_duplicates_total": 1})


def zone_where_it_is(hour):
    """A zone whose clock shows about this hour now: Etc/GMT names count westward."""
    ahead = (hour - time.gmtime().tm_hour + 12) % 24 - 12
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


class HoursAndExpiry(Bench):
    settings = {"window": WINDOW}

    def test_a_message_goes_within_its_hours_and_waits_outside_them(self):
        day = {"from": "09:00", "to": "21:00"}
        now = self.send_many(1, hours={**day, "zone": zone_where_it_is(14)})
        later = self.send_many(1, hours={**day, "zone": zone_where_it_is(3)})
        self.assertEqual(self.wait_finals(now.values()), {"delivered": 1})
        self.restart()
        self.daemon.wait_bound("north")
        time.sleep(0.5)
        self.assertEqual(self.arrived(later), [])
        told = self.daemon.ask(op="message", id=list(later.values())[0])
        self.assertIn("09:00-21:00", told["history"][0]["hours"])

    def test_what_can_never_go_is_refused(self):
        day = {"from": "09:00", "to": "21:00"}
        never = self.daemon.ask(to="+79161234567", text="x", **{"from": "SHOP"}, expires=600,
                                hours={**day, "zone": zone_where_it_is(3)})
        self.assertEqual(never["error"]["code"], "never_in_hours")
        far = self.daemon.ask(to="+79161234567", text="x", **{"from": "SHOP"},
                              hours={"from": "09:00", "to": "18:00"})
        self.assertEqual(far["error"]["code"], "never_in_hours")  # eleven zones, nine hours
        mars = self.daemon.ask(to="+79161234567", text="x", **{"from": "SHOP"},
                               hours={**day, "zone": "Mars/Olympus"})
        self.assertEqual(mars["error"]["code"], "bad_field")

    def test_what_waits_expires_in_time_wherever_it_waits(self):
        self.send_many(1, "idle")
        self.campaign("pause", "idle")
        paused = self.send_many(1, "idle", expires=2)
        self.scripts["79160000777"] = lambda submit, attempt: Answer(status=8)
        self.numbers = 776
        retried = self.send_many(1, expires=2)
        began = time.time()
        ids = list(paused.values()) + list(retried.values())
        self.assertEqual(self.wait_finals(ids, 10), {"expired": 2})
        for message_id in ids:
            late = time.time() - began
            self.assertLess(late, 4.5, message_id)
        self.campaign("cancel", "idle")


if __name__ == "__main__":
    under_test.run_cases(__doc__.splitlines()[0])

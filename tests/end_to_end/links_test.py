#!/usr/bin/env python3
"""Links to carriers: what an operator sees and does, TLS, and carriers that break the wire."""

import collections
import json
import os
import random
import shutil
import signal
import subprocess
import threading
import time
import unittest

import smpp_octets as smpp
import sms_octets
import stentor_under_test as under_test
from bad_carriers import RawPeer, answer_all, let_bind, reads_hardly
from carrier_simulator import CarrierSimulator
from chaos_proxy import DOWN, UP, ChaosProxy, Plan
from clock_test import is_sanitized
from scripted_carrier import Answer, ScriptedCarrier


PATIENCE = under_test.PATIENCE
RANDOM = random.Random()


def send(number, text="Hello", **more):
    return {"op": "send", "to": number, "from": "SHOP", "text": text, **more}


def number_of(i):
    return f"+7916{i:07d}"


def lines_of(connection, **request):
    """The lines of a streamed answer, without the one that ends it."""
    connection.write_request(**request)
    lines = []
    while True:
        line = connection.read()
        assert line is not None, "the connection was cut"
        if line.get("done") or line.get("status") == "rejected":
            return lines, line
        lines.append(line)


class CarrierRequests(unittest.TestCase):
    def setUp(self):
        self.north, self.south = ScriptedCarrier(), ScriptedCarrier()
        self.daemon = under_test.Daemon(
            [under_test.carrier("north", self.north.address, binds={"transceiver": 2}),
             under_test.carrier("south", self.south.address, rate=50)],
            [{"default": True, "carriers": ["north", "south"]}]).start()
        for name in ("north", "south"):
            self.daemon.wait_bound(name)

    def tearDown(self):
        self.assertEqual(self.daemon.stop(), 0, self.daemon.log_tail())
        self.north.close()
        self.south.close()

    def test_list_and_show_tell_of_binds_window_and_rate(self):
        with self.daemon.connect() as connection:
            lines, end = lines_of(connection, op="carrier", action="list")
            self.assertEqual([line["name"] for line in lines], ["north", "south"])
            self.assertEqual(end, {"status": "ok", "done": True, "lines": 2})
            self.assertEqual(lines[1]["rate"], 50)
            under_test.wait_until(
                lambda: connection.ask(op="carrier", action="show", name="north")["bound"] == 2,
                "both binds stand")
            shown = connection.ask(op="carrier", action="show", name="north")
            self.assertEqual(shown["state"], "up")
            self.assertEqual([bind["type"] for bind in shown["bind_list"]], ["transceiver"] * 2)
            self.assertEqual(shown["bind_list"][0]["host"], self.north.address)
            self.assertEqual(shown["bind_list"][0]["window"], 10)
            reply = connection.ask(op="carrier", action="show", name="nowhere")
            self.assertEqual(reply["error"]["code"], "unknown_carrier")
            self.assertEqual(connection.ask(op="carrier", action="show")["error"]["code"],
                             "bad_field")
            self.assertEqual(connection.ask(op="carrier", action="melt")["error"]["code"],
                             "bad_field")

    def test_a_trace_shows_what_passes_and_hides_what_is_private(self):
        answers = {}

        def trace(clear):
            with self.daemon.connect() as connection:
                answers[clear] = lines_of(connection, op="carrier", action="trace", name="south",
                                          seconds=2, clear=clear)

        for clear in (False, True):
            tracer = threading.Thread(target=trace, args=(clear,))
            tracer.start()
            time.sleep(0.5)
            self.daemon.ask(**send(number_of(7), "Hush", carrier="south"))
            second = self.daemon.ask(op="carrier", action="trace", name="south")
            self.assertEqual(second["error"]["code"], "busy")
            tracer.join()
            lines, end = answers[clear]
            ways = [(line["way"], line["command"]) for line in lines]
            for passed in (("out", "submit_sm"), ("in", "submit_sm_resp"), ("in", "deliver_sm"),
                           ("out", "deliver_sm_resp")):
                self.assertIn(passed, ways)
            self.assertEqual(end["lines"], len(lines))
            text = json.dumps(lines)
            self.assertEqual(clear, number_of(7)[1:] in text)
            self.assertEqual(clear, b"Hush".hex() in text)
        self.assertIn("wire trace for 2 s by root, numbers and texts included", self.daemon.log())
        self.assertEqual(self.daemon.ask(op="carrier", action="trace", name="south",
                                         seconds=1)["status"], "ok")

    def test_a_lost_link_is_told_with_its_time(self):
        self.north.cut()
        shown = under_test.wait_until(
            lambda: next((c for c in [self.daemon.ask(op="carrier", action="show", name="north")]
                          if any(b["last_errors"] for b in c["bind_list"])), None),
            "show tells of the loss")
        errors = [e for bind in shown["bind_list"] for e in bind["last_errors"]]
        self.assertRegex(errors[0]["time"], r"^20\d\d-.*Z$")
        self.assertIn("connection lost", errors[0]["what"])

    def test_suspended_it_submits_nothing_new_and_keeps_its_binds_over_a_restart(self):
        suspended = self.daemon.ask(op="carrier", action="suspend", name="north")
        self.assertEqual((suspended["status"], suspended["suspended"]), ("ok", True), suspended)
        bound = self.north.bound()
        for i in range(5):  # by name it waits, by route it goes elsewhere
            self.daemon.ask(**send(number_of(i), carrier="north"))
            self.daemon.ask(**send(number_of(100 + i)))
        under_test.wait_until(lambda: len(self.south.arrived()) == 5, "the route's next took them")
        self.assertEqual(self.north.arrived(), [])
        self.assertEqual(self.north.bound(), bound)
        self.assertEqual(self.daemon.carrier_status("north")["state"], "suspended")

        self.daemon.kill()
        self.daemon.start()
        under_test.wait_until(lambda: self.north.bound() == 2, "it is bound again")
        shown = self.daemon.ask(op="carrier", action="show", name="north")
        self.assertEqual((shown["state"], shown["waiting"]), ("suspended", 5), shown)
        self.assertTrue(shown["suspended_by"])
        time.sleep(0.3)
        self.assertEqual(self.north.arrived(), [])

        self.daemon.ask(op="carrier", action="resume", name="north")
        began = time.monotonic()
        under_test.wait_until(lambda: len(self.north.arrived()) == 5, "what waited goes out")
        self.assertLess(time.monotonic() - began, 1.0)
        self.assertEqual(self.daemon.carrier_status("north")["state"], "up")

    def test_suspending_takes_back_what_is_reserved_and_loses_nothing(self):
        self.south.script = lambda submit, attempt: Answer(delay=0.05)
        with self.daemon.connect() as connection:
            for i in range(60):
                connection.write_request(**send(number_of(i), carrier="south"))
            for _ in range(60):
                self.assertEqual(connection.read()["status"], "accepted")
        under_test.wait_until(lambda: len(self.south.arrived()) >= 5, "it has begun")
        self.daemon.ask(op="carrier", action="suspend", name="south")
        time.sleep(0.2)  # what was in flight is answered
        taken = len(self.south.arrived())
        time.sleep(0.3)
        self.assertEqual(len(self.south.arrived()), taken, "something new was submitted")
        self.assertLess(taken, 60)
        self.daemon.ask(op="carrier", action="resume", name="south")
        under_test.wait_until(lambda: len({a.submit.destination[2]
                                           for a in self.south.arrived()}) == 60, "all go out")
        self.assertEqual(len(self.south.arrived()), 60, "something went twice")


class BrokenWire(unittest.TestCase):
    """A carrier behind a proxy that breaks what passes."""

    def start(self, carriers, routes=None):
        self.daemon = under_test.Daemon(carriers, routes).start()
        self.addCleanup(self.daemon.kill)
        self.follower = under_test.EventFollower(self.daemon)
        self.addCleanup(self.follower.close)
        return self.daemon

    def carrier(self, **options):
        carrier = ScriptedCarrier(**options)
        self.addCleanup(carrier.close)
        return carrier

    def proxy(self, carrier, plan):
        proxy = ChaosProxy(carrier.port, plan)
        self.addCleanup(proxy.close)
        return proxy

    def assert_honest(self, *scripted):
        """Every message came, and what came twice is marked."""
        counts = collections.Counter(a.submit.destination[2]
                                     for carrier in scripted for a in carrier.arrived())
        for events in self.follower.by_message().values():
            last = events[-1]
            copies = counts[last["to"].lstrip("+")]
            self.assertGreaterEqual(copies, 1, last)
            if copies > 1:
                self.assertTrue(any(e.get("possible_duplicate") for e in events),
                                f"{copies} copies, and no word of it: {events}")
        self.assertEqual(under_test.ledger_gap(self.daemon.status()), 0)

    def test_cut_at_every_octet_nothing_is_lost_and_what_went_twice_is_marked(self):
        body = "Chaos"
        # A submit_sm of this text takes some 80 octets, its response and the receipt some 200.
        cuts = [(way, at) for way, most in ((UP, 90), (DOWN, 60)) for at in range(most)]
        RANDOM.shuffle(cuts)
        cuts = cuts[:self.cuts_max]
        scripted, carriers = [], []
        for i, (way, at) in enumerate(cuts):
            broken = Plan(cut_at=at, cut_in=way, reset=bool(RANDOM.getrandbits(1)))
            scripted.append(self.carrier())
            proxy = self.proxy(scripted[-1], lambda n, p=broken: p if n == 1 else Plan())
            carriers.append(under_test.carrier(f"c{i}", proxy.address))
        self.start(carriers)
        with self.daemon.connect() as connection:
            for i in range(len(cuts)):
                connection.write_request(**send(number_of(i), body, carrier=f"c{i}"))
            ids = [connection.read()["id"] for _ in cuts]
        for message_id in ids:
            self.follower.wait_for(message_id, "delivered")
        self.assert_honest(*scripted)
        self.assertEqual([m for carrier in scripted for m in carrier.malformed], [])
        twice = sum(len(carrier.arrived()) for carrier in scripted) - len(scripted)
        self.assertGreater(twice, 0, "no cut fell where it leaves doubt")

    cuts_max = 60  # the long run takes them all

    def test_one_octet_at_a_time_is_slow_and_works(self):
        carrier = self.carrier()
        proxy = self.proxy(carrier, lambda n: Plan(octet_pause=0.01))
        self.start([under_test.carrier("north", proxy.address)])
        reply = self.daemon.ask(**send(number_of(1)))
        self.follower.wait_for(reply["id"], "delivered")
        shown = self.daemon.ask(op="carrier", action="show", name="north")
        self.assertEqual(shown["bind_list"][0]["losses"], 0, shown)

    def test_an_octet_at_a_time_is_heard_until_a_pdu_takes_too_long(self):
        slow, good = self.carrier(), self.carrier()
        proxy = self.proxy(slow, lambda n: Plan(octet_pause=self.octet_pause))
        within = round(50 * self.octet_pause)  # a response has some 25 octets, a receipt 200
        self.start([under_test.carrier("slow", proxy.address, bind_timeout="60s",
                                       response_timeout=f"{within}s"),
                    under_test.carrier("good", good.address)])
        reply = self.daemon.ask(**send(number_of(1), carrier="slow"))
        self.follower.wait_for(reply["id"], "sent", patience=PATIENCE + 4 * within)
        under_test.wait_until(
            lambda: f"a PDU that began was not whole after {within} s" in json.dumps(
                self.daemon.ask(op="carrier", action="show", name="slow")["bind_list"]),
            "the receipt takes too long", patience=PATIENCE + 2 * within)
        self.assertEqual(slow.receipt_answers, [])
        for i in range(20):
            other = self.daemon.ask(**send(number_of(100 + i), carrier="good"))
            self.follower.wait_for(other["id"], "delivered")
        shown = self.daemon.ask(op="carrier", action="show", name="good")
        self.assertEqual(shown["bind_list"][0]["losses"], 0, shown)

    octet_pause = 0.1  # the long run: an octet a second

    def test_a_flapping_link_is_tried_with_growing_pauses_and_never_twice_a_second(self):
        carrier = self.carrier()
        proxy = self.proxy(carrier, lambda n: Plan(cut_after=RANDOM.uniform(0.05, 0.4),
                                                   reset=bool(RANDOM.getrandbits(1))))
        self.start([under_test.carrier("north", proxy.address, binds={"transceiver": 2})])
        ids = [self.daemon.ask(**send(number_of(i)))["id"] for i in range(20)]
        time.sleep(8)
        times = list(proxy.connected_at)
        gaps = [b - a for a, b in zip(times, times[1:])]
        self.assertGreaterEqual(len(times), 3)
        self.assertGreater(min(gaps), 0.9, gaps)
        self.assertLessEqual(len(times), 9)
        proxy.plan = lambda n: Plan()
        for message_id in ids:
            self.follower.wait_for(message_id, "delivered", patience=60)
        self.assert_honest(carrier)

    def test_a_stopped_peer_is_left_in_time_and_its_messages_go_when_it_is_back(self):
        directory = under_test.new_directory()
        stopped = CarrierSimulator(directory)
        good = self.carrier()
        self.start([under_test.carrier("bad", stopped.address, response_timeout="2s",
                                       enquire_link="2s"),
                    under_test.carrier("good", good.address)])
        self.daemon.wait_bound("bad")
        stopped.process.signal(signal.SIGSTOP)
        ids = [self.daemon.ask(**send(number_of(i), carrier="bad"))["id"] for i in range(30)]
        began = time.monotonic()
        under_test.wait_until(
            lambda: self.daemon.carrier_status("bad")["bound"] == 0, "the silence is noticed", 10)
        self.assertLess(time.monotonic() - began, 5)
        other = self.daemon.ask(**send(number_of(99), carrier="good"))
        self.follower.wait_for(other["id"], "delivered", patience=5)
        stopped.process.signal(signal.SIGCONT)
        for message_id in ids:
            self.follower.wait_for(message_id, "sent", patience=60)
        stopped.stop()
        arrivals = collections.Counter(a.destination for a in stopped.arrivals())
        self.assertEqual(len(arrivals), 30)
        for message_id in ids:
            events = self.follower.of(message_id)
            if arrivals[events[0]["to"].lstrip("+")] > 1:
                self.assertTrue(any(e.get("possible_duplicate") for e in events), events)

    def test_a_peer_that_talks_and_answers_nothing_is_told_stuck(self):
        carrier = self.carrier(script=lambda submit, attempt: Answer(silent=attempt == 1))
        carrier.answers_enquire = False
        self.start([under_test.carrier("north", carrier.address, response_timeout="1s",
                                       enquire_link="30s")])
        self.daemon.wait_bound("north")
        reply = self.daemon.ask(**send(number_of(1)))
        under_test.wait_until(carrier.arrived, "it arrives")
        ended = threading.Event()

        def talk():
            while not ended.wait(0.1):
                carrier.say(smpp.ALERT_NOTIFICATION, b"\x01\x01x\x00\x01\x01y\x00")

        talker = threading.Thread(target=talk, daemon=True)
        talker.start()
        self.follower.wait_for(reply["id"], "delivered")
        ended.set()
        talker.join()
        shown = self.daemon.ask(op="carrier", action="show", name="north")
        self.assertEqual(shown["bind_list"][0]["stuck"], 1, shown)
        self.assertIn("stuck", shown["bind_list"][0]["last_errors"][0]["what"])
        _, page = self.daemon.http("/metrics")
        self.assertIn('stentor_link_stuck_total{carrier="north",bind="0"} 1', page)
        self.assertIn("stuck: bound, 1 answers due", self.daemon.log())

    def told_stuck(self, name):
        """What carrier show, the metrics and the log say of its bind 0, once they say it."""
        shown = under_test.wait_until(
            lambda: next((b for b in [self.daemon.ask(op="carrier", action="show",
                                                      name=name)["bind_list"][0]] if b["stuck"]),
                         None), f"{name} is told stuck")
        _, page = self.daemon.http("/metrics")
        self.assertRegex(page, rf'stentor_link_stuck_total{{carrier="{name}",bind="0"}} [1-9]')
        what = [error["what"] for error in shown["last_errors"] if "stuck" in error["what"]]
        self.assertIn(what[0], self.daemon.log())
        return what[0]

    def test_a_peer_that_answers_enquire_link_alone_is_bound_again_and_told_stuck(self):
        self.answers = False
        carrier = self.carrier(script=lambda submit, attempt: Answer(silent=not self.answers))
        self.start([under_test.carrier("north", carrier.address, window=1, response_timeout="2s",
                                       enquire_link="1s")])
        self.daemon.wait_bound("north")
        ids = [self.daemon.ask(**send(number_of(i)))["id"] for i in range(5)]
        self.assertEqual(self.told_stuck("north"),
                         "stuck: bound, 1 answers due, and it answers enquire_link alone for 2 s")
        self.answers = True
        for message_id in ids:
            self.follower.wait_for(message_id, "delivered", patience=60)
        self.assertGreaterEqual(len(carrier.binds), 2, "it was bound again")
        self.assertEqual(self.daemon.carrier_status("north")["state"], "up")

    def test_an_inactive_bind_is_made_anew_and_what_comes_then_goes(self):
        carrier = self.carrier()
        self.start([under_test.carrier("north", carrier.address, enquire_link="1s",
                                       inactivity="2s")])
        self.daemon.wait_bound("north")
        under_test.wait_until(lambda: len(carrier.binds) >= 2, "it is bound anew")
        self.assertIn("no message passed for 2 s: it binds anew", self.daemon.log())
        self.follower.wait_for(self.daemon.ask(**send(number_of(1)))["id"], "delivered")
        self.assertEqual(carrier.malformed, [])

    def test_a_peer_that_asks_and_reads_next_to_nothing_is_told_stuck_until_it_reads(self):
        reads = threading.Event()

        def part(stream):
            if not reads.is_set():
                return reads_hardly(stream)
            let_bind(stream)
            return answer_all(stream)
        peer, good = RawPeer(part), self.carrier()
        self.addCleanup(peer.close)
        self.start([under_test.carrier("bad", peer.address, response_timeout="1s"),
                    under_test.carrier("good", good.address)])
        self.assertEqual(self.told_stuck("bad"),
                         "stuck: bound, and what we answer has stayed unread for 2 s")
        _, page = self.daemon.http("/metrics")
        self.assertIn('stentor_carrier_stuck{carrier="bad"} 1', page)
        other = self.daemon.ask(**send(number_of(1), carrier="good"))
        self.follower.wait_for(other["id"], "delivered")
        reads.set()
        late = self.daemon.ask(**send(number_of(2), carrier="bad"))
        self.follower.wait_for(late["id"], "sent", patience=60)
        under_test.wait_until(lambda: self.daemon.carrier_status("bad")["state"] == "up",
                              "one answer, and it is up")

    def test_of_two_hosts_the_second_serves_while_the_first_drops_its_binds_or_is_silent(self):
        first, second = self.carrier(), self.carrier(id_of=lambda number: f"b{number:07x}")
        dropping = self.proxy(first, lambda n: Plan(cut_after=0.2))
        self.start([under_test.carrier("north", dropping.address, response_timeout="1s",
                                       hosts=[dropping.address, second.address])])
        under_test.wait_until(lambda: second.bound() == 1, "the second is tried", 10)
        self.assertEqual(len(dropping.connected_at), 1, "the first came first, and once")
        self.follower.wait_for(self.daemon.ask(**send(number_of(1)))["id"], "delivered")
        self.assertEqual(len(second.arrived()), 1)

        dropping.plan = lambda n: Plan()
        second.cut()
        under_test.wait_until(lambda: first.bound() == 1, "the first has its turn again", 10)
        self.follower.wait_for(self.daemon.ask(**send(number_of(2)))["id"], "delivered")
        self.assertEqual(len(first.arrived()), 1)

        first.answers_enquire = False
        first.script = lambda submit, attempt: Answer(silent=True)
        self.follower.wait_for(self.daemon.ask(**send(number_of(3)))["id"], "delivered",
                               patience=20)
        self.assertEqual(len(second.arrived()), 2, "the second serves what the first left silent")

    def test_refused_credentials_raise_an_alarm_and_are_no_dead_end(self):
        carrier = self.carrier(bind_status=0x0E)
        self.start([under_test.carrier("north", carrier.address, binds={"transceiver": 4})])
        shown = under_test.wait_until(
            lambda: next((s for s in [self.daemon.ask(op="carrier", action="show", name="north")]
                          if s.get("alarm")), None), "show raises the alarm")
        self.assertEqual(shown["alarm"], "credentials_refused")
        _, page = self.daemon.http("/metrics")
        self.assertIn('stentor_link_credentials_refused{carrier="north",bind="0"} 1', page)
        self.assertIn("ESME_RINVPASWD", self.daemon.log())
        self.assertNotIn("secret", self.daemon.log())
        time.sleep(4.5)  # its four binds would try a second apart
        self.assertEqual(len(carrier.binds), 1, "it asks again within seconds")

    def test_an_account_refused_by_a_number_of_the_carriers_own_raises_the_alarm_too(self):
        carrier = self.carrier(bind_status=0x401)
        self.start([under_test.carrier("north", carrier.address, status={'"0x401"': "bind"})])
        under_test.wait_until(
            lambda: self.daemon.ask(op="carrier", action="show", name="north").get("alarm")
            == "credentials_refused", "show raises the alarm")
        time.sleep(2.5)  # it would be tried again after one
        self.assertEqual(len(carrier.binds), 1, "it asks again within seconds")

    def test_a_refused_account_is_tried_slowly_and_bound_once_it_is_mended(self):
        carrier = self.carrier(password="changed")
        self.start([under_test.carrier("north", carrier.address, binds={"transceiver": 4},
                                       credentials_retry="2s")])

        def alarm():
            return self.daemon.ask(op="carrier", action="show", name="north").get("alarm")
        under_test.wait_until(lambda: alarm() == "credentials_refused", "the alarm")
        waiting = self.daemon.ask(**send(number_of(1)))
        under_test.wait_until(lambda: len(carrier.binds) >= 3, "it is no dead end", 60)
        times = carrier.bind_times[:3]
        self.assertGreater(min(b - a for a, b in zip(times, times[1:])), 1.9,
                           "slowly, all binds together")
        self.assertEqual({status for _, _, status in carrier.binds}, {0x0E})
        self.assertEqual(alarm(), "credentials_refused")
        carrier.password = "secret"
        self.daemon.wait_bound("north", patience=60)
        under_test.wait_until(lambda: carrier.bound() == 4, "all four are bound", 60)
        self.follower.wait_for(waiting["id"], "delivered")
        under_test.wait_until(lambda: alarm() is None, "the alarm is over")
        _, page = self.daemon.http("/metrics")
        for bind in range(4):
            self.assertIn(
                f'stentor_link_credentials_refused{{carrier="north",bind="{bind}"}} 0', page)

    def test_an_account_that_is_bound_already_is_no_wrong_credential_and_is_tried_again_soon(self):
        carrier = self.carrier(bind_status=0x05)  # what the SMSC has left of a session before
        self.start([under_test.carrier("north", carrier.address)])
        under_test.wait_until(lambda: carrier.binds, "a first attempt")
        under_test.wait_until(lambda: "ESME_RALYBND" in self.daemon.log(), "it is told")
        self.assertNotIn("alarm", self.daemon.ask(op="carrier", action="show", name="north"))
        under_test.wait_until(lambda: len(carrier.binds) >= 2, "a second within seconds", 15)
        carrier.bind_status = 0
        self.daemon.wait_bound("north")

    def test_a_flood_of_receipts_stays_within_bounds_and_disturbs_nobody(self):
        text = b"id:%s sub:001 dlvrd:001 submit date:2601010000 done date:2601010000 stat:DELIVRD err:000 text:"
        self.assert_bounded([
            smpp.deliver_sm((1, 1, "79160000000"), (5, 0, "SHOP"), smpp.ESM_RECEIPT, 0,
                            text % f"{0xF0000000 + i:08x}".encode(), b"")
            for i in range(self.flood)])

    def test_a_flood_of_replies_and_of_first_parts_without_a_second_does_not_either(self):
        self.assert_bounded([
            smpp.deliver_sm((1, 1, f"7916{i:07d}"), (1, 1, "79999"), *(
                (sms_octets.UDH_INDICATOR, 0, bytes((5, 0, 3, i % 256, 2, 1)) + b"endless " * 16) if i % 2
                else (0, 0, b"Where is my parcel? " * 6)), b"")
            for i in range(self.flood)])

    def assert_bounded(self, bodies):
        """One carrier says all this at once; what it does to the daemon and to another carrier."""
        bad, good = self.carrier(), self.carrier()
        self.start([under_test.carrier("bad", bad.address),
                    under_test.carrier("good", good.address)])
        for name in ("bad", "good"):
            self.daemon.wait_bound(name)
        before = resident(self.daemon.process.pid)
        flood = b"".join(smpp.pdu(smpp.DELIVER_SM, 0, i + 1, body)
                         for i, body in enumerate(bodies))
        with bad.lock:
            link = next(iter(bad._links.values()))
        pump = threading.Thread(target=lambda: link.write(flood), daemon=True)
        pump.start()
        for i in range(20):
            reply = self.daemon.ask(**send(number_of(i), carrier="good"))
            self.follower.wait_for(reply["id"], "delivered", patience=10)
        slowest = max(said.acknowledged - said.time for said in good.deliveries)
        self.assertLess(slowest, 1.0, "the other carrier's receipts are answered within a second")
        pump.join(60)
        under_test.wait_until(
            lambda: len(bad.receipt_answers) >= len(bodies), "all are answered", 60)
        grown = resident(self.daemon.process.pid) - before
        self.assertLess(grown, 96 << 20, f"grew by {grown >> 20} MiB")

    flood = 20_000

    def test_bad_carriers_leave_a_good_one_its_speed(self):
        good, bad = self.carrier(), self.carrier()
        broken = [self.proxy(bad, lambda n: Plan(cut_after=RANDOM.uniform(0.05, 0.3)))
                  for _ in range(4)]
        names = [f"bad{i}" for i in range(len(broken))]
        self.start([under_test.carrier("good", good.address, window=100)]
                   + [under_test.carrier(n, p.address) for n, p in zip(names, broken)])
        self.daemon.wait_bound("good")
        alone = self.time_of("good", 1000, 0)
        for i, name in enumerate(names * 25):
            self.daemon.ask(**send(number_of(900_000 + i), carrier=name))
        beside = self.time_of("good", 1000, 10_000)
        self.assertLess(beside, 3 * alone + 1.0, "other carriers' troubles slow it down")

    def time_of(self, name, count, first):
        carrier_sent = self.daemon.carrier_status(name)["segments_sent"]
        began = time.monotonic()
        with self.daemon.connect() as connection:
            for i in range(count):
                connection.write_request(**send(number_of(first + i), carrier=name))
            for _ in range(count):
                connection.read()
        under_test.wait_until(
            lambda: self.daemon.carrier_status(name)["segments_sent"] >= carrier_sent + count,
            "all are sent", step=0.01)
        return time.monotonic() - began


NO_NAMESPACES = ("" if os.geteuid() == 0 and shutil.which("ip")
                 else "network namespaces need root and ip")


class HalfOpen(unittest.TestCase):
    """The far end of a cable goes down: no FIN, no RST. Two network namespaces and a veth pair."""

    SENDING_WITHIN = 21.0  # TCP_USER_TIMEOUT 20 s
    IDLE_WITHIN = 26.0  # a keep-alive after 15 s, then the same limit

    def setUp(self):
        if NO_NAMESPACES:
            raise unittest.SkipTest(NO_NAMESPACES)
        tag = f"st{os.getpid()}"
        self.near, self.far = tag + "a", tag + "b"
        for name in (self.near, self.far):
            self.ip("netns", "add", name)
            self.addCleanup(subprocess.run, ["ip", "netns", "del", name], check=False)
        self.ip("link", "add", tag + "v", "netns", self.near, "type", "veth", "peer", "name",
                tag + "w", "netns", self.far)
        self.cable = tag + "w"
        for name, end, address in ((self.near, tag + "v", "10.9.8.1/30"),
                                   (self.far, tag + "w", "10.9.8.2/30")):
            self.ip("-n", name, "link", "set", "lo", "up")
            self.ip("-n", name, "addr", "add", address, "dev", end)
            self.ip("-n", name, "link", "set", end, "up")

    @staticmethod
    def ip(*arguments):
        subprocess.run(("ip",) + arguments, check=True)

    def test_it_is_noticed_in_time_idle_and_sending(self):
        directory = under_test.new_directory()
        smsc = CarrierSimulator(directory, prefix=["ip", "netns", "exec", self.far],
                                host="10.9.8.2")
        carriers = [under_test.carrier(name, smsc.address) for name in ("idle", "sending")]
        daemon = under_test.Daemon(carriers)
        daemon.prefix = ["ip", "netns", "exec", self.near]
        daemon.start()
        self.addCleanup(daemon.kill)
        for name in ("idle", "sending"):
            daemon.wait_bound(name)
        self.ip("-n", self.far, "link", "set", self.cable, "down")
        began = time.monotonic()
        daemon.ask(**send(number_of(1), carrier="sending"))
        noticed = {}
        while len(noticed) < 2 and time.monotonic() - began < self.IDLE_WITHIN + 5:
            for name in ("idle", "sending"):
                if name not in noticed and daemon.carrier_status(name)["bound"] == 0:
                    noticed[name] = time.monotonic() - began
            time.sleep(0.1)
        print(f"half-open: noticed after {noticed}", flush=True)
        self.assertLess(noticed["sending"], self.SENDING_WITHIN + 1)
        self.assertLess(noticed["idle"], self.IDLE_WITHIN + 1)


class ManyIdleCarriers(unittest.TestCase):
    """500 carriers with two binds each, idle: what they cost."""

    CARRIERS = 500
    SECONDS = 10
    SHARE_MAX = 0.01  # of a core, in processor time: what the machine does beside it does not count
    SANITIZED_SHARE_MAX = 0.05
    WINDOWS = 3  # the best of them: one may hold the last of the start

    def test_they_cost_little_memory_and_hardly_any_time(self):
        directory = under_test.new_directory()
        smsc = CarrierSimulator(directory)
        daemon = under_test.Daemon(
            [under_test.carrier(f"c{i}", smsc.address, binds={"transceiver": 2})
             for i in range(self.CARRIERS)]).start(60)
        self.addCleanup(daemon.kill)
        under_test.wait_until(
            lambda: sum(c["bound"] for c in daemon.status()["carriers"]) == 2 * self.CARRIERS,
            "all are bound", 60, step=0.5)
        pid = daemon.process.pid
        share_max = self.SANITIZED_SHARE_MAX if is_sanitized() else self.SHARE_MAX
        for _ in range(self.WINDOWS):
            before, began = processor_seconds(pid), time.monotonic()
            time.sleep(self.SECONDS)
            used = (processor_seconds(pid) - before) / (time.monotonic() - began)
            print(f"{self.CARRIERS} carriers, {2 * self.CARRIERS} idle binds: "
                  f"{resident(pid) / (1 << 20):.1f} MiB resident, {100 * used:.2f} % of a core",
                  flush=True)
            if used <= share_max:
                break
        self.assertLessEqual(used, share_max)
        if not is_sanitized():  # its shadow is memory too
            self.assertLess(resident(pid), 100 << 20)


def resident(pid):
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def processor_seconds(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    arguments, RANDOM = under_test.begin(__doc__.splitlines()[0], lambda parser: parser.add_argument(
        "--long", action="store_true", help="cut at every octet, a greater flood, longer patience"))
    if arguments.long:
        BrokenWire.cuts_max, BrokenWire.flood, BrokenWire.octet_pause = 1000, 200_000, 1.0
    if NO_NAMESPACES and arguments.rest == ["HalfOpen"]:
        under_test.skip(NO_NAMESPACES)
    under_test.run_selected(arguments.rest)

#!/usr/bin/env python3
"""Follows messages through the real daemon: over the socket, to a carrier, and back as events.

The carrier is scripted by destination, so that each test plays its own game on one daemon.
"""

import os
import re
import socket
import time
import unittest

import sms_octets
import smpp_octets as smpp
import stentor_under_test as under_test
from scripted_carrier import Answer, Receipt, ScriptedCarrier

CANARY_NUMBER = "79998887766"
CANARY_TEXT = "canary-5f0c1e"


class OneDaemon(unittest.TestCase):
    """A daemon and a scripted carrier for all cases of a class."""

    settings = {}
    tables = {}

    @classmethod
    def setUpClass(cls):
        cls.scripts = {}
        cls.carrier = ScriptedCarrier(cls.script)
        cls.daemon = under_test.Daemon(
            [under_test.carrier("north", cls.carrier.address, **cls.settings),
             under_test.carrier("absent", f"127.0.0.1:{under_test.free_port()}")],
            [{"default": True, "carriers": ["north"]}], tables=cls.tables).start()
        cls.events = under_test.EventFollower(cls.daemon)
        cls.next_number = 0
        cls.daemon.wait_bound("north")

    @classmethod
    def tearDownClass(cls):
        cls.events.close()
        status = cls.daemon.status()
        assert under_test.ledger_gap(status) == 0, status
        assert cls.daemon.stop() == 0, cls.daemon.log_tail()
        assert not cls.carrier.malformed, cls.carrier.malformed
        cls.carrier.close()

    @classmethod
    def script(cls, submit, attempt):
        play = cls.scripts.get(submit.destination[2])
        return play(submit, attempt) if play else Answer()

    def number(self, play=None):
        """A destination of its own for this test, in digits."""
        type(self).next_number += 1
        digits = f"7916{self.next_number:07d}"
        if play:
            self.scripts[digits] = play
        return digits

    def send(self, digits, text="Hello", **more):
        reply = self.daemon.ask(op="send", to="+" + digits, text=text, **{"from": "SHOP", **more})
        self.assertEqual(reply["status"], "accepted", reply)
        return reply["id"]

    def types(self, message_id):
        return [e["type"] for e in self.events.of(message_id)]

    def parts_at_carrier(self, digits):
        return [sms_octets.decode_part(a.submit.short_message, a.submit.esm_class,
                                       a.submit.data_coding) for a in self.carrier.arrived(digits)]


class Delivery(OneDaemon):
    def test_a_message_is_sent_and_then_delivered_and_events_carry_what_is_theirs(self):
        digits = self.number()
        message_id = self.send(digits, ref="d-1", campaign="autumn", meta={"step": 3})
        delivered = self.events.wait_for(message_id, "delivered")
        self.assertEqual(delivered["ref"], "d-1")
        self.assertEqual(delivered["campaign"], "autumn")
        self.assertEqual(delivered["meta"], {"step": 3})
        self.assertEqual(delivered["carrier"], "north")
        self.assertEqual(delivered["to"].lstrip("+"), digits)
        self.assertEqual(delivered["from"], "SHOP")
        self.assertRegex(delivered["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
        types = self.types(message_id)
        self.assertEqual(types.count("sent"), 1, types)
        self.assertEqual(types.count("delivered"), 1, types)
        self.assertLess(types.index("sent"), types.index("delivered"))

        submit = self.carrier.arrived(digits)[0].submit
        self.assertEqual(submit.destination, (1, 1, digits))
        self.assertEqual(submit.source, (5, 0, "SHOP"))
        self.assertEqual((submit.data_coding, submit.esm_class & 0x40), (0, 0))
        self.assertEqual(submit.registered_delivery & 0x03, 1)
        self.assertEqual(submit.short_message, b"Hello")

    def test_long_texts_arrive_whole_in_order_on_one_bind(self):
        texts = ["a" * 161, "€[]{}" * 80, "Ж" * 71, "Straße – “quoted” … " * 12,
                 "семья 👨‍👩‍👧‍👦 и флаг 🇷🇺 и рука 👍🏽 " * 7]
        digits = self.number()
        ids = [self.send(digits, text) for text in texts]
        for message_id in ids:
            self.events.wait_for(message_id, "delivered")
        arrivals = self.carrier.arrived(digits)
        self.assertEqual(len({a.connection for a in arrivals}), 1)
        parts = self.parts_at_carrier(digits)
        arrived, references, at = [], [], 0
        while at < len(parts):
            whole = parts[at:at + parts[at].total]
            self.assertEqual([p.number for p in whole], list(range(1, len(whole) + 1)))
            self.assertEqual({p.reference for p in whole}, {whole[0].reference})
            arrived.append("".join(p.text for p in whole))
            references.append(whole[0].reference)
            at += len(whole)
        self.assertEqual(arrived, texts)
        self.assertEqual(len(set(references)), len(texts), f"references repeat: {references}")

    def only_submit(self, digits):
        arrivals = self.carrier.arrived(digits)
        self.assertEqual(len(arrivals), 1)
        return arrivals[0].submit

    def test_flash_is_message_class_0_of_its_alphabet(self):
        # TS 23.038 section 4: group 00x1, class 0; the GSM alphabet, then UCS-2.
        for text, data_coding in (("now", 0x10), ("сейчас", 0x18)):
            digits = self.number()
            self.events.wait_for(self.send(digits, text, flash=True), "delivered")
            self.assertEqual(self.only_submit(digits).data_coding, data_coding)

    def test_binary_travels_behind_its_own_header(self):
        digits = self.number()
        header, octets = "0605040b8423f0", "00ff01"  # a port number element, then three octets
        reply = self.daemon.ask(op="send", to="+" + digits, binary=octets, udh=header,
                                **{"from": "SHOP"})
        self.assertEqual(reply["encoding"], "binary", reply)
        self.events.wait_for(reply["id"], "delivered")
        submit = self.only_submit(digits)
        self.assertEqual(submit.data_coding, 4)
        self.assertEqual(submit.esm_class & 0x40, 0x40)
        self.assertEqual(submit.short_message.hex(), header + octets)

    def test_turkish_fits_one_segment_where_its_tables_are_allowed(self):
        digits = self.number()
        self.events.wait_for(self.send(digits, "ş", national=["tr"]), "delivered")
        submit = self.only_submit(digits)
        # TS 23.040 section 9.2.3.24.15: element 0x24, one octet, language 1; then ESC and, in the
        # Turkish single shift table of TS 23.038 A.2.1, 0x73.
        self.assertEqual(submit.short_message.hex(), "03240101" + "1b73")
        self.assertEqual(submit.data_coding, 0)

    def test_what_is_replaced_is_told_and_arrives(self):
        digits = self.number()
        text = "“Sale” – today only… " * 4
        reply = self.daemon.ask(op="send", to="+" + digits, text=text, replace="safe",
                                **{"from": "SHOP"})
        self.assertEqual((reply["encoding"], reply["segments"], reply["saved"]), ("gsm7", 1, 1),
                         reply)
        self.assertEqual(reply["replaced"][0], {"offset": 0, "from": "“", "to": '"'})
        self.events.wait_for(reply["id"], "delivered")
        self.assertEqual(self.parts_at_carrier(digits)[0].text, '"Sale" - today only... ' * 4)

    def test_no_part_ends_inside_what_a_person_calls_one_character(self):
        family, flag = "👨‍👩‍👧", "🇷🇺"
        digits = self.number()
        self.events.wait_for(self.send(digits, (family + flag) * 20, max_segments=20), "delivered")
        for part in self.parts_at_carrier(digits):
            self.assertEqual(part.text.replace(family, "").replace(flag, ""), "", part.text)

    def test_one_part_undelivered_fails_the_whole_message_once(self):
        def second_fails(submit, attempt):
            part = sms_octets.decode_part(submit.short_message, submit.esm_class,
                                          submit.data_coding)
            return Answer(receipts=[Receipt("UNDELIV" if part.number == 2 else "DELIVRD")])

        message_id = self.send(self.number(second_fails), "a" * 400)
        failed = self.events.wait_for(message_id, "failed")
        self.assertEqual(failed["parts"], 3)
        self.assertTrue(failed.get("code"), failed)
        finals = [t for t in self.types(message_id) if t in under_test.FINAL]
        self.assertEqual(finals, ["failed"])

    def test_every_outcome_of_a_receipt_has_its_event(self):
        outcomes = {"DELIVRD": "delivered", "UNDELIV": "failed", "REJECTD": "failed",
                    "EXPIRED": "expired", "DELETED": "failed"}
        for stat, expected in outcomes.items():
            with self.subTest(stat=stat):
                message_id = self.send(self.number(
                    lambda s, a, stat=stat: Answer(receipts=[Receipt(stat, error="017")])))
                event = self.events.wait_for(message_id, *under_test.FINAL)
                self.assertEqual(event["type"], expected, event)
                if expected != "delivered":
                    self.assertTrue(event.get("code"), event)

    def test_ids_match_however_the_receipt_spells_them(self):
        spellings = {"as answered": None, "decimal for hex": lambda i: str(int(i, 16)),
                     "padded": lambda i: i.rjust(20, "0"), "upper case": str.upper,
                     "padded decimal": lambda i: str(int(i, 16)).rjust(12, "0")}
        for name, spelled in spellings.items():
            for form in ("text", "tlv", "both"):
                with self.subTest(spelling=name, form=form):
                    message_id = self.send(self.number(
                        lambda s, a, sp=spelled, f=form:
                        Answer(receipts=[Receipt(spelled=sp, form=f)])))
                    self.events.wait_for(message_id, "delivered")

    def test_an_id_beyond_64_bits_matches_in_decimal(self):
        message_id = self.send(self.number(
            lambda s, a: Answer(message_id="812FC7470000001B22",
                                receipts=[Receipt(spelled=lambda i: str(int(i, 16)))])))
        self.events.wait_for(message_id, "delivered")

    def test_a_receipt_before_its_response_is_kept_and_matched(self):
        message_id = self.send(self.number(lambda s, a: Answer(receipts_first=True)), "a" * 300)
        self.events.wait_for(message_id, "delivered")

    def test_a_receipt_twice_is_one_event(self):
        message_id = self.send(self.number(
            lambda s, a: Answer(receipts=[Receipt(), Receipt(delay=0.1), Receipt(delay=0.2)])))
        self.events.wait_for(message_id, "delivered")
        self.wait_receipts_answered(message_id, 3)
        self.assertEqual(self.types(message_id).count("delivered"), 1)
        self.assertNotIn("conflict", self.types(message_id))

    def test_another_final_after_a_final_is_a_conflict_and_changes_nothing(self):
        message_id = self.send(self.number(
            lambda s, a: Answer(receipts=[Receipt(), Receipt("UNDELIV", delay=0.3)])))
        self.events.wait_for(message_id, "conflict")
        self.wait_receipts_answered(message_id, 2)
        finals = [t for t in self.types(message_id) if t in under_test.FINAL]
        self.assertEqual(finals, ["delivered"])

    def test_an_intermediate_notification_is_not_final(self):
        message_id = self.send(self.number(lambda s, a: Answer(receipts=[
            Receipt("ENROUTE", esm_class=0x20), Receipt("ACCEPTD", delay=0.1),
            Receipt(delay=0.2)])))
        self.events.wait_for(message_id, "delivered")
        finals = [t for t in self.types(message_id) if t in under_test.FINAL]
        self.assertEqual(finals, ["delivered"])

    def test_a_receipt_for_a_message_nobody_sent_is_acknowledged_and_counted(self):
        before = self.unmatched()
        text = b"id:deadbeefdeadbeef sub:001 dlvrd:001 submit date:2601010000 done " \
               b"date:2601010000 stat:DELIVRD err:000 text:"
        self.carrier.say(smpp.DELIVER_SM, smpp.deliver_sm(
            (1, 1, "79160000000"), (5, 0, "SHOP"), smpp.ESM_RECEIPT, 0, text))
        under_test.wait_until(lambda: self.unmatched() > before, "the receipt is counted")

    def unmatched(self):
        _, text = self.daemon.http("/metrics")
        return sum(float(line.rpartition(" ")[2]) for line in text.splitlines()
                   if re.match(r"stentor_\w*(unmatched|orphan)\w*[{ ]", line))

    def wait_receipts_answered(self, message_id, count):
        arrival = self.carrier.arrived(
            self.events.of(message_id)[0]["to"].lstrip("+"))[0]

        def answered():
            with self.carrier.lock:
                return [s for s, i in self.carrier.receipt_answers if i == arrival.message_id]

        under_test.wait_until(lambda: len(answered()) == count, "every receipt is acknowledged")
        self.assertEqual(set(answered()), {0})

    def test_temporary_errors_are_tried_again(self):
        for status in (0x58, 0x14, 0x08):
            with self.subTest(status=hex(status)):
                digits = self.number(
                    lambda s, attempt, status=status:
                    Answer(status=status if attempt <= 2 else 0))
                message_id = self.send(digits)
                self.events.wait_for(message_id, "delivered", patience=90.0)
                self.assertEqual([a.status for a in self.carrier.arrived(digits)],
                                 [status, status, 0])
                self.assertFalse(any(e.get("possible_duplicate")
                                     for e in self.events.of(message_id)))

    def test_permanent_errors_fail_at_once_with_a_code(self):
        for status in (0x0B, 0x0A, 0x61):
            with self.subTest(status=hex(status)):
                digits = self.number(lambda s, a, status=status: Answer(status=status))
                failed = self.events.wait_for(self.send(digits), "failed")
                self.assertTrue(failed["code"], failed)
                self.assertEqual(len(self.carrier.arrived(digits)), 1)

    def test_no_receipt_asked_ends_as_sent(self):
        digits = self.number()
        before = self.daemon.status()["sent_final"]
        message_id = self.send(digits, receipt="none")
        self.events.wait_for(message_id, "sent")
        self.assertEqual(self.carrier.arrived(digits)[0].submit.registered_delivery & 0x03, 0)
        under_test.wait_until(lambda: self.daemon.status()["sent_final"] == before + 1,
                              "sent is final")

    def test_a_message_waits_for_its_time(self):
        digits = self.number()
        begun = time.monotonic()
        message_id = self.send(digits, not_before=2)
        self.events.wait_for(message_id, "delivered")
        waited = self.carrier.arrived(digits)[0].time - begun
        self.assertGreater(waited, 1.0)
        self.assertLess(waited, 10.0)

    def test_a_message_that_expires_while_it_waits_says_so(self):
        message_id = self.send(self.number(), carrier="absent", expires=1)
        expired = self.events.wait_for(message_id, "expired")
        self.assertEqual(expired["id"], message_id)

    def test_several_destinations_are_messages_of_their_own(self):
        numbers = [self.number() for _ in range(3)]
        reply = self.daemon.ask(op="send", to=["+" + n for n in numbers] + ["+" + numbers[0]],
                                text="all of you", **{"from": "SHOP"})
        self.assertEqual(reply["status"], "accepted", reply)
        self.assertEqual(len(reply["messages"]), 3)
        for message in reply["messages"]:
            self.events.wait_for(message["id"], "delivered")
        self.assertEqual([len(self.carrier.arrived(n)) for n in numbers], [1, 1, 1])

    def test_a_message_is_found_by_id_ref_number_and_carrier_id_with_its_history(self):
        digits = self.number()
        message_id = self.send(digits, ref="find-me")
        self.events.wait_for(message_id, "delivered")
        carrier_id = self.carrier.arrived(digits)[0].message_id
        for question in ({"id": message_id}, {"ref": "find-me"}, {"to": "+" + digits},
                         {"carrier_id": carrier_id}):
            with self.subTest(**question):
                reply = self.daemon.ask(op="message", **question)
                if {"to", "carrier_id"} & set(question) and reply["status"] == "rejected":
                    self.assertEqual(reply["error"]["code"], "not_supported", reply)
                    continue  # said so, rather than answered with nothing found
                self.assertEqual(reply["status"], "ok", reply)
                self.assertIn(message_id, str(reply))
        reply = self.daemon.ask(op="message", id=message_id)
        self.assertIn("delivered", str(reply))
        self.assertTrue(reply.get("history"), reply)

    def test_metrics_are_parseable_and_count_what_happened(self):
        self.events.wait_for(self.send(self.number()), "delivered")
        status, text = self.daemon.http("/metrics")
        self.assertEqual(status, 200)
        typed, names = {}, set()
        sample = re.compile(r'^([a-z_]+)(\{(?:[a-z_]+="(?:[^"\\]|\\.)*",?)*\})? '
                            r'([-+]?(?:[0-9.eE+-]+|Inf|NaN))$')
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ", 3)
                self.assertNotIn(name, typed, f"{name} is typed twice")
                typed[name] = kind
            elif line and not line.startswith("#"):
                match = sample.match(line)
                self.assertTrue(match, f"not a sample: {line}")
                names.add(match.group(1))
        for name in names:
            self.assertTrue(name.startswith("stentor_"), name)
            base = re.sub(r"_(bucket|sum|count)$", "", name)
            self.assertTrue(name in typed or typed.get(base) == "histogram", f"{name} has no type")
            if typed.get(name) == "counter":
                self.assertTrue(name.endswith("_total"), name)
        accepted = sum(float(line.rpartition(" ")[2]) for line in text.splitlines()
                       if line.startswith("stentor_accepted_total"))
        self.assertGreater(accepted, 0)
        self.assertRegex(text, r"(?m)^stentor_ledger_imbalance 0")

    def test_health_and_readiness_answer_and_nothing_else_is_served(self):
        self.assertEqual(self.daemon.http("/healthz")[0], 200)
        self.assertEqual(self.daemon.http("/readyz")[0], 200)
        self.assertEqual(self.daemon.http("/etc/passwd")[0], 404)

    def test_no_number_and_no_text_reaches_logs_or_metrics(self):
        plays = [None, lambda s, a: Answer(status=0x0B),
                 lambda s, a: Answer(receipts=[Receipt("UNDELIV")])]
        for play in plays:
            self.scripts[CANARY_NUMBER] = play or (lambda s, a: Answer())
            message_id = self.send(CANARY_NUMBER, f"{CANARY_TEXT} Ж" * 12)
            self.events.wait_for(message_id, *under_test.FINAL)
        with self.daemon.connect() as connection:
            connection.write(b'{"to":"' + CANARY_NUMBER.encode() + b'","text":"' +
                             CANARY_TEXT.encode() + b"\xff\n")
            self.assertEqual(connection.read()["status"], "rejected")
        for where, text in (("log", self.daemon.log()), ("metrics", self.daemon.http("/metrics")[1]),
                            ("status", str(self.daemon.status()))):
            self.assertNotIn(CANARY_NUMBER, text, where)
            self.assertNotIn(CANARY_TEXT, text, where)


class Consumers(OneDaemon):
    def open(self, consumer, **more):
        connection = self.daemon.connect()
        reply = connection.ask(op="events", consumer=consumer, **more)
        self.assertEqual(reply["status"], "ok", reply)
        self.assertEqual(reply["consumer"], consumer)
        return connection

    def read_until(self, connection, message_id, kind):
        seen = []
        while True:
            event = connection.read()
            self.assertIsNotNone(event, "end-of-file")
            if event.get("id") == message_id:
                seen.append(event)
                if event["type"] == kind:
                    return seen

    def test_a_consumer_goes_on_where_it_acknowledged(self):
        with self.open("crm") as connection:
            first = self.send(self.number())
            seen = self.read_until(connection, first, "delivered")
            acknowledged = seen[0]["cursor"]
            connection.write_request(op="ack", cursor=acknowledged)
            # The acknowledgement has no reply; a message after it shows that it was read.
            self.read_until(connection, self.send(self.number()), "delivered")
        with self.open("crm") as connection:
            again = self.read_until(connection, first, "delivered")
            self.assertNotIn(acknowledged, [e["cursor"] for e in again])
            self.assertEqual([e["cursor"] for e in again], [e["cursor"] for e in seen[1:]])

    def test_a_new_consumer_begins_now_and_from_oldest_at_the_beginning(self):
        past = self.send(self.number())
        self.events.wait_for(past, "delivered")
        with self.open("late") as connection:
            now = self.send(self.number())
            while (event := connection.read())["id"] != now:
                self.assertNotEqual(event["id"], past)
        with self.open("historian", **{"from": "oldest"}) as connection:
            self.read_until(connection, past, "delivered")

    def test_a_second_connection_of_a_consumer_takes_over(self):
        with self.open("twin") as first, self.open("twin") as second:
            line = first.read()
            while line.get("type") != "replaced":
                line = first.read()
            self.assertIsNone(first.read())
            self.read_until(second, self.send(self.number()), "delivered")

    def test_a_cursor_it_never_got_is_an_error_and_changes_nothing(self):
        with self.open("liar") as connection:
            connection.write_request(op="ack", cursor="no-such-cursor")
            reply = connection.read()
            self.assertTrue("error" in reply or reply.get("type") == "error", reply)
            self.read_until(connection, self.send(self.number()), "delivered")

    def test_well_formed_cursors_it_never_got_are_errors_too_and_it_goes_on_where_it_was(self):
        with self.open("liar2", types=["delivered"]) as connection:
            first = self.send(self.number())
            given = self.read_until(connection, first, "delivered")[-1]["cursor"]
            place, sub = given.split("-")
            for never in (f"{int(place, 16) + (1 << 40):016x}-1",  # of the future
                          f"{place}-9", f"{place}-0", f"{int(place, 16) - 1:016x}-1",
                          f"{place}-{3 - int(sub)}",  # of an event that the filter holds back
                          "0000000000000000-1", f"{'f' * 16}-2", given + "0", ""):
                connection.write_request(op="ack", cursor=never)
                reply = connection.read()
                self.assertEqual((reply["type"], reply["error"]["code"]), ("error", "bad_field"),
                                 (never, reply))
        with self.open("liar2", types=["delivered"]) as connection:
            self.assertEqual(connection.read()["cursor"], given, "nothing was acknowledged")

    def test_filters_by_campaign_and_type(self):
        with self.open("picky", campaign="spring", types=["delivered"]) as connection:
            self.send(self.number(), campaign="winter")
            wanted = self.send(self.number(), campaign="spring")
            event = connection.read()
            while event.get("type") == "idle":
                event = connection.read()
            self.assertEqual((event["id"], event["type"]), (wanted, "delivered"))


class StopAndStart(unittest.TestCase):
    def start(self, script=None, **settings):
        carrier = ScriptedCarrier(script)
        daemon = under_test.Daemon([under_test.carrier("north", carrier.address, **settings)])
        daemon.start()
        return carrier, daemon

    def send_many(self, daemon, count):
        ids = []
        with daemon.connect() as connection:
            for number in range(count):
                connection.write_request(op="send", to=f"+7916{number:07d}", text=f"no. {number}",
                                         ref=f"s-{number}", **{"from": "SHOP"})
            for _ in range(count):
                reply = connection.read()
                self.assertEqual(reply["status"], "accepted", reply)
                ids.append(reply["id"])
        return ids

    def test_sigterm_drains_the_window_and_a_restart_goes_on_without_repeating(self):
        carrier, daemon = self.start(lambda s, a: Answer(delay=0.4), window=5)
        events = under_test.EventFollower(daemon)
        ids = self.send_many(daemon, 30)
        under_test.wait_until(lambda: len(carrier.arrived()) >= 5, "the window is full")
        self.assertEqual(daemon.stop(), 0, daemon.log_tail())
        self.assertLess(len(carrier.arrived()), 30, "nothing was left to do after the restart")
        daemon.start()
        for message_id in ids:
            events.wait_for(message_id, "delivered")
        self.assertEqual(sorted(a.submit.destination[2] for a in carrier.arrived()),
                         [f"7916{n:07d}" for n in range(30)])
        self.assertFalse(any(e.get("possible_duplicate") for e in events.events))
        status = daemon.status()
        self.assertEqual(under_test.ledger_gap(status), 0, status)
        self.assertEqual((status["accepted"], status["delivered"]), (30, 30), status)
        events.close()
        self.assertEqual(daemon.stop(), 0)
        carrier.close()

    def test_sigterm_waits_no_longer_than_it_says_for_a_carrier_that_is_silent(self):
        silent = [True]
        carrier, daemon = self.start(lambda s, a: Answer(silent=silent[0]), window=5)
        events = under_test.EventFollower(daemon)
        ids = self.send_many(daemon, 8)
        under_test.wait_until(lambda: len(carrier.arrived()) == 5, "the window is full")
        with daemon.connect() as connection:
            self.assertEqual(connection.ask(op="status")["status"], "ok")  # it was open before
            began = time.monotonic()
            daemon.process.signal(under_test.signal.SIGTERM)
            under_test.wait_until(lambda: "draining" in daemon.log(), "it drains")
            reply = connection.ask(op="send", to="+79160000099", text="late", **{"from": "SHOP"})
            self.assertEqual(reply["error"]["code"], "draining", reply)
        self.assertEqual(daemon.process.wait(60), 0, daemon.log_tail())
        # 20 s for the windows, 30 s for all of it; the rest is for a slow machine.
        self.assertGreater(time.monotonic() - began, 15)
        self.assertLess(time.monotonic() - began, 45)
        silent[0] = False
        daemon.start()
        for message_id in ids:
            events.wait_for(message_id, "delivered")
        marked = {e["id"] for e in events.events if e["type"] == "uncertain"}
        self.assertEqual(marked, set(ids[:5]), "what was written, and nothing else, was in doubt")
        events.close()
        self.assertEqual(daemon.stop(), 0)
        carrier.close()

    def test_a_receipt_that_comes_after_a_restart_is_matched(self):
        carrier, daemon = self.start(lambda s, a: Answer(receipts=[Receipt(delay=1.5)]))
        events = under_test.EventFollower(daemon)
        ids = self.send_many(daemon, 10)
        for message_id in ids:
            events.wait_for(message_id, "sent")
        daemon.kill()
        daemon.start()
        for message_id in ids:
            events.wait_for(message_id, "delivered")
        self.assertEqual(len(carrier.arrived()), 10, "something reported sent was sent again")
        events.close()
        self.assertEqual(daemon.stop(), 0)
        carrier.close()

    def test_a_ref_is_remembered_across_a_kill(self):
        carrier, daemon = self.start()
        ids = self.send_many(daemon, 5)
        daemon.kill()
        daemon.start()
        again = daemon.ask(op="send", to="+79160000003", text="no. 3", ref="s-3",
                           **{"from": "SHOP"})
        self.assertEqual((again["status"], again.get("id")), ("duplicate", ids[3]), again)
        other = daemon.ask(op="send", to="+79160000003", text="changed", ref="s-3",
                           **{"from": "SHOP"})
        self.assertEqual(other["error"]["code"], "conflict", other)
        self.assertEqual(daemon.stop(), 0)
        carrier.close()

    def test_a_sigterm_right_behind_the_first_answer_is_heard(self):
        carrier = ScriptedCarrier()
        self.addCleanup(carrier.close)
        daemon = under_test.Daemon([under_test.carrier("north", carrier.address)])
        for _ in range(5):
            daemon.start()
            self.assertEqual(daemon.stop(), 0, daemon.log_tail())

    def test_it_tells_its_service_manager_when_it_is_ready_alive_and_stopping(self):
        carrier = ScriptedCarrier()
        daemon = under_test.Daemon([under_test.carrier("north", carrier.address)])
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            address = os.path.join(daemon.directory, "notify")
            manager.bind(address)
            manager.settimeout(under_test.PATIENCE)
            environment = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "400000"}
            os.environ.update(environment)
            try:
                daemon.start()
            finally:
                for name in environment:
                    del os.environ[name]

            def wait_for(word):
                while word not in manager.recv(4096).decode():
                    pass

            wait_for("READY=1")
            wait_for("WATCHDOG=1")
            wait_for("WATCHDOG=1")
            daemon.process.signal(under_test.signal.SIGTERM)
            wait_for("STOPPING=1")
            self.assertEqual(daemon.process.wait(), 0, daemon.log_tail())
        carrier.close()


if __name__ == "__main__":
    under_test.run_cases(__doc__.splitlines()[0])

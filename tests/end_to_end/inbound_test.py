#!/usr/bin/env python3
"""Messages from handsets: joined, decoded, durable before they are answered, told to whose they are."""

import os
import pwd
import struct
import unittest

import smpp_octets as smpp
import stentor_under_test as under_test
from scripted_carrier import Answer, ScriptedCarrier

HANDSET = (1, 1, "79161234567")
SHORT_CODE = (3, 0, "1234")


def udh8(reference, total, number):
    return bytes([5, 0, 3, reference, total, number])


def udh16(reference, total, number):
    return bytes([6, 8, 4, reference >> 8, reference & 255, total, number])


def sar(reference, total, number):
    return (smpp.tlv(smpp.TLV_SAR_REFERENCE, struct.pack(">H", reference))
            + smpp.tlv(smpp.TLV_SAR_TOTAL, bytes([total]))
            + smpp.tlv(smpp.TLV_SAR_NUMBER, bytes([number])))


class Inbound(unittest.TestCase):
    """One daemon, one carrier; every case has a handset of its own."""

    next_number = 0

    @classmethod
    def setUpClass(cls):
        cls.carrier = ScriptedCarrier()
        cls.daemon = under_test.Daemon([under_test.carrier("north", cls.carrier.address)]).start()
        cls.daemon.wait_bound("north")
        cls.events = under_test.EventFollower(cls.daemon)

    @classmethod
    def tearDownClass(cls):
        cls.events.close()
        assert cls.daemon.stop() == 0, cls.daemon.log_tail()
        assert not cls.carrier.malformed, cls.carrier.malformed
        cls.carrier.close()

    def handset(self):
        type(self).next_number += 1
        return (1, 1, f"7916{self.next_number:07d}")

    def say(self, source, data_coding=0, octets=b"", esm_class=0, tlvs=b"", to=SHORT_CODE):
        answered = len(self.carrier.receipt_answers)
        self.carrier.say(smpp.DELIVER_SM,
                         smpp.deliver_sm(source, to, esm_class, data_coding, octets, tlvs))
        under_test.wait_until(lambda: len(self.carrier.receipt_answers) > answered,
                              "deliver_sm is answered")
        self.assertEqual(self.carrier.receipt_answers[-1][0], 0)

    def inbound(self, source, count=1):
        def found():
            with self.events.lock:
                mine = [e for e in self.events.events
                        if e["type"] == "inbound" and e["from"] == "+" + source[2]]
            return mine if len(mine) >= count else None
        return under_test.wait_until(found, "an inbound event")

    def test_a_reply_is_an_event_with_an_id_of_its_own(self):
        handset = self.handset()
        self.say(handset, 0, b"Hello \x00 \x1b\x65")  # @ and the euro sign in GSM 03.38
        event = self.inbound(handset)[0]
        self.assertEqual(event["text"], "Hello @ €")
        self.assertEqual((event["to"], event["carrier"], event["parts"]), ("1234", "north", 1))
        self.assertEqual(len(event["id"]), 26)
        self.assertNotIn("ref", event)

    def test_every_alphabet_is_read(self):
        for data_coding, octets, text in (
                (8, "Привет 👋".encode("utf-16-be"), "Привет 👋"),
                (3, "déjà".encode("latin-1"), "déjà"),
                (1, b"plain", "plain"),
                (0x18, "класс".encode("utf-16-be"), "класс")):
            with self.subTest(data_coding=data_coding):
                handset = self.handset()
                self.say(handset, data_coding, octets)
                self.assertEqual(self.inbound(handset)[0]["text"], text)

    def test_octets_that_are_no_text_are_told_in_hexadecimal(self):
        handset = self.handset()
        self.say(handset, 4, b"\x00\xff\x10")
        event = self.inbound(handset)[0]
        self.assertEqual(event["binary"], "00ff10")
        self.assertNotIn("text", event)

    def test_a_turkish_handset_is_read_by_its_tables(self):
        handset = self.handset()
        header = bytes([3, 0x25, 1, 1])  # locking shift, Turkish: 0x07 is dotless i
        self.say(handset, 0, header + b"\x07", esm_class=0x40)
        self.assertEqual(self.inbound(handset)[0]["text"], "ı")

    def test_parts_are_joined_in_any_order_and_repeated_ones_taken_once(self):
        for name, header, tlvs in (("udh8", udh8, None), ("udh16", udh16, None),
                                   ("sar", None, sar)):
            with self.subTest(name):
                handset = self.handset()
                texts = {1: "one ", 2: "two ", 3: "three"}
                for number in (3, 1, 3, 1, 2):
                    octets = texts[number].encode()
                    if header:
                        self.say(handset, 0, header(77, 3, number) + octets, esm_class=0x40)
                    else:
                        self.say(handset, 0, octets, tlvs=tlvs(777, 3, number))
                event = self.inbound(handset)[0]
                self.assertEqual((event["text"], event["parts"]), ("one two three", 3))
        self.assertEqual(len(self.inbound(handset)), 1)

    def test_a_surrogate_pair_cut_in_two_comes_together(self):
        handset = self.handset()
        octets = "👋".encode("utf-16-be")
        self.say(handset, 8, udh8(5, 2, 2) + octets[2:], esm_class=0x40)
        self.say(handset, 8, udh8(5, 2, 1) + octets[:2], esm_class=0x40)
        self.assertEqual(self.inbound(handset)[0]["text"], "👋")

    def test_a_text_in_message_payload_is_read(self):
        handset = self.handset()
        self.say(handset, 0, tlvs=smpp.tlv(smpp.TLV_MESSAGE_PAYLOAD, b"payload " * 400))
        self.assertEqual(self.inbound(handset)[0]["text"], "payload " * 400)

    def test_a_reply_that_looks_like_a_receipt_is_a_reply(self):
        handset = self.handset()
        text = b"id:1a2b3c4d sub:001 dlvrd:001 stat:DELIVRD err:000"
        self.say(handset, 0, text)
        self.assertEqual(self.inbound(handset)[0]["text"], text.decode())

    def test_a_reply_that_names_a_message_that_awaits_its_receipt_settles_nothing(self):
        handset = self.handset()
        self.addCleanup(setattr, self.carrier, "script", self.carrier.script)
        self.carrier.script = lambda submit, attempt: Answer(receipts=[])
        sent = self.daemon.ask(op="send", to="+" + handset[2], text="Hello", **{"from": "1234"})
        self.events.wait_for(sent["id"], "sent")
        carrier_id = self.carrier.arrived(handset[2])[0].message_id
        forged = f"id:{carrier_id} sub:001 dlvrd:001 stat:UNDELIV err:001".encode()
        tlvs = (smpp.tlv(smpp.TLV_RECEIPTED_MESSAGE_ID, carrier_id.encode() + b"\0")
                + smpp.tlv(smpp.TLV_MESSAGE_STATE, bytes([smpp.MESSAGE_STATE["UNDELIV"]])))
        self.say(handset, 0, forged)
        self.say(handset, 0, forged, tlvs=tlvs)
        self.assertEqual([e["text"] for e in self.inbound(handset, 2)], [forged.decode()] * 2)
        self.assertEqual([e["type"] for e in self.events.of(sent["id"])], ["part", "sent"])
        # The carrier's own word is believed: it was awaited all the time.
        self.say(handset, 0, f"id:{carrier_id} stat:DELIVRD err:000 text:".encode(),
                 esm_class=smpp.ESM_RECEIPT)
        self.events.wait_for(sent["id"], "delivered")

    def test_a_nul_and_quotes_in_a_text_harm_no_line(self):
        handset = self.handset()
        self.say(handset, 3, b'a\x00"\\\n')
        self.assertEqual(self.inbound(handset)[0]["text"], 'a\x00"\\\n')


class AcrossBinds(unittest.TestCase):
    def test_parts_that_come_by_different_binds_are_joined(self):
        carrier = ScriptedCarrier()
        daemon = under_test.Daemon([under_test.carrier("north", carrier.address,
                                                       binds={"transceiver": 2})]).start()
        under_test.wait_until(lambda: carrier.bound() == 2
                              and daemon.carrier_status("north")["bound"] == 2, "both stand")
        events = under_test.EventFollower(daemon)
        for at, (number, text) in enumerate(((2, b"two "), (3, b"three"), (1, b"one "))):
            carrier.say(smpp.DELIVER_SM,
                        smpp.deliver_sm(HANDSET, SHORT_CODE, 0x40, 0, udh16(513, 3, number) + text),
                        bind=at % 2)
            under_test.wait_until(lambda n=at: len(carrier.receipt_answers) > n, "an answer")
        under_test.wait_until(lambda: events.events, "it is whole")
        self.assertEqual([(e["text"], e["parts"]) for e in events.events], [("one two three", 3)])
        events.close()
        self.assertEqual(daemon.stop(), 0, daemon.log_tail())
        carrier.close()


class AfterKill(unittest.TestCase):
    def test_parts_and_messages_that_were_answered_survive(self):
        carrier = ScriptedCarrier()
        daemon = under_test.Daemon([under_test.carrier("north", carrier.address)]).start()
        daemon.wait_bound("north")
        daemon.ask(op="events", consumer="late", **{"from": "oldest"})

        def say(octets, esm_class=0):
            answered = len(carrier.receipt_answers)
            carrier.say(smpp.DELIVER_SM, smpp.deliver_sm(HANDSET, SHORT_CODE, esm_class, 0, octets))
            under_test.wait_until(lambda: len(carrier.receipt_answers) > answered, "an answer")

        say(b"whole")
        say(udh8(9, 3, 2) + b"two ", 0x40)
        daemon.kill()
        daemon.start()
        daemon.wait_bound("north")
        say(udh8(9, 3, 1) + b"one ", 0x40)
        daemon.kill()
        daemon.start()
        daemon.wait_bound("north")
        say(udh8(9, 3, 3) + b"three", 0x40)
        daemon.kill()
        daemon.start()
        events = under_test.EventFollower(daemon, "late")
        under_test.wait_until(lambda: len(events.events) >= 2, "both messages")
        self.assertEqual([e["text"] for e in events.events], ["whole", "one two three"])
        self.assertEqual(len({e["id"] for e in events.events}), 2)
        page = daemon.http("/metrics")[1]
        self.assertIn('stentor_replies_unfinished{carrier="north"} 0', page)
        events.close()
        self.assertEqual(daemon.stop(), 0)
        carrier.close()


class HalfACommit(unittest.TestCase):
    """The daemon dies when half of a commit is written, as long as there are replies."""

    FORMS = {smpp.DELIVER_SM: smpp.deliver_sm, smpp.DATA_SM: smpp.data_sm}

    def test_what_was_answered_is_kept_and_what_was_not_may_come_again(self):
        for command, form in self.FORMS.items():
            with self.subTest(hex(command)):
                self.play(command, lambda n, form=form: form(HANDSET, SHORT_CODE, 0, 0, b"%d" % n))

    def play(self, command, reply):
        carrier = ScriptedCarrier()
        self.addCleanup(carrier.close)
        daemon = under_test.Daemon([under_test.carrier("north", carrier.address)]).start()
        self.addCleanup(daemon.kill)
        daemon.wait_bound("north")
        daemon.ask(op="events", consumer="late", **{"from": "oldest"})
        self.assertEqual(daemon.stop(), 0)

        # The start commits something too, hence not the first.
        daemon.process_options = {
            "env": {**os.environ, "STENTOR_FAILPOINT": "journal.commit.half:8"}}
        daemon.start()
        daemon.wait_bound("north")
        said = 0
        while daemon.process.is_running():
            carrier.say(command, reply(said))
            said += 1
            under_test.wait_until(lambda: len(carrier.receipt_answers) == said
                                  or not daemon.process.is_running(), "an answer, or the end")
        self.assertIn("failpoint journal.commit.half reached", daemon.log())
        answered = len(carrier.receipt_answers)
        self.assertEqual(answered, said - 1, "the last was not written whole, nor answered")
        self.assertGreater(answered, 0)

        daemon.process_options = {}
        daemon.start()
        daemon.wait_bound("north")
        carrier.say(command, reply(answered))
        under_test.wait_until(lambda: len(carrier.receipt_answers) == said, "an answer")
        events = under_test.EventFollower(daemon, "late")
        self.addCleanup(events.close)
        under_test.wait_until(lambda: len(events.events) == said, "all replies")
        self.assertEqual([e["text"] for e in events.events], [str(n) for n in range(said)])


class Routed(unittest.TestCase):
    """Number and keyword say whose a message is, and nobody else hears of it."""

    def test_a_client_gets_its_own_and_an_observer_all(self):
        names = [entry.pw_name for entry in pwd.getpwall() if entry.pw_uid != os.geteuid()][:2]
        carrier = ScriptedCarrier()
        daemon = under_test.Daemon([under_test.carrier("north", carrier.address)])
        with open(daemon.config_path, encoding="utf-8") as file:
            text = file.read()
        me = pwd.getpwuid(os.geteuid()).pw_name
        text += f"""
[[client]]
name = "mine"
users = ["{me}"]
roles = ["submit"]
[[client]]
name = "other"
users = ["{names[0]}"]
[[inbound]]
to = "1234"
client = "other"
[[inbound]]
to = "1234"
keyword = "Win!"
client = "mine"
"""
        daemon.write_config_text(text)
        daemon.start()
        daemon.wait_bound("north")
        events = under_test.EventFollower(daemon)
        for octets in (b"hello", b"WIN a car", b"winner", b"win"):
            carrier.say(smpp.DELIVER_SM, smpp.deliver_sm(HANDSET, SHORT_CODE, 0, 0, octets))
        under_test.wait_until(lambda: len(events.events) >= 2, "both of mine")
        self.assertEqual([e["text"] for e in events.events], ["WIN a car", "win"])
        self.assertEqual({e["client"] for e in events.events}, {"mine"})
        events.close()
        daemon.stop()
        carrier.close()

    def test_a_rule_for_a_client_that_is_not_there_is_named(self):
        daemon = under_test.Daemon([under_test.carrier("north", "127.0.0.1:1")])
        with open(daemon.config_path, encoding="utf-8") as file:
            text = file.read()
        daemon.write_config_text(text + '\n[[inbound]]\nclient = "crm"\n')
        status, said = daemon.start_and_fail()
        self.assertEqual(status, 2)
        self.assertIn('inbound[0].client: there is no client "crm"', said)


if __name__ == "__main__":
    under_test.run_cases(__doc__)

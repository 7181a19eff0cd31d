#!/usr/bin/env python3
"""Judges the judge: histories made by hand, each with one broken promise, must be found out."""

import collections
import os
import socket
import tempfile
import threading
import unittest
from unittest import mock

import crash_test
import journal_octets
import scripted_carrier
import smpp_octets as smpp
import sms_octets
from carrier_simulator import Arrival
from tracking_model import Said, Submitted, TrackingModel


class Histories:
    """Three messages that went well, over one kill; a test spoils one thing."""

    def __init__(self):
        texts = {"r-0": "Hello [5€]", "r-1": "Привет", "r-2": "long " * 40}
        self.submitted = {
            ref: {"ref": ref, "to": f"+7900000000{n}", "text": text, "meta": {"n": n}}
            for n, (ref, text) in enumerate(texts.items())}
        # Ids whose last characters are the accept sequence.
        self.answered = {ref: f"{n:026d}" for n, ref in enumerate(texts)}
        self.intents = collections.Counter(range(len(texts)))
        self.wrong = []
        self.kills = [(1500, 0)]
        self.list_of_arrivals = []
        self.arrive("r-0", b"Hello \x1b\x3c5\x1b\x65\x1b\x3e", connection=1)
        self.arrive("r-1", "Привет".encode("utf-16-be"), connection=1, data_coding=8)
        text = texts["r-2"].encode()
        self.arrive("r-2", b"\x05\x00\x03\x07\x02\x01" + text[:153], connection=1, esm_class=0x40)
        self.arrive("r-2", b"\x05\x00\x03\x07\x02\x02" + text[153:], connection=1, esm_class=0x40)
        self.list_of_events = {
            self.answered[ref]: [{"type": kind, "ref": ref, "meta": self.submitted[ref]["meta"]}
                          for kind in ("sent", "delivered")] for ref in texts}

    def arrive(self, ref, octets, connection, esm_class=0, data_coding=0, status=0):
        self.list_of_arrivals.append(Arrival(
            0, connection, self.submitted[ref]["to"].lstrip("+"), "SHOP", esm_class, data_coding,
            octets, status, "1"))

    # What the judge asks the simulator and the events for.
    def arrivals(self):
        return self.list_of_arrivals

    def bind_times(self):
        return {1: 1000, 2: 2000}

    def by_message(self):
        return self.list_of_events

    @property
    def events(self):
        return [event | {"id": message} for message, events in self.list_of_events.items()
                for event in events]

    def verdict(self):
        judge = crash_test.Judge(self, self, self, self.kills, self.intents)
        judge.check_all()
        return judge.wrong


class TheJudge(unittest.TestCase):
    def setUp(self):
        self.histories = Histories()

    def assert_found(self, words):
        verdict = self.histories.verdict()
        self.assertTrue(any(words in line for line in verdict), verdict)

    def again(self, index, connection):
        arrivals = self.histories.list_of_arrivals
        copy = dict(arrivals[index].__dict__, connection=connection)
        arrivals.append(Arrival(**copy))

    def test_finds_nothing_in_what_went_well(self):
        self.assertEqual(self.histories.verdict(), [])

    def test_finds_a_lost_message(self):
        del self.histories.list_of_arrivals[0]
        self.assert_found("never arrived")

    def test_finds_a_lost_part(self):
        del self.histories.list_of_arrivals[3]
        self.assert_found("has parts [1] of 2")

    def test_finds_a_message_that_was_only_refused(self):
        arrivals = self.histories.list_of_arrivals
        arrivals[0] = Arrival(**dict(arrivals[0].__dict__, status=0x58))
        self.assert_found("never arrived")

    def test_finds_another_text(self):
        arrivals = self.histories.list_of_arrivals
        arrivals[0] = Arrival(**dict(arrivals[0].__dict__, short_message=b"Hullo"))
        self.assert_found("another text")

    def test_finds_an_escape_pair_cut_in_half(self):
        arrivals = self.histories.list_of_arrivals
        arrivals[0] = Arrival(**dict(arrivals[0].__dict__, short_message=b"Hello \x1b"))
        self.assert_found("cut in half")

    def test_finds_a_phantom(self):
        arrivals = self.histories.list_of_arrivals
        arrivals.append(Arrival(**dict(arrivals[0].__dict__, destination="79999999999")))
        self.assert_found("phantom")

    def test_finds_an_arrival_that_nobody_intended(self):
        self.histories.intents[2] -= 1
        self.assert_found("arrived on 1 connections, and was intended 0 times")

    def test_finds_a_repetition_that_was_intended_once(self):
        self.again(0, connection=2)
        self.assert_found("arrived on 2 connections, and was intended 1 times")

    def test_finds_a_repetition_without_a_kill(self):
        self.again(0, connection=1)
        self.assert_found("without a kill")

    def test_finds_a_repetition_that_is_not_marked(self):
        self.again(0, connection=2)
        self.assert_found("no event says possible_duplicate")

    def test_allows_a_repetition_that_is_marked(self):
        self.again(0, connection=2)
        self.histories.intents[0] += 1
        self.histories.list_of_events[self.histories.answered["r-0"]][0]["possible_duplicate"] = True
        self.assertEqual(self.histories.verdict(), [])

    def test_finds_a_repetition_of_what_had_been_reported_sent(self):
        self.again(0, connection=2)
        self.histories.list_of_events[self.histories.answered["r-0"]][0]["possible_duplicate"] = True
        self.histories.kills = [(1500, len(self.histories.events))]
        self.assert_found("although reported sent")

    def test_finds_more_repetitions_than_promised(self):
        for _ in range(crash_test.DOUBT_PER_KILL + 1):
            number = len(self.histories.submitted)
            ref = f"r-{number}"
            self.histories.submitted[ref] = {"ref": ref, "to": f"+7900{number:07d}", "text": "a",
                                             "meta": {}}
            self.histories.answered[ref] = f"id{number:024d}".upper().replace("I", "1")
            self.histories.intents[journal_octets.sequence_of(self.histories.answered[ref])] = 2
            self.histories.arrive(ref, b"a", connection=1)
            self.histories.arrive(ref, b"a", connection=2)
            self.histories.list_of_events[self.histories.answered[ref]] = [
                {"type": kind, "ref": ref, "meta": {}, "possible_duplicate": True}
                for kind in ("sent", "delivered")]
        self.assert_found("is the promise")

    def test_finds_a_resent_part_with_another_reference(self):
        arrivals = self.histories.list_of_arrivals
        other = b"\x05\x00\x03\x08" + arrivals[2].short_message[4:]
        arrivals.append(Arrival(**dict(arrivals[2].__dict__, connection=2, short_message=other)))
        self.assert_found("disagree on reference")

    def test_finds_a_missing_and_a_doubled_final_event(self):
        del self.histories.list_of_events[self.histories.answered["r-1"]][1]
        self.assert_found("final events []")
        self.histories = Histories()
        events = self.histories.list_of_events[self.histories.answered["r-1"]]
        events.append(events[1])
        self.assert_found("final events ['delivered', 'delivered']")

    def test_finds_an_event_with_the_meta_of_another_message(self):
        self.histories.list_of_events[self.histories.answered["r-1"]][1]["meta"] = {"n": 2}
        self.assert_found("other ref or meta")


class TheTrackingModel(unittest.TestCase):
    """One message of two parts, of which the second failed, and one whose answer was lost once."""

    def setUp(self):
        self.submitted = [Submitted("m", 1, "A1", 1.0), Submitted("m", 2, "a2", 1.1),
                          Submitted("d", 1, "a3", 1.2), Submitted("d", 1, "a4", 3.0)]
        first, second, _, again = self.submitted
        self.said = [Said("A1", "ENROUTE", 2.0, 1, 1, 2.1, first),
                     Said("A1", "DELIVRD", 2.2, 1, 2, 2.3, first),
                     Said("a2", "UNDELIV", 2.4, 1, 3, 2.5, second),
                     Said("a2", "UNDELIV", 2.6, 1, 4, 2.7, second),  # a second copy
                     Said("a2", "DELIVRD", 2.8, 1, 5, 2.9, second),  # and a contradiction
                     Said("a4", "UNKNOWN", 3.2, 1, 6, 3.3, again),
                     Said("a4", "EXPIRED", 3.4, 1, 7, 3.5, again)]
        self.events = [
            self.event("m", "part", part=1, carrier_id="A1"),
            self.event("m", "part", part=2, carrier_id="a2"),
            self.event("m", "sent"),
            self.receipt("m", 1, "A1", "ENROUTE", "enroute"),
            self.receipt("m", 1, "a1", "DELIVRD"),
            self.receipt("m", 2, "a2", "UNDELIV", "undeliverable"),
            self.event("m", "failed", code="undeliverable"),
            self.event("m", "conflict", detail="stat:DELIVRD err:000", code="delivered"),
            self.event("d", "uncertain"),
            self.event("d", "part", part=1, carrier_id="a4", possible_duplicate=True),
            self.event("d", "sent", possible_duplicate=True),
            self.receipt("d", 1, "a4", "UNKNOWN", "unknown", possible_duplicate=True),
            self.event("d", "unknown", code="unknown", possible_duplicate=True),
            self.receipt("d", 1, "a4", "EXPIRED", "expired", possible_duplicate=True),
            self.event("d", "expired", code="expired", corrects="unknown",
                       possible_duplicate=True)]

    @staticmethod
    def event(message, kind, **more):
        return {"id": message, "type": kind, **more}

    def receipt(self, message, part, carrier_id, stat, code=None, **more):
        code = {"code": code} if code else {}
        return self.event(message, "receipt", part=part, carrier_id=carrier_id,
                          detail=f"stat:{stat} err:000", **code, **more)

    def verdict(self):
        self.model = TrackingModel({"m": 2, "d": 1}, self.submitted, self.said)
        return self.model.judge(self.events)

    def assert_found(self, words):
        verdict = self.verdict()
        self.assertTrue(any(words in line for line in verdict), verdict)

    def at(self, message, kind, nth=0):
        return [i for i, e in enumerate(self.events)
                if e["id"] == message and e["type"] == kind][nth]

    def test_finds_nothing_in_what_went_well(self):
        self.assertEqual(self.verdict(), [])
        self.assertEqual(self.model.states("m"), ["delivered", "failed"])

    def test_finds_every_event_that_is_missing_or_twice(self):
        whole = self.events
        for n, event in enumerate(whole):
            self.events = whole[:n] + whole[n + 1:]
            self.assertNotEqual(self.verdict(), [], f"without {event}")
            if event["type"] != "uncertain":
                self.events = whole[:n] + [event] + whole[n:]
                self.assertNotEqual(self.verdict(), [], f"twice: {event}")

    def test_finds_another_verdict(self):
        self.events[self.at("m", "failed")]["type"] = "delivered"
        self.assert_found("delivered where failed was due")

    def test_finds_a_verdict_ahead_of_the_last_part(self):
        at = self.at("m", "failed")
        self.events.insert(at - 1, self.events.pop(at))
        self.assert_found("failed that was not due")

    def test_finds_a_receipt_that_the_carrier_gave_for_another(self):
        self.events[self.at("m", "receipt", 2)]["carrier_id"] = "a4"
        self.assert_found("which part 2 does not have")

    def test_finds_a_receipt_that_was_overtaken(self):
        at = self.at("m", "receipt", 2)
        self.events[at] = self.receipt("m", 2, "a2", "DELIVRD")
        self.assert_found("before what came before it")

    def test_finds_a_receipt_from_before_its_submit(self):
        self.said[2] = Said("a2", "UNDELIV", 0.5, 1, 3, 0.6, None)
        self.said[3] = Said("a2", "UNDELIV", 0.7, 1, 4, 0.8, None)
        self.assert_found("a receipt UNDELIV that the carrier did not give")

    def test_finds_receipts_of_an_id_given_again_that_go_to_the_earlier_message(self):
        self.events.insert(2, self.event("d", "uncertain"))
        self.events.insert(3, self.event("d", "part", part=1, carrier_id="a2",
                                         possible_duplicate=True))
        self.submitted.append(Submitted("d", 1, "a2", 1.3))
        self.assert_found("a receipt for 'a2', which part 2 does not have")

    def test_finds_marks_that_are_missing_or_wrong(self):
        for at in (self.at("d", kind) for kind in ("part", "sent", "receipt", "unknown", "expired")):
            del self.events[at]["possible_duplicate"]
            self.assertNotEqual(self.verdict(), [], self.events[at])
            self.events[at]["possible_duplicate"] = True
        self.events[self.at("m", "sent")]["possible_duplicate"] = True
        self.assert_found("nothing was uncertain")

    def test_finds_a_correction_that_is_not_called_one(self):
        del self.events[self.at("d", "expired")]["corrects"]
        self.assert_found("corrects None, not unknown")

    def test_finds_another_code(self):
        self.events[self.at("m", "receipt", 2)]["code"] = "expired"
        self.assert_found("a receipt UNDELIV has the code expired")


class TheScriptedCarrier(unittest.TestCase):
    # A daemon that is bound was once sent nothing: the carrier's thread stood just behind its write.
    def test_reaches_a_client_from_the_bind_response_on(self):
        carrier = scripted_carrier.ScriptedCarrier()
        self.addCleanup(carrier.close)
        said = threading.Event()
        write = scripted_carrier._Link.write

        def write_and_stand(link, octets):
            write(link, octets)
            if smpp.BIND_TRANSCEIVER | smpp.RESPONSE == int.from_bytes(octets[4:8], "big"):
                said.wait(0.2)  # not longer: what is said may have to wait for this thread

        def read_command(client):
            head = client.recv(16, socket.MSG_WAITALL)
            client.recv(int.from_bytes(head[:4], "big") - 16, socket.MSG_WAITALL)
            return int.from_bytes(head[4:8], "big")

        body = b"".join(map(smpp.c_string, ("stentor", "secret", ""))) + b"\x34\0\0\0"
        with mock.patch.object(scripted_carrier._Link, "write", write_and_stand), \
                socket.create_connection(("127.0.0.1", carrier.port), timeout=5) as client:
            client.sendall(smpp.pdu(smpp.BIND_TRANSCEIVER, 0, 1, body))
            self.assertEqual(read_command(client), smpp.BIND_TRANSCEIVER | smpp.RESPONSE)
            carrier.say(smpp.ENQUIRE_LINK)
            said.set()
            self.assertEqual(read_command(client), smpp.ENQUIRE_LINK)


class TheReadingOfTheJournal(unittest.TestCase):
    """By the example of docs/journal.md, octet by octet."""

    EXAMPLE = bytes.fromhex(
        "5354454e544f524a 0100000001000000 efcdab8967452301 0000000000000000"
        "0000000000000000 0000000000000000 0000000000000000 000000001722 12de"
        "53544a4201000000 efcdab8967452301 2a00000000000000 400000000a000000"
        "000000001e92f910 0000000016d35a38 0103616263020378 797a000000000000"
        "53544a4202000000 efcdab8967452301 0000000000000000 8000000000000000"
        "16d35a3800000000 00000000 90cf1a5a 0000000000000000 0000000000000000")

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, "journal-00000001.stj")

    def tearDown(self):
        self.folder.cleanup()

    def read(self, octets):
        with open(self.path, "wb") as file:
            file.write(octets)
        return list(journal_octets.records(self.path))

    def test_finds_its_records(self):
        self.assertEqual(self.read(self.EXAMPLE), [(1, b"abc"), (2, b"xyz")])

    def test_ends_at_a_block_of_another_file(self):
        at = self.EXAMPLE.index(b"STJB") + 8
        self.assertEqual(self.read(self.EXAMPLE[:at] + b"\0" + self.EXAMPLE[at + 1:]), [])

    def test_reads_the_sequences_of_an_intent(self):
        # Epoch 7, "north", bind 1, a time; three sequences: 300, 301, 299.
        intent = (bytes((7, 0, 0, 0, 5)) + b"north" + bytes((1, 0)) + bytes(8)
                  + bytes((3, 0xD8, 0x04, 0x02, 0x03)))
        self.assertEqual(list(journal_octets.intended(intent)), [300, 301, 299])

    def test_finds_the_sequence_in_an_id(self):
        self.assertEqual(journal_octets.sequence_of("01JQ00000000000000000000ZZ"), 1023)


class TheDecoding(unittest.TestCase):
    """The judge's own reading of octets, after the examples of TS 23.038 and TS 23.040."""

    def test_reads_the_default_alphabet_and_its_extension(self):
        self.assertEqual(sms_octets.decode_gsm7(b"\x00\x01\x02\x11\x1b\x65\x1b\x14"), "@£$_€^")

    def test_refuses_what_no_phone_could_show(self):
        for octets in (b"\x80", b"\x1b", b"\x1b\x41"):
            with self.assertRaises(sms_octets.Undecodable):
                sms_octets.decode_gsm7(octets)
        with self.assertRaises(sms_octets.Undecodable):
            sms_octets.decode_ucs2(b"\xd8\x3d")

    def test_counts_septets_after_a_header(self):
        whole = b"\x05\x00\x03\x2a\x02\x01" + b"a" * 153
        self.assertEqual(sms_octets.decode_part(whole, 0x40, 0).total, 2)
        with self.assertRaises(sms_octets.Undecodable):
            sms_octets.decode_part(whole + b"a", 0x40, 0)
        wide = b"\x06\x08\x04\x00\x2a\x02\x01" + b"a" * 152
        self.assertEqual(sms_octets.decode_part(wide, 0x40, 0).reference, 42)
        with self.assertRaises(sms_octets.Undecodable):
            sms_octets.decode_part(wide + b"a", 0x40, 0)


if __name__ == "__main__":
    unittest.main()

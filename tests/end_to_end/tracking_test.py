#!/usr/bin/env python3
"""Follows receipts through the real daemon: corrections, codes, orphans, histories, restarts."""

import os
import struct
import subprocess
import unittest

import smpp_octets as smpp
import stentor_under_test as under_test
from scripted_carrier import Answer, Receipt, ScriptedCarrier


class OneCarrier(unittest.TestCase):
    """A daemon and a scripted carrier of its own for each case."""

    def setUp(self):
        self.scripts = {}
        self.carrier = ScriptedCarrier(
            lambda submit, attempt: self.scripts.get(submit.destination[2], Answer()))
        self.daemon = under_test.Daemon([self.north()]).start()
        self.daemon.wait_bound("north")
        self.events = under_test.EventFollower(self.daemon)
        self.followers = [self.events]
        self.next_number = 0

    def north(self, **settings):
        return under_test.carrier("north", self.carrier.address, **settings)

    def tearDown(self):
        self.events.close()
        if self.daemon.is_running():
            self.assertEqual(under_test.ledger_gap(self.daemon.status()), 0)
            self.assertEqual(self.daemon.stop(), 0, self.daemon.log_tail())
        self.carrier.close()

    def restart(self, **settings):
        self.events.close()
        self.daemon.kill()
        self.daemon.write_config([self.north(**settings)])
        self.daemon.start()
        self.daemon.wait_bound("north")
        self.events = under_test.EventFollower(self.daemon)
        self.followers.append(self.events)

    def send(self, *receipts, text="Hello", **more):
        self.next_number += 1
        digits = f"7916{self.next_number:07d}"
        answer = {k: more.pop(k) for k in ("receipts_first", "message_id") if k in more}
        self.scripts[digits] = Answer(receipts=list(receipts), **answer)
        reply = self.daemon.ask(op="send", to="+" + digits, text=text, **{"from": "SHOP", **more})
        self.assertEqual(reply["status"], "accepted", reply)
        return reply["id"], digits

    def report(self, carrier_id, stat, digits="79160000000"):
        text = f"id:{carrier_id} stat:{stat} err:000 text:".encode()
        self.carrier.say(smpp.DELIVER_SM, smpp.deliver_sm(
            (1, 1, digits), (5, 0, "SHOP"), smpp.ESM_RECEIPT, 0, text))

    def finals(self, message_id):
        """Over restarts; what came again because its acknowledgement was lost counts once."""
        told = {e["cursor"]: e["type"] for follower in self.followers
                for e in follower.of(message_id)}
        return [told[cursor] for cursor in sorted(told) if told[cursor] in under_test.FINAL]


class Tracking(OneCarrier):
    def test_unknown_is_corrected_once_and_the_ledger_stays_even(self):
        message_id, digits = self.send(Receipt("UNKNOWN"))
        self.events.wait_for(message_id, "unknown")
        carrier_id = self.carrier.arrived(digits)[0].message_id
        self.restart()
        self.report(carrier_id, "DELIVRD")
        corrected = self.events.wait_for(message_id, "delivered")
        self.assertEqual(corrected["corrects"], "unknown")
        self.report(carrier_id, "UNDELIV")
        self.events.wait_for(message_id, "conflict")
        status = self.daemon.status()
        self.assertEqual((status["unknown"], status["delivered"]), (0, 1), status)
        self.restart()
        status = self.daemon.status()
        self.assertEqual((status["unknown"], status["delivered"]), (0, 1), status)

    def test_partial_delivery_is_named_in_event_and_history(self):
        self.next_number += 1
        digits = f"7916{self.next_number:07d}"
        stats = iter(["DELIVRD", "UNDELIV", "DELIVRD"])
        self.carrier.script = lambda submit, attempt: Answer(receipts=[Receipt(next(stats))])
        reply = self.daemon.ask(op="send", to="+" + digits, text="a" * 400, **{"from": "SHOP"})
        failed = self.events.wait_for(reply["id"], "failed")
        self.assertRegex(failed["detail"], "part 2 failed; parts 1, 3 delivered")
        told = self.daemon.ask(op="message", id=reply["id"])
        self.assertEqual([p["state"] for p in told["parts"]],
                         ["delivered", "failed", "delivered"], told)
        self.assertLessEqual(told["first_receipt_after_ms"], told["last_receipt_after_ms"])
        self.assertTrue(all(p["receipt_after_ms"] <= told["last_receipt_after_ms"]
                            for p in told["parts"]), told)
        # Each part's own fate comes as an event too, before the message's.
        receipts = self.events.of(reply["id"], "receipt", "failed")
        self.assertEqual([e["type"] for e in receipts], ["receipt"] * 3 + ["failed"])
        self.assertEqual(sorted(e["part"] for e in receipts[:3]), [1, 2, 3])

    def test_an_unknown_part_of_a_failed_message_is_corrected_over_restarts(self):
        message_id, digits = self.send(text="a" * 200)
        under_test.wait_until(lambda: len(self.carrier.arrived(digits)) == 2, "two parts")
        self.events.wait_for(message_id, "sent")
        ids = [a.message_id for a in self.carrier.arrived(digits)]
        self.report(ids[0], "UNKNOWN", digits)
        self.report(ids[1], "UNDELIV", digits)
        self.events.wait_for(message_id, "failed")
        for _ in range(2):
            self.restart()
        self.report(ids[0], "DELIVRD", digits)
        corrected = under_test.wait_until(
            lambda: [e for e in self.events.of(message_id, "receipt")
                     if "stat:DELIVRD" in e["detail"]], "the part's event")
        self.assertEqual([e["part"] for e in corrected], [1], corrected)
        self.assertEqual(self.daemon.ask(op="carrier", action="orphans", name="north")["kept"], 0)
        told = self.daemon.ask(op="message", id=message_id)
        self.assertEqual((told["state"], [p["state"] for p in told["parts"]]),
                         ("failed", ["delivered", "failed"]), told)
        self.assertEqual(self.finals(message_id), ["failed"])

    def test_a_message_whose_parts_are_partly_reported_shows_how_far_it_is(self):
        self.next_number += 1
        digits = f"7916{self.next_number:07d}"
        stats = iter([[Receipt()], [], []])
        self.carrier.script = lambda submit, attempt: Answer(receipts=next(stats))
        reply = self.daemon.ask(op="send", to="+" + digits, text="a" * 400, **{"from": "SHOP"})
        self.events.wait_for(reply["id"], "receipt")
        self.events.wait_for(reply["id"], "sent")
        told = self.daemon.ask(op="message", id=reply["id"])
        self.assertEqual([p["state"] for p in told["parts"]], ["delivered", "sent", "sent"], told)
        self.assertIn("first_receipt_after_ms", told)
        self.assertNotIn("last_receipt_after_ms", told)
        self.assertEqual(told["state"], "sent")

    def test_a_carriers_error_number_has_our_word(self):
        self.restart(errors={"001": "absent_subscriber"})
        message_id, _ = self.send(Receipt("UNDELIV", error="001"))
        failed = self.events.wait_for(message_id, "failed")
        self.assertEqual(failed["code"], "absent_subscriber")

    def test_orphans_of_a_wrong_rule_are_listed_explained_and_matched_after_its_correction(self):
        self.restart(message_id="verbatim")
        sent = [self.send(Receipt(spelled=lambda i: str(int(i, 16)), form="text"),
                          message_id=f"812FC747000000{n:02X}") for n in range(5)]
        orphans = {}

        def kept():
            orphans.update(self.daemon.ask(op="carrier", action="orphans", name="north"))
            return orphans["kept"] == 5

        under_test.wait_until(kept, "five orphans are kept")
        self.assertEqual(orphans["suggested"], "decimal")
        self.assertEqual(orphans["evidence"], "all 5 orphans match as decimal of submit ids")
        self.assertEqual(len(orphans["orphans"]), 5)
        self.restart(message_id="decimal")
        for message_id, _ in sent:
            self.events.wait_for(message_id, "delivered")
        self.assertEqual(self.daemon.ask(op="carrier", action="orphans", name="north")["kept"], 0)
        history = self.daemon.ask(op="message", id=sent[0][0])["history"]
        receipt = next(step for step in history if step["what"] == "receipt")
        self.assertEqual((receipt["sub"], receipt["dlvrd"]), ("001", "001"), "as it came")
        self.assertIn("submit_date", receipt)

    def test_orphans_are_matched_without_a_restart_when_the_rule_is_corrected(self):
        self.restart(message_id="verbatim")
        sent = [self.send(Receipt(spelled=lambda i: str(int(i, 16)), form="text"),
                          message_id=f"812FC747000000{n:02X}") for n in range(5)]
        self.report("a-stranger", "DELIVRD")

        def orphans(**more):
            return self.daemon.ask(op="carrier", action="orphans", name="north", **more)

        under_test.wait_until(lambda: orphans()["kept"] == 6, "six orphans are kept")
        wrong = orphans(message_id="hex")
        self.assertEqual((wrong["tried"], wrong["matched"], wrong["kept"]), (6, 0, 6), wrong)
        right = orphans(message_id="decimal")
        self.assertEqual((right["tried"], right["matched"], right["kept"]), (6, 5, 1), right)
        self.assertEqual((right["until"], right["message_id"]), ("restart", "decimal"))
        self.assertEqual([o["carrier_id"] for o in right["orphans"]], ["a-stranger"])
        for message_id, _ in sent:
            self.events.wait_for(message_id, "delivered")
        # Those to come are read so too, until the next start; what was matched stays so.
        message_id, _ = self.send(Receipt(spelled=lambda i: str(int(i, 16)), form="text"),
                                  message_id="812FC74700000055")
        self.events.wait_for(message_id, "delivered")
        self.restart(message_id="verbatim")
        again = orphans()
        self.assertEqual((again["message_id"], again["kept"]), ("verbatim", 1), again)
        self.assertEqual(self.daemon.status()["delivered"], 6)
        for bad in ({"message_id": "octal"}, {"action": "show", "message_id": "hex"}):
            reply = self.daemon.ask(**{"op": "carrier", "action": "orphans", "name": "north", **bad})
            self.assertEqual(reply["error"]["code"], "bad_field", reply)

    def ctl(self, *arguments):
        done = subprocess.run([under_test.program("stentorctl"), "--socket",
                               self.daemon.socket_path, *arguments], capture_output=True,
                              text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_the_command_shows_orphans_and_tries_them_again(self):
        self.restart(message_id="verbatim")
        sent = [self.send(Receipt("UNDELIV", error="011", spelled=lambda i: str(int(i, 16)),
                                  form="text"), message_id=f"812FC747000000{n:02X}")
                for n in range(3)]
        self.report("a-stranger", "DELIVRD")
        under_test.wait_until(
            lambda: 'stentor_receipts_unmatched_total{carrier="north"} 4\n'
            in self.daemon.http("/metrics")[1], "four are counted")
        shown = self.ctl("carrier", "orphans", "north")
        self.assertIn("north: 4 receipts without a segment\n"
                      "3 of 4 orphans match as decimal of submit ids\n", shown)
        self.assertIn('ids are read as message_id = "verbatim"; try "decimal"\n', shown)
        self.assertRegex(shown, f"(?m)^20.*Z +{int('812FC74700000000', 16)} +UNDELIV +011 *$")
        self.assertRegex(shown, "(?m)^20.*Z +a-stranger +DELIVRD +000 *$")
        shown = self.ctl("carrier", "orphans", "north", "--rematch", "decimal")
        self.assertIn('4 tried again, 3 matched; ids are read as "decimal" until the next start',
                      shown)
        self.assertIn("north: 1 receipts without a segment\n", shown)
        self.assertNotIn("UNDELIV", shown)
        for message_id, _ in sent:
            self.events.wait_for(message_id, "failed")

    def test_history_has_each_receipt_as_it_came_and_its_consumer_the_first(self):
        message_id, digits = self.send(
            Receipt("UNDELIV", error="011", form="text"),
            Receipt("UNDELIV", error="011", form="text", delay=0.1),
            Receipt("ENROUTE", form="text", delay=0.2), message_id="812FC7")

        def receipts():
            told = self.daemon.ask(op="message", id=message_id)
            self.assertIn("state", told, told)
            return [s for s in told["history"] if s["what"] == "receipt"]

        under_test.wait_until(lambda: len(receipts()) == 3, lambda: f"three in {receipts()}")
        # What is not answered comes again behind a restart.
        under_test.wait_until(lambda: len(self.carrier.receipt_answers) == 3, "all are answered")
        for again in (False, True):
            if again:
                self.restart()
            steps = receipts()
            self.assertEqual([(s["part"], s["stat"], s["err"], s["carrier_id"]) for s in steps],
                             [(1, "UNDELIV", "011", "812FC7")] * 2 + [(1, "ENROUTE", "000", "812FC7")])
            self.assertEqual([s.get("repeated", False) for s in steps], [False, True, True])
            self.assertEqual([s.get("intermediate", False) for s in steps], [False, False, True])
            self.assertEqual([s.get("state") for s in steps], ["failed", None, None])
            self.assertEqual(self.daemon.ask(op="message", id=message_id)["state"], "failed")
        self.assertEqual([e["type"] for e in self.followers[0].of(message_id)],
                         ["part", "sent", "receipt", "failed"])
        # A carrier that repeats one for ever is counted, and no more is written of it.
        copies = 30
        for _ in range(copies):
            self.report("812FC7", "UNDELIV", digits)
        under_test.wait_until(
            lambda: f'stentor_receipts_duplicate_total{{carrier="north"}} {copies}\n'
            in self.daemon.http("/metrics")[1], "all are counted")
        under_test.wait_until(lambda: len(receipts()) == 3 + 8, lambda: f"eight more: {receipts()}")
        told = {e["cursor"] for follower in self.followers
                for e in follower.of(message_id, "receipt")}
        self.assertEqual(len(told), 1, "one event")
        self.assertEqual(self.finals(message_id), ["failed"])

    def named(self, reference, stat, digits, carrier_id="", sender="SHOP"):
        """A receipt that gives our reference back."""
        text = (f"id:{carrier_id} " if carrier_id else "") + f"stat:{stat} err:000 text:"
        self.carrier.say(smpp.DELIVER_SM, smpp.deliver_sm(
            (1, 1, digits), (5, 0, sender), smpp.ESM_RECEIPT, 0, text.encode(),
            smpp.tlv(smpp.TLV_USER_MESSAGE_REFERENCE, struct.pack(">H", reference))))

    def reference_of(self, digits, part=0):
        submit = self.carrier.arrived(digits)[part].submit
        return struct.unpack(">H", submit.tlvs[smpp.TLV_USER_MESSAGE_REFERENCE])[0]

    def test_receipts_with_a_strange_id_or_none_match_by_the_reference_they_give_back(self):
        strange, strange_digits = self.send()
        parted, parted_digits = self.send(text="a" * 300)
        for message_id in (strange, parted):
            self.events.wait_for(message_id, "sent")
        self.named(self.reference_of(strange_digits), "DELIVRD", strange_digits, "ffff-eeee")
        self.named(self.reference_of(parted_digits, 1), "UNDELIV", parted_digits)
        self.events.wait_for(strange, "delivered")
        self.events.wait_for(parted, "receipt")
        self.restart()
        # After the restart: the other part, in national form; and what names nobody or another.
        self.named(self.reference_of(parted_digits), "DELIVRD", "8" + parted_digits[1:])
        self.named(self.reference_of(parted_digits), "DELIVRD", "79990000000")
        failed = self.events.wait_for(parted, "failed")
        self.assertRegex(failed["detail"], "part 2 failed; part 1 delivered")
        told = self.daemon.ask(op="message", id=parted)
        steps = [s for s in told["history"] if s["what"] == "receipt"]
        self.assertEqual([(s["part"], s["matched_by"]) for s in steps],
                         [(2, "user_message_reference"), (1, "user_message_reference")], told)
        under_test.wait_until(lambda: self.daemon.ask(
            op="carrier", action="orphans", name="north")["kept"] == 1, "the stranger is kept")
        self.assertIn('stentor_receipts_matched_by_reference_total{carrier="north"} 1\n',
                      self.daemon.http("/metrics")[1])

    def test_a_receipt_that_gives_our_reference_back_ends_a_doubt(self):
        digits = "79165550001"
        self.carrier.script = lambda submit, attempt: Answer(hang_up=True)
        reply = self.daemon.ask(op="send", to="+" + digits, text="Hello", uncertain="hold",
                                **{"from": "SHOP"})
        self.events.wait_for(reply["id"], "uncertain")
        self.daemon.wait_bound("north")
        for number, source in enumerate(("", digits[-6:], "79160000000")):  # names nobody, or another
            self.named(self.reference_of(digits), "DELIVRD", source, f"AA{number}")
        under_test.wait_until(lambda: self.daemon.ask(
            op="carrier", action="orphans", name="north")["kept"] == 3, "they are kept")
        self.assertEqual(self.daemon.carrier_status("north")["in_doubt"], 1)
        self.named(self.reference_of(digits), "DELIVRD", "8" + digits[1:], "812FC7")
        self.events.wait_for(reply["id"], "delivered")
        self.assertEqual(len(self.carrier.arrived(digits)), 1)

    def test_a_part_that_the_carrier_took_twice_is_told_once_with_both_ids(self):
        digits = "79165550002"
        written = []

        def script(submit, attempt):
            written.append(submit)
            return Answer(hang_up=len(written) == 2, receipts=[])  # the second part, once

        self.carrier.script = script
        reply = self.daemon.ask(op="send", to="+" + digits, text="a" * 200, uncertain="resend",
                                **{"from": "SHOP"})
        message_id = reply["id"]
        self.events.wait_for(message_id, "sent")
        arrived = self.carrier.arrived(digits)
        self.assertEqual(len(arrived), 3, "two parts, and one of them again")
        self.named(self.reference_of(digits, 0), "DELIVRD", digits, arrived[0].message_id)
        self.named(self.reference_of(digits, 2), "DELIVRD", digits, arrived[2].message_id)
        self.events.wait_for(message_id, "delivered")
        self.assertEqual(self.events.of(message_id, "conflict"), [])
        for _ in range(3):  # the first attempt's, and copies of it
            self.named(self.reference_of(digits, 1), "DELIVRD", digits, "FFFF-EEEE")
        # By itself: a sign of life after 30 s would bring it along.
        told = under_test.wait_until(lambda: self.events.of(message_id, "conflict"),
                                     "it is told at once", 20)[0]
        self.assertEqual((told["code"], told["part"], told["possible_duplicate"]),
                         ("confirmed_duplicate", 2, True), told)
        for carrier_id in (arrived[2].message_id, "FFFF-EEEE"):
            self.assertIn(carrier_id.lower(), told["detail"].lower())
        for again in (False, True):
            if again:
                self.restart()
                self.named(self.reference_of(digits, 1), "DELIVRD", digits, "FFFF-EEEE")
            under_test.wait_until(
                lambda: len(self.carrier.receipt_answers) >= (6 if again else 5), "all are answered")
            steps = [s for s in self.daemon.ask(op="message", id=message_id)["history"]
                     if s["what"] == "confirmed_duplicate"]
            self.assertEqual([s["part"] for s in steps], [2], steps)
        self.assertEqual(len({e["cursor"] for follower in self.followers
                              for e in follower.of(message_id, "conflict")}), 1)
        self.assertEqual(self.finals(message_id), ["delivered"])

    def test_a_receipt_that_names_no_message_is_kept_and_answered_when_it_is_durable(self):
        self.carrier.say(smpp.DELIVER_SM, smpp.deliver_sm(
            (1, 1, "79165550001"), (5, 0, "SHOP"), smpp.ESM_RECEIPT, 0,
            b"your message was delivered", b""))
        under_test.wait_until(lambda: self.carrier.receipt_answers, "it is answered")
        self.assertEqual(self.carrier.receipt_answers[0][0], 0)
        for again in (False, True):
            if again:  # killed: it is on disk
                self.restart()
            told = self.daemon.ask(op="carrier", action="orphans", name="north")
            self.assertEqual((told["kept"], told["orphans"][0]["stat"]),
                             (1, "your message was delivered"), told)
            self.assertNotIn("carrier_id", told["orphans"][0])

    def test_a_carrier_without_references_is_not_matched_by_them(self):
        self.restart(match_by_reference=False)
        message_id, digits = self.send()
        self.events.wait_for(message_id, "sent")
        self.named(self.reference_of(digits), "DELIVRD", digits)
        under_test.wait_until(lambda: self.daemon.ask(
            op="carrier", action="orphans", name="north")["kept"] == 1, "it is an orphan")
        self.assertEqual(self.finals(message_id), [])

    def test_a_message_is_found_by_all_its_names_before_and_after_a_restart(self):
        message_id, digits = self.send(Receipt(), ref="by-ref", campaign="c",
                                       message_id="812FC7470000001B")
        self.events.wait_for(message_id, "delivered")
        for again in (False, True):
            if again:
                self.restart()
            for question in ({"id": message_id}, {"ref": "by-ref"},
                             {"carrier_id": "812fc7470000001b"},
                             {"carrier_id": "9308878062554710043"}):
                told = self.daemon.ask(op="message", **question)
                self.assertEqual(told.get("id"), message_id, (question, told))
                self.assertEqual(told["state"], "delivered")
                what = [step["what"] for step in told["history"]]
                self.assertEqual(what, ["accepted", "reserved", "part_accepted", "receipt"])
                self.assertEqual(told["history"][0]["encoding"], "gsm7")
            listed = self.daemon.ask(op="message", to="+" + digits)
            self.assertEqual([m["id"] for m in listed["messages"]], [message_id])
            self.assertEqual(listed["messages"][0]["state"], "delivered")
        self.assertEqual(self.daemon.ask(op="message", carrier_id="nobody")["status"], "rejected")
        self.assertEqual(self.daemon.ask(op="message", to="+79990000001")["messages"], [])

    def test_strange_receipts_are_answered_and_change_nothing(self):
        message_id, digits = self.send(message_id="77")
        self.events.wait_for(message_id, "sent")
        source, destination = (1, 1, digits), (5, 0, "SHOP")
        too_long = smpp.tlv(smpp.TLV_RECEIPTED_MESSAGE_ID, b"7" * 60000 + b"\0")
        nul_inside = smpp.tlv(smpp.TLV_RECEIPTED_MESSAGE_ID, b"7\0" + b"7\0")
        forged = b"id:78 stat:DELIVRD err:000 text:id:77 stat:UNDELIV err:000"
        dates = b"id:78 submit date:99999999999999999999 done date:never stat:DELIVRD text:"
        strange = ((b"", too_long), (b"", nul_inside), (forged, b""), (dates, b""))
        for text, tlvs in strange:
            self.carrier.say(smpp.DELIVER_SM, smpp.deliver_sm(
                source, destination, smpp.ESM_RECEIPT, 0, text, tlvs))
        # The TLV is believed before a text that contradicts it.
        both = (smpp.tlv(smpp.TLV_RECEIPTED_MESSAGE_ID, b"77\0") +
                smpp.tlv(smpp.TLV_MESSAGE_STATE, bytes([smpp.MESSAGE_STATE["DELIVRD"]])))
        self.carrier.say(smpp.DELIVER_SM, smpp.deliver_sm(
            source, destination, smpp.ESM_RECEIPT, 0, b"id:79 stat:UNDELIV err:000 text:", both))
        self.events.wait_for(message_id, "delivered")
        self.assertEqual(self.finals(message_id), ["delivered"])
        under_test.wait_until(lambda: len(self.carrier.receipt_answers) == len(strange) + 1,
                              "all are answered")
        self.assertEqual({status for status, _ in self.carrier.receipt_answers}, {0})
        kept = self.daemon.ask(op="carrier", action="orphans", name="north")
        self.assertEqual(kept["kept"], len(strange), kept)
        self.assertEqual([o["stat"] for o in kept["orphans"] if o.get("carrier_id") == "78"],
                         ["DELIVRD"] * 2, "what stands behind text: is nobody's word")
        self.assertEqual([e["type"] for e in self.events.of(message_id)],
                         ["part", "sent", "receipt", "delivered"])


class Spilled(unittest.TestCase):
    """Many carriers share the memory for what awaits receipts: one that has much goes to disk."""

    CARRIERS = 32  # of 16 MiB each may keep the least there is, 4,096 segments
    MESSAGES = 9000
    REPORTED_EARLY = MESSAGES // 3

    def setUp(self):
        self.carrier = ScriptedCarrier(lambda submit, attempt: Answer(receipts=[]))
        self.addCleanup(self.carrier.close)
        nobody = f"127.0.0.1:{under_test.free_port()}"
        self.daemon = under_test.Daemon(
            [under_test.carrier("north", self.carrier.address, window=100)] +
            [under_test.carrier(f"idle-{n}", nobody) for n in range(1, self.CARRIERS)],
            tables={"queue": {"memory": "16MiB"}}).start()
        self.daemon.wait_bound("north")
        self.events = under_test.EventFollower(self.daemon)
        self.addCleanup(self.events.close)

    def octets_on_disk(self):
        """Of the nameless files."""
        folder = os.path.join("/proc", str(self.daemon.process.pid), "fd")
        sizes = 0
        for name in os.listdir(folder):
            path = os.path.join(folder, name)
            try:
                if os.path.join(self.daemon.state, "outstanding") in os.readlink(path):
                    sizes += os.stat(path).st_size
            except FileNotFoundError:
                pass  # closed meanwhile
        return sizes

    def report(self, arrivals):
        for arrival in arrivals:
            self.carrier.report(arrival.message_id, Receipt(), arrival.submit.destination,
                                arrival.submit.source)

    def test_segments_on_disk_match_their_receipts_before_and_after_a_kill(self):
        replies = self.daemon.send_numbered(range(self.MESSAGES))
        self.assertEqual({reply["status"] for reply in replies}, {"accepted"})
        under_test.wait_until(
            lambda: self.daemon.carrier_status("north")["outstanding"] == self.MESSAGES,
            lambda: f"all await receipts: {self.daemon.carrier_status('north')}",
            under_test.PATIENCE * 3, step=0.1)
        self.assertGreater(self.octets_on_disk(), 0)
        self.report(self.carrier.arrived()[:self.REPORTED_EARLY])
        under_test.wait_until(lambda: self.daemon.status()["delivered"] == self.REPORTED_EARLY,
                              lambda: f"they are delivered: {self.daemon.status()['delivered']}",
                              under_test.PATIENCE * 3, step=0.1)
        self.daemon.kill()
        self.daemon.start(under_test.PATIENCE * 2)
        self.daemon.wait_bound("north")
        self.assertEqual(self.daemon.carrier_status("north")["outstanding"],
                         self.MESSAGES - self.REPORTED_EARLY)
        self.assertGreater(self.octets_on_disk(), 0)
        self.report(self.carrier.arrived()[self.REPORTED_EARLY:])
        under_test.wait_until(lambda: self.daemon.status()["delivered"] == self.MESSAGES,
                              lambda: f"all are delivered: {self.daemon.status()['delivered']}",
                              under_test.PATIENCE * 3, step=0.1)
        self.assertEqual(self.daemon.carrier_status("north")["unmatched_receipts"], 0)
        ids = {reply["id"] for reply in replies}
        under_test.wait_until(
            lambda: ids == {e["id"] for e in list(self.events.events) if e["type"] == "delivered"},
            "an event tells of each", under_test.PATIENCE * 2, step=0.2)
        self.assertEqual(self.daemon.stop(), 0, self.daemon.log_tail())


if __name__ == "__main__":
    under_test.run_cases(__doc__.splitlines()[0])

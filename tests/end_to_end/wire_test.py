#!/usr/bin/env python3
"""What stentord says to a carrier in SMPP, octet for octet, and what it makes of the answers."""

import itertools
import time
import unittest

import smpp_octets as smpp
import sms_octets
import stentor_under_test as under_test
from carrier_simulator import CarrierSimulator
from scripted_carrier import Answer, Receipt, ScriptedCarrier

_numbers = itertools.count(79260000000)


class OneCarrier(unittest.TestCase):
    """A daemon and a scripted carrier, as each case configures them."""

    def begin(self, script=None, scripted=None, **settings):
        self.carrier = ScriptedCarrier(script, **(scripted or {}))
        self.addCleanup(self.carrier.close)
        self.daemon = under_test.Daemon(
            [under_test.carrier("north", self.carrier.address, **settings)]).start()
        self.addCleanup(self.daemon.kill)
        self.daemon.wait_bound("north")
        self.events = under_test.EventFollower(self.daemon)
        self.addCleanup(self.events.close)

    def send(self, text="Hello", **more):
        """(id, digits of the number)"""
        digits = str(next(_numbers))
        reply = self.daemon.ask(op="send", to="+" + digits, text=text, **{"from": "SHOP", **more})
        self.assertEqual(reply["status"], "accepted", reply)
        return reply["id"], digits

    def send_and_wait(self, text="Hello", final="delivered", **more):
        """The arrivals of a message that reached its final state."""
        message_id, digits = self.send(text, **more)
        self.events.wait_for(message_id, final)
        return self.carrier.arrived(digits)


class OptionalParameters(OneCarrier):
    def test_the_carriers_and_the_messages_own_travel_with_every_segment(self):
        self.begin(tlv={'"0x1400"': "0a0b", "source_port": 16}, service_type="CMT")
        arrivals = self.send_and_wait("long " * 60, tlv={"0x1401": "ff", "source_port": 17},
                                      service_type="WAP", protocol_id=65)
        self.assertEqual(len(arrivals), 2)
        for arrival in arrivals:
            submit = arrival.submit
            self.assertEqual(submit.tlvs[0x1400], b"\x0a\x0b")
            self.assertEqual(submit.tlvs[0x1401], b"\xff")
            self.assertEqual(submit.tlvs[0x020A], b"\x00\x11")
            self.assertEqual((submit.service_type, submit.protocol_id), ("WAP", 65))
        # Pitfall 9: on all but the last.
        self.assertEqual([a.submit.tlvs.get(smpp.TLV_MORE_MESSAGES_TO_SEND) for a in arrivals],
                         [b"\x01", None])
        # Pitfall 21: one reference a segment, sent on every one.
        references = {a.submit.tlvs[smpp.TLV_USER_MESSAGE_REFERENCE] for a in arrivals}
        self.assertEqual(len(references), 2)
        self.assertEqual(self.carrier.malformed, [])

    def test_they_outlive_a_crash(self):
        self.begin(lambda submit, attempt: Answer(status=0x08 if attempt == 1 else 0))
        message_id, digits = self.send(tlv={"0x1400": "0a0b"}, protocol_id=64, service_type="")
        under_test.wait_until(lambda: self.carrier.arrived(digits), "the first attempt")
        self.daemon.kill()
        self.events.close()
        self.daemon.start()
        events = under_test.EventFollower(self.daemon)
        self.addCleanup(events.close)
        events.wait_for(message_id, "delivered")
        for arrival in self.carrier.arrived(digits):
            self.assertEqual(arrival.submit.tlvs[0x1400], b"\x0a\x0b")
            self.assertEqual(arrival.submit.protocol_id, 64)
        references = {a.submit.tlvs[smpp.TLV_USER_MESSAGE_REFERENCE]
                      for a in self.carrier.arrived(digits)}
        self.assertEqual(len(references), 1, "the same segment has the same reference")

    def test_the_same_ref_with_another_parameter_is_a_conflict(self):
        self.begin()
        self.send(ref="tlv-1", tlv={"0x1400": "01"})
        reply = self.daemon.ask(op="send", to="+79260000000", text="Hello", ref="tlv-1",
                                tlv={"0x1400": "02"}, **{"from": "SHOP"})
        self.assertEqual(reply["error"]["code"], "conflict", reply)

    def test_parts_are_tied_by_header_or_parameters_never_both(self):
        self.begin(long="sar")
        for arrival in self.send_and_wait("long " * 60):  # pitfall 9
            self.assertEqual(arrival.submit.esm_class & 0x40, 0)
            self.assertIn(smpp.TLV_SAR_REFERENCE, arrival.submit.tlvs)
        digits = str(next(_numbers))
        reply = self.daemon.ask(op="send", to="+" + digits, binary="00" * 200, udh="03240101",
                                **{"from": "SHOP"})
        self.events.wait_for(reply["id"], "delivered")
        for arrival in self.carrier.arrived(digits):
            self.assertEqual(arrival.submit.esm_class & 0x40, 0x40)
            self.assertNotIn(smpp.TLV_SAR_REFERENCE, arrival.submit.tlvs)

    def test_registered_delivery_is_said_as_the_carrier_wants_it(self):
        self.begin(registered_delivery=0x11)
        self.assertEqual(self.send_and_wait()[0].submit.registered_delivery, 0x11)
        arrivals = self.send_and_wait(final="delivered", receipt="failure")
        self.assertEqual(arrivals[0].submit.registered_delivery, 0x12)
        arrivals = self.send_and_wait(final="sent", receipt="none")
        self.assertEqual(arrivals[0].submit.registered_delivery, 0)


class Priorities(OneCarrier):
    def test_each_of_ours_has_the_flag_that_the_carrier_wants(self):
        self.begin(priority_flag={"urgent": 3, "normal": 1})
        told = [self.send_and_wait(priority=priority)[0].submit.priority
                for priority in ("urgent", "normal", "bulk")]
        self.assertEqual(told, [3, 1, 0])


class Numbering(OneCarrier):
    """TON and NPI by the form of an address, as the carrier sees them."""

    def on_wire(self, to, source, **more):
        """((source address), (destination address)) as they came."""
        reply = self.daemon.ask(op="send", to=to, text="Hello", **{"from": source, **more})
        self.assertEqual(reply["status"], "accepted", reply)
        self.events.wait_for(reply["id"], "delivered")  # the receipt's addresses match too
        submit = self.carrier.arrived()[-1].submit
        return submit.source, submit.destination

    def test_each_form_has_that_of_the_specification(self):
        for request in ("submit_sm", "data_sm"):
            with self.subTest(request):
                self.begin(submit=request)
                self.assertEqual(self.on_wire("+79161234567", "SHOP"),
                                 ((5, 0, "SHOP"), (1, 1, "79161234567")))
                self.assertEqual(self.on_wire("+79161234567", "+79031234567"),
                                 ((1, 1, "79031234567"), (1, 1, "79161234567")))
                self.assertEqual(self.on_wire("1234", "7777", kind="short"),
                                 ((3, 0, "7777"), (3, 0, "1234")))

    def test_a_carrier_has_its_own_for_each_form_and_direction(self):
        self.begin(
            source={"alphanumeric": {"ton": 5, "npi": 1}, "short": {"ton": 6, "npi": 0},
                    "national": {"ton": 2, "npi": 8}, "ton": 0, "npi": 9},
            destination={"international": {"ton": 1, "npi": 6}, "short": {"ton": 0, "npi": 1}},
            rewrite=[{"from": "7", "to": "8", "national": True},
                     {"from": "7916", "to": "916"}],
            rewrite_source=[{"from": "7", "to": "8", "national": True}])
        self.assertEqual(self.on_wire("+441234567890", "SHOP"),
                         ((5, 1, "SHOP"), (1, 6, "441234567890")))
        # As a national number: the usual 2/1 where the carrier says nothing of its own.
        self.assertEqual(self.on_wire("+79031234567", "+79161234567"),
                         ((2, 8, "89161234567"), (2, 1, "89031234567")))
        # The longer prefix wins, and its number stays international.
        self.assertEqual(self.on_wire("+79161234567", "+441234567890"),
                         ((0, 9, "441234567890"), (1, 6, "9161234567")))
        self.assertEqual(self.on_wire("1234", "7777", kind="short"),
                         ((6, 0, "7777"), (0, 1, "1234")))

    def test_one_for_all_forms_is_for_all_forms(self):
        self.begin(source={"ton": 0, "npi": 1}, destination={"ton": 2, "npi": 1})
        for to, source, more in (("+79161234567", "SHOP", {}), ("+79161234567", "+7903123456", {}),
                                 ("1234", "7777", {"kind": "short"})):
            self.assertEqual(self.on_wire(to, source, **more),
                             ((0, 1, source.strip("+")), (2, 1, to.strip("+"))))


class DataSm(OneCarrier):
    def test_messages_travel_by_data_sm_where_the_carrier_wants_it(self):
        self.begin(submit="data_sm")
        text = "Привет, мир! " * 10
        message_id, digits = self.send(text, expires=3600)
        self.events.wait_for(message_id, "delivered")
        arrivals = self.carrier.arrived(digits)
        self.assertEqual({a.command for a in arrivals}, {smpp.DATA_SM})
        parts = [sms_octets.decode_part(a.submit.short_message, a.submit.esm_class,
                                        a.submit.data_coding) for a in arrivals]
        self.assertEqual("".join(p.text for p in parts), text)
        left = int.from_bytes(arrivals[0].submit.tlvs[smpp.TLV_QOS_TIME_TO_LIVE], "big")
        self.assertTrue(3500 < left <= 3601, left)
        reply = self.daemon.ask(op="send", to="+79260000000", text="x", protocol_id=1,
                                **{"from": "SHOP"})
        self.assertEqual(reply["error"]["code"], "bad_field", reply)

    def test_receipts_come_by_data_sm_too(self):
        self.begin(lambda submit, attempt: Answer(receipts=[]))
        message_id, digits = self.send()
        self.events.wait_for(message_id, "sent")
        arrival = self.carrier.arrived(digits)[0]
        text = f"id:{arrival.message_id} stat:DELIVRD err:000".encode()
        self.carrier.say(smpp.DATA_SM, smpp.data_sm(
            arrival.submit.destination, arrival.submit.source, smpp.ESM_RECEIPT, 0, text))
        self.events.wait_for(message_id, "delivered")


class ReceiptForms(OneCarrier):
    # The CSV of a large carrier, which names no id: by the pattern its fields are told apart.
    def test_a_pattern_reads_receipts_of_the_carriers_own_form(self):
        self.begin(lambda submit, attempt: Answer(receipts=[]),
                   receipt_pattern="{stat},{done},{},{err},{},{},{id}")
        for stat, final in (("DELIVRD", "delivered"), ("UNDELIV", "failed")):
            message_id, digits = self.send()
            self.events.wait_for(message_id, "sent")
            arrival = self.carrier.arrived(digits)[0]
            text = (f"{stat},0210021543,0210021500,12,{digits},10110200000000,"
                    f"{arrival.message_id}").encode()
            self.carrier.say(smpp.DELIVER_SM, smpp.deliver_sm(
                arrival.submit.destination, arrival.submit.source, smpp.ESM_RECEIPT, 0, text))
            self.events.wait_for(message_id, final)


    # The field notes' example: its words are numbers, which the configuration names.
    def test_a_carriers_own_words_mean_what_the_configuration_says(self):
        self.begin(lambda submit, attempt: Answer(receipts=[]),
                   receipt_pattern="{stat},{done},{},{err},{},{},{id}",
                   receipt_states={'"00"': "delivered", '"07"': "undeliverable"})
        for stat, final in (("00", "delivered"), ("07", "failed"), ("42", "unknown")):
            message_id, digits = self.send()
            self.events.wait_for(message_id, "sent")
            arrival = self.carrier.arrived(digits)[0]
            text = (f"{stat},0210021543,0210021500,,{digits},10110200000000,"
                    f"{arrival.message_id}").encode()
            self.carrier.say(smpp.DELIVER_SM, smpp.deliver_sm(
                arrival.submit.destination, arrival.submit.source, smpp.ESM_RECEIPT, 0, text))
            self.assertIn(f"stat:{stat}", self.events.wait_for(message_id, final)["detail"])


    # Also where the standard knows the word, or the TLV tells: states and codes.
    def test_a_carriers_meaning_goes_before_the_standards(self):
        self.begin(lambda submit, attempt: Answer(receipts=[]),
                   receipt_states={'"REJECTD"': "expired", '"message_state:9"': "undeliverable"},
                   errors={'"stat:REJECTD"': "spam", '"message_state:5"': "content_refused"})
        for stat, octet, final, code in (("REJECTD", None, "expired", "spam"),
                                         ("REJECTD", 9, "failed", "spam"),
                                         ("", 9, "failed", "content_refused"),
                                         ("EXPIRED", None, "expired", "expired")):
            message_id, digits = self.send()
            self.events.wait_for(message_id, "sent")
            arrival = self.carrier.arrived(digits)[0]
            text = f"id:{arrival.message_id}" + (f" stat:{stat}" if stat else "")
            tlvs = smpp.tlv(smpp.TLV_MESSAGE_STATE, bytes([octet])) if octet else b""
            self.carrier.say(smpp.DELIVER_SM, smpp.deliver_sm(
                arrival.submit.destination, arrival.submit.source, smpp.ESM_RECEIPT, 0,
                text.encode(), tlvs))
            self.assertEqual(self.events.wait_for(message_id, final)["code"], code)


class CallingBack(OneCarrier):
    """cancel with at_carrier: cancel_sm for what the carrier has taken."""

    def begin_without_receipts(self, status=lambda message_id: 0, **settings):
        self.begin(lambda submit, attempt: Answer(receipts=[]), **settings)
        self.carrier.cancel_status = status

    def send_long(self):
        message_id, digits = self.send("long " * 60)
        self.events.wait_for(message_id, "sent")
        return message_id, digits, [a.message_id for a in self.carrier.arrived(digits)]

    def cancel(self, message_id, **more):
        return self.daemon.ask(op="cancel", id=message_id, **{"at_carrier": True, **more})

    def report(self, message_id, digits, stat):
        text = f"id:{message_id} stat:{stat} err:000".encode()
        self.carrier.say(smpp.DELIVER_SM, smpp.deliver_sm(
            (1, 1, digits), (5, 0, "SHOP"), smpp.ESM_RECEIPT, 0, text))

    def test_a_message_ends_as_cancelled_when_each_part_is_called_back(self):
        self.begin_without_receipts()
        message_id, digits, parts = self.send_long()
        self.assertEqual(self.cancel(message_id, at_carrier=False)["error"]["code"], "conflict")
        reply = self.cancel(message_id)
        self.assertEqual((reply["status"], reply["state"]), ("ok", "cancelled"), reply)
        self.assertEqual(reply["at_carrier"],
                         {"asked": 2, "cancelled": 2, "refused": 0, "unanswered": 0})
        self.assertEqual(sorted(self.carrier.cancels),
                         sorted((part, (5, 0, "SHOP"), (1, 1, digits)) for part in parts))
        self.assertEqual(self.events.wait_for(message_id, "cancelled")["code"], "cancelled")
        # What the carrier reports of it now is no news; that it came all the same is.
        self.report(parts[0], digits, "DELETED")
        self.report(parts[1], digits, "DELIVRD")
        self.events.wait_for(message_id, "conflict")
        self.assertEqual(self.cancel(message_id)["error"]["code"], "conflict")
        self.assertEqual(len(self.carrier.cancels), 2)

        self.daemon.kill()
        self.events.close()
        self.daemon.start()
        told = self.daemon.ask(op="message", id=message_id)
        self.assertEqual(told["state"], "cancelled")
        steps = [s for s in told["history"] if s["what"] == "cancel_at_carrier"]
        self.assertEqual([s["command_status"] for s in steps], ["0x00000000"] * 2, told)
        self.assertEqual({p["state"] for p in told["parts"]}, {"cancelled"})
        status = self.daemon.status()
        self.assertEqual((status["cancelled"], status["live"]), (1, 0), status)

    def test_what_it_refuses_goes_on_and_the_verdict_names_the_parts(self):
        refused = set()
        self.begin_without_receipts(lambda message_id: 0x11 if message_id in refused else 0)
        message_id, digits, parts = self.send_long()
        refused.update(parts)
        reply = self.cancel(message_id)
        self.assertEqual(reply["error"]["code"], "conflict", reply)
        self.assertIn("0x00000011", reply["error"]["detail"])
        refused.remove(parts[0])
        reply = self.cancel(message_id)
        self.assertEqual((reply["state"], reply["at_carrier"]["refused"]), ("sent", 1), reply)
        # Across a restart it is remembered which part was called back.
        self.daemon.kill()
        self.events.close()
        self.daemon.start()
        self.daemon.wait_bound("north")
        events = under_test.EventFollower(self.daemon)
        self.addCleanup(events.close)
        self.report(parts[1], digits, "DELIVRD")
        final = events.wait_for(message_id, "cancelled")
        self.assertIn("part 1 cancelled; part 2 delivered", final["detail"], final)

    def test_one_that_does_not_know_it_is_not_asked_again(self):
        self.begin_without_receipts(None)
        message_id, _, _ = self.send_long()
        self.assertEqual(self.cancel(message_id)["error"]["code"], "conflict")
        reply = self.cancel(message_id)
        self.assertEqual(reply["error"]["code"], "not_supported", reply)
        self.assertEqual(self.daemon.carrier_status("north")["bound"], 1, "the bind stays")
        self.assertEqual(self.daemon.ask(op="message", id=message_id)["state"], "sent")

    def test_it_is_not_asked_where_the_configuration_says_so(self):
        self.begin_without_receipts(cancel_sm=False)
        message_id, _, _ = self.send_long()
        self.assertEqual(self.cancel(message_id)["error"]["code"], "not_supported")
        self.assertEqual(self.carrier.cancels, [])


class Queries(OneCarrier):
    def begin_without_receipts(self, **settings):
        self.begin(lambda submit, attempt: Answer(receipts=[]), query_after="1s", **settings)

    def test_a_carrier_that_sends_no_receipt_is_asked(self):
        self.begin_without_receipts()
        for state, final in ((2, "delivered"), (5, "failed"), (3, "expired")):
            self.carrier.query_answer = (0, state)
            message_id, digits = self.send()
            event = self.events.wait_for(message_id, final)
            self.assertIn("query_sm", event.get("detail", "") + str(
                self.daemon.ask(op="message", id=message_id)))
            self.assertIn(self.carrier.arrived(digits)[0].message_id, self.carrier.queries)

    def test_one_that_does_not_know_the_question_is_left_alone(self):
        self.begin_without_receipts()
        self.send()
        under_test.wait_until(lambda: "does not know query_sm" in self.daemon.log(), "a warning")
        self.assertEqual(self.daemon.carrier_status("north")["bound"], 1, "the bind stays")
        self.assertEqual(self.daemon.carrier_status("north")["queries"], 1)

    def test_it_is_asked_again_after_a_restart(self):
        self.begin_without_receipts()
        self.carrier.query_answer = (0, 1)  # on its way
        message_id, _ = self.send()
        under_test.wait_until(lambda: self.carrier.queries, "the first question")
        self.daemon.kill()
        self.events.close()
        self.carrier.query_answer = (0, 2)
        self.daemon.start()
        events = under_test.EventFollower(self.daemon)
        self.addCleanup(events.close)
        events.wait_for(message_id, "delivered")


class MessageIds(OneCarrier):
    def test_the_rule_of_the_ids_is_learnt_shown_and_unlearnt(self):
        spelled = {"rule": lambda message_id: str(int(message_id, 16))}
        self.begin(lambda submit, attempt: Answer(
            receipts=[Receipt(spelled=lambda message_id: spelled["rule"](message_id))]))
        self.assertEqual(self.daemon.carrier_status("north")["message_id_rule"], "auto")
        for _ in range(8):
            self.send_and_wait()
        self.assertEqual(self.daemon.carrier_status("north")["message_id_rule"], "decimal")
        self.assertEqual(self.daemon.log().count('ids by the rule "decimal"'), 1)
        _, page = self.daemon.http("/metrics")
        self.assertIn('stentor_message_id_rule_info{carrier="north",rule="decimal"} 1', page)
        spelled["rule"] = str.upper  # the carrier changes its mind: nothing is lost
        self.send_and_wait()
        self.assertEqual(self.daemon.carrier_status("north")["message_id_rule"], "auto")
        self.assertIn("contradicts the rule", self.daemon.log())

    def test_ids_beyond_the_standards_length_are_matched_to_the_last_octet(self):
        for form, octets in (("tlv", 256), ("text", 150), ("both", 150)):
            with self.subTest(form=form, octets=octets):
                def refuses_second(submit, attempt, form=form):
                    is_second = submit.short_message[5:6] == b"\x02"
                    return Answer(receipts=[Receipt(form=form, spelled=str.upper,
                                                    stat="UNDELIV" if is_second else "DELIVRD")])
                self.begin(refuses_second, {"id_of": lambda number, octets=octets:
                                            f"ab{number:0>{octets - 2}}"})
                message_id, digits = self.send("long " * 60)
                self.events.wait_for(message_id, "failed")
                ids = [arrival.message_id for arrival in self.carrier.arrived(digits)]
                self.assertEqual([len(an_id) for an_id in ids], [octets, octets])
                told = self.daemon.ask(op="message", id=message_id)["history"]
                receipts = {step["part"]: (step["carrier_id"].lower(), step.get("stat", ""))
                            for step in told if step["what"] == "receipt"}
                stats = ("", "") if form == "tlv" else ("DELIVRD", "UNDELIV")
                self.assertEqual(receipts, {1: (ids[0], stats[0]), 2: (ids[1], stats[1])}, told)
                self.assertFalse([step for step in told if "matched_by" in step], told)
                for an_id in ids:
                    found = self.daemon.ask(op="message", carrier_id=an_id)
                    self.assertEqual(found.get("id"), message_id, found)

    def test_the_simulators_ids_of_100_characters_are_matched(self):
        smsc = CarrierSimulator(under_test.new_directory(), id_style="oversize")
        self.addCleanup(smsc.process.kill)
        self.daemon = under_test.Daemon([under_test.carrier("north", smsc.address)]).start()
        self.addCleanup(self.daemon.kill)
        self.daemon.wait_bound("north")
        self.events = under_test.EventFollower(self.daemon)
        self.addCleanup(self.events.close)
        sent = [self.send("long " * 60)[0] for _ in range(20)]
        for message_id in sent:
            self.events.wait_for(message_id, "delivered")
        told = self.daemon.ask(op="message", id=sent[-1])["history"]
        receipts = [step for step in told if step["what"] == "receipt"]
        self.assertEqual([len(step["carrier_id"]) for step in receipts], [100, 100], told)
        self.assertFalse([step for step in receipts if "matched_by" in step], told)

    def test_what_was_taken_without_an_id_is_waited_for_no_longer_and_history_says_so(self):
        self.begin(scripted={"id_of": lambda number: ""})
        message_id, _ = self.send("long " * 60)
        self.events.wait_for(message_id, "sent")
        under_test.wait_until(lambda: self.daemon.status()["sent_final"] == 1, "it is final")
        told = self.daemon.ask(op="message", id=message_id)
        verdict = told["history"][-1]
        self.assertEqual((verdict["what"], verdict.get("code"), verdict["state"]),
                         ("verdict", "no_message_id", "sent"), told)

        alone, _ = self.send()
        self.assertEqual(self.events.wait_for(alone, "sent").get("code"), "no_message_id")


class BindAddress(OneCarrier):
    def test_the_bind_says_what_addresses_it_is_for(self):
        self.begin(addr_ton=1, addr_npi=9, address_range="^7916")
        self.assertEqual([bind.address for _, bind, _ in self.carrier.binds], [(1, 9, "^7916")])


class Versions(OneCarrier):
    def test_peers_of_other_versions_are_spoken_to_and_shown(self):
        self.begin(scripted={"interface_version": None}, interface_version=0x50)
        self.assertNotIn("peer_version", self.daemon.carrier_status("north"))
        self.send_and_wait()
        self.carrier.interface_version = 0x50
        self.carrier.cut()
        under_test.wait_until(
            lambda: self.daemon.carrier_status("north").get("peer_version") == "0x50",
            "the version of the peer")
        self.send_and_wait()
        self.assertEqual({bind.interface_version for _, bind, _ in self.carrier.binds}, {0x50})

    def begin_beside_one_that_tells_no_version(self, **settings):
        self.begin(scripted={"interface_version": None}, **settings)
        return [arrival.submit.tlvs for arrival in self.send_and_wait("long " * 60)]

    def test_a_peer_that_tells_no_version_gets_no_parameter_that_nobody_asked_for(self):
        self.assertEqual(self.begin_beside_one_that_tells_no_version(), [{}, {}])
        self.carrier.interface_version = 0x34  # the same carrier, after an upgrade
        self.carrier.cut()
        under_test.wait_until(
            lambda: self.daemon.carrier_status("north").get("peer_version") == "0x34",
            "the version of the peer")
        first, second = (arrival.submit.tlvs for arrival in self.send_and_wait("long " * 60))
        self.assertEqual(set(first),
                         {smpp.TLV_USER_MESSAGE_REFERENCE, smpp.TLV_MORE_MESSAGES_TO_SEND})
        self.assertEqual(set(second), {smpp.TLV_USER_MESSAGE_REFERENCE})

    def test_a_peer_that_tells_no_version_gets_what_was_asked_for(self):
        tlvs = self.begin_beside_one_that_tells_no_version(
            user_message_reference=True, more_messages_to_send=True, tlv={'"0x1400"': "0a0b"})
        self.assertEqual([set(of) for of in tlvs],
                         [{smpp.TLV_USER_MESSAGE_REFERENCE, smpp.TLV_MORE_MESSAGES_TO_SEND, 0x1400},
                          {smpp.TLV_USER_MESSAGE_REFERENCE, 0x1400}])

    def test_a_peer_of_33_is_bound_in_a_pair_and_gets_no_optional_parameter(self):
        self.begin(interface_version=0x33, binds={"transmitter": 1, "receiver": 1})
        arrivals = self.send_and_wait("long " * 60)
        self.assertEqual({(command, bind.interface_version)
                          for command, bind, _ in self.carrier.binds},
                         {(smpp.BIND_TRANSMITTER, 0x33), (smpp.BIND_RECEIVER, 0x33)})
        self.assertEqual([arrival.submit.tlvs for arrival in arrivals], [{}, {}])

    def test_an_alert_is_counted_and_harms_nothing(self):
        self.begin()
        alert = (bytes([1, 1]) + smpp.c_string("79160000001") + bytes([5, 0])
                 + smpp.c_string("SHOP") + smpp.tlv(0x0422, b"\0"))
        self.carrier.say(smpp.ALERT_NOTIFICATION, alert)
        under_test.wait_until(lambda: self.daemon.carrier_status("north")["alerts"] == 1, "a count")
        self.send_and_wait()


class Deliveries(OneCarrier):
    # Carriers cut binds that answer later than a second, and send again what was not answered.
    def answered_within_a_second(self, command, body):
        before = len(self.carrier.receipt_answers)
        begun = time.monotonic()
        self.carrier.say(command, body)
        under_test.wait_until(lambda: len(self.carrier.receipt_answers) > before, "an answer",
                              step=0.005)
        self.assertLess(time.monotonic() - begun, 1.0)

    def test_a_reply_is_answered_within_a_second(self):
        self.begin()
        handset, shop = (1, 1, "79160000001"), (3, 0, "1234")
        self.answered_within_a_second(
            smpp.DELIVER_SM, smpp.deliver_sm(handset, shop, 0, 0, b"yes"))
        self.answered_within_a_second(smpp.DATA_SM, smpp.data_sm(handset, shop, 0, 0, b"no"))
        under_test.wait_until(lambda: len(self.events.events) == 2, "both are told")
        self.assertEqual([event["text"] for event in self.events.events], ["yes", "no"])
        self.assertEqual({status for status, _ in self.carrier.receipt_answers}, {0})

    def test_a_receipt_is_answered_within_a_second(self):
        self.begin(lambda submit, attempt: Answer(receipts=[]))
        message_id, digits = self.send()
        self.events.wait_for(message_id, "sent")
        arrival = self.carrier.arrived(digits)[0]
        for stat in ("ENROUTE", "DELIVRD", "DELIVRD", "UNDELIV"):  # the last: a second opinion
            text = f"id:{arrival.message_id} stat:{stat} err:000".encode()
            self.answered_within_a_second(smpp.DELIVER_SM, smpp.deliver_sm(
                arrival.submit.destination, arrival.submit.source, smpp.ESM_RECEIPT, 0, text))
        self.assertEqual({status for status, _ in self.carrier.receipt_answers}, {0})

    # Pitfall 15 too: nor does it help to refuse what is only longer than it may be.
    def test_a_delivery_with_texts_that_are_too_long_is_taken(self):
        self.begin()
        shop = (3, 0, "1234")
        for digits in ("7" * 21, "7" * 64, "7" * 65):
            self.answered_within_a_second(smpp.DELIVER_SM, smpp.deliver_sm(
                (0, 0, digits), shop, 0, 0, f"{len(digits)}".encode(), service_type="WAPWAP"))
        under_test.wait_until(lambda: len(self.events.events) == 3, "all are told")
        self.assertEqual([event["text"] for event in self.events.events], ["21", "64", "65"])
        self.assertEqual([len(event.get("from", "").lstrip("+")) for event in self.events.events],
                         [21, 64, 0])
        self.assertEqual({status for status, _ in self.carrier.receipt_answers}, {0})

    # Pitfall 15: refusing an id that is not ours makes some carriers send it for ever.
    def test_a_receipt_for_nothing_is_answered_with_ok(self):
        self.begin()
        text = b"id:deadbeef stat:DELIVRD err:000"
        self.carrier.say(smpp.DELIVER_SM, smpp.deliver_sm(
            (1, 1, "79160000001"), (5, 0, "SHOP"), smpp.ESM_RECEIPT, 0, text))
        under_test.wait_until(lambda: self.carrier.receipt_answers, "an answer")
        self.assertEqual(self.carrier.receipt_answers[0][0], 0)


if __name__ == "__main__":
    under_test.run_cases(__doc__)

#!/usr/bin/env python3
"""People who want no more messages: heard in replies, kept over restarts, honoured by every send."""

import json
import os
import pwd
import subprocess
import unittest

import smpp_octets as smpp
import stentor_under_test as under_test
from scripted_carrier import ScriptedCarrier

SHORT_CODE = "12345"


def say(carrier, handset, octets, data_coding=0, to=SHORT_CODE):
    """A reply, and its deliver_sm_resp."""
    answered = len(carrier.receipt_answers)
    carrier.say(smpp.DELIVER_SM,
                smpp.deliver_sm((1, 1, handset), (3, 0, to), 0, data_coding, octets))
    under_test.wait_until(lambda: len(carrier.receipt_answers) > answered, "an answer")


def ctl(daemon, *arguments, **options):
    return subprocess.run([under_test.program("stentorctl"), "--socket", daemon.socket_path,
                           *arguments], capture_output=True, text=True, timeout=60, check=False,
                          **options)


class OptOut(unittest.TestCase):
    next_number = 0

    @classmethod
    def setUpClass(cls):
        cls.carrier = ScriptedCarrier()
        cls.daemon = under_test.Daemon(
            [under_test.carrier("north", cls.carrier.address)],
            tables={"opt_out": {"stop_reply": "You get no more messages.",
                                "start_reply": "You get messages again.",
                                "exempt": {"priorities": ["urgent"], "campaigns": ["codes"]}}})
        cls.daemon.start()
        cls.daemon.wait_bound("north")
        cls.events = under_test.EventFollower(cls.daemon)

    @classmethod
    def tearDownClass(cls):
        cls.events.close()
        status = cls.daemon.status()
        assert under_test.ledger_gap(status) == 0, status
        assert cls.daemon.stop() == 0, cls.daemon.log_tail()
        assert "7916" not in cls.daemon.log(), "a number in the log"
        cls.carrier.close()

    def handset(self):
        type(self).next_number += 1
        return f"7916{self.next_number:07d}"

    def reply(self, handset, text, to=SHORT_CODE):
        say(self.carrier, handset, text.encode("utf-16-be"), data_coding=8, to=to)

    def send(self, handset, **more):
        return self.daemon.ask(op="send", to="+" + handset, text="Hello",
                               **{"from": SHORT_CODE, **more})

    def opt_outs_of(self, handset):
        with self.events.lock:
            return [e for e in self.events.events
                    if e["type"] == "opt_out" and e["from"] == "+" + handset]

    def test_stop_and_its_kin_end_messages_of_that_sender_and_start_brings_them_back(self):
        for word in ("Stop.", "СТОП!", "стоп!!! спасибо", "ARRÊT", "opt-out"):
            with self.subTest(word):
                handset = self.handset()
                self.assertEqual(self.send(handset)["status"], "accepted")
                self.reply(handset, word)
                event = under_test.wait_until(lambda h=handset: self.opt_outs_of(h), "opt_out")[0]
                self.assertEqual((event["code"], event["to"]), ("stop", SHORT_CODE))
                refused = self.send(handset)
                self.assertEqual(refused["error"]["code"], "opted_out")
                self.assertEqual(self.send(handset, **{"from": "SHOP"})["status"], "accepted")
                self.reply(handset, "Start please")
                under_test.wait_until(lambda h=handset: len(self.opt_outs_of(h)) > 1, "start")
                self.assertEqual(self.send(handset)["status"], "accepted")

    def test_other_words_end_nothing(self):
        handset = self.handset()
        for text in ("stopped by", "Cancel my appointment on Monday", "please stop", "?!"):
            self.reply(handset, text)
        self.assertEqual(self.send(handset)["status"], "accepted")
        self.assertEqual(self.opt_outs_of(handset), [])

    def test_the_classes_of_the_configuration_are_exempt(self):
        handset = self.handset()
        self.reply(handset, "stop")
        under_test.wait_until(lambda: self.opt_outs_of(handset), "opt_out")
        self.assertEqual(self.send(handset, campaign="offers")["error"]["code"], "opted_out")
        self.assertEqual(self.send(handset, campaign="codes")["status"], "accepted")
        self.assertEqual(self.send(handset, priority="urgent")["status"], "accepted")

    def test_of_several_destinations_only_the_one_that_opted_out_is_refused(self):
        handset, other = self.handset(), self.handset()
        self.reply(handset, "stop")
        under_test.wait_until(lambda: self.opt_outs_of(handset), "opt_out")
        reply = self.daemon.ask(op="send", to=["+" + handset, "+" + other], text="Hello",
                                **{"from": SHORT_CODE})
        self.assertEqual(reply["status"], "accepted")
        self.assertEqual([m.get("error", {}).get("code") for m in reply["messages"]],
                         ["opted_out", None])

    def test_a_stop_is_confirmed_once(self):
        handset = self.handset()
        for _ in range(3):
            self.reply(handset, "stop")
        under_test.wait_until(lambda: len(self.opt_outs_of(handset)) == 3, "three events")
        under_test.wait_until(lambda: self.carrier.arrived(handset), "the confirmation")
        arrived = self.carrier.arrived(handset)
        self.assertEqual(len(arrived), 1)
        self.assertEqual(arrived[0].submit.short_message, b"You get no more messages.")
        self.assertEqual(arrived[0].submit.source[2], SHORT_CODE)

    def test_a_start_is_confirmed_once_and_only_where_there_was_a_stop(self):
        handset = self.handset()
        for word in ("start", "stop", "start", "start"):
            told = len(self.opt_outs_of(handset))
            self.reply(handset, word)
            under_test.wait_until(lambda n=told: len(self.opt_outs_of(handset)) > n, "an event")
        # What is sent last goes last: whatever confirms has come by then.
        reply = self.send(handset)
        self.events.wait_for(reply["id"], "delivered")
        self.assertEqual([a.submit.short_message for a in self.carrier.arrived(handset)],
                         [b"You get no more messages.", b"You get messages again.", b"Hello"])
        self.assertEqual({a.submit.source[2] for a in self.carrier.arrived(handset)}, {SHORT_CODE})

    def carrier_is(self, action):
        reply = self.daemon.ask(op="carrier", action=action, name="north")
        self.assertEqual(reply["status"], "ok", reply)

    def test_what_waits_when_its_recipient_says_stop_is_not_sent_any_more(self):
        handset, other, back = self.handset(), self.handset(), self.handset()
        self.carrier_is("suspend")
        try:
            ended = [self.send(handset), self.send(handset, campaign="offers")]
            gone = [self.send(handset, campaign="codes"), self.send(handset, priority="urgent"),
                    self.send(handset, **{"from": "SHOP"}), self.send(other), self.send(back)]
            for reply in ended + gone:
                self.assertEqual(reply["status"], "accepted", reply)
            for who, word in ((handset, "stop"), (back, "stop"), (back, "start")):
                told = len(self.opt_outs_of(who))
                self.reply(who, word)
                under_test.wait_until(lambda n=told, w=who: len(self.opt_outs_of(w)) > n, "an event")
            # It is on the list when a send is refused.
            under_test.wait_until(lambda: "error" in self.send(handset), "the list has it")
            under_test.wait_until(lambda: "error" not in self.send(back), "the list has it no more")
        finally:
            self.carrier_is("resume")
        for reply in ended:
            failed = self.events.wait_for(reply["id"], "failed")
            self.assertEqual(failed["code"], "opted_out")
            self.assertNotIn("possible_duplicate", failed)
        for reply in gone:
            self.events.wait_for(reply["id"], "delivered")
        under_test.wait_until(lambda: len(self.carrier.arrived(handset)) >= 4, "and its answer")
        arrived = [a.submit for a in self.carrier.arrived(handset)]
        self.assertEqual(sorted((s.source[2], s.short_message) for s in arrived), sorted(
            [(SHORT_CODE, b"Hello"), (SHORT_CODE, b"Hello"), ("SHOP", b"Hello"),
             (SHORT_CODE, b"You get no more messages.")]))
        told = self.daemon.ask(op="message", id=ended[0]["id"])
        self.assertEqual(told["state"], "failed", told)

    def test_the_command_adds_lists_exports_imports_and_removes(self):
        first, second = "+" + self.handset(), "+" + self.handset()
        self.assertEqual(ctl(self.daemon, "optout", "add", first).returncode, 0)
        self.assertEqual(self.send(first[1:], **{"from": "ANY"})["error"]["code"], "opted_out")
        path = os.path.join(self.daemon.directory, "list.csv")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"number,sender\n{first}\n{second},SHOP\n")
        done = ctl(self.daemon, "optout", "import", path)
        self.assertEqual((done.returncode, done.stdout), (0, "1 numbers opted out\n"), done.stderr)
        exported = ctl(self.daemon, "optout", "export").stdout.splitlines()
        self.assertEqual(exported[0], "number,sender,since,client,by")
        self.assertEqual([line for line in exported if line.startswith(second)][0].split(",")[:2],
                         [second, "SHOP"])
        self.assertIn(first, ctl(self.daemon, "optout", "list").stdout)
        done = ctl(self.daemon, "optout", "remove", second, "--from", "SHOP")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn(second, ctl(self.daemon, "optout", "list").stdout)
        # What export wrote, import reads: with its senders, and what is there already counts for none.
        self.assertEqual(ctl(self.daemon, "optout", "remove", first).returncode, 0)
        self.assertEqual(self.send(first[1:], **{"from": "ANY"})["status"], "accepted")
        done = ctl(self.daemon, "optout", "import", input="\n".join(exported) + "\n")
        self.assertEqual((done.returncode, done.stdout), (0, "2 numbers opted out\n"), done.stderr)
        self.assertEqual(self.send(first[1:], **{"from": "ANY"})["error"]["code"], "opted_out")
        self.assertEqual(self.send(second[1:], **{"from": "SHOP"})["error"]["code"], "opted_out")
        self.assertEqual(self.send(second[1:], **{"from": "ANY"})["status"], "accepted")
        self.assertEqual(ctl(self.daemon, "optout", "remove", second, "--from",
                             "SHOP").returncode, 0)
        bad = ctl(self.daemon, "optout", "add", "nobody")
        self.assertEqual(bad.returncode, 1)
        self.assertIn("bad_destination", bad.stderr)


class NationalNumbers(unittest.TestCase):
    """A carrier that writes handsets in national form: its rule leads to the number, or none does."""

    def start(self, **settings):
        carrier = ScriptedCarrier()
        self.addCleanup(carrier.close)
        daemon = under_test.Daemon([under_test.carrier("north", carrier.address, **settings)])
        daemon.start()
        daemon.wait_bound("north")
        events = under_test.EventFollower(daemon)
        self.addCleanup(events.close)
        return carrier, daemon, events

    def stop_from(self, carrier, national):
        answered = len(carrier.receipt_answers)
        carrier.say(smpp.DELIVER_SM, smpp.deliver_sm((2, 1, national), (3, 0, SHORT_CODE), 0, 0,
                                                     b"STOP"))
        under_test.wait_until(lambda: len(carrier.receipt_answers) > answered, "an answer")

    def sent(self, daemon):
        reply = daemon.ask(op="send", to="+79161234567", text="Hello", **{"from": SHORT_CODE})
        return reply.get("error", {}).get("code", reply["status"])

    def inbound(self, events):
        def came():
            with events.lock:
                return [e for e in events.events if e["type"] == "inbound"]
        return under_test.wait_until(came, "the reply is told")[0]

    def unmatched(self, daemon):
        _, text = daemon.http("/metrics")
        return float(next(line.split()[-1] for line in text.splitlines()
                          if line.startswith('stentor_opt_outs_unmatched_total{carrier="north"}')))

    def test_a_stop_is_of_the_number_that_the_carriers_rule_leads_to_also_after_a_kill(self):
        carrier, daemon, events = self.start(
            rewrite=[{"from": "7", "to": "8", "national": True}])
        self.stop_from(carrier, "89161234567")
        event = self.inbound(events)
        self.assertEqual((event["from"], event.get("code")), ("+79161234567", None))
        self.assertEqual(self.sent(daemon), "opted_out")
        self.assertEqual(self.unmatched(daemon), 0)
        daemon.kill()
        daemon.start()
        self.assertEqual(self.sent(daemon), "opted_out")
        self.assertEqual(daemon.stop(), 0, daemon.log_tail())

    def test_a_stop_that_fits_no_send_is_counted_told_and_logged_without_its_number(self):
        carrier, daemon, events = self.start()
        self.stop_from(carrier, "89161234567")
        event = self.inbound(events)
        self.assertEqual((event["from"], event["code"]), ("89161234567", "opt_out_unmatched"))
        self.assertEqual(event["text"], "STOP")
        self.assertEqual(self.sent(daemon), "accepted")
        self.assertEqual(self.unmatched(daemon), 1)
        self.assertIn("opt-outs that fit no send: 1", daemon.log())
        self.assertNotIn("9161234567", daemon.log())
        self.assertEqual(daemon.stop(), 0, daemon.log_tail())


class OptOutSurvives(unittest.TestCase):
    def test_a_kill_and_the_loss_of_the_journal_files_it_was_said_in(self):
        carrier = ScriptedCarrier()
        daemon = under_test.Daemon([under_test.carrier("north", carrier.address)],
                                   tables={"opt_out": {"scope": "all"}}).start()
        daemon.wait_bound("north")
        answered = len(carrier.receipt_answers)
        carrier.say(smpp.DELIVER_SM, smpp.deliver_sm((1, 1, "79161234567"), (3, 0, SHORT_CODE), 0,
                                                     0, b"STOP"))
        under_test.wait_until(lambda: len(carrier.receipt_answers) > answered, "an answer")
        imported = [f"+7917{i:07d}" for i in range(5000)]
        done = ctl(daemon, "optout", "import", input="\n".join(imported))
        self.assertEqual(done.stdout, "5000 numbers opted out\n", done.stderr)
        daemon.kill()
        daemon.start()

        def refused(number, sender="SHOP"):
            reply = daemon.ask(op="send", to=number, text="Hello", **{"from": sender})
            return reply.get("error", {}).get("code") == "opted_out"

        self.assertTrue(refused("+79161234567"))
        self.assertTrue(refused(imported[4999]))
        self.assertFalse(refused("+79170005000"))
        # Within ten seconds the list is saved beside the journal, its trail before it.
        path = os.path.join(daemon.state, "opt_out", "list")
        under_test.wait_until(lambda: os.path.exists(path), "the list is saved")
        with open(os.path.join(daemon.state, "opt_out", "audit.jsonl"), encoding="utf-8") as file:
            trail = [json.loads(line) for line in file]
        self.assertEqual((trail[0]["what"], trail[0]["by"], trail[0]["word"], trail[0]["numbers"]),
                         ("out", "reply", "stop", ["+79161234567"]))
        self.assertEqual(sum(len(line["numbers"]) for line in trail), 5001)
        self.assertEqual(os.stat(path).st_mode & 0o077, 0)
        self.assertEqual(daemon.stop(), 0)
        for name in daemon.journal_files():
            os.unlink(name)
        daemon.start()
        self.assertTrue(refused("+79161234567"))
        self.assertTrue(refused(imported[0]))
        daemon.stop()
        with open(path, "r+b") as file:
            file.seek(30)
            octet = file.read(1)
            file.seek(30)
            file.write(bytes([octet[0] ^ 1]))
        status, said = daemon.start_and_fail()
        self.assertNotEqual(status, 0)
        self.assertIn("opt-outs", said)
        carrier.close()

    def test_what_waited_when_its_recipient_said_stop_is_not_sent_after_a_kill(self):
        carrier = ScriptedCarrier()
        self.addCleanup(carrier.close)
        daemon = under_test.Daemon([under_test.carrier("north", carrier.address)]).start()
        daemon.wait_bound("north")
        daemon.ask(op="carrier", action="suspend", name="north")
        sent = [daemon.ask(op="send", to=to, text="Hello", **{"from": SHORT_CODE})["id"]
                for to in ("+79161234567", "+79161234568")]
        self.assertEqual(daemon.ask(op="optout", action="add", to="+79161234567",
                                    **{"from": SHORT_CODE})["changed"], 1)
        daemon.kill()
        daemon.start()
        events = under_test.EventFollower(daemon)
        self.addCleanup(events.close)
        daemon.wait_bound("north")
        daemon.ask(op="carrier", action="resume", name="north")
        self.assertEqual(events.wait_for(sent[0], "failed")["code"], "opted_out")
        events.wait_for(sent[1], "delivered")
        self.assertEqual(len(carrier.arrived()), 1)
        self.assertEqual(under_test.ledger_gap(daemon.status()), 0)
        self.assertEqual(daemon.stop(), 0, daemon.log_tail())

    def test_a_start_takes_back_what_was_for_its_sender_whatever_the_scope_is_now(self):
        carrier = ScriptedCarrier()
        self.addCleanup(carrier.close)
        daemon = under_test.Daemon([under_test.carrier("north", carrier.address)],
                                   tables={"opt_out": {"scope": "sender"}}).start()
        daemon.wait_bound("north")
        handset = "79161234567"
        other = "4321"

        def reply(text):
            say(carrier, handset, text)

        def out_for():
            return sorted(entry.get("from", "all") for entry in
                          daemon.ask(op="optout", action="list")["entries"])

        reply(b"STOP")  # of this sender
        self.assertEqual(daemon.ask(op="optout", action="add", to="+" + handset,
                                    **{"from": other})["changed"], 1)
        with open(daemon.config_path, encoding="utf-8") as file:
            config = file.read()
        self.assertEqual(daemon.stop(), 0, daemon.log_tail())
        daemon.write_config_text(config.replace('scope = "sender"', 'scope = "all"'))
        daemon.start()
        daemon.wait_bound("north")
        reply(b"STOP")  # of all
        under_test.wait_until(lambda: out_for() == [SHORT_CODE, other, "all"], "three entries")
        reply(b"START")
        under_test.wait_until(lambda: out_for() == [other], "both are taken back, no other")
        sent = daemon.ask(op="send", to="+" + handset, text="Hello", **{"from": SHORT_CODE})
        self.assertEqual(sent["status"], "accepted")
        daemon.kill()
        daemon.start()
        self.assertEqual(out_for(), [other])
        self.assertEqual(daemon.stop(), 0, daemon.log_tail())

    def test_a_client_may_be_exempt_and_the_trail_tells_of_stop_and_of_start(self):
        carrier = ScriptedCarrier()
        self.addCleanup(carrier.close)
        daemon = under_test.Daemon([under_test.carrier("north", carrier.address)],
                                   tables={"opt_out": {"scope": "all"}})
        with open(daemon.config_path, encoding="utf-8") as file:
            config = file.read()
        me = pwd.getpwuid(os.geteuid()).pw_name
        config += f'\n[[client]]\nname = "bank"\nusers = ["{me}"]\nroles = ["submit", "observe"]\n'

        def restart(config):
            if daemon.process:
                self.assertEqual(daemon.stop(), 0, daemon.log_tail())
            daemon.write_config_text(config)
            daemon.start()
            daemon.wait_bound("north")

        def send():
            reply = daemon.ask(op="send", to="+79161234567", text="Hello", **{"from": "BANK"})
            return reply.get("error", {}).get("code", reply["status"])

        def reply(text):
            say(carrier, "79161234567", text)

        restart(config)
        reply(b"STOP")
        self.assertEqual(send(), "opted_out")
        restart(config.replace('scope = "all"', 'scope = "all"\nexempt = { clients = ["bank"] }'))
        self.assertEqual(send(), "accepted")
        reply(b"START")
        restart(config)
        self.assertEqual(send(), "accepted")
        path = os.path.join(daemon.state, "opt_out", "audit.jsonl")

        def told():
            if not os.path.exists(path):
                return []
            with open(path, encoding="utf-8") as file:
                return [json.loads(line) for line in file]

        under_test.wait_until(lambda: len(told()) >= 2, "the trail is written, within ten seconds")
        trail = told()
        self.assertEqual(daemon.stop(), 0, daemon.log_tail())
        self.assertEqual([(line["what"], line["by"], line["word"], line["numbers"])
                          for line in trail],
                         [("out", "reply", "stop", ["+79161234567"]),
                          ("in", "reply", "start", ["+79161234567"])])


class OwnWords(unittest.TestCase):
    def test_the_words_are_the_configurations_and_the_trail_says_who_did_what(self):
        carrier = ScriptedCarrier()
        self.addCleanup(carrier.close)
        daemon = under_test.Daemon(
            [under_test.carrier("north", carrier.address)],
            tables={"opt_out": {"stop": ["genug"], "stop_alone": ["aus"], "start": ["wieder"]}})
        with open(daemon.config_path, encoding="utf-8") as file:
            config = file.read()
        me = pwd.getpwuid(os.geteuid()).pw_name
        daemon.write_config_text(config + f'\n[[client]]\nname = "desk"\nusers = ["{me}"]\n'
                                 'roles = ["submit", "observe", "admin"]\n')
        daemon.start()
        daemon.wait_bound("north")
        handset = "79161234567"

        def reply(text):
            say(carrier, handset, text)

        def is_out():
            sent = daemon.ask(op="send", to="+" + handset, text="Hello", **{"from": SHORT_CODE})
            return sent.get("error", {}).get("code") == "opted_out"

        # Words that stentor would know by itself are none here.
        for text in (b"STOP", b"unsubscribe", b"cancel", b"aus dem Haus"):
            reply(text)
        self.assertFalse(is_out())
        for word in (b"Genug!", b"aus"):
            reply(word)
            under_test.wait_until(is_out, f"{word} counts")
            reply(b"start")
            self.assertTrue(is_out())
            reply(b"Wieder bitte")
            under_test.wait_until(lambda: not is_out(), "it is taken back")
        for action in ("add", "remove"):
            self.assertEqual(daemon.ask(op="optout", action=action, to="+" + handset,
                                        **{"from": SHORT_CODE})["changed"], 1)
        path = os.path.join(daemon.state, "opt_out", "audit.jsonl")

        def told():
            if not os.path.exists(path):
                return []
            with open(path, encoding="utf-8") as file:
                return [json.loads(line) for line in file]

        under_test.wait_until(lambda: len(told()) >= 6, lambda: f"six lines in {told()}")
        trail = told()
        self.assertEqual(daemon.stop(), 0, daemon.log_tail())
        self.assertEqual([(line["what"], line["by"], line.get("word"), line["client"],
                           line.get("carrier")) for line in trail],
                         [("out", "reply", "genug", "desk", "north"),
                          ("in", "reply", "wieder", "desk", "north"),
                          ("out", "reply", "aus", "desk", "north"),
                          ("in", "reply", "wieder", "desk", "north"),
                          ("out", "request", None, "desk", None),
                          ("in", "request", None, "desk", None)])
        for line in trail:
            self.assertEqual((line["sender"], line["numbers"]), (SHORT_CODE, ["+" + handset]))
            self.assertEqual("inbound" in line, line["by"] == "reply")


if __name__ == "__main__":
    under_test.run_cases(__doc__)

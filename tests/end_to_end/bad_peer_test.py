#!/usr/bin/env python3
"""Bad input to the real daemon, from clients, carriers, configuration and disk.

The answer is always a clear error that names what and where; others go on unaffected; nothing
accepted is lost.
"""

import json
import os
import random
import re
import socket
import struct
import threading
import time
import unittest

import smpp_octets as smpp
import stentor_under_test as under_test
from bad_carriers import BAD_PARTS, RawPeer
from scripted_carrier import Answer, ScriptedCarrier

LINE_OCTETS_MAX = 65536
UNFINISHED_LINE_SECONDS = 10


def send(number, text="Hello", **more):
    return {"op": "send", "to": number, "from": "SHOP", "text": text, **more}


class BadClients(unittest.TestCase):
    """One daemon for all cases: it must outlive each of them."""

    @classmethod
    def setUpClass(cls):
        cls.carrier = ScriptedCarrier()
        cls.daemon = under_test.Daemon([under_test.carrier("north", cls.carrier.address)]).start()

    @classmethod
    def tearDownClass(cls):
        assert cls.daemon.stop() == 0, cls.daemon.log_tail()
        cls.carrier.close()

    def tearDown(self):
        self.assertTrue(self.daemon.is_running(), self.daemon.log_tail())
        with self.daemon.connect(timeout=5.0) as another:
            self.assertEqual(another.ask(op="status")["status"], "ok")

    def assert_rejected(self, reply, *codes):
        self.assertIsNotNone(reply, "the connection was cut")
        self.assertEqual(reply["status"], "rejected", reply)
        self.assertIn(reply["error"]["code"], codes, reply)
        self.assertTrue(reply["error"].get("detail"), reply)

    def test_a_line_of_64_kib_is_read_and_a_longer_one_refused_once(self):
        with self.daemon.connect() as connection:
            padding = LINE_OCTETS_MAX - 1 - len('{"op":"status"}')
            connection.write(b'{"op":"status"' + b" " * padding + b"}\n")
            self.assertEqual(connection.read()["status"], "ok")
            connection.write(b'{"op":"status"' + b" " * (padding + 2) + b"}\n")
            self.assert_rejected(connection.read(), "line_too_long")
            connection.write(b"x" * (5 * LINE_OCTETS_MAX) + b"\n" + b'{"op":"status"}\n')
            self.assert_rejected(connection.read(), "line_too_long")
            self.assertEqual(connection.read()["status"], "ok")

    def test_invalid_utf8_is_refused_and_the_connection_goes_on(self):
        with self.daemon.connect() as connection:
            for octets in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"):
                connection.write(b'{"to":"+79161234567","from":"SHOP","text":"' + octets + b'"}\n')
                self.assert_rejected(connection.read(), "bad_utf8")
            self.assertEqual(connection.ask(op="status")["status"], "ok")

    def test_lines_that_are_no_request_are_refused_one_by_one(self):
        lines = [
            (b"{", ("bad_json",)),
            (b"null", ("bad_json",)),
            (b"12", ("bad_json",)),
            (b"{}{}", ("bad_json",)),
            (b'{"op":"send" "to":1}', ("bad_json",)),
            (b"[" * 5000, ("bad_json",)),
            (b'{"to":"+79161234567","from":"SHOP","text":"x","meta":' + b'{"a":' * 400 + b"1" +
             b"}" * 401, ("bad_json", "bad_field")),
            (b'{"op":5}', ("bad_field",)),
            (b'{"op":null}', ("bad_field",)),
            (b'{"op":"status","more":1}', ("unknown_field",)),
            (b'{"to":79161234567,"from":"SHOP","text":"x"}', ("bad_field",)),
            (b'{"to":[],"from":"SHOP","text":"x"}', ("bad_destination",)),
            (b'{"to":{},"from":"SHOP","text":"x"}', ("bad_field",)),
            (b'{"to":"+79161234567","from":7,"text":"x"}', ("bad_field",)),
            (b'{"to":"+79161234567","from":"SHOP","text":"x","max_segments":"3"}', ("bad_field",)),
            (b'{"to":"+79161234567","from":"SHOP","text":"x","max_segments":1e99}', ("bad_field",)),
            (b'{"to":"+79161234567","from":"SHOP","text":"x","priority":"high"}', ("bad_field",)),
            (b'{"to":"+79161234567","from":"SHOP","text":"x","meta":[1]}', ("bad_field",)),
            (b'{"to":"+79161234567","from":"SHOP","text":"x","ref":"' + b"r" * 65 + b'"}',
             ("bad_field",)),
            (b'{"to":"+79161234567","from":"SHOP","text":"x","expires":"2001-01-01T00:00:00Z"}',
             ("expired", "bad_time")),
            (b'{"to":"","from":"SHOP","text":"x"}', ("bad_destination",)),
            (b'{"to":"+0123456789","from":"SHOP","text":"x"}', ("bad_destination",)),
            ('{"to":"+79161234567","from":"МАГАЗИН","text":"x"}'.encode(), ("bad_sender",)),
        ]
        with self.daemon.connect() as connection:
            for line, codes in lines:
                with self.subTest(line=line[:60]):
                    connection.write(line + b"\n")
                    self.assert_rejected(connection.read(), *codes)
            self.assertEqual(connection.ask(op="status")["status"], "ok")

    def test_what_is_not_built_is_refused_and_never_ignored(self):
        fields = {"plan": [{"carrier": "north"}], "hours": {"from": "09:00", "to": "21:00"},
                  "binary": "00ff", "flash": True}
        with self.daemon.connect() as connection:
            for name, value in fields.items():
                with self.subTest(field=name):
                    request = send("+79161234567", **{name: value})
                    if name == "binary":
                        del request["text"]
                    reply = connection.ask(**request)
                    if reply["status"] != "accepted":  # a later version may know it
                        self.assert_rejected(reply, "not_supported", "not_permitted")

    def test_empty_lines_and_carriage_returns_are_tolerated(self):
        with self.daemon.connect() as connection:
            connection.write(b'\n\r\n\n{"op":"status"}\r\n')
            self.assertEqual(connection.read()["status"], "ok")

    def test_a_client_that_vanishes_mid_line_leaves_nothing_behind(self):
        before = self.daemon.status()["accepted"]
        for _ in range(20):
            connection = self.daemon.connect()
            connection.write(b'{"to":"+79161234567","from":"SHOP","text":"cut off in the mid')
            connection.close()
        self.assertEqual(self.daemon.status()["accepted"], before)

    def test_after_half_close_every_request_is_answered_and_then_end_of_file_comes(self):
        with self.daemon.connect() as connection:
            connection.write(b'{"op":"status"}\n{"op":"preview","text":"a"}\n{"op":"status"}')
            connection.stream.shutdown(socket.SHUT_WR)
            replies = [connection.read() for _ in range(3)]
            self.assertEqual([r["status"] for r in replies], ["ok"] * 3)
            self.assertEqual(replies[1]["parts"], ["a"])
            self.assertIsNone(connection.read())

    def test_a_client_that_never_reads_is_held_back_alone_and_loses_no_reply(self):
        line = json.dumps({"op": "preview", "text": "a" * 1500}).encode() + b"\n"
        memory_before = self.daemon.status()["memory_octets"]
        with self.daemon.connect() as connection:
            connection.stream.settimeout(1.0)
            written = 0
            try:
                while written < 64 << 20:
                    written += connection.stream.send(line[written % len(line):])
            except socket.timeout:
                pass  # held back: the kernel's buffers are full
            self.assertLess(written, 64 << 20, "never held back")
            with self.daemon.connect(timeout=5.0) as another:
                begun = time.monotonic()
                self.assertEqual(another.ask(op="status")["status"], "ok")
                self.assertLess(time.monotonic() - begun, 2.0)
            self.assertLess(self.daemon.status()["memory_octets"], memory_before + (32 << 20))
            connection.stream.settimeout(under_test.PATIENCE)
            for _ in range(written // len(line)):
                self.assertEqual(connection.read()["status"], "ok")

    def test_an_unfinished_line_is_cut_after_ten_seconds(self):
        with self.daemon.connect(timeout=30.0) as slow, self.daemon.connect() as other:
            begun = time.monotonic()
            slow.write(b'{"op":"sta')
            self.assertIsNone(slow.read_line())
            waited = time.monotonic() - begun
            self.assertGreater(waited, UNFINISHED_LINE_SECONDS - 1)
            self.assertLess(waited, UNFINISHED_LINE_SECONDS + 10)
            # A connection without an unfinished line may be as idle as it likes.
            self.assertEqual(other.ask(op="status")["status"], "ok")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.daemon.process.pid}/fd"))

    def test_descriptors_that_a_client_passes_are_not_taken(self):
        with self.daemon.connect() as connection:
            self.assertEqual(connection.ask(op="status")["status"], "ok")
            before = self.descriptors()
            for _ in range(10):
                socket.send_fds(connection.stream, [b'{"op":"status"}\n'], [0] * 50)
                self.assertEqual(connection.read()["status"], "ok")
            self.assertEqual(self.descriptors(), before)

    def test_ten_thousand_connections_leave_no_descriptor_behind(self):
        before = self.descriptors()
        for n in range(10_000):
            with self.daemon.connect() as connection:
                if n % 100 == 0:
                    self.assertEqual(connection.ask(op="status")["status"], "ok")
        under_test.wait_until(lambda: self.descriptors() <= before,
                              lambda: f"{before} descriptors again: {self.descriptors()}")

    def test_a_thousand_clients_that_trickle_are_cut_and_disturb_nobody(self):
        memory_before = self.daemon.status()["memory_octets"]
        trickling = [self.daemon.connect() for _ in range(1000)]
        for connection in trickling:
            self.addCleanup(connection.close)
        begun, waits = time.monotonic(), []
        with self.daemon.connect() as honest:
            for second in range(UNFINISHED_LINE_SECONDS + 3):
                for connection in trickling:
                    try:
                        connection.stream.send(b"x")
                    except OSError:
                        pass  # cut already
                for n in range(50):
                    asked = time.monotonic()
                    reply = honest.ask(**send(f"+7917{second:03}{n:04}"))
                    waits.append(time.monotonic() - asked)
                    self.assertEqual(reply["status"], "accepted", reply)
                time.sleep(max(0.0, begun + second + 1 - time.monotonic()))
        self.assertLess(self.daemon.status()["memory_octets"], memory_before + (64 << 20))
        for connection in trickling:
            try:
                self.assertIsNone(connection.read_line())
            except ConnectionResetError:
                pass  # what it wrote last found nobody
        print(f"beside 1000 trickling clients {len(waits)} sends were answered, the slowest after "
              f"{1000 * max(waits):.1f} ms", flush=True)


class BadCarriers(unittest.TestCase):
    """One good carrier among all the bad ones, in one daemon."""

    def test_the_good_carrier_goes_on_and_what_waits_for_a_bad_one_goes_out_when_it_mends(self):
        good = ScriptedCarrier()
        refusing = ScriptedCarrier(bind_status=0x0E)
        peers = {name: RawPeer(part) for name, part in BAD_PARTS.items()}
        addresses = {"good": good.address, "refusing": refusing.address,
                     "absent": f"127.0.0.1:{under_test.free_port()}",
                     **{name: peer.address for name, peer in peers.items()}}
        quick = {"bind_timeout": "1s", "response_timeout": "2s", "enquire_link": "1s"}
        daemon = under_test.Daemon(
            [under_test.carrier(name, address, **quick) for name, address in addresses.items()],
            [{"default": True, "carriers": ["good"]}]).start()
        events = under_test.EventFollower(daemon)
        daemon.wait_bound("good")

        waiting = {}
        with daemon.connect() as connection:
            for number, name in enumerate(n for n in addresses if n != "good"):
                reply = connection.ask(**send(f"+7916000{number:04d}", text=f"for {name}",
                                              carrier=name))
                self.assertEqual(reply["status"], "accepted", reply)
                waiting[name] = reply["id"]
            for number in range(200):
                begun = time.monotonic()
                reply = connection.ask(**send(f"+7917{number:07d}"))
                self.assertEqual(reply["status"], "accepted", reply)
                events.wait_for(reply["id"], "delivered", patience=10.0)
                self.assertLess(time.monotonic() - begun, 5.0, "the good carrier was held up")
                if number >= 20 and self._all_named(daemon, waiting):
                    break
                time.sleep(0.02)

        # Who lost the framing is told so before the connection is closed.
        nack = smpp.pdu(smpp.GENERIC_NACK, 0x02, 0)
        for name in ("garbage", "tiny"):
            under_test.wait_until(lambda: any(h.endswith(nack) for h in peers[name].heard()),
                                  lambda: f"{name} is told: {peers[name].heard()}", 30)

        log = daemon.log()
        for name in waiting:
            with self.subTest(carrier=name):
                state = daemon.carrier_status(name)
                self.assertTrue(state.get("last_error"), state)
                self.assertTrue(any(name in line for line in log.splitlines()),
                                f"the log does not name {name}")
        self.assertLess(daemon.status()["memory_octets"], 256 << 20, "a length was believed")
        status = daemon.status()
        self.assertEqual(under_test.ledger_gap(status), 0, status)
        self.assertEqual(status["live"], len(waiting), status)

        # Each bad one becomes a good one at the same address: what waited goes out.
        healed = []
        for name, peer in peers.items():
            peer.close()
            healed.append(ScriptedCarrier(port=peer.port))
        healed.append(ScriptedCarrier(port=int(addresses["absent"].rpartition(":")[2])))
        for name, message_id in waiting.items():
            if name != "refusing":  # refused credentials are tried again slowly, on purpose
                with self.subTest(carrier=name):
                    events.wait_for(message_id, "delivered", patience=90.0)
        refusing.bind_status = 0
        events.close()
        self.assertEqual(daemon.stop(), 0, daemon.log_tail())
        for carrier in [good, refusing] + healed:
            carrier.close()

    @staticmethod
    def _all_named(daemon, waiting):
        return all(daemon.carrier_status(name).get("last_error") for name in waiting)

    def test_a_malformed_pdu_within_its_frame_is_answered_and_the_bind_stays(self):
        carrier = ScriptedCarrier()
        daemon = under_test.Daemon([under_test.carrier("north", carrier.address)]).start()
        daemon.wait_bound("north")
        carrier.say(smpp.DELIVER_SM, b"no NUL anywhere in this body")
        carrier.say(0x00000BAD, b"unknown command")
        carrier.say(smpp.SUBMIT_SM | smpp.RESPONSE, smpp.c_string("nobody asked"))
        events = under_test.EventFollower(daemon)
        message = daemon.ask(**send("+79161234567"))
        events.wait_for(message["id"], "delivered")
        self.assertEqual(len(carrier.binds), 1, "it bound again")
        events.close()
        self.assertEqual(daemon.stop(), 0, daemon.log_tail())
        carrier.close()

    def test_a_carrier_that_cuts_with_submits_unanswered_gets_them_again_marked(self):
        cut = threading.Event()

        def cut_once(submit, attempt):
            if not cut.is_set():
                cut.set()
                return Answer(hang_up=True)
            return Answer()

        carrier = ScriptedCarrier(cut_once)
        daemon = under_test.Daemon([under_test.carrier("north", carrier.address)]).start()
        events = under_test.EventFollower(daemon)
        message = daemon.ask(**send("+79161234567"))
        events.wait_for(message["id"], "delivered")
        self.assertEqual(len(carrier.arrived("79161234567")), 2)
        self.assertTrue(any(e.get("possible_duplicate") for e in events.of(message["id"])),
                        events.of(message["id"]))
        events.close()
        self.assertEqual(daemon.stop(), 0, daemon.log_tail())
        carrier.close()


class BadConfiguration(unittest.TestCase):
    def setUp(self):
        self.daemon = under_test.Daemon([under_test.carrier("north", "127.0.0.1:1")])

    def refuse(self, *words):
        """Starts where it must refuse; the reason, its last line, has all the words."""
        status, printed = self.daemon.start_and_fail()
        self.assertNotEqual(status, 0, printed)
        self.assertGreater(status, 0, f"killed by signal {-status}: {printed}")
        lines = [line for line in printed.splitlines() if line.strip()]
        self.assertTrue(lines, "it ended without a word")
        for word in words:
            self.assertIn(word, lines[-1], printed)
        return lines

    def edit(self, old, new):
        with open(self.daemon.config_path, encoding="utf-8") as file:
            text = file.read()
        self.assertIn(old, text)
        self.daemon.write_config_text(text.replace(old, new, 1))
        return next(n for n, line in enumerate(text.replace(old, new, 1).splitlines(), 1)
                    if new.splitlines()[0] in line)

    def test_a_typo_is_named_with_file_line_and_key(self):
        line = self.edit("window = 10", "windw = 10")
        self.refuse(f"{self.daemon.config_path}:{line}", "windw", "window")

    def test_check_config_names_every_mistake(self):
        self.edit("window = 10", "windw = 10")
        self.edit('password = "secret"', 'password = "longer than eight"')
        process = under_test.Process(
            [under_test.program("stentord"), "--config", self.daemon.config_path,
             "--check-config"], self.daemon.log_path)
        self.assertNotEqual(process.wait(), 0)
        self.assertIn("windw", process.log())
        self.assertIn("password", process.log())
        self.assertNotIn("longer than eight", process.log())

    def test_a_file_that_is_not_toml_is_named_with_its_line(self):
        self.daemon.write_config_text("node = 1\nstate_dir = \n")
        self.refuse(f"{self.daemon.config_path}:2")

    def test_a_missing_file_is_named(self):
        os.remove(self.daemon.config_path)
        lines = self.refuse(self.daemon.config_path)
        self.assertEqual(len(lines), 1, lines)

    def test_a_password_that_others_can_read_is_refused(self):
        os.chmod(self.daemon.config_path, 0o644)
        self.refuse(self.daemon.config_path, "600")

    def test_a_metrics_port_in_use_is_named(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            self.edit(f"127.0.0.1:{self.daemon.metrics_port}", f"127.0.0.1:{port}")
            self.refuse(str(port))

    def test_a_state_directory_that_cannot_be_made_is_named(self):
        with open(self.daemon.state, "w", encoding="utf-8"):
            pass
        self.refuse(self.daemon.state)

    def test_a_second_daemon_on_the_same_state_is_refused_and_the_first_goes_on(self):
        self.daemon.start()
        second = under_test.Daemon([under_test.carrier("north", "127.0.0.1:1")])
        with open(second.config_path, encoding="utf-8") as file:
            text = file.read()
        second.write_config_text(text.replace(second.state, self.daemon.state, 1))
        status, printed = second.start_and_fail()
        self.assertGreater(status, 0, printed)
        self.assertIn(self.daemon.state, printed)
        self.assertEqual(self.daemon.status()["status"], "ok")
        self.assertEqual(self.daemon.stop(), 0)

    def test_a_socket_that_another_daemon_serves_is_not_taken_from_it(self):
        self.daemon.start()
        second = under_test.Daemon([under_test.carrier("north", "127.0.0.1:1")])
        with open(second.config_path, encoding="utf-8") as file:
            text = file.read()
        # With its quotes: the path of the state begins with the same letters.
        second.write_config_text(text.replace(f'"{second.socket_path}"',
                                              f'"{self.daemon.socket_path}"', 1))
        status, printed = second.start_and_fail()
        self.assertGreater(status, 0, printed)
        self.assertIn(f"{self.daemon.socket_path}:", printed)
        self.assertEqual(self.daemon.status()["status"], "ok")
        self.assertEqual(self.daemon.stop(), 0)


class DamagedJournal(unittest.TestCase):
    """Messages wait for a carrier that is not there; the daemon dies; the disk did something."""

    MESSAGES = 50

    def setUp(self):
        self.daemon = under_test.Daemon([under_test.carrier("north", "127.0.0.1:1")]).start()
        self.ids = []
        with self.daemon.connect() as connection:
            for number in range(self.MESSAGES):
                reply = connection.ask(**send(f"+7916{number:07d}", ref=f"j-{number}"))
                self.assertEqual(reply["status"], "accepted", reply)
                self.ids.append(reply["id"])
        self.daemon.kill()
        files = [(path, octets) for path in self.daemon.journal_files()
                 if len(octets := self.used(path)) > 4096]
        self.assertTrue(files, "no journal file holds anything")
        self.path, octets = files[-1]
        self.end = len(octets)

    @staticmethod
    def used(path):
        """The octets of a file before the zeros it was filled with ahead of need."""
        with open(path, "rb") as file:
            return file.read().rstrip(b"\0")

    def change(self, at, octets):
        with open(self.path, "r+b") as file:
            file.seek(at)
            file.write(octets)

    def assert_all_there(self):
        self.daemon.start()
        status = self.daemon.status()
        self.assertEqual(under_test.ledger_gap(status), 0, status)
        self.assertEqual(status["live"], self.MESSAGES, status)
        for message_id in self.ids:
            self.assertEqual(self.daemon.ask(op="message", id=message_id)["status"], "ok")
        self.assertEqual(self.daemon.stop(), 0, self.daemon.log_tail())

    def test_a_torn_block_at_the_tail_is_cut_and_nothing_acknowledged_is_lost(self):
        with open(self.path, "rb") as file:
            file.seek(self.end // 64 // 2 * 64)
            torn = file.read(100)  # the beginning of some block: right magic, wrong place
        self.change((self.end + 63) // 64 * 64, torn)
        self.assert_all_there()

    def test_noise_at_the_tail_is_cut(self):
        noise = random.Random(under_test.Settings.seed).randbytes(777)
        self.change((self.end + 63) // 64 * 64, noise)
        self.assert_all_there()

    def test_the_zeros_ahead_may_be_missing(self):
        os.truncate(self.path, (self.end + 63) // 64 * 64)
        self.assert_all_there()

    def test_a_last_block_cut_short_is_left_out_and_said_so(self):
        before = len(self.daemon.log())
        os.truncate(self.path, self.end - 10)
        self.daemon.start()
        status = self.daemon.status()
        self.assertEqual(under_test.ledger_gap(status), 0, status)
        self.assertEqual(status["live"], self.MESSAGES - 1, status)
        self.assertRegex(self.daemon.log()[before:], r"journal: .* [1-9]\d* torn octets cut")
        self.assertEqual(self.daemon.stop(), 0, self.daemon.log_tail())

    def spoil(self, ref):
        """Flips a bit in a message's accepted record, which is in a block of its own."""
        with open(self.path, "rb") as file:
            octets = file.read(self.end)
        at = octets.index(ref.encode())
        self.change(at, bytes([octets[at] ^ 0x10]))

    def salvage(self):
        """Starts with --salvage; the lines of the list of what was lost."""
        status, printed = self.daemon.start_and_fail()
        self.assertEqual(status, 3, printed)
        self.daemon.audits_at_stop = False  # it must find what is missing
        self.daemon.arguments = ["--salvage"]
        self.daemon.start()
        self.daemon.arguments = []
        self.assertIn("listed in quarantine/lost-00000001.jsonl", self.daemon.log())
        with open(os.path.join(self.daemon.state, "journal", "quarantine",
                               "lost-00000001.jsonl"), encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]

    def test_salvaging_lists_what_nothing_else_speaks_of_by_its_sequence(self):
        self.spoil("j-20")
        lines = self.salvage()
        self.assertEqual(lines[0], {"from_sequence": 21, "to_sequence": 21})
        self.assertEqual(lines[1], {"named": 0, "live": 0, "unnamed_at_most": 1, "done": True})
        self.assertEqual(self.daemon.status()["live"], self.MESSAGES - 1)
        # Its reference is free again: whoever was told "accepted" may send it once more.
        again = self.daemon.ask(**send("+79160000020", ref="j-20"))
        self.assertEqual(again["status"], "accepted")
        self.assertNotIn(again["id"], self.ids)
        self.assertEqual(self.daemon.stop(), 0, self.daemon.log_tail())
        self.daemon.start()  # without --salvage: what is set aside is passed over knowingly
        self.assertEqual(self.daemon.status()["live"], self.MESSAGES)
        self.assertEqual(self.daemon.stop(), 0, self.daemon.log_tail())
        status, _, last = self.daemon.audit()
        self.assertEqual((status, last["set_aside"]), (0, 1))

    def test_salvaging_names_whom_later_records_speak_of(self):
        carrier = ScriptedCarrier(lambda submit, attempt: Answer(status=0x08))  # tried again later
        self.addCleanup(carrier.close)
        self.daemon.write_config([under_test.carrier("north", carrier.address)])
        self.daemon.start()
        under_test.wait_until(lambda: len(carrier.arrivals) >= self.MESSAGES, "all were refused")
        under_test.wait_until(lambda: self.daemon.carrier_status("north")["in_flight"] == 0,
                              "all answers are written")
        self.daemon.kill()
        self.spoil("j-20")
        lines = self.salvage()
        self.assertEqual(lines[0], {"sequence": 21, "id": self.ids[20], "client": lines[0]["client"],
                                    "ref": "j-20", "state": "lost"})
        self.assertEqual(lines[1], {"named": 1, "live": 1, "unnamed_at_most": 0, "done": True})
        self.daemon.kill()

    def test_an_octet_flipped_under_the_watermark_refuses_to_start_and_names_the_place(self):
        with open(self.path, "rb") as file:
            octets = file.read(self.end)
        # In the text of a message: between two blocks there is padding that means nothing.
        at = octets.index(b"Hello", self.end // 3)
        self.change(at, bytes([octets[at] ^ 0x10]))
        status, printed = self.daemon.start_and_fail()
        self.assertGreater(status, 0, printed)
        last = [line for line in printed.splitlines() if line.strip()][-1]
        self.assertIn(os.path.basename(self.path), last)
        self.assertRegex(last, r"(offset|octet|at) ?\d+", last)


class DamagedHistory(unittest.TestCase):
    """A start does not read what lies before its checkpoint: it is looked at behind it."""

    MESSAGES = 600  # and one in the next file

    def setUp(self):
        self.daemon = under_test.Daemon([under_test.carrier("north", "127.0.0.1:1")],
                                        tables={"journal": {"checkpoint": "64KiB"}}).start()
        with self.daemon.connect() as connection:
            for number in range(self.MESSAGES):
                reply = connection.ask(**send(f"+7916{number:07d}", ref=f"h-{number}",
                                              text="Hello " * 20))
                self.assertEqual(reply["status"], "accepted", reply)
        self.daemon.kill()
        self.daemon.start()
        reply = self.daemon.ask(**send("+79160000999"))  # in the next file: the first is sealed
        self.assertEqual(reply["status"], "accepted", reply)
        under_test.wait_until(self.checkpoints, "there is a checkpoint")

    def checkpoints(self):
        return [name for name in os.listdir(os.path.join(self.daemon.state, "journal"))
                if re.fullmatch(r"checkpoint-[0-9]+\.stx", name)]

    def is_damaged(self):
        page = self.daemon.http("/metrics")[1]
        return re.search(r"^stentor_journal_damaged 1$", page, re.M) is not None

    def test_is_told_while_running_and_refused_by_the_next_start(self):
        self.assertFalse(self.is_damaged())
        self.daemon.kill()
        path = self.daemon.journal_files()[0]
        with open(path, "r+b") as file:
            octets = file.read()
            at = octets.index(b"h-300")
            file.seek(at)
            file.write(bytes([octets[at] ^ 0x10]))
        self.daemon.start()
        under_test.wait_until(self.is_damaged, "the damage is found")
        told = re.search(r"damage in what the start had not read: (journal-00000001\.stj: offset "
                         r"[0-9]+: [^;]+)", self.daemon.log())
        self.assertIsNotNone(told, self.daemon.log_tail())
        self.assertEqual(self.daemon.status()["live"], self.MESSAGES + 1, "what lives goes on")
        again = self.daemon.ask(**send("+79160000300", ref="h-300", text="Hello " * 20))
        self.assertEqual(again["error"]["code"], "unavailable", "its record cannot be read, and it "
                         "is not taken for new")
        self.daemon.kill()

        status, printed = self.daemon.start_and_fail()
        self.assertEqual(status, 3, printed)
        self.assertIn(told[1], printed)
        self.daemon.arguments = ["--salvage"]
        self.daemon.start()
        self.assertEqual(self.daemon.status()["live"], self.MESSAGES)
        with open(os.path.join(self.daemon.state, "journal", "quarantine",
                               "lost-00000001.jsonl"), encoding="utf-8") as lines:
            lost = json.loads(next(lines))
        self.assertEqual((lost["ref"], lost["state"]), ("h-300", "lost"))
        self.daemon.kill()

    def test_is_not_told_where_there_is_none(self):
        self.daemon.kill()
        self.daemon.start()
        self.assertRegex(self.daemon.log(), r"checkpoint before file [0-9]+")
        under_test.wait_until(
            lambda: self.daemon.http("/metrics")[1].count("stentor_journal_unverified_files 0\n"),
            "all is verified")
        self.assertFalse(self.is_damaged())
        self.assertNotEqual(self.checkpoints(), [])
        self.assertEqual(self.daemon.stop(), 0, self.daemon.log_tail())


if __name__ == "__main__":
    under_test.run_cases(__doc__.splitlines()[0])

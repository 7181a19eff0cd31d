#!/usr/bin/env python3
"""A carrier's SMSC that connects to stentor, says outbind, and is bound to on that connection.

And everybody else who connects there: strangers, wrong passwords, silence, floods.
"""

import os
import re
import socket
import unittest

import smpp_octets as smpp
import stentor_under_test as under_test
from scripted_carrier import ScriptedCarrier

PASSWORD = "hush-hsh"


class Outbind(unittest.TestCase):
    def setUp(self):
        self.carrier = ScriptedCarrier()
        self.port = under_test.free_port()
        self.daemon = None

    def tearDown(self):
        if self.daemon:
            if self.daemon.is_running():
                status = self.daemon.status()
                self.assertEqual(under_test.ledger_gap(status), 0, status)
            self.assertNotIn(PASSWORD, self.daemon.log())
            self.daemon.kill()
        self.carrier.close()
        self.assertEqual(self.carrier.malformed, [])

    def start(self, address=None, outbind=None, **more):
        settings = {"listen": f"127.0.0.1:{self.port}", "system_id": "SMSC", "password": PASSWORD}
        settings.update(outbind or {})
        settings = {key: value for key, value in settings.items() if value is not None}
        self.daemon = under_test.Daemon(
            [under_test.carrier("north", address or self.carrier.address, outbind=settings,
                                **more)]).start()

    def outbind(self, **said):
        self.carrier.outbind(self.port, **{"system_id": "SMSC", "password": PASSWORD, **said})

    def counted(self, outcome):
        _, page = self.daemon.http("/metrics")
        found = re.search(r'^stentor_carrier_outbinds_total\{(?=[^}]*carrier="north")'
                          rf'(?=[^}}]*outcome="{outcome}")[^}}]*\}} (\S+)$', page, re.M)
        self.assertTrue(found, page)
        return int(float(found.group(1)))

    def wait_counted(self, outcome, least=1):
        under_test.wait_until(lambda: self.counted(outcome) >= least,
                              lambda: f"{least} {outcome}; {self.daemon.log_tail()}")

    def binds(self, *kinds):
        return [kind for kind, _, status in list(self.carrier.binds)
                if kind in kinds and not status]

    def stranger(self, octets=b"", source="127.0.0.1"):
        stream = socket.create_connection(("127.0.0.1", self.port), timeout=under_test.PATIENCE,
                                          source_address=(source, 0))
        self.addCleanup(stream.close)
        if octets:
            stream.sendall(octets)
        return stream

    def assert_closed(self, stream):
        try:
            self.assertEqual(stream.recv(1), b"")
        except ConnectionResetError:
            pass

    def test_a_receipt_comes_over_the_connection_that_the_smsc_opened(self):
        self.start(binds={"transmitter": 1, "receiver": 1}, outbind={"connect": False})
        self.daemon.wait_bound("north")
        events = under_test.EventFollower(self.daemon)
        self.addCleanup(events.close)
        for round_number in (1, 2):  # after its end it waits for the next one
            sent = self.daemon.ask(to="+79160000001", text="Hello", **{"from": "SHOP"})
            self.assertEqual(sent["status"], "accepted", sent)
            under_test.wait_until(lambda: len(self.carrier.arrived()) == round_number,
                                  "it was submitted")
            self.assertEqual(len(self.binds(smpp.BIND_RECEIVER)), round_number - 1)
            self.assertEqual(events.of(sent["id"], "delivered"), [])
            self.outbind()
            under_test.wait_until(lambda: events.of(sent["id"], "delivered"),
                                  lambda: "delivered; " + self.daemon.log_tail())
            self.assertEqual(len(self.binds(smpp.BIND_RECEIVER)), round_number)
            self.assertEqual(self.counted("taken"), round_number)
            self.carrier.cut_outbinds()
            under_test.wait_until(lambda: self.daemon.carrier_status("north")["bound"] == 1,
                                  "its end was noticed")
        self.assertEqual(len(self.binds(smpp.BIND_TRANSMITTER)), 1)

    def test_a_transceiver_that_cannot_connect_is_bound_by_outbind_and_connects_again_later(self):
        gone = under_test.free_port()
        self.start(address=f"127.0.0.1:{gone}")
        self.outbind()
        self.daemon.wait_bound("north")
        self.assertEqual(self.binds(smpp.BIND_TRANSCEIVER), [smpp.BIND_TRANSCEIVER])
        sent = self.daemon.ask(to="+79160000001", text="Hello", **{"from": "SHOP"})
        self.assertEqual(sent["status"], "accepted", sent)
        under_test.wait_until(lambda: self.carrier.arrived(), "it was submitted")
        self.outbind()  # one more than there are binds
        self.wait_counted("unneeded")
        # It goes back to connecting: now somebody answers there.
        there = ScriptedCarrier(port=gone)
        self.addCleanup(there.close)
        self.carrier.cut_outbinds()
        under_test.wait_until(there.bound, "it connects by itself again")

    def test_a_trace_begins_with_the_outbind_a_refused_one_too(self):
        directory = under_test.new_directory()
        secret = os.path.join(directory, "smsc.secret")
        with open(os.open(secret, os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
            file.write(PASSWORD + "\n")
        self.start(binds={"transmitter": 1, "receiver": 1},
                   outbind={"connect": False, "password": None, "password_file": secret})
        self.daemon.wait_bound("north")
        with self.daemon.connect() as connection:
            connection.write_request(op="carrier", action="trace", name="north", seconds=30,
                                     lines=4)
            # A second one is refused, so the first is under way.
            under_test.wait_until(
                lambda: self.daemon.ask(op="carrier", action="trace", name="north",
                                        seconds=1)["error"]["code"] == "busy", "it is traced")
            self.outbind(password="hush-hsx")
            self.wait_counted("credentials")
            self.outbind()
            lines = [connection.read() for _ in range(5)]
        self.assertEqual([line.get("command") for line in lines],
                         ["outbind", "outbind", "bind_receiver", "bind_receiver_resp", None])
        for line in lines[:2]:
            self.assertEqual((line["way"], line["system_id"], line["password"]),
                             ("in", "SMSC", "***"), line)
            self.assertNotIn("bind", line)
        self.assertNotIn("hush", str(lines))

    def test_whoever_is_not_the_smsc_is_closed_and_the_carrier_goes_on(self):
        self.start(bind_timeout="2s", binds={"transmitter": 1, "receiver": 1},
                   outbind={"connect": False, "allow": ["127.0.0.1"]})
        self.daemon.wait_bound("north")
        self.assert_closed(self.stranger(source="127.0.0.2"))
        self.wait_counted("stranger")
        for said in ({"password": "hush-hsx"}, {"password": ""}, {"system_id": "SMSX"},
                     {"password": PASSWORD[:-1]}):
            body = "".join(({"system_id": "SMSC", "password": PASSWORD} | said)[key] + "\0"
                           for key in ("system_id", "password")).encode()
            self.assert_closed(self.stranger(smpp.pdu(smpp.OUTBIND, 0, 1, body)))
        self.wait_counted("credentials", 4)
        for octets in (b"GET / HTTP/1.1\r\n\r\n", smpp.pdu(smpp.ENQUIRE_LINK, 0, 1),
                       b"\0\1\0\0" + b"\0\0\0\x0b" + bytes(8),
                       smpp.pdu(smpp.OUTBIND, 0, 1, b"no end")):
            self.assert_closed(self.stranger(octets))
        self.wait_counted("malformed", 4)
        flood = [self.stranger() for _ in range(60)]
        self.wait_counted("crowded", 40)
        for stream in flood:  # those that were let in say nothing until their time is over
            self.assert_closed(stream)
        self.wait_counted("silent", 4)
        self.assertEqual(self.binds(smpp.BIND_RECEIVER), [])
        self.assertEqual(self.counted("taken"), 0)

        self.outbind()
        under_test.wait_until(lambda: self.binds(smpp.BIND_RECEIVER), "bound in the end")
        self.assertEqual(self.carrier_bound(), 2)
        self.assertEqual(self.daemon.stop(), 0)

    def carrier_bound(self):
        return under_test.wait_until(
            lambda: (bound := self.daemon.carrier_status("north")["bound"]) == 2 and bound,
            "both are bound")


if __name__ == "__main__":
    under_test.run_cases(__doc__)

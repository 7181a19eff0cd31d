#!/usr/bin/env python3
"""stentor-smsc itself, as a client of other authors sees it: Python's sockets and Python's TLS."""

import os
import shutil
import socket
import ssl
import struct
import subprocess
import unittest

import smpp_octets as smpp
import stentor_under_test as under_test
from carrier_simulator import CarrierSimulator


def make_certificates(directory):
    """A chain by the openssl program: an authority, a server and a client signed by it."""
    if not shutil.which("openssl"):
        raise unittest.SkipTest("the openssl program is not installed")

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)

    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *new_key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
            "-subj", "/CN=authority of a test")
    for name in ("server", "client"):
        openssl("req", *new_key, "-keyout", f"{name}.key", "-out", f"{name}.csr",
                "-subj", f"/CN={name}.example.net",
                "-addext", f"subjectAltName=DNS:{name}.example.net")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-days", "2", "-copy_extensions", "copy",
                "-out", f"{name}.pem")
    return lambda name: os.path.join(directory, name)


class Client:
    """An SMPP client that reads whole PDUs."""

    def __init__(self, address, context=None, name=None):
        host, port = address.rsplit(":", 1)
        self.stream = socket.create_connection((host, int(port)), timeout=under_test.PATIENCE)
        if context:
            self.stream = context.wrap_socket(self.stream, server_hostname=name)
        self.sequence = 0

    def take(self, count):
        octets = b""
        while len(octets) < count:
            more = self.stream.recv(count - len(octets))
            if not more:
                raise EOFError(f"{len(octets)} of {count} octets came")
            octets += more
        return octets

    def read(self):
        """(command, status, sequence, body)"""
        length, command, status, sequence = struct.unpack(">IIII", self.take(16))
        return command, status, sequence, self.take(length - 16)

    def ask(self, command, body=b""):
        """(status, body) of the response; what comes before it is passed over."""
        self.sequence += 1
        self.stream.sendall(smpp.pdu(command, 0, self.sequence, body))
        while True:
            answer, status, sequence, octets = self.read()
            if answer & smpp.RESPONSE and sequence == self.sequence:
                return status, octets

    def bind(self, command=smpp.BIND_TRANSCEIVER, version=0x34):
        body = (smpp.c_string("stentor") + smpp.c_string("secret") + smpp.c_string("")
                + bytes([version, 0, 0]) + smpp.c_string(""))
        status, body = self.ask(command, body)
        assert status == 0, status
        return body

    def close(self):
        self.stream.close()


def submit_body(to="79160000001", text=b"hello", registered=1, tlvs=b""):
    return (smpp.c_string("") + bytes([5, 0]) + smpp.c_string("SHOP")
            + bytes([1, 1]) + smpp.c_string(to) + bytes([0, 0, 0]) + b"\0\0"
            + bytes([registered, 0, 0, 0, len(text)]) + text + tlvs)


class Tls(unittest.TestCase):
    def setUp(self):
        self.directory = under_test.new_directory()
        self.file = make_certificates(self.directory)

    def simulator(self, **options):
        carrier = CarrierSimulator(self.directory, tls_cert=self.file("server.pem"),
                                   tls_key=self.file("server.key"), **options)
        self.addCleanup(carrier.process.kill)
        return carrier

    def context(self):
        return ssl.create_default_context(cafile=self.file("ca.pem"))

    def test_binds_and_messages_pass_a_verified_connection(self):
        carrier = self.simulator()
        client = Client(carrier.address, self.context(), "server.example.net")
        client.bind()
        many = 2000  # more than one TLS record in one write
        client.stream.sendall(b"".join(
            smpp.pdu(smpp.SUBMIT_SM, 0, 100 + n, submit_body(registered=0)) for n in range(many)))
        for n in range(many):
            command, status, sequence, _ = client.read()
            self.assertEqual((command, status, sequence),
                             (smpp.SUBMIT_SM | smpp.RESPONSE, 0, 100 + n))
        self.assertEqual(client.ask(smpp.UNBIND)[0], 0)
        self.assertEqual(client.stream.recv(1), b"")  # said goodbye: no SSLEOFError
        client.close()
        carrier.stop()
        notes = [line["detail"] for line in carrier.lines() if line["type"] == "tls"]
        self.assertEqual(notes, ["TLSv1.3 server.example.net"])
        self.assertEqual(len(carrier.arrivals()), many)

    def test_asks_for_a_certificate_of_its_authority(self):
        carrier = self.simulator(tls_client_ca=self.file("ca.pem"), tls_version="1.2")
        with self.assertRaises((ssl.SSLError, ConnectionError, EOFError)):
            Client(carrier.address, self.context(), "server.example.net").bind()
        context = self.context()
        context.load_cert_chain(self.file("client.pem"), self.file("client.key"))
        client = Client(carrier.address, context, "server.example.net")
        self.assertEqual(client.stream.version(), "TLSv1.2")
        client.bind()
        client.close()

    def test_survives_a_client_that_talks_plain_smpp(self):
        carrier = self.simulator()
        plain = Client(carrier.address)
        with self.assertRaises((ConnectionError, EOFError, struct.error)):
            plain.bind()
        client = Client(carrier.address, self.context(), "server.example.net")
        client.bind()
        client.close()
        carrier.stop()
        notes = [line["detail"] for line in carrier.lines() if line["type"] == "tls"]
        self.assertTrue(notes[0].startswith("failed: "), notes)

    def test_says_which_file_cannot_be_used(self):
        done = subprocess.run(
            [under_test.program("stentor-smsc"), "--listen", "127.0.0.1:0",
             "--tls-cert", self.file("server.pem"), "--tls-key", self.file("client.key")],
            capture_output=True, text=True, check=False, timeout=under_test.PATIENCE)
        self.assertEqual(done.returncode, 1)
        self.assertIn("client.key", done.stderr)


class CallingBack(unittest.TestCase):
    """stentord asks a carrier to call back what it has taken."""

    def test_a_taken_message_ends_as_cancelled(self):
        self.directory = under_test.new_directory()
        carrier = CarrierSimulator(self.directory, cancel="0", receipt_delay="60s")
        self.addCleanup(carrier.process.kill)
        daemon = under_test.Daemon([under_test.carrier("north", carrier.address)]).start()
        self.addCleanup(daemon.kill)
        daemon.wait_bound("north")
        events = under_test.EventFollower(daemon)
        self.addCleanup(events.close)
        reply = daemon.ask(op="send", to="+79160000001", text="long " * 60, **{"from": "SHOP"})
        events.wait_for(reply["id"], "sent")
        answer = daemon.ask(op="cancel", id=reply["id"], at_carrier=True)
        self.assertEqual((answer["state"], answer["at_carrier"]["cancelled"]), ("cancelled", 2),
                         answer)
        events.wait_for(reply["id"], "cancelled")
        daemon.stop()
        carrier.stop()
        asked = [line for line in carrier.lines() if line["type"] == "cancel_sm"]
        self.assertEqual(len(asked), 2)


if __name__ == "__main__":
    under_test.run_cases(__doc__)

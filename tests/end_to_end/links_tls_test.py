#!/usr/bin/env python3
"""TLS to carriers: who is let in, who is not, and why, over certificate chains made here.

One daemon has a carrier for each case; each must come to its own end, none may disturb another.
"""

import os
import select
import shutil
import socket
import ssl
import threading
import unittest

import stentor_under_test as under_test
from certificates import Authority, pin_of
from scripted_carrier import Answer, ScriptedCarrier

HOST = "smsc.carrier.test"


def server_context(chain, key, *, client_ca=None, only=None, weak=False):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if weak:
        context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(chain, key)
    if client_ca:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    if only:
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = only
    context.names_asked_for = []  # by SNI; None: a connection that named none
    context.sni_callback = lambda stream, name, context: context.names_asked_for.append(name)
    return context


class TlsFront:
    """Speaks TLS to stentor and hands the octets on to a plain carrier, one thread a connection."""

    def __init__(self, context, carrier):
        self.carrier = carrier
        self.context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def binds(self):
        return self.carrier.binds

    def close(self):
        self._listener.close()
        self.carrier.close()

    def _accept(self):
        while True:
            try:
                stream, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(stream,), daemon=True).start()

    def _serve(self, raw):
        raw.settimeout(10)
        try:
            with self.context.wrap_socket(raw, server_side=True) as near, \
                    socket.create_connection(("127.0.0.1", self.carrier.port)) as far:
                while True:
                    ready = [near] if near.pending() else select.select([near, far], [], [])[0]
                    for source, sink in ((near, far), (far, near)):
                        if source in ready:
                            octets = source.recv(65536)
                            if not octets:
                                return  # TCP ends, and TLS has said nothing
                            sink.sendall(octets)
        except (OSError, ValueError):
            raw.close()


class _Raw:
    """A listener that answers each connection by `what(stream)` and closes it."""

    def __init__(self, what):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, args=(what,), daemon=True).start()

    def _serve(self, what):
        while True:
            try:
                stream, _ = self._listener.accept()
            except OSError:
                return
            with stream:
                stream.settimeout(5)
                try:
                    what(stream)
                except OSError:
                    pass

    def close(self):
        self._listener.close()


def garbage(stream):
    stream.recv(4096)
    stream.sendall(b"SSH-2.0-OpenSSH_9.2\r\n" * 20)


def plain_smpp(stream):
    stream.sendall(b"\0\0\0\x10\0\0\0\x15\0\0\0\0\0\0\0\x01" * 3)  # enquire_link
    stream.recv(4096)


def half_a_hello(stream):
    stream.recv(4096)
    stream.sendall(b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03" + b"\x55" * 20)


class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = under_test.new_directory()
        cls.ours = Authority(cls.directory, "ours")
        cls.others = Authority(cls.directory, "others")
        name = [f"DNS:{HOST}"]
        chain, key = cls.good = cls.ours.leaf("good", name)
        client = cls.ours.leaf("client", ["DNS:client"], usage="clientAuth")
        good = server_context(chain, key)
        wants_client = server_context(chain, key, client_ca=cls.ours.root)
        leaf = cls.ours.leaf
        # carrier: (server, what the configuration adds, what show must say; None: it binds)
        cls.cases = {
            "good": (good, {}, None),
            "by-address": (server_context(*leaf("address", ["IP:127.0.0.1"])),
                           {"host": "127.0.0.1"}, None),
            "whole-wildcard": (server_context(*leaf("wild", ["DNS:*.carrier.test"])), {}, None),
            "pinned": (good, {"pin": ["A" * 43 + "=", pin_of(chain)]}, None),
            "client-shown": (wants_client, {"cert": client[0], "key": client[1]}, None),
            "wrong-pin": (good, {"pin": "A" * 43 + "="}, "none of the pins"),
            "no-client": (wants_client, {}, "certificate required"),
            "expired": (server_context(*leaf("expired", name, end="20210101000000Z")), {},
                        "certificate has expired"),
            "too-early": (server_context(*leaf("early", name, start="20340101000000Z")), {},
                          "not yet valid"),
            "wrong-host": (server_context(*leaf("other", ["DNS:other.carrier.test"])), {},
                           "hostname mismatch"),
            "wrong-address": (good, {"host": "127.0.0.1"}, "IP address mismatch"),
            "partial-wildcard": (server_context(*leaf("part", ["DNS:sm*.carrier.test"])), {},
                                 "hostname mismatch"),
            "deep-wildcard": (server_context(*leaf("deep", ["DNS:*.test"])), {},
                              "hostname mismatch"),
            "unknown-ca": (server_context(*cls.others.leaf("good", name)), {},
                           "unable to get local issuer"),
            "self-signed": (server_context(*cls.ours.self_signed("alone", name[0])), {},
                            "self-signed"),
            "weak-key": (server_context(*leaf("weak", name, bits=1024), weak=True), {}, "tls:"),
            "tls-1-1": (server_context(chain, key, only=ssl.TLSVersion.TLSv1_1), {}, "tls:"),
            "tls-1-2": (server_context(chain, key, only=ssl.TLSVersion.TLSv1_2), {}, None),
            "garbage": (garbage, {}, "tls:"),
            "half-a-hello": (half_a_hello, {}, "tls:"),
            "no-tls": (plain_smpp, {}, "tls:"),
        }
        cls.servers, carriers = {}, []
        for case, (server, more, _) in cls.cases.items():
            cls.servers[case] = (_Raw(server) if callable(server) else
                                 TlsFront(server, ScriptedCarrier()))
            more = dict(more)
            address = f"{more.pop('host', HOST)}:{cls.servers[case].port}"
            carriers.append(under_test.carrier(case, address, tls=True, ca=cls.ours.root, **more))
        hosts = os.path.join(cls.directory, "hosts")
        with open(hosts, "w") as file:
            file.write(f"127.0.0.1 localhost {HOST}\n")
        cls.daemon = under_test.Daemon(carriers)
        # A mount namespace of its own, so that the name can be looked up and nothing else changes.
        cls.daemon.prefix = ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                             f'mount --bind "{hosts}" /etc/hosts && exec "$@"', "sh"]
        cls.daemon.start()

    @classmethod
    def tearDownClass(cls):
        status = cls.daemon.stop()
        for server in cls.servers.values():
            server.close()
        assert status == 0, cls.daemon.log_tail()

    def shown(self, case):
        return self.daemon.ask(op="carrier", action="show", name=case)

    def errors(self, case):
        return " | ".join(e["what"] for b in self.shown(case)["bind_list"] for e in b["last_errors"])

    def test_who_is_who_he_says_is_let_in_and_nobody_else(self):
        for case, (_, _, refusal) in self.cases.items():
            with self.subTest(case):
                if refusal is None:
                    under_test.wait_until(lambda: self.shown(case)["bound"] == 1,
                                          lambda: f"{case} binds; {self.errors(case)}", 10)
                    continue
                under_test.wait_until(lambda: refusal in self.errors(case),
                                      lambda: f"{refusal}; {self.errors(case)}", 15)
                self.assertEqual(self.shown(case)["bound"], 0)
                server = self.servers[case]
                self.assertEqual(getattr(server, "binds", []), [], "a password went out")

    def test_a_host_is_asked_for_by_its_name_and_an_address_by_none(self):
        for case, name in (("whole-wildcard", HOST), ("by-address", None)):
            with self.subTest(case):
                self.daemon.wait_bound(case)
                self.assertEqual(set(self.servers[case].context.names_asked_for), {name})

    def test_messages_go_and_receipts_come(self):
        self.daemon.wait_bound("good")
        follower = under_test.EventFollower(self.daemon)
        reply = self.daemon.ask(op="send", to="+79160000001", **{"from": "SHOP"}, text="T" * 300,
                                carrier="good")
        follower.wait_for(reply["id"], "delivered")
        follower.close()

    def test_the_end_of_a_certificate_is_a_metric(self):
        self.daemon.wait_bound("good")
        _, page = self.daemon.http("/metrics")
        line = next(l for l in page.splitlines()
                    if l.startswith('stentor_tls_certificate_expiry_seconds{carrier="good"'))
        self.assertGreater(float(line.split()[-1]), 365 * 86400)

    def test_a_connection_cut_without_goodbye_is_an_error_and_leaves_doubt(self):
        case = "tls-1-2"
        server = self.servers[case]
        self.daemon.wait_bound(case)
        cut_once = []

        def script(submit, attempt):
            if not cut_once:
                cut_once.append(True)
                return Answer(hang_up=True)  # closes TCP; TLS says nothing
            return Answer()

        server.carrier.script = script
        follower = under_test.EventFollower(self.daemon, consumer="doubt")
        reply = self.daemon.ask(op="send", to="+79160000002", **{"from": "SHOP"}, text="x",
                                carrier=case)
        follower.wait_for(reply["id"], "delivered")
        events = follower.of(reply["id"])
        follower.close()
        self.assertTrue(any(e.get("possible_duplicate") for e in events), events)
        self.assertIn("connection lost", self.errors(case))

    def test_a_file_that_openssl_cannot_use_is_named_at_the_start(self):
        broken = os.path.join(self.directory, "broken.pem")
        with open(broken, "w") as file:
            file.write("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")
        daemon = under_test.Daemon([under_test.carrier("north", "127.0.0.1:1", tls=True,
                                                       ca=broken)])
        status, printed = daemon.start_and_fail()
        self.assertNotEqual(status, 0)
        self.assertIn("broken.pem", printed)


class SystemAuthorities(unittest.TestCase):
    """Carriers without `ca`: who is verified, and by whom, when nobody said so."""

    def setUp(self):
        directory = under_test.new_directory()
        self.ours, others = Authority(directory, "ours"), Authority(directory, "others")
        self.fronts = {}
        for name, authority in (("ours", self.ours), ("others", others)):
            chain = authority.leaf("server", ["IP:127.0.0.1"])
            self.fronts[name] = TlsFront(server_context(*chain), ScriptedCarrier())
            self.addCleanup(self.fronts[name].close)

    def start(self, **believed):
        """The daemon, where OpenSSL's own variables say this and no more."""
        daemon = under_test.Daemon([
            under_test.carrier(name, f"127.0.0.1:{front.port}", tls=True)
            for name, front in self.fronts.items()])
        environment = {name: value for name, value in os.environ.items()
                       if name not in ("SSL_CERT_FILE", "SSL_CERT_DIR")}
        daemon.process_options = {"env": {**environment, **believed}}
        self.addCleanup(daemon.kill)
        return daemon.start()

    def assert_refused(self, daemon, name):
        def errors():
            shown = daemon.ask(op="carrier", action="show", name=name)
            return " | ".join(e["what"] for b in shown["bind_list"] for e in b["last_errors"])
        under_test.wait_until(lambda: "unable to get local issuer" in errors(),
                              lambda: f"{name} is refused: {errors()}")
        self.assertEqual(daemon.carrier_status(name)["bound"], 0)
        self.assertEqual(self.fronts[name].binds, [], "a password went out")

    def test_a_chain_of_an_unknown_authority_is_refused(self):
        daemon = self.start()
        for name in self.fronts:
            self.assert_refused(daemon, name)
        self.assertEqual(daemon.stop(), 0, daemon.log_tail())

    def test_an_authority_that_the_system_believes_is_believed_and_no_other(self):
        daemon = self.start(SSL_CERT_FILE=self.ours.root)
        daemon.wait_bound("ours")
        self.assert_refused(daemon, "others")
        self.assertEqual(daemon.stop(), 0, daemon.log_tail())


class Renewal(unittest.TestCase):
    """Certificates that change while the daemon runs."""

    def test_the_next_connection_goes_by_the_files_as_they_are_now(self):
        directory = under_test.new_directory()
        ours, others = Authority(directory, "ours"), Authority(directory, "others")
        server = server_context(*ours.leaf("server", ["IP:127.0.0.1"]), client_ca=ours.root)
        front = TlsFront(server, ScriptedCarrier())
        self.addCleanup(front.close)
        cert, key = os.path.join(directory, "now.pem"), os.path.join(directory, "now.key")

        def install(pair):
            for source, target in zip(pair, (cert, key)):
                shutil.copy(source, target + ".new")
                os.chmod(target + ".new", 0o600)
                os.replace(target + ".new", target)

        install(others.leaf("stranger", ["DNS:client"], usage="clientAuth"))
        daemon = under_test.Daemon([under_test.carrier(
            "north", f"127.0.0.1:{front.port}", tls=True, ca=ours.root, cert=cert, key=key)]).start()
        self.addCleanup(daemon.kill)
        under_test.wait_until(lambda: daemon.carrier_status("north")["last_error"],
                              "a stranger is refused")
        self.assertEqual(daemon.carrier_status("north")["bound"], 0)
        self.assertEqual(front.binds, [])
        # In the middle of a change the two do not fit together: the old ones serve on.
        os.replace(shutil.copy(ours.leaf("half", ["DNS:client"], usage="clientAuth")[0],
                               cert + ".new"), cert)
        under_test.wait_until(lambda: "files have changed and cannot be used" in daemon.log(),
                              "that the files do not fit is told", 60)
        install(ours.leaf("client", ["DNS:client"], usage="clientAuth"))
        daemon.wait_bound("north", 60)
        self.assertIn("files have changed and were read again", daemon.log())


if __name__ == "__main__":
    if os.geteuid() != 0:
        under_test.skip("a name for the carrier needs a mount namespace, and that needs root")
    under_test.run_cases(__doc__.splitlines()[0])

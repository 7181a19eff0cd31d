#!/usr/bin/env python3
"""HTTP callbacks against a real server: signed, in order, tried again, given up, never in the way."""

import hashlib
import hmac
import http.server
import json
import os
import pwd
import shutil
import socket
import ssl
import subprocess
import threading
import time
import unittest

import smpp_octets as smpp
import stentor_under_test as under_test
from scripted_carrier import ScriptedCarrier

SECRET = "a secret of the test"


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    # A connection that finds no place is tried again after a second: none is to wait for that here.
    request_queue_size = 128


class Endpoint:
    """An HTTP server that keeps what was posted; `play(path)` answers (status, headers, body), the
    body as octets, or in pieces of which nobody says how many there are.

    Events come at least once: whoever counts them counts each once.
    """

    def __init__(self, play=None):
        self.posts = []  # (path, headers, body)
        self.play = play or (lambda path: (200, {}, b""))
        endpoint = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):  # the name that http.server calls
                octets = int(self.headers["Content-Length"])
                try:
                    body = self.rfile.read(octets)
                except OSError:
                    body = b""
                if len(body) < octets:
                    return  # who posted it was killed over it
                endpoint.posts.append((self.path, dict(self.headers), body))
                try:
                    status, headers, answer = endpoint.play(self.path)
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    if isinstance(answer, bytes):
                        self.send_header("Content-Length", str(len(answer)))
                        answer = [answer]
                    else:
                        self.send_header("Connection", "close")  # which send_header heeds
                    self.end_headers()
                    for piece in answer:
                        self.wfile.write(piece)
                except OSError:
                    self.close_connection = True

            def log_message(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def events(self, since=0):
        """What was posted, each event once, in the order in which it came first."""
        events = {}
        for _, _, body in list(self.posts)[since:]:
            for event in json.loads(body)["events"]:
                events.setdefault(event["cursor"], event)
        return list(events.values())

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Callbacks(unittest.TestCase):
    """Each case has a daemon of its own: what is tested is its configuration."""

    def setUp(self):
        self.carrier = ScriptedCarrier()
        self.endpoint = Endpoint()
        self.daemon = under_test.Daemon([under_test.carrier("north", self.carrier.address)],
                                        tables={"callbacks": {"allow": ["127.0.0.0/8", "::1/128"]}})
        with open(self.daemon.config_path, encoding="utf-8") as file:
            self.config = file.read()

    def tearDown(self):
        if self.daemon.process and self.daemon.is_running():
            self.assertEqual(self.daemon.stop(), 0, self.daemon.log_tail())
        self.carrier.close()
        self.endpoint.close()

    def start(self, **callback):
        me = pwd.getpwuid(os.geteuid()).pw_name
        callback = {"url": self.endpoint.url + "/hook", "timeout": "60s", **callback}
        self.daemon.write_config_text(
            self.config + f'\n[[client]]\nname = "crm"\nusers = ["{me}"]\n'
            f'roles = ["submit", "observe"]\ncallback = {under_test.toml(callback)}\n')
        self.daemon.start()
        self.daemon.wait_bound("north")

    def send(self, **more):
        reply = self.daemon.ask(**{"op": "send", "to": "+79161234567", "text": "Hello",
                                   "from": "SHOP", **more})
        self.assertEqual(reply["status"], "accepted", reply)
        return reply["id"]

    def wait_delivered(self, message_id):
        under_test.wait_until(lambda: self.daemon.ask(op="message", id=message_id)["state"]
                              == "delivered", "the message is delivered")

    def types_of(self, message_id):
        return [e["type"] for e in self.endpoint.events() if e["id"] == message_id]

    def wait_failure(self, *words):
        """The target, once a request failed and its error has one of the words."""
        return under_test.wait_until(
            lambda: [t for t in self.figures()["targets"] if t["failed_requests"]
                     and any(word in t["last_error"] for word in words)],
            lambda: f"a failure with {words} in {self.figures()}")[0]

    def figures(self):
        return self.daemon.ask(op="callbacks")

    def test_events_come_signed_in_order_with_headers_and_places_filled_in(self):
        self.start(url=self.endpoint.url + "/hook/{client}?type={type}&ref={ref}", secret=SECRET,
                   headers={"Authorization": "Bearer t"})
        message_id = self.send(ref="o 1&", meta={"step": 3})
        under_test.wait_until(lambda: len(self.types_of(message_id)) == 4, "four events")
        self.assertEqual(self.types_of(message_id), ["part", "sent", "receipt", "delivered"])
        path, headers, body = next(post for post in reversed(self.endpoint.posts)
                                   if b'"type":"delivered"' in post[2])
        self.assertEqual(path, "/hook/crm?type=delivered&ref=o%201%26")
        self.assertEqual(headers["Authorization"], "Bearer t")
        self.assertEqual(headers["Content-Type"], "application/json")
        stamp, mac = headers["Stentor-Signature"].split(",")
        expected = hmac.new(SECRET.encode(), stamp[2:].encode() + b"." + body, hashlib.sha256)
        self.assertEqual(mac, "v1=" + expected.hexdigest())
        self.assertLess(abs(int(stamp[2:]) - time.time()), 30)
        event = json.loads(body)["events"][0]
        self.assertEqual((event["ref"], event["meta"]), ("o 1&", {"step": 3}))

    def test_many_events_share_a_request_and_campaigns_have_their_own_place(self):
        other = Endpoint()
        self.addCleanup(other.close)
        gate = threading.Event()  # until it opens, what is in flight holds up the rest
        self.addCleanup(gate.set)
        self.endpoint.play = lambda path: (200, {}, b"") if gate.wait(300) else (500, {}, b"")
        self.start(types=["delivered"], campaigns={"spring": other.url + "/spring"}, timeout="300s")
        ids = [self.send(to=f"+7916{i:07d}") for i in range(200)]
        spring = self.send(campaign="spring")
        for message_id in ids:
            self.wait_delivered(message_id)
        gate.set()
        under_test.wait_until(lambda: len(self.endpoint.events()) == 200, "all events")
        self.assertEqual({e["id"] for e in self.endpoint.events()}, set(ids))
        self.assertLess(len(self.endpoint.posts), 200)
        under_test.wait_until(other.events, "the campaign's event")
        self.assertEqual([(e["id"], e["type"]) for e in other.events()], [(spring, "delivered")])

    def test_a_failure_is_tried_again_and_a_kill_loses_nothing(self):
        self.endpoint.play = lambda path: (503, {}, b"")
        self.start(types=["delivered"])
        message_id = self.send()
        under_test.wait_until(lambda: self.endpoint.posts, "a first try")
        self.daemon.kill()
        self.endpoint.play = lambda path: (200, {}, b"")
        tries = len(self.endpoint.posts)
        self.daemon.start()
        under_test.wait_until(lambda: len(self.endpoint.posts) > tries, "another try")
        self.assertEqual(set(self.types_of(message_id)), {"delivered"})
        under_test.wait_until(lambda: self.figures()["targets"][0]["waiting"] == 0, "all taken")
        self.daemon.kill()
        posts = len(self.endpoint.posts)
        self.daemon.start()
        second = self.send()
        under_test.wait_until(lambda: self.types_of(second), "the next event")
        # An acknowledgement that the kill overtook costs one repetition, no more.
        again = [body for _, _, body in self.endpoint.posts[posts:] if message_id.encode() in body]
        self.assertLessEqual(len(again), 1)

    def test_what_nobody_takes_in_time_is_given_up_counted_and_listed(self):
        self.endpoint.play = lambda path: (500, {}, b"")
        # Long enough for the one that is taken, on a slow machine too.
        self.start(types=["delivered"], give_up_after="6s")
        self.send()
        dead = under_test.wait_until(lambda: self.figures()["dead"], "a dead letter")
        self.assertEqual((dead[0]["client"], dead[0]["target"], dead[0]["reason"]),
                         ("crm", "@callback", "HTTP status 500"))
        self.assertIn('stentor_callback_events_total{client="crm",target="@callback",'
                      'outcome="dead"} 1', self.daemon.http("/metrics")[1])
        shown = subprocess.run([under_test.program("stentorctl"), "--socket",
                                self.daemon.socket_path, "callbacks"], capture_output=True,
                               text=True, timeout=60, check=True).stdout
        self.assertIn("HTTP status 500", shown)
        self.endpoint.play = lambda path: (200, {}, b"")
        second = self.send()
        under_test.wait_until(lambda: self.types_of(second), "the next one is posted")
        self.daemon.kill()
        self.daemon.start()
        self.assertEqual([d["cursor"] for d in self.figures()["dead"]].count(dead[0]["cursor"]), 1)

    def test_ten_megabytes_of_answer_are_cut_and_their_status_counts(self):
        self.endpoint.play = lambda path: (200, {}, b"x" * 10_000_000)
        self.start(types=["delivered"])
        first = self.send()
        under_test.wait_until(lambda: self.figures()["targets"][0]["posted"] >= 1, "it counts")
        self.assertEqual(self.types_of(first), ["delivered"])
        self.assertLess(self.daemon.status()["memory_octets"], 200 << 20)

    def test_an_answer_that_never_ends_is_cut_and_its_status_counts(self):
        cut = threading.Event()

        def for_ever():
            try:
                while True:
                    yield b"x" * 4096
            finally:
                cut.set()  # the connection took no more

        self.endpoint.play = lambda path: (200, {}, for_ever())
        self.start(types=["delivered"], timeout="300s")
        first = self.send()
        under_test.wait_until(cut.is_set, "it is cut", patience=100.0)
        under_test.wait_until(lambda: self.figures()["targets"][0]["posted"] >= 1, "it counts")
        self.assertEqual(self.types_of(first), ["delivered"])
        self.assertLess(self.daemon.status()["memory_octets"], 200 << 20)

    def test_a_redirect_is_not_followed(self):
        self.endpoint.play = lambda path: (302, {"Location": self.endpoint.url + "/round"}, b"")
        self.start(types=["delivered"])
        self.send()
        target = self.wait_failure("HTTP")
        self.assertEqual(target["last_error"], "HTTP status 302: redirects are not followed")
        self.assertEqual({path for path, _, _ in self.endpoint.posts}, {"/hook"})

    def test_an_endpoint_that_never_answers_times_out_and_slows_nothing(self):
        asleep = threading.Event()
        self.addCleanup(asleep.set)

        def never(_):
            asleep.wait(600)
            return 200, {}, b""

        self.endpoint.play = never
        self.start(timeout="1s")
        for i in range(100):
            message_id = self.send(to=f"+7916{i:07d}")
        self.wait_delivered(message_id)
        target = self.wait_failure("imeout")
        self.assertEqual(target["posted"], 0)  # while nothing was ever answered, all was delivered

    def test_beside_an_endpoint_that_never_answers_all_is_delivered_with_few_requests_open(self):
        messages, in_flight = 4000, 3  # four events each: more than may wait for a client
        gate, lock, now, most = threading.Event(), threading.Lock(), [0], [0]
        self.addCleanup(gate.set)

        def never(_):
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            gate.wait(600)
            with lock:
                now[0] -= 1
            return 200, {}, b""

        self.endpoint.play = never
        self.config = self.config.replace("[callbacks]", f"[callbacks]\nin_flight = {in_flight}")
        self.start(timeout="300s", batch=1,
                   campaigns={c: self.endpoint.url + "/" + c for c in "abc"})
        with self.daemon.connect(60.0) as connection:
            for start in range(0, messages, 500):
                for i in range(start, start + 500):
                    connection.write_request(to=f"+7916{i:07d}", text="Hello",
                                             campaign="abc"[i % 3], **{"from": "SHOP"})
                self.assertEqual({connection.read()["status"] for _ in range(500)}, {"accepted"})
        under_test.wait_until(lambda: self.daemon.status()["delivered"] == messages,
                              lambda: f"all is delivered: {self.daemon.status()}")
        self.assertEqual(len(self.carrier.arrivals), messages)  # each once: nobody timed out
        under_test.wait_until(lambda: now[0] == in_flight, "as many as may be")
        for target in self.figures()["targets"]:
            self.assertEqual((target["posted"], target["dead"]), (0, 0))
            self.assertLessEqual(target["waiting"], 10_000)
        self.assertEqual(most[0], in_flight)

    def test_private_addresses_are_refused_unless_allowed(self):
        self.config = self.config.replace('allow = ["127.0.0.0/8", "::1/128"]', "allow = []")
        self.start(url=self.endpoint.url.replace("127.0.0.1", "localhost"))
        self.send()
        self.wait_failure("its address is private")
        self.assertEqual(self.endpoint.posts, [])

    def speak_tls(self, name):
        """With a certificate for `name` that nobody has signed: where it lies."""
        if not shutil.which("openssl"):
            self.skipTest("openssl is not there to make a certificate")
        folder = self.daemon.directory
        made = subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
             f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout",
             f"{folder}/key.pem", "-out", f"{folder}/cert.pem"], capture_output=True, check=False)
        if made.returncode:
            self.skipTest("openssl makes no certificate here")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{folder}/cert.pem", f"{folder}/key.pem")
        self.endpoint.server.socket = context.wrap_socket(self.endpoint.server.socket,
                                                          server_side=True)
        return f"{folder}/cert.pem"

    def believe(self, certificate):
        self.config = self.config.replace("[callbacks]", f'[callbacks]\nca = "{certificate}"')

    def test_a_certificate_for_another_name_is_refused_whoever_vouches_for_it(self):
        certificate = self.speak_tls("elsewhere.example")
        # Whoever does not look at the name takes it: nothing else is wrong with it.
        careless = ssl.create_default_context(cafile=certificate)
        careless.check_hostname = False
        with socket.create_connection(self.endpoint.server.server_address, timeout=60) as plain:
            careless.wrap_socket(plain).close()
        self.believe(certificate)
        self.start(url=f"https://localhost:{self.endpoint.server.server_port}/hook",
                   types=["delivered"])
        self.send()
        target = self.wait_failure("certificate")
        self.assertEqual((self.endpoint.posts, target["posted"]), ([], 0))

    def test_a_certificate_nobody_vouches_for_is_refused(self):
        certificate = self.speak_tls("localhost")
        url = f"https://localhost:{self.endpoint.server.server_port}/hook"
        self.start(url=url, types=["delivered"])
        self.send()
        self.wait_failure("certificate")
        self.assertEqual(self.daemon.stop(), 0, self.daemon.log_tail())
        self.believe(certificate)
        self.start(url=url, types=["delivered"])
        second = self.send()
        under_test.wait_until(lambda: self.types_of(second), "its own authority is believed")

    def test_a_message_has_its_events_posted_where_it_says_and_nowhere_else(self):
        own, dead = Endpoint(), Endpoint(lambda path: (503, {}, b""))
        self.addCleanup(own.close)
        self.addCleanup(dead.close)
        self.start(secret=SECRET, types=["sent", "delivered"],
                   campaigns={"spring": self.endpoint.url + "/spring"})
        stays = self.send(callback=dead.url + "/dead")
        under_test.wait_until(lambda: dead.posts, "the dead host is tried")
        # A host that fails is no other host's concern.
        ids = [self.send(callback=own.url + "/{ref}?type={type}", ref=f"m-{i}", campaign="spring")
               for i in range(3)]
        theirs = self.send()
        under_test.wait_until(lambda: len(own.events()) == 6, "the events of three messages")
        self.assertEqual({e["id"] for e in own.events()}, set(ids))
        self.assertLessEqual({path for path, _, _ in own.posts},
                             {f"/m-{i}?type={t}" for i in range(3) for t in ("sent", "delivered")})
        _, headers, body = own.posts[0]
        stamp, mac = headers["Stentor-Signature"].split(",")
        expected = hmac.new(SECRET.encode(), stamp[2:].encode() + b"." + body, hashlib.sha256)
        self.assertEqual(mac, "v1=" + expected.hexdigest())
        under_test.wait_until(lambda: len(self.types_of(theirs)) == 2, "the client's own URL")
        self.assertEqual({e["id"] for e in self.endpoint.events()}, {theirs})
        target = next(t for t in self.figures()["targets"] if t["target"] == "@callback")
        self.assertEqual((target["waiting"] >= 2, target["last_error"]), (True, "HTTP status 503"))
        self.daemon.kill()
        dead.play = lambda path: (200, {}, b"")
        tried = len(dead.posts)
        self.daemon.start()
        under_test.wait_until(lambda: len(dead.events(tried)) == 2, "it is tried after the kill")
        self.assertEqual({e["id"] for e in dead.events()}, {stays})

    def test_one_event_that_nobody_takes_holds_up_no_number_of_others(self):
        dead = Endpoint(lambda path: (503, {}, b""))
        self.addCleanup(dead.close)
        self.start(types=["sent", "delivered"])
        self.send(callback=dead.url + "/dead")
        under_test.wait_until(lambda: dead.posts, "the dead host is tried")
        numbers = [f"+7916{i:07d}" for i in range(5_100)]  # two events each: more than the window
        for begin in range(0, len(numbers), 100):
            reply = self.daemon.ask(op="send", to=numbers[begin:begin + 100], text="Hello",
                                    **{"from": "SHOP"})
            self.assertNotIn("error", reply)
        under_test.wait_until(
            lambda: len({(e["id"], e["type"]) for e in self.endpoint.events()}) == 2 * len(numbers),
            lambda: f"all is posted: {self.figures()}", 90)
        target = next(t for t in self.figures()["targets"] if t["target"] == "@callback")
        self.assertEqual((target["waiting"], target["dead"]), (2, 0))

    def let_files_go_soon(self):
        self.config = self.config.replace(
            "[journal]", '[journal]\nretention = "1s"\nretention_size = "1MiB"')
        self.config += '\n[queue]\nguard = "1s"\n'

    def send_until_a_file_is_gone(self):
        """The ids of what was sent, each delivered."""
        ids = []

        def has_gone():
            # Some files' worth, and fewer than wait in memory, however fast this machine is.
            if len(ids) < 8_000:
                send_some()
            return not self.daemon.journal_files()[0].endswith("00000001.stj")

        def send_some():
            reply = self.daemon.ask(op="send", text="x" * 600, **{"from": "SHOP"},
                                    to=[f"+7916{len(ids) + i:07d}" for i in range(100)])
            ids.extend(one["id"] for one in reply["messages"])
            under_test.wait_until(lambda: self.daemon.status()["live"] == 0, "all is delivered")

        under_test.wait_until(has_gone, "the first file is gone", patience=90)
        return ids

    def test_retention_takes_files_that_are_posted_and_nothing_of_them_is_dead(self):
        self.let_files_go_soon()
        self.start(types=["delivered"])
        ids = self.send_until_a_file_is_gone()
        under_test.wait_until(lambda: {e["id"] for e in self.endpoint.events()} == set(ids),
                              "all is posted")
        self.assertEqual([t["dead"] for t in self.figures()["targets"]], [0])

    def test_what_waited_in_memory_alone_when_the_daemon_was_killed_is_dead_and_told(self):
        self.let_files_go_soon()
        self.endpoint.play = lambda path: (503, {}, b"")
        self.start(types=["delivered"])
        ids = self.send_until_a_file_is_gone()
        under_test.wait_until(lambda: sum(t["waiting"] for t in self.figures()["targets"])
                              == len(ids),
                              lambda: f"all {len(ids)} wait in memory: {self.figures()}")
        self.daemon.kill()
        self.endpoint.play = lambda path: (200, {}, b"")
        self.endpoint.posts.clear()
        self.daemon.start()
        target = under_test.wait_until(lambda: self.figures()["targets"], "its figures")[0]
        self.assertGreater(target["dead"], 0)

        def told():
            return len({e["id"] for e in self.endpoint.events()}) + target["dead"]

        under_test.wait_until(lambda: told() >= len(ids), lambda: f"{len(ids)}: {self.figures()}")
        self.assertEqual(told(), len(ids), "each is posted or dead")
        self.assertEqual([d["reason"] for d in self.figures()["dead"]],
                         [f"retention took {target['dead']} events, and a restart the memory that "
                          "they waited in"])
        # Once this is accepted, all that was written before it is durable.
        reply = self.daemon.ask(op="send", text="x", to="+79169999999", **{"from": "SHOP"})
        self.assertEqual(reply["status"], "accepted", reply)
        self.daemon.kill()
        self.daemon.start()
        under_test.wait_until(lambda: self.figures()["targets"], "its figures")
        self.assertEqual([t["dead"] for t in self.figures()["targets"]], [0], "told once")

    def test_what_a_message_says_is_given_up_as_the_clients_is(self):
        self.endpoint.play = lambda path: (500, {}, b"")
        self.start(url=self.endpoint.url, types=["delivered"], give_up_after="1s")
        self.send(callback=self.endpoint.url + "/own")
        dead = under_test.wait_until(lambda: self.figures()["dead"], "a dead letter")
        self.assertEqual((dead[0]["client"], dead[0]["target"], dead[0]["reason"]),
                         ("crm", "@callback", "HTTP status 500"))

    def test_urls_of_messages_are_checked_and_need_leave(self):
        self.config = self.config.replace('allow = ["127.0.0.0/8", "::1/128"]', "allow = []")
        self.start(types=["delivered"])
        self.send(callback=self.endpoint.url + "/own")
        self.wait_failure("its address is private")
        self.assertEqual(self.endpoint.posts, [])
        send = {"op": "send", "to": "+79161234567", "text": "x", "from": "SHOP"}
        for wrong in ("ftp://example.net/", "https://{to}/", "https://a@example.net/", "x" * 600):
            self.assertEqual(self.daemon.ask(**send, callback=wrong)["error"]["code"], "bad_field")
        self.assertEqual(self.daemon.stop(), 0, self.daemon.log_tail())
        self.daemon.write_config_text(self.config)  # no client, no callback
        self.daemon.start()
        self.assertEqual(self.daemon.ask(**send, callback="https://example.net/")["error"]["code"],
                         "not_permitted")

    def test_requests_to_one_host_are_bounded_whoever_names_it(self):
        gate, lock, now, most = threading.Event(), threading.Lock(), [0], [0]
        self.addCleanup(gate.set)

        def play(_):
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            gate.wait(300)
            with lock:
                now[0] -= 1
            return 200, {}, b""

        self.endpoint.play = play
        self.config = self.config.replace("[callbacks]", "[callbacks]\nin_flight = 3")
        self.start(types=["delivered"], batch=1, timeout="300s",
                   campaigns={c: self.endpoint.url + "/" + c for c in ("a", "b", "c")})
        ids = [self.send(campaign=campaign) for campaign in ("a", "b", "c") for _ in range(3)]
        ids += [self.send(callback=self.endpoint.url + f"/own/{i}") for i in range(6)]
        ids.append(self.send())
        for message_id in ids:
            self.wait_delivered(message_id)
        under_test.wait_until(lambda: now[0] == 3, "as many as may be")
        time.sleep(1)  # a fourth would come at once
        self.assertEqual(most[0], 3)
        gate.set()
        under_test.wait_until(lambda: {e["id"] for e in self.endpoint.events()} == set(ids),
                              "all is posted")
        self.assertEqual(most[0], 3)

    def test_the_backlog_of_one_starves_no_other_of_the_same_host(self):
        gate = threading.Event()
        self.addCleanup(gate.set)

        def play(_):
            gate.wait(300)
            return 200, {}, b""

        self.endpoint.play = play
        self.config = self.config.replace("[callbacks]", "[callbacks]\nin_flight = 1")
        self.start(types=["delivered"], batch=1, timeout="300s",
                   campaigns={c: self.endpoint.url + "/" + c for c in ("a", "b", "c")})
        ids = [self.send(campaign=campaign) for campaign in "aaaaaaaabbbbbbbbcc"]
        for message_id in ids:
            self.wait_delivered(message_id)
        under_test.wait_until(lambda: sum(t["waiting"] for t in self.figures()["targets"]) == 18,
                              "all wait for their turns")
        gate.set()
        under_test.wait_until(lambda: {e["id"] for e in self.endpoint.events()} == set(ids),
                              "all is posted")
        paths = [path for path, _, _ in self.endpoint.posts]
        self.assertEqual(len(paths), 18)
        self.assertIn("/b", paths[:4])
        self.assertEqual(paths[:8].count("/c"), 2, paths)

    def test_a_host_is_one_whatever_its_ports(self):
        gate, lock, now, most = threading.Event(), threading.Lock(), [0], [0]
        self.addCleanup(gate.set)

        def play(_):
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            gate.wait(300)
            with lock:
                now[0] -= 1
            return 200, {}, b""

        other = Endpoint(play)
        self.addCleanup(other.close)
        self.endpoint.play = play
        self.config = self.config.replace("[callbacks]", "[callbacks]\nin_flight = 1")
        self.start(types=["delivered"], batch=1, timeout="300s")
        ids = [self.send(callback=url) for url in (self.endpoint.url, other.url)]
        for message_id in ids:
            self.wait_delivered(message_id)
        under_test.wait_until(lambda: now[0] == 1, "one is under way")
        time.sleep(1)  # another would come at once
        self.assertEqual(most[0], 1)
        gate.set()
        under_test.wait_until(
            lambda: {e["id"] for e in self.endpoint.events() + other.events()} == set(ids),
            "both are posted")
        self.assertEqual(most[0], 1)

    def test_replies_and_opt_outs_are_posted_too(self):
        self.start()
        for text in (b"yes please", b"STOP"):
            answered = len(self.carrier.receipt_answers)
            self.carrier.say(smpp.DELIVER_SM, smpp.deliver_sm((1, 1, "79161234567"),
                                                              (3, 0, "1234"), 0, 0, text))
            under_test.wait_until(lambda n=answered: len(self.carrier.receipt_answers) > n,
                                  "deliver_sm is answered")

        def posted():
            return {(e["type"], e.get("text"), e.get("code")) for e in self.endpoint.events()}

        under_test.wait_until(
            lambda: {("inbound", "yes please", None), ("inbound", "STOP", None),
                     ("opt_out", None, "stop")} <= posted(), posted)

    def test_a_url_that_is_none_is_named_with_its_line(self):
        me = pwd.getpwuid(os.geteuid()).pw_name
        self.daemon.write_config_text(
            self.config + f'\n[[client]]\nname = "crm"\nusers = ["{me}"]\n'
            'callback = { url = "ftp://example.net/{txt}", campaigns = { a = "http:///x" } }\n')
        status, said = self.daemon.start_and_fail()
        self.assertEqual(status, 2)
        self.assertIn("client[0].callback.url: must begin with https:// or http://", said)
        self.assertIn("client[0].callback.campaigns.a: names no host", said)


if __name__ == "__main__":
    under_test.run_cases(__doc__)

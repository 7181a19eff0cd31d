#!/usr/bin/env python3
"""Who may do what, request by request: each client is a user of its own, so root runs this."""

import json
import os
import pwd
import socket
import unittest

import smpp_octets as smpp
import stentor_under_test as under_test
from scripted_carrier import ScriptedCarrier

def ask_as(uid, path, requests, lines, patience):
    """What the socket answers a process of that user: at most `lines` lines, or till patience ends.

    A child of this process, without another program: the interpreter may be root's alone.
    """
    inlet, outlet = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(inlet)
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            stream = socket.socket(socket.AF_UNIX)
            stream.settimeout(patience)
            stream.connect(path)
            stream.sendall("".join(json.dumps(r) + "\n" for r in requests).encode())
            got = b""
            try:
                while got.count(b"\n") != lines and (octets := stream.recv(65536)):
                    got += octets
            except TimeoutError:
                pass
            with os.fdopen(outlet, "wb") as out:
                out.write(got)
            status = 0
        finally:
            os._exit(status)
    os.close(outlet)
    with os.fdopen(inlet, "rb") as answers:
        got = answers.read()
    if os.waitpid(child, 0)[1] != 0:
        raise AssertionError(f"the child of user {uid} failed")
    return [json.loads(line) for line in got.splitlines()]


class Roles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        users = [entry for entry in pwd.getpwall() if 0 < entry.pw_uid < 1000][:3]
        if os.geteuid() != 0 or len(users) < 3:
            raise unittest.SkipTest("needs root and three users to become")
        cls.users = dict(zip(("shop", "bank", "watch"), users))
        cls.carrier = ScriptedCarrier()
        cls.daemon = under_test.Daemon([under_test.carrier("north", cls.carrier.address)],
                                       tables={"socket": {"mode": "0666"}})
        os.chmod(cls.daemon.directory, 0o755)
        with open(cls.daemon.config_path, encoding="utf-8") as file:
            text = file.read()
        roles = {"shop": ["submit"], "bank": ["submit"], "watch": ["observe"]}
        for name, user in cls.users.items():
            text += (f'\n[[client]]\nname = "{name}"\nusers = ["{user.pw_name}"]\n'
                     f"roles = {json.dumps(roles[name])}\n")
        text += '\n[[client]]\nname = "operator"\nusers = ["root"]\nroles = ["admin"]\n'
        text += '\n[[inbound]]\nto = "1234"\nclient = "shop"\n'
        cls.daemon.write_config_text(text)
        cls.daemon.start()
        cls.daemon.wait_bound("north")

    @classmethod
    def tearDownClass(cls):
        assert cls.daemon.stop() == 0, cls.daemon.log_tail()
        cls.carrier.close()

    def ask(self, name, *requests, lines=None, patience=20.0):
        """The replies to this user's requests, on a connection of its own."""
        return ask_as(self.users[name].pw_uid, self.daemon.socket_path, requests,
                      lines if lines is not None else len(requests), patience)

    def send(self, name, ref, **more):
        return self.ask(name, {"to": "+79161234567", "from": "SHOP", "text": "Hello", "ref": ref,
                               **more})[0]

    def code(self, name, **request):
        reply = self.ask(name, request)[0]
        return reply["error"]["code"] if reply["status"] == "rejected" else reply["status"]

    def test_who_only_observes_may_not_send(self):
        self.assertEqual(self.send("watch", "w-1")["error"]["code"], "not_permitted")

    def test_refs_belong_to_their_client(self):
        first, second = self.send("shop", "same"), self.send("bank", "same")
        self.assertEqual((first["status"], second["status"]), ("accepted", "accepted"))
        self.assertNotEqual(first["id"], second["id"])
        self.assertEqual(self.code("bank", op="message", id=first["id"]), "not_found")
        self.assertEqual(self.code("shop", op="message", id=first["id"]), "ok")
        self.assertEqual(self.code("watch", op="message", id=first["id"]), "ok")
        self.assertEqual(self.ask("bank", {"op": "message", "ref": "same"})[0]["id"],
                         second["id"])

    def test_events_and_replies_are_their_clients_and_the_observers(self):
        mine, other = self.send("shop", "e-1")["id"], self.send("bank", "e-2")["id"]
        with self.daemon.connect() as operator:
            operator.write_request(op="events", consumer="all", **{"from": "oldest"})
            seen = set()
            while not {(mine, "delivered"), (other, "delivered")} <= seen:
                event = operator.read()
                seen.add((event.get("id"), event.get("type")))
        answered = len(self.carrier.receipt_answers)
        self.carrier.say(smpp.DELIVER_SM, smpp.deliver_sm((1, 1, "79161234567"), (3, 0, "1234"), 0,
                                                          0, b"yes"))
        under_test.wait_until(lambda: len(self.carrier.receipt_answers) > answered, "an answer")
        request = {"op": "events", "consumer": "c", "from": "oldest"}
        events = {name: self.ask(name, request, lines=-1, patience=1.5)[1:]
                  for name in ("shop", "bank", "watch")}
        self.assertEqual({e["client"] for e in events["shop"]}, {"shop"})
        self.assertEqual({e["client"] for e in events["bank"]}, {"bank"})
        self.assertEqual({e["client"] for e in events["watch"]}, {"shop", "bank"})
        self.assertIn("inbound", [e["type"] for e in events["shop"]])
        self.assertNotIn("inbound", [e["type"] for e in events["bank"]])

    def test_opt_outs_are_changed_by_their_client_and_the_admin(self):
        number = "+79167654321"
        self.assertEqual(self.code("watch", op="optout", action="add", to=number,
                                   **{"from": "SHOP"}), "not_permitted")
        self.assertEqual(self.code("shop", op="optout", action="add", to=number), "not_permitted")
        self.assertEqual(self.code("shop", op="optout", action="add", to=number,
                                   **{"from": "SHOP"}), "ok")
        self.assertEqual(self.send("bank", "o-1", to=number)["error"]["code"], "opted_out")
        self.assertEqual(self.code("bank", op="optout", action="remove", to=number,
                                   **{"from": "SHOP"}), "not_found")
        listed = {name: [e["to"] for e in self.ask(name, {"op": "optout", "action": "list"})[0]
                         ["entries"]] for name in ("shop", "bank", "watch")}
        self.assertEqual(listed, {"shop": [number], "bank": [], "watch": [number]})
        self.assertEqual(self.code("shop", op="optout", action="remove", to=number,
                                   **{"from": "SHOP"}), "ok")
        self.assertEqual(self.send("bank", "o-2", to=number)["status"], "accepted")

    def test_names_of_stentors_own_consumers_are_nobodys(self):
        self.assertEqual(self.code("shop", op="events", consumer="@callback"), "bad_field")


if __name__ == "__main__":
    under_test.run_cases(__doc__)

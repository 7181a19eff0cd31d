#!/usr/bin/env python3
"""Who may do what, request by request: each client is a user of its own, so root runs this."""

import json
import os
import pwd
import socket
import subprocess
import unittest

import smpp_octets as smpp
import stentor_under_test as under_test
from scripted_carrier import Answer, ScriptedCarrier

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
        cls.silent_to = set()  # numbers whose submit_sm the carrier never answers
        cls.carrier = ScriptedCarrier(lambda submit, attempt: Answer(
            silent=submit.destination[2] in cls.silent_to and attempt == 1))
        cls.daemon = under_test.Daemon([under_test.carrier("north", cls.carrier.address)],
                                       tables={"socket": {"mode": "0666"}})
        os.chmod(cls.daemon.directory, 0o755)
        with open(cls.daemon.config_path, encoding="utf-8") as file:
            text = file.read()
        roles = {"shop": ["submit"], "bank": ["submit"], "watch": ["observe"]}
        for name, user in cls.users.items():
            text += (f'\n[[client]]\nname = "{name}"\nusers = ["{user.pw_name}"]\n'
                     f"roles = {json.dumps(roles[name])}\n"
                     f'callback = {{ url = "http://127.0.0.1:9/{name}", give_up_after = "1s" }}\n')
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

    def codes(self, *requests):
        """What each client is answered, request by request: its status, or the code of a refusal."""
        told = {}
        for name in ("shop", "bank", "watch", "operator"):
            if name == "operator":
                with self.daemon.connect() as root:
                    replies = [root.ask(**request) for request in requests]
            else:
                replies = self.ask(name, *requests)
            self.assertEqual(len(replies), len(requests), (name, replies))
            told[name] = [reply["error"]["code"] if reply["status"] == "rejected"
                          else reply["status"] for reply in replies]
        return [tuple(told[name][i] for name in ("shop", "bank", "watch", "operator"))
                for i in range(len(requests))]

    def test_each_request_about_something_of_anothers_is_answered_by_role(self):
        done = self.send("shop", "r-done", to="+79160000001", campaign="calm")["id"]
        waits = self.send("shop", "r-waits", to="+79160000002", campaign="spring",
                          not_before=3000)["id"]
        with self.daemon.connect() as root:
            under_test.wait_until(lambda: root.ask(op="message", id=done)["state"] == "delivered",
                                  "it is delivered")
        carrier_id = next(a.message_id for a in self.carrier.arrivals
                          if a.submit.destination[2] == "79160000001")
        own, no, may_not, ok = ("ok", "not_found", "ok", "ok"), "not_found", "not_permitted", "ok"
        only_look = (may_not, may_not, ok, ok)
        only_admin = (may_not, may_not, may_not, ok)
        campaign = {"op": "campaign", "name": "spring", "client": "shop"}
        # Who: its own client, another one, an observer, an admin.
        table = [
            ({"op": "message", "id": done}, own),
            ({"op": "message", "ref": "r-done"}, own),
            ({"op": "message", "carrier_id": carrier_id}, own),
            ({**campaign, "action": "show"}, own),
            ({"op": "campaign", "action": "show", "name": "spring"}, own),
            ({**campaign, "name": "calm", "action": "report"}, own),  # one line: all went well
            ({**campaign, "action": "pause"}, (ok, no, may_not, ok)),
            ({**campaign, "action": "set", "weight": 3}, (ok, no, may_not, ok)),
            ({**campaign, "action": "resume"}, (ok, no, may_not, ok)),
            ({**campaign, "action": "move", "carrier": "north"}, (ok, no, may_not, ok)),
            ({**campaign, "name": "calm", "action": "wait"}, own),
            ({**campaign, "name": "calm", "action": "cancel"}, (ok, no, may_not, ok)),
            # Whoever makes a campaign owns it: none is made in another's name.
            ({**campaign, "name": "autumn", "action": "create"}, (ok, may_not, may_not, may_not)),
            ({"op": "carrier", "action": "show", "name": "north"}, only_look),
            ({"op": "carrier", "action": "doubts", "name": "north"}, only_look),
            ({"op": "carrier", "action": "orphans", "name": "north"}, only_look),
            ({"op": "carrier", "action": "orphans", "name": "north", "message_id": "verbatim"},
             only_admin),
            ({"op": "carrier", "action": "suspend", "name": "north"}, only_admin),
            ({"op": "carrier", "action": "resume", "name": "north"}, only_admin),
            ({"op": "carrier", "action": "trace", "name": "north", "seconds": 1, "lines": 1},
             only_admin),
            ({"op": "route", "to": "+79161234567"}, (ok, ok, ok, ok)),
            ({"op": "preview", "text": "Hello"}, (ok, ok, ok, ok)),
            ({"op": "status"}, (ok, ok, ok, ok)),
            ({"op": "callbacks"}, (ok, ok, ok, ok)),
            ({"op": "reload"}, (may_not, may_not, may_not, "not_supported")),
            ({"op": "drain"}, (may_not, may_not, may_not, "not_supported")),
            ({"op": "resolve", "id": waits, "as": "sent"}, (no, no, may_not, no)),  # not in doubt
            # By the turn of who may, its own client has cancelled it.
            ({"op": "pause", "id": waits}, (ok, no, may_not, "conflict")),
            ({"op": "resume", "id": waits}, (ok, no, may_not, "conflict")),
            ({"op": "cancel", "ref": "r-waits"}, ("ok", no, may_not, no)),  # refs are one's own
            ({"op": "carrier", "action": "cancel", "name": "north"}, only_admin),
        ]
        for (request, expected), told in zip(table, self.codes(*(row[0] for row in table))):
            with self.subTest(request=request):
                self.assertEqual(told, expected)

    def test_an_admin_calls_back_what_another_may_not(self):
        waits = self.send("shop", "c-1", not_before=3000)["id"]
        for op in ("pause", "resume", "cancel"):
            request = {"op": op, "id": waits}
            self.assertEqual(self.code("bank", **request), "not_found")
            self.assertEqual(self.code("watch", **request), "not_permitted")
            self.assertEqual(self.daemon.ask(**request)["status"], "ok")

    def test_a_doubt_is_ended_by_its_client_or_an_admin(self):
        held = []
        for i in range(2):
            digits = f"7916000010{i}"
            self.silent_to.add(digits)
            held.append(self.send("shop", f"d-{i}", to="+" + digits, uncertain="hold")["id"])
        under_test.wait_until(lambda: self.silent_to <= {
            a.submit.destination[2] for a in list(self.carrier.arrivals)}, "both are written")
        self.carrier.cut()
        under_test.wait_until(lambda: self.daemon.carrier_status("north")["in_doubt"] == 2,
                              "both are in doubt")
        request = {"op": "resolve", "id": held[0], "as": "sent"}
        self.assertEqual(self.code("bank", **request), "not_found")
        self.assertEqual(self.code("watch", **request), "not_permitted")
        self.assertEqual(self.code("shop", **request), "ok")
        self.assertEqual(self.daemon.ask(op="resolve", id=held[1], **{"as": "sent"})["status"],
                         "ok")
        self.daemon.wait_bound("north")

    def test_lists_hold_ones_own_and_all_for_who_observes(self):
        for name in ("shop", "bank"):
            self.send(name, f"l-{name}", to="+79160000777", campaign=f"of-{name}")

        def listed(name):
            lines = self.ask(name, {"op": "campaign", "action": "list"}, lines=-1, patience=1.5)
            return {line["name"] for line in lines if "name" in line} & {"of-shop", "of-bank"}

        self.assertEqual(listed("shop"), {"of-shop"})
        self.assertEqual(listed("bank"), {"of-bank"})
        self.assertEqual(listed("watch"), {"of-shop", "of-bank"})
        found = {name: {m["client"] for m in self.ask(name, {"op": "message",
                                                             "to": "+79160000777"})[0]["messages"]}
                 for name in ("shop", "bank", "watch")}
        self.assertEqual(found, {"shop": {"shop"}, "bank": {"bank"}, "watch": {"shop", "bank"}})
        targets = {name: {t["client"] for t in self.ask(name, {"op": "callbacks"})[0]["targets"]}
                   for name in ("shop", "bank", "watch")}
        self.assertEqual(targets, {"shop": {"shop"}, "bank": {"bank"},
                                   "watch": {"shop", "bank", "watch"}})

    def test_what_a_callback_gave_up_is_its_clients_and_the_observers(self):
        for name in ("shop", "bank"):  # whose endpoint is an address that nothing may be posted to
            self.send(name, f"dead-{name}")

        def dead(name):
            return {d["client"] for d in self.ask(name, {"op": "callbacks"})[0]["dead"]}

        under_test.wait_until(lambda: dead("watch") == {"shop", "bank"}, "both gave something up")
        self.assertEqual((dead("shop"), dead("bank")), ({"shop"}, {"bank"}))

    def test_a_look_at_anothers_messages_is_on_record_without_a_number(self):
        number = "+79160000999"
        message = self.send("shop", "audit", to=number)["id"]
        for name in ("shop", "watch", "watch"):
            self.assertEqual(self.code(name, op="message", id=message), "ok")
        self.assertEqual(self.code("watch", op="optout", action="list"), "ok")
        self.send("shop", "of-audit", to=number, campaign="of-audit")
        looks = [{"op": "events", "consumer": "audit"},
                 {"op": "campaign", "action": "report", "name": "of-audit"},
                 {"op": "carrier", "action": "doubts", "name": "north"}]
        for name in ("watch", "shop"):
            for request in looks[:2] if name == "shop" else looks:
                self.assertEqual(self.ask(name, request, lines=1)[0]["status"], "ok", request)
        log = self.daemon.log()
        self.assertNotIn("audit: shop", log)
        for what in ("message", "optout list", "events", "campaign report", "carrier doubts"):
            self.assertIn(f"audit: watch looked at other clients' messages ({what})", log)
        self.assertNotIn(number[1:], log)

    def test_carriers_are_listed_for_who_observes(self):
        request = {"op": "carrier", "action": "list"}
        self.assertEqual(self.code("shop", **request), "not_permitted")
        lines = self.ask("watch", request, lines=2)
        self.assertEqual([line.get("name") for line in lines], ["north", None])

    def test_a_consumer_of_the_same_name_is_another_ones(self):
        with self.daemon.connect(timeout=1.0) as operator:
            opened = operator.ask(op="events", consumer="same")
            self.assertEqual(opened["status"], "ok")
            theirs = self.ask("shop", {"op": "events", "consumer": "same"})[0]
            self.assertEqual(theirs["status"], "ok")
            try:
                while True:
                    self.assertNotEqual(operator.read().get("type"), "replaced")
            except TimeoutError:
                pass

    def test_names_of_stentors_own_consumers_are_nobodys(self):
        self.assertEqual(self.code("shop", op="events", consumer="@callback"), "bad_field")


class NoClient(unittest.TestCase):
    """A user whom no [[client]] lists, and whose name is that of another user's client."""

    @classmethod
    def setUpClass(cls):
        users = [entry for entry in pwd.getpwall() if 0 < entry.pw_uid < 1000][:2]
        if os.geteuid() != 0 or len(users) < 2:
            raise unittest.SkipTest("needs root and two users to become")
        cls.owner, cls.stranger = users
        cls.carrier = ScriptedCarrier()
        cls.daemon = under_test.Daemon([under_test.carrier("north", cls.carrier.address)],
                                       tables={"socket": {"mode": "0666"}})
        os.chmod(cls.daemon.directory, 0o755)
        with open(cls.daemon.config_path, encoding="utf-8") as file:
            text = file.read()
        text += (f'\n[[client]]\nname = "{cls.stranger.pw_name}"\n'
                 f'users = ["{cls.owner.pw_name}"]\n'
                 '\n[[client]]\nname = "operator"\nusers = ["root"]\nroles = ["admin"]\n')
        cls.daemon.write_config_text(text)
        cls.daemon.start()
        cls.daemon.wait_bound("north")

    @classmethod
    def tearDownClass(cls):
        assert cls.daemon.stop() == 0, cls.daemon.log_tail()
        cls.carrier.close()

    def ask(self, user, *requests):
        return ask_as(user.pw_uid, self.daemon.socket_path, requests, len(requests), 20.0)

    def code(self, request):
        """What the stranger is answered: its status, or the code of a refusal."""
        reply = self.ask(self.stranger, request)[0]
        return reply["error"]["code"] if reply["status"] == "rejected" else reply["status"]

    def test_is_refused_whatever_belongs_to_a_client(self):
        send = {"op": "send", "to": "+79160000003", "from": "SHOP", "text": "Hello"}
        optout = {"op": "optout", "to": "+79160000004", "from": "SHOP"}
        campaign = {"op": "campaign", "name": "theirs"}
        waits, listed = self.ask(self.owner, {**send, "ref": "n-1", "campaign": "theirs",
                                              "not_before": 3000}, {**optout, "action": "add"})
        self.assertEqual((waits["status"], listed["status"]), ("accepted", "ok"))
        accepted = self.daemon.status()["accepted"]
        for request in (
                {**send, "ref": "n-2"},
                {"op": "message", "id": waits["id"]},
                {"op": "message", "ref": "n-1"},
                {"op": "message", "to": "+79160000003"},
                {"op": "message", "carrier_id": "1"},
                {"op": "events", "consumer": "new", "from": "oldest"},
                *({**campaign, "action": action} for action in (
                    "create", "show", "report", "pause", "resume", "cancel", "wait")),
                {**campaign, "action": "set", "weight": 3},
                {**campaign, "action": "move", "carrier": "north"},
                {"op": "campaign", "action": "list"},
                {**optout, "action": "add"},
                {**optout, "action": "remove"},
                {"op": "optout", "action": "list"},
                {"op": "callbacks"},
                {"op": "cancel", "id": waits["id"]},
                {"op": "cancel", "ref": "n-1"},
                {"op": "pause", "id": waits["id"]},
                {"op": "resume", "ref": "n-1"},
                {"op": "resolve", "id": waits["id"], "as": "sent"},
                {"op": "resolve", "ref": "n-1", "as": "sent"},
                {"op": "carrier", "action": "list"},
                {"op": "carrier", "action": "suspend", "name": "north"},
                {"op": "carrier", "action": "cancel", "name": "north"},
                {"op": "reload"}):
            with self.subTest(request=request):
                self.assertEqual(self.code(request), "not_permitted")
        for request in ({"op": "status"}, {"op": "preview", "text": "Hello"},
                        {"op": "route", "to": "+79161234567"}):
            with self.subTest(request=request):
                self.assertEqual(self.code(request), "ok")
        self.assertEqual(self.ask(self.stranger, {**send, "ref": "n-2"})[0]["ref"], "n-2")
        self.assertEqual(self.daemon.status()["accepted"], accepted)
        still, listed = self.ask(self.owner, {"op": "message", "ref": "n-1"},
                                 {"op": "optout", "action": "list"})
        self.assertNotIn(still["state"], ("cancelled", "sent", "delivered"))
        self.assertEqual([entry["to"] for entry in listed["entries"]], ["+79160000004"])

    def test_takes_over_no_consumer_and_acknowledges_nothing_away(self):
        sent = self.ask(self.owner, {"to": "+79160000005", "from": "SHOP", "text": "Hello"})[0]

        def events(**more):
            def told():
                lines = ask_as(self.owner.pw_uid, self.daemon.socket_path,
                               [{"op": "events", "consumer": "kept", **more}], -1, 2.0)
                of_it = [line for line in lines if line.get("id") == sent["id"]]
                return of_it if of_it and of_it[-1]["type"] == "delivered" else None
            return under_test.wait_until(told, "it is told to be delivered")

        first = events(**{"from": "oldest"})
        replies = self.ask(self.stranger, {"op": "events", "consumer": "kept"},
                           {"op": "ack", "cursor": first[-1]["cursor"]})
        self.assertEqual([reply["error"]["code"] for reply in replies],
                         ["not_permitted", "bad_field"])
        self.assertEqual(events(), first)


class UserNamespace(unittest.TestCase):
    """stentord in a user namespace of its own, where the kernel shows all users that it does not
    map as one, the overflow uid."""

    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("needs root and another user to become")
        if subprocess.run(["unshare", "--user", "--map-root-user", "true"], capture_output=True,
                          check=False).returncode != 0:
            self.skipTest("user namespaces may not be made here")
        self.stranger = next(entry for entry in pwd.getpwall() if 0 < entry.pw_uid < 1000)
        nowhere = f"127.0.0.1:{under_test.free_port()}"
        self.daemon = under_test.Daemon([under_test.carrier("north", nowhere)],
                                        tables={"socket": {"mode": "0666"}})
        os.chmod(self.daemon.directory, 0o755)

    def codes(self):
        """What the stranger is told of each request."""
        requests = [{"to": "+79161234567", "from": "SHOP", "text": "Hello"},
                    {"op": "carrier", "action": "list"}, {"op": "events", "consumer": "c"}]
        replies = ask_as(self.stranger.pw_uid, self.daemon.socket_path, requests, len(requests),
                         20.0)
        return [reply.get("error", {}).get("code", reply["status"]) for reply in replies]

    def test_users_that_it_does_not_map_may_do_nothing_even_where_nobody_is_a_client(self):
        self.daemon.prefix = ["unshare", "--user", "--map-root-user"]
        with self.subTest("no clients are configured"):
            self.daemon.start()
            self.assertEqual(self.codes(), ["not_permitted"] * 3)
            self.assertEqual(self.daemon.stop(), 0)
        with self.subTest("nobody is one"):
            with open(self.daemon.config_path, encoding="utf-8") as file:
                text = file.read()
            overflow = pwd.getpwuid(65534).pw_name
            self.daemon.write_config_text(
                text + f'\n[[client]]\nname = "shop"\nusers = ["{overflow}"]\nroles = ["admin"]\n'
                '\n[[client]]\nname = "operator"\nusers = ["root"]\nroles = ["admin"]\n')
            self.daemon.start()
            self.assertEqual(self.codes(), ["not_permitted"] * 3)
            ours = self.daemon.ask(to="+79161234567", text="Hello", **{"from": "SHOP"})
            self.assertEqual(ours["status"], "accepted", ours)
            self.assertEqual(self.daemon.stop(), 0)
        self.assertIn("this is a user namespace", self.daemon.log())

    def test_unmapped_itself_it_takes_nobody_for_itself_and_does_not_start(self):
        self.daemon.prefix = ["unshare", "--user"]
        self.daemon.launch()
        self.assertEqual(self.daemon.process.wait(), 1)
        self.assertIn("clients cannot be told apart", self.daemon.log())


if __name__ == "__main__":
    under_test.run_cases(__doc__)

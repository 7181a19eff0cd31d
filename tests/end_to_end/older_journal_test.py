#!/usr/bin/env python3
"""A journal that an earlier build wrote is read by this one: nothing that lives in it is lost, told
otherwise or sent again without need.

The journals lie in tests/data/older_journals, one file for each build whose format some later change
might break. `--make FILE --bin FOLDER` writes another one with the programs of FOLDER. What lives in
them does so until 2100; what had ended may be gone by retention when the test runs.
"""

import glob
import json
import os
import sys
import tarfile

import stentor_under_test as under_test
from scripted_carrier import Answer, Receipt, ScriptedCarrier

JOURNALS = os.path.join(under_test.REPOSITORY, "tests", "data", "older_journals")
FOR_EVER = "2100-01-01T00:00:00Z"
LATER = "2099-01-01T00:00:00Z"
EXPECTED = "expected.json"
LONG = "длинный текст 👍🏽 " * 12

# What becomes of it is said by the last digit.
SILENT, UNREPORTED, REFUSED, HALF_REPORTED = "79160000001", "79160000002", "79160000003", "79160000004"
DELIVERED = "79160000005"


def play(submit, attempt):
    digits = submit.destination[2]
    if digits == SILENT:
        return Answer(silent=True)
    if digits == REFUSED:
        return Answer(status=0x0B)
    if digits == UNREPORTED:
        return Answer(receipts=[])
    if digits == HALF_REPORTED:
        return Answer(receipts=[Receipt()] if submit.short_message[5:6] == b"\x01" else [])
    return Answer()


def daemon_of(north, south_port, directory=None):
    return under_test.Daemon(
        [under_test.carrier("north", north.address, uncertain="hold", message_id="verbatim"),
         under_test.carrier("south", f"127.0.0.1:{south_port}")], directory=directory,
        tables={"journal": {"min_free": "1MiB"}})


class Writer:
    """Sends what shall stand in the journal, and notes what each message is then."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.count = 0

    def send(self, text="Hello", **more):
        self.count += 1
        request = {"to": f"+7917000{self.count:04d}", "from": "SHOP", "text": text,
                   "ref": f"o-{self.count}", "expires": FOR_EVER}
        request.update(more)
        reply = self.daemon.ask(**request)
        assert reply["status"] == "accepted", reply
        return reply["id"]

    def state_of(self, message_id):
        return self.daemon.ask(op="message", id=message_id)["state"]

    def until(self, message_id, state):
        under_test.wait_until(lambda: self.state_of(message_id) == state,
                              lambda: f"{state}; it is {self.state_of(message_id)}")


def carrier_ids_of(daemon, message_id):
    history = daemon.ask(op="message", id=message_id)["history"]
    return [step["carrier_id"] for step in history if "carrier_id" in step]


def make(path):
    north = ScriptedCarrier(play)
    daemon = daemon_of(north, under_test.free_port()).start()
    daemon.wait_bound("north")
    writer = Writer(daemon)
    at_north = {name: writer.send(to="+" + digits, carrier="north", text=text)
                for name, digits, text in (("delivered", DELIVERED, "Hello"),
                                           ("failed", REFUSED, "Hello"),
                                           ("unreported", UNREPORTED, "Hello"),
                                           ("half_reported", HALF_REPORTED, "long " * 60))}
    writer.until(at_north["delivered"], "delivered")
    writer.until(at_north["failed"], "failed")
    writer.until(at_north["unreported"], "sent")
    under_test.wait_until(
        lambda: len(carrier_ids_of(daemon, at_north["half_reported"])) >= 2, "both parts are taken")
    # Before anything is unanswered: until then it might be an early one.
    north.report("ffffffff", Receipt(), (1, 1, "79160000009"), (5, 0, "SHOP"))
    under_test.wait_until(
        lambda: daemon.ask(op="carrier", action="orphans", name="north")["kept"] == 1,
        "the orphan is kept")
    held = writer.send(to="+" + SILENT, carrier="north")
    under_test.wait_until(lambda: north.arrived(SILENT), "it is on the wire")
    waiting = {
        "urgent": writer.send(carrier="south", priority="urgent"),
        "normal": writer.send(carrier="south"),
        "bulk": writer.send(carrier="south", priority="bulk"),
        "long": writer.send(carrier="south", text=LONG, meta={"order": 7}),
        "hours": writer.send(carrier="south", hours={"from": "00:00", "to": "23:59",
                                                     "zone": "Europe/Berlin"}),
        "campaign": writer.send(carrier="south", campaign="spring"),
        "paused_campaign": writer.send(carrier="south", campaign="summer"),
        "paused": writer.send(carrier="south"),
        "cancelled": writer.send(carrier="south"),
        "later": writer.send(carrier="south", not_before=LATER)}
    for request in ({"op": "campaign", "action": "pause", "name": "summer"},
                    {"op": "pause", "id": waiting["paused"]},
                    {"op": "cancel", "id": waiting["cancelled"]},
                    {"op": "optout", "action": "add", "to": ["+79169999999"], "from": "SHOP"}):
        reply = daemon.ask(**request)
        assert reply["status"] == "ok", (request, reply)
    daemon.kill()
    daemon.process.wait()
    north.close()
    daemon.start()
    under_test.wait_until(lambda: daemon.carrier_status("north")["in_doubt"] == 1,
                          "the doubt is noted")
    everything = {**at_north, **waiting, "held": held}
    expected = {
        "ids": everything,
        "states": {name: writer.state_of(message_id) for name, message_id in everything.items()},
        "texts": {name: {"Hello": "Hello", "long": LONG}.get(name, "Hello") for name in waiting},
        "carrier_ids": {name: carrier_ids_of(daemon, at_north[name])
                        for name in ("unreported", "half_reported")}}
    daemon.kill()
    daemon.process.wait()
    status, findings, last = daemon.audit()
    assert status == 0, (findings, last)
    expected["audit"] = {key: last[key] for key in ("accepted", "live") if key in last}
    with open(os.path.join(daemon.state, EXPECTED), "w", encoding="utf-8") as file:
        json.dump(expected, file, ensure_ascii=False, indent=1)
    with tarfile.open(path, "w:xz", preset=9) as archive:
        archive.add(daemon.state, "state",
                    filter=lambda entry: None if os.path.basename(entry.name) == "s" else entry)
    print(f"{path}: {os.path.getsize(path)} octets; {expected['states']}")
    return 0


def check(path):
    """What is wrong with how this build reads it."""
    directory = under_test.new_directory()
    with tarfile.open(path) as archive:
        archive.extractall(directory, filter="data")
    state = os.path.join(directory, "state")
    os.chmod(state, 0o700)
    with open(os.path.join(state, EXPECTED), encoding="utf-8") as file:
        expected = json.load(file)
    os.remove(os.path.join(state, EXPECTED))
    ids, states = expected["ids"], expected["states"]
    finals = {name for name, told in states.items() if told in under_test.FINAL}

    north = ScriptedCarrier(id_of=lambda number: f"n{number}")
    south_port = under_test.free_port()
    daemon = daemon_of(north, south_port, directory)
    status, findings, last = daemon.audit()
    wrong = [] if status == 0 and not findings else [f"audit: {status} {findings} {last}"]
    wrong += [f"audit: {key} is {last.get(key)}, was {value}"
              for key, value in expected["audit"].items() if last.get(key) != value]
    daemon.arguments = ["--adopt", "moved"]
    daemon.start()
    writer = Writer(daemon)
    for name in states.keys() - finals:
        if writer.state_of(ids[name]) != states[name]:
            wrong.append(f"{name}: was {states[name]}, is {writer.state_of(ids[name])}")
    again = daemon.ask(to="+79169999999", text="Hello", **{"from": "SHOP"})
    if again.get("error", {}).get("code") != "opted_out":
        wrong.append(f"the opt-out: {again}")
    doubts = daemon.ask(op="carrier", action="doubts", name="north")["doubts"]
    if [doubt["id"] for doubt in doubts] != [ids["held"]]:
        wrong.append(f"doubts: {doubts}")

    # Each goes on: late receipts, a word on the doubt, what was paused.
    daemon.wait_bound("north")
    for name, digits in (("unreported", UNREPORTED), ("half_reported", HALF_REPORTED)):
        for carrier_id in expected["carrier_ids"][name]:
            north.report(carrier_id, Receipt(), (1, 1, digits), (5, 0, "SHOP"))
    requests = [{"op": "resolve", "id": ids["held"], "as": "unsent"},
                {"op": "resume", "id": ids["paused"]},
                {"op": "campaign", "action": "resume", "name": "summer"}]
    for request in requests:
        reply = daemon.ask(**request)
        if reply["status"] != "ok":
            wrong.append(f"{request}: {reply}")
    south = ScriptedCarrier(port=south_port)
    for name in states.keys() - finals - {"later"}:
        writer.until(ids[name], "delivered")
    writer.until(ids["later"], "scheduled")
    arrived = [arrival.submit.destination[2] for arrival in north.arrived()]
    if arrived != [SILENT]:
        wrong.append(f"sent again: {arrived}")
    expected_at_south = len(states.keys() - finals - {"later", "held", *expected["carrier_ids"]})
    recipients = {arrival.submit.destination[2] for arrival in south.arrived()}
    if len(recipients) != expected_at_south:
        wrong.append(f"{len(recipients)} recipients at south instead of {expected_at_south}")
    if daemon.stop() != 0:
        wrong.append(f"it did not stop: {daemon.log_tail()}")
    north.close()
    south.close()
    return wrong


def main():
    arguments, _ = under_test.begin(
        __doc__.splitlines()[0],
        lambda parser: parser.add_argument("--make", metavar="FILE"))
    if arguments.make:
        return make(arguments.make)
    paths = sorted(glob.glob(os.path.join(JOURNALS, "*.tar.xz")))
    assert paths, f"no journal in {JOURNALS}"
    failed = False
    for path in paths:
        wrong = check(path)
        print(f"{os.path.basename(path)}: {'; '.join(wrong) or 'read, and all of it goes on'}")
        failed = failed or bool(wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Kills stentord with SIGKILL at random moments under load and proves what it promises.

Three histories are kept by three parties: the client's (what it sent, what was answered), the
carrier's capture (every octet that arrived) and the events. From these, and not from stentord's
own word, the judge proves:

  intent        nothing arrived that the journal had not said before it would go, on each bind
  no loss       every acknowledged message arrived at the carrier, each part, with its exact text
  no phantom    nothing arrived that was not submitted
  honest        what arrived twice had not been reported sent before the kill, is marked
                possible_duplicate, and is at most window + reserve per kill and bind
  idempotent    an answered ref sent again is a duplicate with the id it had
  liveness      every message reaches exactly one final event
  ledger        accepted = delivered + sent_final + failed + expired + cancelled + unknown + live

After each tenth kill stentorctl audit proves the ledger from the journal that the kill has left.
"""

import collections
import json
import os
import re
import sys
import threading
import time

import journal_octets
import sms_octets
import stentor_under_test as under_test
from carrier_simulator import CarrierSimulator

BINDS, WINDOW = 4, 12
# Segments: of each bind the window, and at most as much again reserved ahead of need
# (docs/architecture.md).
DOUBT_PER_KILL = 2 * WINDOW * BINDS
# A message that is on its way at each of a hundred kills is in doubt as often, and is not to be given
# up for that.
AS_OFTEN_AS_IT_TAKES = {"doubt": {"attempts": 255}}

def carrier(simulator, **settings):
    """The one that is killed at: four binds whose windows are full."""
    return under_test.carrier("north", simulator.address, binds={"transceiver": BINDS},
                              window=WINDOW, enquire_link="5s", retry=AS_OFTEN_AS_IT_TAKES,
                              **settings)


UNANSWERED_MAX = 200  # requests the client leaves unanswered
TEXTS = (
    "Your code is {n}. Do not tell it to anyone.",
    "Заказ {n} готов, ждём вас до 21:00",
    "Merhaba {n}, siparişiniz yola çıktı 🚚",
    "Dear customer {n}, " + "your parcel is on its way and will be with you soon. " * 5,
    "नमस्ते {n}, आपका ऑर्डर भेज दिया गया है 👨‍👩‍👧 " * 3,
    "Prices in [brackets] and {{braces}} cost two septets: 5€ {n} " * 4,
)


class Client(threading.Thread):
    """An upstream program: sends, remembers what was answered, sends unanswered requests again."""

    answered_again = 20  # answered requests sent again on each connection

    # `rate`: messages a second. At 3,000 the carrier's window is full at every kill, and what waits
    # stays short enough for the test to end soon after the last one.
    def __init__(self, daemon, random, rate=3000):
        super().__init__(daemon=True)
        self.daemon_process = daemon
        self.random = random
        self.rate = rate
        self.submitted = {}  # ref -> request
        self.answered = {}  # ref -> id
        self.unanswered = collections.OrderedDict()
        self.wrong = []
        self.duplicates_answered = 0
        self.begun = time.monotonic()
        self.finishing = threading.Event()

    def run(self):
        while not (self.finishing.is_set() and not self.unanswered):
            try:
                self._converse()
            except (OSError, ValueError):
                time.sleep(0.01)  # the daemon is down; it will be back

    def _converse(self):
        with under_test.Connection(self.daemon_process.socket_path, timeout=5.0) as connection:
            expected = collections.deque()
            again = list(self.unanswered)
            if self.answered:
                count = min(self.answered_again, len(self.answered))
                again += self.random.sample(sorted(self.answered), count)
            self._write(connection, again, expected)
            while True:
                while len(expected) < UNANSWERED_MAX and self._may_send():
                    self._write(connection, [self._new() for _ in range(20)], expected)
                if not expected:
                    if self.finishing.is_set():
                        return
                    time.sleep(0.002)
                    continue
                reply = connection.read()
                if reply is None:
                    return
                self._on_reply(expected.popleft(), reply)

    def _may_send(self):
        due = (time.monotonic() - self.begun) * self.rate
        return len(self.submitted) < due and not self.finishing.is_set()

    def _new(self):
        number = len(self.submitted)
        ref = f"r-{number}"
        text = self.random.choice(TEXTS).format(n=number)
        self.submitted[ref] = {"op": "send", "ref": ref, "to": f"+79{number:09d}", "from": "SHOP",
                               "text": text, "meta": {"n": number}}
        self.unanswered[ref] = None
        return ref

    def _write(self, connection, refs, expected):
        lines = [json.dumps(self.submitted[ref], ensure_ascii=False) for ref in refs]
        expected.extend(refs)
        if lines:
            connection.write(("\n".join(lines) + "\n").encode("utf-8"))

    def _on_reply(self, ref, reply):
        if reply.get("ref") != ref:
            self.wrong.append(f"{ref}: answered out of order with {reply}")
        elif reply.get("error", {}).get("code") == "draining":
            return  # not taken: it stays unanswered, and goes again
        elif reply["status"] == "accepted" and ref not in self.answered:
            self.answered[ref] = reply["id"]
        elif reply["status"] == "duplicate":
            self.duplicates_answered += 1
            if self.answered.setdefault(ref, reply["id"]) != reply["id"]:
                self.wrong.append(f"{ref}: was {self.answered[ref]}, now {reply}")
        else:
            self.wrong.append(f"{ref}: {reply}")
        self.unanswered.pop(ref, None)


class Judge:
    """Compares the three histories; `wrong` holds what breaks a promise. `intents`, where the
    journal still has them all: how often each accept sequence was intended."""

    def __init__(self, client, simulator, events, kills, intents=None):
        self.intents = intents
        self.client = client
        self.events = events
        self.bind_times = simulator.bind_times()
        self.kills = kills  # [(wall time of SIGKILL in ns, events read before it)]
        self.told_sent = {}  # id -> place of the first event that says so
        for place, event in enumerate(events.events):
            if event["type"] in ("sent", "delivered"):
                self.told_sent.setdefault(event["id"], place)
        self.wrong = list(client.wrong)
        self.request_of = {r["to"].lstrip("+"): ref for ref, r in client.submitted.items()}
        self.arrivals_of = collections.defaultdict(list)
        for arrival in simulator.arrivals():
            self.arrivals_of[arrival.destination].append(arrival)

    def say(self, text):
        if len(self.wrong) < 50:
            self.wrong.append(text)

    def check_all(self):
        self.check_texts()
        self.check_duplicates()
        self.check_events()
        if self.intents is not None:
            self.check_intents()

    def check_texts(self):
        for destination in self.arrivals_of:
            if destination not in self.request_of:
                self.say(f"phantom: a message to {destination} was never submitted")
        for ref in self.client.answered:
            request = self.client.submitted[ref]
            arrivals = [a for a in self.arrivals_of[request["to"].lstrip("+")] if a.status == 0]
            try:
                parts = [sms_octets.decode_part(a.short_message, a.esm_class, a.data_coding)
                         for a in arrivals]
            except sms_octets.Undecodable as error:
                self.say(f"{ref}: a part cannot be decoded: {error}")
                continue
            if not parts:
                self.say(f"lost: {ref} was acknowledged and never arrived")
                continue
            if len({(p.reference, p.total) for p in parts}) > 1:
                self.say(f"{ref}: parts disagree on reference or total: "
                         f"{sorted({(p.reference, p.total) for p in parts})}")
            texts = {}
            for part in parts:
                if texts.setdefault(part.number, part.text) != part.text:
                    self.say(f"{ref}: part {part.number} came with two texts")
            if sorted(texts) != list(range(1, parts[0].total + 1)):
                self.say(f"lost: {ref} has parts {sorted(texts)} of {parts[0].total}")
            elif "".join(texts[n] for n in sorted(texts)) != request["text"]:
                self.say(f"{ref}: arrived with another text")

    def check_duplicates(self):
        self.twice = set()
        per_kill = collections.Counter()
        for destination, arrivals in self.arrivals_of.items():
            ref = self.request_of.get(destination)
            copies = collections.defaultdict(list)
            for arrival in arrivals:
                if arrival.status == 0:
                    copies[arrival.short_message].append(arrival)
            for same in copies.values():
                for earlier, later in zip(same, same[1:]):
                    self.twice.add(ref)
                    kill = self.kill_of(earlier.connection)
                    if earlier.connection == later.connection or kill is None:
                        self.say(f"{ref}: sent twice without a kill between")
                        continue
                    per_kill[kill] += 1
                    told = self.told_sent.get(self.client.answered.get(ref))
                    if told is not None and told < self.kills[kill][1]:
                        self.say(f"{ref}: sent again although reported sent before the kill")
        self.worst = max(per_kill.values(), default=0)
        for kill, count in per_kill.items():
            if count > DOUBT_PER_KILL:
                self.say(f"kill {kill}: {count} segments came twice, "
                         f"{DOUBT_PER_KILL} is the promise")

    def kill_of(self, connection):
        """The kill that ended a connection; what was in the kernel then may arrive after it."""
        bound = self.bind_times[connection]
        return next((i for i, (when, _) in enumerate(self.kills) if when >= bound), None)

    def check_intents(self):
        for ref, message_id in self.client.answered.items():
            arrivals = self.arrivals_of[self.client.submitted[ref]["to"].lstrip("+")]
            on = {arrival.connection for arrival in arrivals}
            intended = self.intents[journal_octets.sequence_of(message_id)]
            if len(on) > intended:
                self.say(f"{ref}: arrived on {len(on)} connections, and was intended {intended} times")

    def check_events(self):
        grouped = self.events.by_message()
        self.marked = 0
        for ref, message_id in self.client.answered.items():
            mine = grouped.get(message_id, [])
            marked = any(e.get("possible_duplicate") for e in mine)
            self.marked += marked
            if ref in self.twice and not marked:
                self.say(f"{ref}: arrived twice and no event says possible_duplicate: "
                         f"{[e['type'] for e in mine]}")
            final = [e["type"] for e in mine if e["type"] in under_test.FINAL]
            if final != ["delivered"]:
                self.say(f"{ref}: final events {final}, expected one delivered; all: "
                         f"{[e['type'] for e in mine]}")
            for event in mine:
                if event.get("ref") != ref or event.get("meta") != self.client.submitted[ref]["meta"]:
                    self.say(f"{ref}: an event with other ref or meta: {event}")
        bound = DOUBT_PER_KILL * len(self.kills)
        if self.marked > bound:
            self.say(f"{self.marked} messages marked possible_duplicate, at most {bound} may be")


def wait_for_finals(client, events, meanwhile=lambda: None):
    """Ends the client, waits for the final event of each message; what is wrong with that."""
    wrong = []
    client.finishing.set()
    client.join(under_test.PATIENCE * 4)
    if client.is_alive():
        wrong.append(f"{len(client.unanswered)} requests stay unanswered")

    def all_final():
        meanwhile()
        finals = {e["id"] for e in list(events.events) if e["type"] in under_test.FINAL}
        return finals.issuperset(client.answered.values())

    try:
        under_test.wait_until(all_final, "every message has its final event", 120.0, step=0.2)
    except AssertionError as error:
        wrong.append(str(error))
    return wrong


def has_ring(pid):
    """Whether the process holds an io_uring."""
    folder = f"/proc/{pid}/fd"
    for name in os.listdir(folder):
        try:
            if os.readlink(os.path.join(folder, name)) == "anon_inode:[io_uring]":
                return True
        except FileNotFoundError:
            pass  # closed just now
    return False


def report(wrong, log_tail=""):
    """Prints what is wrong; the exit status."""
    if not wrong:
        return 0
    print(f"FAILED with seed {under_test.Settings.seed}:")
    for line in wrong[:40]:
        print("  " + line)
    print(log_tail)
    return 1


def main():
    def more(parser):
        parser.add_argument("--kills", type=int, default=100)
        parser.add_argument("--io", default="auto", help="how the journal is written")

    arguments, random = under_test.begin(__doc__.splitlines()[0], more)
    directory = under_test.new_directory()
    simulator = CarrierSimulator(directory, latency="4ms+8ms", receipt_delay="50ms",
                                 outcomes="DELIVRD=100", seed=under_test.Settings.seed)
    daemon = under_test.Daemon(
        [carrier(simulator)],
        directory=directory,
        # So small that a checkpoint is in making at many kills, and most starts begin with one.
        tables={"journal": {"checkpoint": "64KiB", "io": arguments.io}})
    daemon.start()
    events = under_test.EventFollower(daemon)
    client = Client(daemon, random)
    client.start()

    if arguments.io == "threads" and has_ring(daemon.process.pid):
        return report(["io = threads, and there is a ring"])
    kills, gaps, audits = [], [], []
    for number in range(arguments.kills):
        time.sleep(random.uniform(0.02, 0.5))
        kills.append((time.time_ns(), len(events.events)))
        daemon.kill()
        if number % 10 == 9:
            audits.append(under_test.audit_complaint(daemon.audit()))
        daemon.start()
        gaps.append(under_test.ledger_gap(daemon.status()))

    time.sleep(0.5)
    wrong = wait_for_finals(client, events)
    status = daemon.status()
    gaps.append(under_test.ledger_gap(status))
    if any(gaps):
        wrong.append(f"the ledger does not balance: {gaps}; {status}")
    if status["live"] != 0 and not wrong:
        wrong.append(f"{status['live']} messages are live though each had its final event")
    wrong += [f"audit after a kill: {complaint}" for complaint in audits if complaint]
    exit_status = daemon.stop()
    if exit_status != 0:
        wrong.append(f"SIGTERM ended the daemon with {exit_status}")
    events.close()
    simulator.stop()

    intents = journal_octets.intents(os.path.join(daemon.state, "journal"))
    judge = Judge(client, simulator, events, kills, intents)
    judge.check_all()
    wrong += judge.wrong
    from_checkpoint = len(re.findall(r"checkpoint before file [0-9]+", daemon.log()))
    if from_checkpoint < len(kills) // 5:  # a kill may come before one was worth making
        wrong.append(f"only {from_checkpoint} starts began with a checkpoint")
    if not re.search(r" [0-9]+ in doubt \(north: [0-9]+ resend\), the oldest for [0-9]+ s; ", daemon.log()):
        wrong.append("no start says in its line what is in doubt")
    print(f"{len(kills)} kills; {len(client.submitted)} submitted, {len(client.answered)} "
          f"acknowledged, {client.duplicates_answered} answered duplicate; {intents.total()} intents; "
          f"{sum(map(len, judge.arrivals_of.values()))} segments arrived; {len(judge.twice)} messages "
          f"came twice (at most {judge.worst} segments per kill, {DOUBT_PER_KILL} allowed), "
          f"{judge.marked} marked possible_duplicate; {events.repeated} events repeated; "
          f"{from_checkpoint} starts from a checkpoint; {len(audits) + 1} audits")
    return report(wrong, daemon.log_tail())


if __name__ == "__main__":
    sys.exit(main())

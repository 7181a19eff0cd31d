#!/usr/bin/env python3
"""Plays thousands of random histories of parts, receipts, repeats, delays, reconnects and restarts,
and compares every event with a plain reference model (tracking_model.py).

The carrier gives receipts twice, late, out of order, ahead of the response and on other binds;
gives ids again that it gave before, to messages that were reported on and to such as still wait;
reports on what was never sent, and gives those ids away later. Its links are cut and the daemon is
killed and stopped under way.
"""

import collections
import random
import threading
import time
import unittest

import sms_octets
import stentor_under_test as under_test
from scripted_carrier import Answer, Receipt, ScriptedCarrier
from tracking_model import Said, Submitted, TrackingModel

MESSAGES = 3000
BREAKS = ["cut", "kill", "cut", "stop", "kill", "cut", "kill", "cut"]
MESSAGES_A_ROUND = MESSAGES // len(BREAKS)
STRAYS_A_ROUND = 8
# Whether a receipt came before a segment was sent is known to some milliseconds, of ticks and of
# dates: no carrier gives an id again that soon, and this one is not to either.
AGAIN_AFTER = 0.02  # seconds
BINDS, WINDOW = 2, 20


class Plans:
    """What the carrier will do with each part, drawn before anything is sent; which of the ids that
    it has given it gives again depends on what has come by then."""

    def __init__(self, game):
        self.game = game
        self.lock = threading.Lock()
        self.of = {}  # (digits, part) -> (choice of id, Answer)
        self.fresh = 0
        # With the time from which on nothing is said of them.
        self.reported = collections.deque()  # ids all of whose receipts were acknowledged
        self.awaited = collections.deque()  # ids of which nothing is ever said
        self.stray = collections.deque()  # ids of receipts for nothing that was sent
        self.left = {}  # id -> receipts that are not acknowledged yet
        self.given = collections.Counter()  # by choice of id, as it came out

    def draw(self, digits, parts):
        for part in range(1, parts + 1):
            choice = self.game.choices(["fresh", "reported", "awaited", "stray"],
                                       [20, 4, 1, 1])[0]
            receipts = self.draw_receipts()
            first = choice == "fresh" and self.game.random() < 0.15
            if choice in ("reported", "awaited"):  # ahead of its response it would mean the other
                for receipt in receipts:
                    receipt.via = "same"
            self.of[(digits, part)] = (choice, Answer(
                receipts=receipts, receipts_first=first,
                delay=self.game.choice([0, 0, 0, self.game.uniform(0, 0.03)])))

    def draw_receipts(self):
        game = self.game
        if game.random() < 0.05:
            return []
        spelled = game.choice([None, None, str.upper, lambda i: i.rjust(20, "0")])

        def receipt(stat, delay):
            return Receipt(stat, delay=delay, spelled=spelled, form=game.choice(["text", "both"]),
                           via=game.choice(["first", "other"]))

        at = game.uniform(0, 1.0)
        stat = game.choices(["DELIVRD", "UNDELIV", "EXPIRED"], [8, 1, 1])[0]
        receipts = [receipt(stat, at + copy * game.uniform(0, 0.4))
                    for copy in range(game.choice([1, 1, 1, 2, 3]))]
        for _ in range(game.choice([0, 0, 1, 2])):  # ahead of it, beside it or behind it
            receipts.append(receipt("ENROUTE", game.uniform(0, 1.2)))
        if game.random() < 0.1:
            receipts.append(receipt("UNKNOWN", game.uniform(0, 1.2)))
        if game.random() < 0.06:
            other = game.choice([s for s in ("DELIVRD", "UNDELIV", "EXPIRED") if s != stat])
            receipts.append(receipt(other, at + game.uniform(0, 0.8)))
        return sorted(receipts, key=lambda r: r.delay)

    def answer(self, submit, attempt):
        part = sms_octets.decode_part(submit.short_message, submit.esm_class, submit.data_coding)
        with self.lock:
            plan = self.of.get((submit.destination[2], part.number))
            if plan is None:
                return Answer()
            choice, answer = plan
            pool = getattr(self, choice) if choice != "fresh" and attempt == 1 else None
            if not pool or pool[0][0] > time.monotonic() - AGAIN_AFTER:
                choice = "fresh"
            carrier_id = self.next_id() if choice == "fresh" else pool.popleft()[1]
            self.given[choice] += 1
            if choice == "fresh" and not answer.receipts:
                self.awaited.append((time.monotonic(), carrier_id))
            elif choice == "fresh":
                self.left[carrier_id] = len(answer.receipts)
        return Answer(message_id=carrier_id, receipts=answer.receipts, delay=answer.delay,
                      receipts_first=answer.receipts_first and choice == "fresh")

    def next_id(self):
        self.fresh += 1
        return f"a{self.fresh:07x}"  # no decimal number, so that it has one spelling

    def next_stray(self):
        with self.lock:
            return self.next_id()

    def on_acknowledged(self, delivery):
        with self.lock:
            if delivery.of is None:
                self.stray.append((time.monotonic(), delivery.message_id))
            elif delivery.message_id in self.left:
                self.left[delivery.message_id] -= 1
                if self.left[delivery.message_id] == 0:
                    del self.left[delivery.message_id]
                    self.reported.append((time.monotonic(), delivery.message_id))


class Client(threading.Thread):
    """Sends, and sends again what was not answered, until all is accepted."""

    def __init__(self, daemon, requests):
        super().__init__(daemon=True)
        self.daemon_under_test = daemon
        self.unanswered = {request["ref"]: request for request in requests}
        self.ids = {}
        self.refused = []
        self.start()

    def run(self):
        while self.unanswered:
            try:
                with self.daemon_under_test.connect(5.0) as connection:
                    for request in list(self.unanswered.values()):
                        connection.write_request(**request)
                    while self.unanswered and (reply := connection.read()):
                        if reply["status"] not in ("accepted", "duplicate"):
                            self.refused.append(reply)
                        self.ids[reply["ref"]] = reply.get("id")
                        self.unanswered.pop(reply["ref"], None)
            except OSError:
                time.sleep(0.05)  # it is being started again


class Model(unittest.TestCase):
    def setUp(self):
        self.game = random.Random(under_test.Settings.seed)
        self.plans = Plans(self.game)
        self.carrier = ScriptedCarrier(self.plans.answer)
        self.carrier.on_acknowledged = self.plans.on_acknowledged
        self.addCleanup(self.carrier.close)
        self.daemon = under_test.Daemon([under_test.carrier(
            "north", self.carrier.address, binds={"transceiver": BINDS}, window=WINDOW,
            message_id="verbatim")]).start()
        self.daemon.wait_bound("north")
        self.events = under_test.EventFollower(self.daemon)
        self.addCleanup(self.events.close)

    def test_every_event_is_as_a_plain_model_says(self):
        parts_of, refs = {}, {}
        for number, what in enumerate(BREAKS):
            requests = self.requests(number)
            before = len(self.carrier.arrivals)
            client = Client(self.daemon, [request for request, _ in requests])
            self.wait_for_arrivals(before + self.game.randrange(20, MESSAGES_A_ROUND))
            self.break_off(what)
            client.join(under_test.PATIENCE * 2)
            self.assertFalse(client.is_alive(), f"{len(client.unanswered)} are not answered")
            self.assertEqual(client.refused, [])
            for request, parts in requests:
                refs[request["ref"]] = client.ids[request["ref"]]
                parts_of[client.ids[request["ref"]]] = parts
        self.wait_for_the_end(parts_of)
        self.compare(parts_of, refs)
        self.assertEqual(under_test.ledger_gap(self.daemon.status()), 0)
        self.assertEqual(self.daemon.stop(), 0, self.daemon.log_tail())

    def requests(self, number):
        """[(request, parts)] of a round; its plans are drawn, and its strays are said."""
        requests = []
        for n in range(number * MESSAGES_A_ROUND, (number + 1) * MESSAGES_A_ROUND):
            digits = f"7926{n:07d}"
            parts = self.game.choice([1, 1, 1, 2, 3])
            self.plans.draw(digits, parts)
            requests.append(({"ref": digits, "to": "+" + digits, "from": "SHOP",
                              "text": "a" * (150 if parts == 1 else 153 * parts)}, parts))
        for n in range(STRAYS_A_ROUND):
            stat = self.game.choice(["DELIVRD", "UNDELIV", "UNKNOWN", "ENROUTE"])
            self.carrier.report(self.plans.next_stray(), Receipt(stat), (1, 1, f"7936{n:07d}"),
                                (5, 0, "SHOP"))
        return requests

    def wait_for_arrivals(self, count):
        under_test.wait_until(lambda: len(self.carrier.arrivals) >= count,
                              lambda: f"{count} segments; {len(self.carrier.arrivals)} came",
                              under_test.PATIENCE * 2, step=0.002)

    def break_off(self, what):
        if what == "cut":
            return self.carrier.cut()
        if what == "kill":
            self.daemon.kill()
        else:
            self.assertEqual(self.daemon.stop(), 0, self.daemon.log_tail())
        self.daemon.start()

    def wait_for_the_end(self, parts_of):
        """All is sent, said and told: then a last message is, whose events come behind all."""
        segments = sum(parts_of.values())
        under_test.wait_until(
            lambda: self.daemon.status()["waiting"] == 0 and
            self.daemon.carrier_status("north")["in_flight"] == 0 and self.carrier.is_quiet(),
            lambda: f"{segments} segments are sent and reported on; "
            f"{len(self.carrier.arrivals)} came: {self.daemon.status()}",
            under_test.PATIENCE * 3, step=0.1)
        last = self.daemon.ask(op="send", to="+79990000000", text="last", **{"from": "SHOP"})
        self.last = last["id"]
        self.events.wait_for(self.last, "delivered", patience=under_test.PATIENCE * 2)

    def compare(self, parts_of, refs):
        model = TrackingModel(parts_of, *self.what_the_carrier_did(refs))
        with self.events.lock:
            events = [e for e in self.events.events if e["id"] != self.last]
        wrong = model.judge(events)
        wrong += self.other_states(model, parts_of)
        kinds = collections.Counter(e["type"] for e in events)
        print(f"{len(parts_of)} messages, {sum(parts_of.values())} parts, {dict(kinds)}; ids: "
              f"{dict(self.plans.given)}; {len(self.carrier.deliveries)} receipts", flush=True)
        if wrong:
            print(*(line for line in self.daemon.http("/metrics")[1].splitlines()
                    if line.startswith(("stentor_receipts_", "stentor_records_unreadable"))),
                  sep="\n")
            by_message = self.events.by_message()
            for message in {line.partition(":")[0] for line in wrong[:5]}:
                print(message, *by_message.get(message, []), *model.carriers_side(message),
                      sep="\n  ", flush=True)
        self.assertEqual(wrong[:20], [], f"{len(wrong)} events or states are wrong")
        # All that it is about did happen.
        for kind in ("sent", "delivered", "failed", "expired", "unknown", "conflict", "uncertain"):
            self.assertGreater(kinds[kind], 0, kind)
        for choice in ("reported", "awaited", "stray"):
            self.assertGreater(self.plans.given[choice], 0, choice)
        self.assertLessEqual(kinds["uncertain"], len(BREAKS) * BINDS * WINDOW * 2)

    def what_the_carrier_did(self, refs):
        submitted = {}
        for arrival in self.carrier.arrivals:
            submit = arrival.submit
            name = refs.get(submit.destination[2])
            if name is not None:
                part = sms_octets.decode_part(submit.short_message, submit.esm_class, 0)
                submitted[arrival] = Submitted(name, part.number, arrival.message_id, arrival.time)
        said = [Said(d.message_id, d.receipt.stat, d.time, d.connection, d.sequence, d.acknowledged,
                     submitted.get(d.of)) for d in self.carrier.deliveries]
        return submitted.values(), said

    def other_states(self, model, parts_of):
        """Where history tells other states of the parts than the model."""
        wrong = []
        with self.daemon.connect(60.0) as connection:
            names = [name for name, parts in parts_of.items() if parts > 1]
            for start in range(0, len(names), 100):
                for name in names[start:start + 100]:
                    connection.write_request(op="message", id=name)
                for name in names[start:start + 100]:
                    told = [part["state"] for part in connection.read()["parts"]]
                    if told != model.states(name):
                        wrong.append(f"{name}: its parts are {told}, not {model.states(name)}")
        return wrong


if __name__ == "__main__":
    under_test.run_cases(__doc__.split("\n\n", maxsplit=1)[0])

#!/usr/bin/env python3
"""Several binds of one carrier, and several carriers of one route, most against stentor-smsc.

What the simulator captured is judged: which connection got what, when, and how often.
"""

import collections
import os
import signal
import time
import unittest

import sms_octets
import stentor_under_test as under_test
from carrier_simulator import CarrierSimulator
from scripted_carrier import Answer, ScriptedCarrier


def numbered(count, first=0):
    return [f"+7916{first + i:07d}" for i in range(count)]


def send_all(daemon, numbers, text="Hello", **more):
    """{id: digits} of one request."""
    reply = daemon.ask(op="send", to=numbers, text=text, **{"from": "SHOP", **more})
    assert reply["status"] == "accepted", reply
    return {m["id"]: number.lstrip("+") for m, number in zip(reply["messages"], numbers)}


def most_in_a_second(times):
    """The most of these Unix nanoseconds in any sliding second."""
    times, most, begin = sorted(times), 0, 0
    for end, at in enumerate(times):
        while times[begin] <= at - 1_000_000_000:
            begin += 1
        most = max(most, end - begin + 1)
    return most


class Judged(unittest.TestCase):
    def start(self, carriers, routes=None):
        self.daemon = under_test.Daemon(carriers, routes, directory=self.directory).start()
        self.addCleanup(self.daemon.kill)
        self.events = under_test.EventFollower(self.daemon)
        self.addCleanup(self.events.close)

    def setUp(self):
        self.directory = under_test.new_directory()

    def simulator(self, name, **options):
        return CarrierSimulator(os.path.join(self.directory, name), **options)

    def assert_nothing_lost(self):
        self.assertEqual(under_test.ledger_gap(self.daemon.status()), 0)


class Pairs(Judged):
    """Transmitter and receiver side by side with transceivers: one carrier."""

    RATE = 150

    def test_they_share_rate_lanes_and_receipts_and_keep_a_message_together(self):
        smsc = self.simulator("north", receipts_to_any_bind=True, latency="5ms")
        self.start([under_test.carrier("north", smsc.address, rate=self.RATE, window=10,
                                       binds={"transmitter": 1, "receiver": 1, "transceiver": 2})])
        under_test.wait_until(lambda: self.daemon.carrier_status("north")["bound"] == 4,
                              "all four stand")
        sent = send_all(self.daemon, numbered(90), "long " * 60, priority="bulk")  # of two parts
        sent.update(send_all(self.daemon, numbered(210, 1000), priority="bulk"))
        urgent = send_all(self.daemon, numbered(1, 5000), priority="urgent")
        urgent_at = time.time_ns()
        # Wherever the receipt comes, it is matched.
        for message_id in {**sent, **urgent}:
            self.events.wait_for(message_id, "delivered", patience=60)
        self.assert_nothing_lost()
        self.assertEqual(self.daemon.stop(), 0, self.daemon.log_tail())
        smsc.stop()

        kinds = smsc.bind_kinds()
        self.assertEqual(sorted(kinds.values()), ["bind_receiver", "bind_transceiver",
                                                  "bind_transceiver", "bind_transmitter"])
        arrivals = smsc.arrivals()
        self.assertEqual(len(arrivals), 2 * 90 + 210 + 1)
        used = collections.Counter(kinds[a.connection] for a in arrivals)
        self.assertEqual(set(used), {"bind_transmitter", "bind_transceiver"})
        by_connection = collections.Counter(a.connection for a in arrivals)
        self.assertEqual(len(by_connection), 3, "each bind that sends has its part")
        self.assertGreater(min(by_connection.values()), len(arrivals) // 10, by_connection)

        parts = collections.defaultdict(list)
        for a in arrivals:
            part = sms_octets.decode_part(a.short_message, a.esm_class, a.data_coding)
            parts[a.destination].append((a.connection, part.number))
        for digits in list(sent.values())[:90]:
            self.assertEqual([number for _, number in parts[digits]], [1, 2])
            self.assertEqual(len({connection for connection, _ in parts[digits]}), 1,
                             "the parts of one message took two ways")

        # Together they keep the carrier's rate; what is over it is for a machine that was held up.
        self.assertLessEqual(most_in_a_second([a.time for a in arrivals]), self.RATE + 3 + 30)
        # The lane is one for all: what is urgent passes all that waits, wherever it would go.
        bound = 3 * (10 + self.RATE // 20 + 1)  # windows and reserves of those that send
        self.assertLessEqual(self.passed_by(arrivals, urgent, urgent_at), bound)

        receipts = collections.Counter(kinds[line["connection"]] for line in smsc.lines()
                                       if line["type"] == "deliver_sm")
        self.assertEqual(set(receipts), {"bind_receiver", "bind_transceiver"})

    @staticmethod
    def passed_by(arrivals, urgent, urgent_at):
        """How many arrived between the acceptance of the urgent one and itself."""
        digits = list(urgent.values())[0]
        place = [a.destination for a in arrivals].index(digits)
        return sum(a.time > urgent_at for a in arrivals[:place])

    def test_many_to_one_recipient_are_not_in_the_way_of_an_urgent_one(self):
        rate, window = 40, 5
        smsc = self.simulator("north", latency="5ms")
        self.start([under_test.carrier("north", smsc.address, rate=rate, window=window,
                                       binds={"transceiver": 2})])
        under_test.wait_until(lambda: self.daemon.carrier_status("north")["bound"] == 2, "both stand")
        sent = {}
        for number in range(120):
            sent.update(send_all(self.daemon, ["+79160000001"], f"alarm {number}"))
        urgent = send_all(self.daemon, ["+79160000002"], priority="urgent")
        urgent_at = time.time_ns()
        for message_id in {**sent, **urgent}:
            self.events.wait_for(message_id, "sent", patience=60)
        self.assert_nothing_lost()
        smsc.stop()
        arrivals = smsc.arrivals()
        passed = self.passed_by(arrivals, urgent, urgent_at)
        self.assertLessEqual(passed, window + rate // 20, "one bind is free for it")
        texts = [a.short_message.decode() for a in arrivals if a.destination == "79160000001"]
        self.assertEqual(texts, [f"alarm {number}" for number in range(120)], "in their order")

    def test_receipts_come_back_by_a_receiver_alone_even_after_it_was_away(self):
        smsc = self.simulator("north", receipt_delay="1s")
        self.start([under_test.carrier("north", smsc.address,
                                       binds={"transmitter": 2, "receiver": 1})])
        under_test.wait_until(lambda: self.daemon.carrier_status("north")["bound"] == 3,
                              "all three stand")
        sent = send_all(self.daemon, numbered(50))
        for message_id in sent:
            self.events.wait_for(message_id, "sent")
        self.daemon.kill()  # between the response and the receipt
        self.daemon.start()
        for message_id in sent:
            self.events.wait_for(message_id, "delivered")
        self.assert_nothing_lost()
        self.assertEqual(self.daemon.stop(), 0, self.daemon.log_tail())
        smsc.stop()
        kinds = smsc.bind_kinds()
        self.assertEqual({kinds[line["connection"]] for line in smsc.lines()
                          if line["type"] == "deliver_sm"}, {"bind_receiver"})
        self.assertEqual(len(smsc.arrivals()), 50, "something went twice")

    def test_parts_that_were_refused_for_now_follow_those_that_were_taken(self):
        def refuse_the_second_once(submit, attempt):
            part = sms_octets.decode_part(submit.short_message, submit.esm_class,
                                          submit.data_coding)
            refused = part.number == 2 and (submit.destination, 2) not in seen
            seen.add((submit.destination, part.number))
            return Answer(status=0x45 if refused else 0)

        seen = set()
        smsc = ScriptedCarrier(refuse_the_second_once)
        self.addCleanup(smsc.close)
        self.start([under_test.carrier("north", smsc.address, binds={"transceiver": 3},
                                       status={"0x45": "temporary"},
                                       retry={"temporary": {"attempts": 3, "pauses": ["1s"]}})])
        under_test.wait_until(lambda: self.daemon.carrier_status("north")["bound"] == 3,
                              "all three stand")
        for message_id in send_all(self.daemon, numbered(30), "long " * 90):  # of three parts
            self.events.wait_for(message_id, "delivered", patience=60)
        ways = collections.defaultdict(set)
        with smsc.lock:
            for a in smsc.arrivals:
                ways[a.submit.destination].add(a.connection)
        self.assertEqual(len(smsc.arrivals), 30 * 4, "each second part came twice")
        self.assertEqual({len(connections) for connections in ways.values()}, {1},
                         "the parts of one message took two ways")
        self.assertEqual(len(set.union(*ways.values())), 3, "each bind had some")


class Uneven(Judged):
    """Two binds of one carrier, of which one answers late."""

    def test_the_fast_one_carries_more(self):
        carrier = ScriptedCarrier()
        self.addCleanup(carrier.close)
        carrier.delay_of = lambda connection: 0.5 if connection == 1 else 0.0
        # One by one, so that each is given to the less loaded of the two as it comes; half of them
        # on the slow one would not fill its window.
        self.start([under_test.carrier("north", carrier.address, window=300,
                                       binds={"transceiver": 2})])
        under_test.wait_until(lambda: self.daemon.carrier_status("north")["bound"] == 2,
                              "both stand")
        with self.daemon.connect() as connection:
            replies = [connection.ask(op="send", to=number, text="Hello", **{"from": "SHOP"})
                       for number in numbered(300)]
        for reply in replies:
            self.events.wait_for(reply["id"], "sent", patience=60)
        self.assert_nothing_lost()
        self.assertEqual(self.daemon.stop(), 0, self.daemon.log_tail())
        by_connection = collections.Counter(a.connection for a in carrier.arrived())
        slow, fast = by_connection[1], by_connection[2]
        self.assertEqual(slow + fast, 300)
        self.assertGreater(slow, 0, "it was there, and stood idle at times")
        self.assertGreater(fast, 2 * slow, by_connection)


class Carriers(Judged):
    """Two carriers of one route."""

    def test_weights_share_by_recipient(self):
        north, south = self.simulator("north"), self.simulator("south")
        self.start([under_test.carrier("north", north.address),
                    under_test.carrier("south", south.address)],
                   [{"default": True,
                     "carriers": [{"name": "north", "weight": 3}, {"name": "south", "weight": 1}]}])
        for name in ("north", "south"):
            self.daemon.wait_bound(name)
        for _ in range(2):
            for message_id in send_all(self.daemon, numbered(400)):
                self.events.wait_for(message_id, "delivered")
        self.assert_nothing_lost()
        self.assertEqual(self.daemon.stop(), 0, self.daemon.log_tail())
        north.stop()
        south.stop()
        at_north = collections.Counter(a.destination for a in north.arrivals())
        at_south = collections.Counter(a.destination for a in south.arrivals())
        self.assertFalse(set(at_north) & set(at_south), "a recipient changed its carrier")
        self.assertEqual(set((at_north + at_south).values()), {2})
        # 300 of 400 by their weights; the hash is fair, and the bounds five deviations wide.
        self.assertGreater(len(at_north), 300 - 45)
        self.assertLess(len(at_north), 300 + 45)

    def test_what_waits_for_a_carrier_that_dies_goes_by_the_other_once_and_in_order(self):
        north = self.simulator("north", latency="50ms")
        south = self.simulator("south")
        # One recipient, so that there is an order to keep.
        self.start([under_test.carrier("north", north.address, window=4, rate=10,
                                       failover_after="1s"),
                    under_test.carrier("south", south.address)],
                   [{"default": True, "carriers": ["north", "south"]}])
        for name in ("north", "south"):
            self.daemon.wait_bound(name)
        sent = {}
        with self.daemon.connect() as connection:
            for i in range(120):
                reply = connection.ask(op="send", to="+79160000001", text=f"{i:03d}",
                                       **{"from": "SHOP"})
                sent[reply["id"]] = f"{i:03d}"
        under_test.wait_until(lambda: self.daemon.carrier_status("north")["segments_sent"] >= 5,
                              "north has some")
        north.process.signal(signal.SIGKILL)
        north.process.wait()
        # It comes back at the same place: what was in doubt there is settled there.
        under_test.wait_until(lambda: self.daemon.carrier_status("north")["moved"] > 0,
                              "what waits moves on")
        under_test.wait_until(lambda: self.daemon.carrier_status("south")["waiting"] == 0
                              and self.daemon.carrier_status("south")["delivered"] > 0,
                              "the other sends it")
        again = self.simulator("again", port=int(north.address.rpartition(":")[2]))
        for message_id in sent:
            self.events.wait_for(message_id, "sent", "delivered", patience=60)
        self.assert_nothing_lost()
        self.assertEqual(self.daemon.stop(), 0, self.daemon.log_tail())
        south.stop()
        again.stop()
        texts = [a.short_message.decode() for a in south.arrivals()]
        self.assertGreater(len(texts), 60)
        self.assertEqual(texts, sorted(texts), "moving broke the order")
        copies = collections.Counter(texts)
        copies.update(a.short_message.decode() for a in north.arrivals())
        copies.update(a.short_message.decode() for a in again.arrivals())
        for message_id, text in sent.items():
            # The capture of one that was killed may lack its last lines.
            if copies[text] > 1:
                self.assertTrue(any(e.get("possible_duplicate")
                                    for e in self.events.of(message_id)),
                                f"{text} went {copies[text]} times, and no word of it")


if __name__ == "__main__":
    under_test.run_cases(__doc__)

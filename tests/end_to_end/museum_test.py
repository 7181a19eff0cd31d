#!/usr/bin/env python3
"""A bad carrier of every kind beside a good one: each is told of, none costs the good one its pace.

The good carrier is stentor-smsc, a process of its own, and its capture is the clock: nothing that
happens in this program slows it down. A second daemon sends the same to another one at the same
time, without bad company: what else the machine has to do is the same for both.
"""

import os
import threading
import unittest

import stentor_under_test as under_test
from bad_carriers import BAD_PARTS, FLOODS, MUSEUM_PARTS, RawPeer
from carrier_simulator import CarrierSimulator

PARTS = {**BAD_PARTS, **MUSEUM_PARTS}
MEMORY_GROWTH_MAX = 96 << 20


class Side:
    """A daemon with a good carrier, and whom else it is given."""

    def __init__(self, directory, rate, others=()):
        self.good = CarrierSimulator(os.path.join(directory, "good"))
        self.daemon = under_test.Daemon(
            [under_test.carrier("good", self.good.address, rate=rate, window=100), *others],
            [{"default": True, "carriers": ["good"]}], directory=directory).start()
        self.daemon.wait_bound("good")
        self.count = 0
        self.ids = []
        self.paces = []

    def send(self, numbers, **more):
        reply = self.daemon.ask(op="send", to=numbers, text="Hello", **{"from": "SHOP", **more})
        assert reply["status"] == "accepted", reply
        return [message["id"] for message in reply["messages"]]

    def mail(self, messages):
        """Appends the messages a second of one mailing through the good carrier."""
        first = self.count
        self.count += messages
        for begin in range(first, self.count, 100):
            self.ids += self.send([f"+7916{begin + i:07d}" for i in range(100)])
        under_test.wait_until(
            lambda: self.daemon.carrier_status("good")["segments_sent"] >= self.count,
            "the good carrier has all", patience=120, step=0.1)
        arrivals = under_test.wait_until(
            lambda: found if len(found := self.good.arrivals()) >= self.count else None,
            "the capture has all")
        times = [a.time for a in arrivals[first:]]
        self.paces.append((len(times) - 1) / ((times[-1] - times[0]) / 1e9))


class Museum(unittest.TestCase):
    # Far below what the daemon can do: at its rate the good carrier needs a small part of a core,
    # so that what is measured is who waits for whom, and not who gets the machine.
    RATE = 100
    MESSAGES = 300
    # Of its pace that the good one keeps. 0.95 is the promise, which the long run holds it to, in a
    # release with the machine to itself; a machine that starves both hits the busier daemon first.
    SHARE = 0.8
    TRIES = 3  # a machine that is held up for a moment is not what is looked for
    parts = PARTS

    def setUp(self):
        self.peers = {name: RawPeer(part) for name, part in self.parts.items()}
        quick = {"bind_timeout": "2s", "response_timeout": "4s", "enquire_link": "2s"}
        self.alone = Side(under_test.new_directory(), self.RATE)
        self.addCleanup(self.alone.daemon.kill)
        self.beside = Side(under_test.new_directory(), self.RATE,
                           [under_test.carrier(name, peer.address, **quick)
                            for name, peer in self.peers.items()])
        self.daemon = self.beside.daemon
        self.addCleanup(self.daemon.kill)
        self.events = under_test.EventFollower(self.daemon)
        self.addCleanup(self.events.close)
        self.memory_before = self.daemon.status()["memory_octets"]
        self.waiting = {name: self.beside.send([f"+7917{i:07d}"], carrier=name)[0]
                        for i, name in enumerate(self.peers)}
        under_test.wait_until(
            lambda: all(peer.connections for peer in self.peers.values()), "each is met")

    def kept(self):
        """The share of its pace that the good carrier keeps in one mailing."""
        other = threading.Thread(target=self.alone.mail, args=(self.MESSAGES,))
        other.start()
        self.beside.mail(self.MESSAGES)
        other.join()
        return self.beside.paces[-1] / self.alone.paces[-1]

    def assert_it_keeps_its_pace(self):
        kept = []
        while len(kept) < self.TRIES and (not kept or max(kept) < self.SHARE):
            kept.append(self.kept())
        print(f"beside {len(self.peers)} bad carriers the good one keeps "
              f"{', '.join(f'{share:.3f}' for share in kept)} of its pace", flush=True)
        self.assertGreaterEqual(max(kept), self.SHARE, kept)
        for message_id in self.beside.ids:
            self.events.wait_for(message_id, "delivered")
        status = self.daemon.status()
        self.assertEqual(under_test.ledger_gap(status), 0, status)
        self.assertLess(status["memory_octets"], self.memory_before + MEMORY_GROWTH_MAX)
        shown = self.daemon.ask(op="carrier", action="show", name="good")
        self.assertEqual(shown["bind_list"][0]["losses"], 0, "the good carrier's bind went")

    def test_the_good_carrier_keeps_its_pace_and_each_bad_one_is_told(self):
        self.assert_it_keeps_its_pace()
        for name in self.peers:
            with self.subTest(carrier=name):
                self.assert_it_is_told(name)

    def assert_it_is_told(self, name):
        """What breaks the framing is left and met again; what does not keeps its bind."""
        def bind():
            return self.daemon.ask(op="carrier", action="show", name=name)["bind_list"][0]
        if name in KEEPS_ITS_BIND:
            self.events.wait_for(self.waiting[name], "sent")
            self.assertEqual(bind()["losses"], 0, bind())
        else:
            under_test.wait_until(lambda: bind()["last_errors"], "its trouble is told")
        if name in LEAVES_US_UNREAD:
            under_test.wait_until(lambda: bind()["stuck"], "it is left as stuck")
            self.assertIn("stayed unread", " ".join(e["what"] for e in bind()["last_errors"]))
        if name in MALFORMED:
            under_test.wait_until(lambda: bind()["malformed"], "what is malformed is counted")
        if name in ("unasked", "nacks"):
            under_test.wait_until(lambda: bind()["unexpected_responses"], "they are counted")


MALFORMED = {"nonul", "tlvpast", "tinytlvs", "length255", "noheader", "halfunit", "unknown",
             "alerts"}
LEAVES_US_UNREAD = {"neverreads", "readshardly"}
KEEPS_ITS_BIND = MALFORMED | {"unasked", "forged", "nacks", "flood"}


class Floods(Museum):
    """Ten thousand receipts a second that match nothing, and a peer that asks and never reads. Even a
    debug build takes 15 us of processor time for such a receipt: the machine must have them."""

    parts = FLOODS

    def test_the_good_carrier_keeps_its_pace_and_each_bad_one_is_told(self):
        self.assert_it_keeps_its_pace()


if __name__ == "__main__":
    arguments, _ = under_test.begin(__doc__.splitlines()[0], lambda parser: parser.add_argument(
        "--long", action="store_true", help="floods too, and the promise itself"))
    if arguments.long:
        Museum.SHARE = 0.95
    else:
        del Floods
    under_test.run_selected(arguments.rest)

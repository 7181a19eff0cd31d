#!/usr/bin/env python3
"""A consumer of events that is far behind costs delivery nothing, and catches up in order.

As many messages are delivered while nobody reads, and again while a consumer that stayed away reads
all that it missed; --messages says how many (250,000 are a million events).
"""

import json
import os
import socket
import threading
import time
import unittest

import stentor_under_test as under_test
from carrier_simulator import CarrierSimulator

AT_ONCE = 1000  # destinations of one request
EVENTS_EACH = 4  # part, sent, receipt, delivered


class Reader(threading.Thread):
    """Reads the stream as fast as it can, checks the order of cursors, acknowledges now and then."""

    def __init__(self, daemon, consumer):
        super().__init__(daemon=True)
        self.count = 0
        self.disorder = None
        self.types = {}
        self.connection = daemon.connect(under_test.PATIENCE * 4)
        self.opened = self.connection.ask(op="events", consumer=consumer)
        self.start()

    def run(self):
        last, unread = "", self.connection.inbox
        try:
            while octets := self.connection.stream.recv(1 << 20):
                lines = (unread + octets).split(b"\n")
                unread = lines.pop()
                for line in lines:
                    event = json.loads(line)
                    if "cursor" not in event:
                        continue
                    if event["cursor"] <= last and self.disorder is None:
                        self.disorder = (last, event)
                    last = event["cursor"]
                    self.types[event["type"]] = self.types.get(event["type"], 0) + 1
                    self.count += 1
                if last:
                    self.connection.write_request(op="ack", cursor=last)
        except OSError:
            pass

    def close(self):
        self.connection.stream.shutdown(socket.SHUT_RDWR)
        self.join()
        self.connection.close()


class Behind(unittest.TestCase):
    messages = 4000

    def setUp(self):
        self.directory = under_test.new_directory()
        self.carrier = CarrierSimulator(self.directory)
        self.daemon = under_test.Daemon(
            [under_test.carrier("north", self.carrier.address, window=500)]).start()
        self.daemon.wait_bound("north")
        self.number = 0

    def tearDown(self):
        self.assertEqual(under_test.ledger_gap(self.daemon.status()), 0)
        self.assertEqual(self.daemon.stop(), 0, self.daemon.log_tail())
        self.carrier.stop()

    def deliver(self):
        """Seconds from the first request until all is delivered."""
        before = self.daemon.status()["delivered"]
        began = time.monotonic()
        with self.daemon.connect(under_test.PATIENCE * 4) as connection:
            for start in range(0, self.messages, AT_ONCE):
                numbers = [f"7916{self.number + n:07d}"
                           for n in range(min(AT_ONCE, self.messages - start))]
                self.number += len(numbers)
                self.assertEqual(connection.ask(op="send", to=numbers, text="Hello",
                                                **{"from": "SHOP"})["status"], "accepted")
        under_test.wait_until(
            lambda: self.daemon.status()["delivered"] == before + self.messages,
            lambda: f"all to be delivered: {self.daemon.status()}", 300)
        return time.monotonic() - began

    def memory_mib(self):
        with open(f"/proc/{self.daemon.process.child.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024

    def cpu_seconds(self, thread):
        """Of the daemon's threads of that name."""
        tasks, ticks = f"/proc/{self.daemon.process.child.pid}/task", 0
        for task in os.listdir(tasks):
            with open(f"{tasks}/{task}/stat", encoding="ascii") as stat:
                name, _, rest = stat.read().rpartition(")")
            if name.endswith(f"({thread}"):
                ticks += sum(int(field) for field in rest.split()[11:13])
        return ticks / os.sysconf("SC_CLK_TCK")

    def test_who_stays_away_slows_nothing_and_catches_up_in_order(self):
        with self.daemon.connect() as connection:  # it exists from now on
            connection.ask(op="events", consumer="away")
        self.deliver()  # warms everything up
        alone = self.deliver()
        memory = self.memory_mib()

        cpu = self.cpu_seconds("events")
        began = time.monotonic()
        reader = Reader(self.daemon, "away")
        beside = self.deliver()
        events = 3 * self.messages * EVENTS_EACH
        under_test.wait_until(lambda: reader.count >= events,
                              lambda: f"{events} events; {reader.count} came", 300)
        caught_up = time.monotonic() - began
        cpu = self.cpu_seconds("events") - cpu
        reader.close()

        self.assertIsNone(reader.disorder)
        self.assertEqual(reader.types, {kind: 3 * self.messages for kind in
                                        ("part", "sent", "receipt", "delivered")})
        # Sharing the machine with a reader in Python, and with whatever else runs on it.
        self.assertLess(beside, 4 * alone + 5.0)
        self.assertLess(self.memory_mib(), memory + 64, "what waits for a consumer is on disk")
        print(f"{self.messages} messages delivered in {alone:.2f} s alone, in {beside:.2f} s beside "
              f"a consumer {2 * self.messages * EVENTS_EACH} events behind; {events} events in "
              f"{caught_up:.2f} s, {cpu / events * 1e6:.2f} us of CPU each in the events thread",
              flush=True)


def main():
    arguments, _ = under_test.begin(__doc__, lambda parser: parser.add_argument(
        "--messages", type=int, default=Behind.messages, help="how many in each of three rounds"))
    Behind.messages = arguments.messages
    under_test.run_selected(arguments.rest)


if __name__ == "__main__":
    main()

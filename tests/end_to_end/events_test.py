#!/usr/bin/env python3
"""The event stream as a long-lived consumer sees it: idle lines, cursors, reconnects, takeovers."""

import socket
import time
import unittest

import stentor_under_test as under_test
from scripted_carrier import ScriptedCarrier

IDLE = 30  # seconds, by the protocol


class Events(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.carrier = ScriptedCarrier()
        cls.daemon = under_test.Daemon([under_test.carrier("north", cls.carrier.address)]).start()
        cls.daemon.wait_bound("north")

    @classmethod
    def tearDownClass(cls):
        assert cls.daemon.stop() == 0, cls.daemon.log_tail()
        cls.carrier.close()

    def send(self, **more):
        reply = self.daemon.ask(**{"to": "+79161234567", "from": "SHOP", "text": "Hello", **more})
        self.assertEqual(reply["status"], "accepted", reply)
        return reply["id"]

    def open(self, consumer, **more):
        connection = self.daemon.connect()
        self.addCleanup(connection.close)
        opened = connection.ask(op="events", consumer=consumer, **more)
        self.assertEqual((opened["status"], opened["consumer"]), ("ok", consumer), opened)
        return connection, opened["cursor"]

    @staticmethod
    def read_until(connection, message_id, kind):
        """Events up to this one of the message, each as it came."""
        seen = []
        while True:
            event = connection.read()
            seen.append(event)
            if (event.get("id"), event.get("type")) == (message_id, kind):
                return seen

    def test_a_silent_stream_says_every_half_minute_that_it_lives(self):
        connection, _ = self.open("silent", types=["opt_out"])  # nothing of the others' passes
        connection.stream.settimeout(IDLE * 3)
        began = time.monotonic()
        self.assertEqual(connection.read(), {"type": "idle"})  # there is no cursor to acknowledge
        self.assertGreater(time.monotonic() - began, IDLE - 2)

    def test_a_reconnect_goes_on_behind_the_last_acknowledgement(self):
        first, start = self.open("again")
        one = self.send()
        seen = self.read_until(first, one, "delivered")
        self.assertEqual([e["type"] for e in seen], ["part", "sent", "receipt", "delivered"])
        cursors = [e["cursor"] for e in seen]
        self.assertEqual(cursors, sorted(set(cursors)))
        first.write_request(op="ack", cursor=cursors[1])
        first.close()

        def behind_the_second():
            connection, cursor = self.open("again")
            connection.close()
            return cursor == cursors[1]

        under_test.wait_until(behind_the_second, "the acknowledgement has arrived")
        second, cursor = self.open("again")
        self.assertEqual(cursor, cursors[1])
        self.assertEqual([e["cursor"] for e in self.read_until(second, one, "delivered")],
                         cursors[2:])
        # From a cursor of one's own choice, and from the first one that was given.
        third, _ = self.open("again", **{"from": cursors[0]})
        self.assertEqual([e["cursor"] for e in self.read_until(third, one, "delivered")],
                         cursors[1:])
        fourth, _ = self.open("again", **{"from": start})
        self.assertEqual([e["cursor"] for e in self.read_until(fourth, one, "delivered")], cursors)

    def test_a_cursor_that_was_never_given_is_an_error_and_changes_nothing(self):
        connection, start = self.open("strict", types=["delivered"])
        one = self.send()
        delivered = self.read_until(connection, one, "delivered")
        self.assertEqual(len(delivered), 1)
        cursor = delivered[0]["cursor"]
        place, sub = cursor.split("-")
        never = [f"{int(place, 16) + 1:016x}-1",  # no record begins there
                 f"{place}-1" if sub != "1" else f"{place}-9",  # an event that the filter kept back
                 f"{place}-9",  # an event that the record has not
                 f"{(1 << 63) - 1:016x}-1",  # of the future
                 "", "x", place, f"{place}-", f"-{sub}", f"{place}-{sub} "]
        for wrong in never:
            connection.write_request(op="ack", cursor=wrong)
            answer = connection.read()
            self.assertEqual((answer["type"], answer["error"]["code"]), ("error", "bad_field"),
                             (wrong, answer))
        connection.write_request(op="status")
        self.assertEqual(connection.read()["type"], "error")
        connection.close()
        second, cursor_now = self.open("strict", types=["delivered"])
        self.assertEqual(cursor_now, start)
        self.assertEqual(self.read_until(second, one, "delivered")[0]["cursor"], cursor)

    def test_who_sends_nonsense_and_reads_nothing_is_read_no_further(self):
        connection, _ = self.open("nonsense", types=["delivered"])
        raw = connection.stream
        raw.settimeout(3)
        sent = 0
        with self.assertRaises(socket.timeout, msg="all of it was read, and answered in memory"):
            while sent < 4_000_000:
                sent += raw.send(b"x\n" * 1024)
        raw.settimeout(30)
        received = bytearray()
        while received.count(b"\n") < sent // 2:  # all are answered as they are read
            octets = raw.recv(1 << 20)
            self.assertTrue(octets, "the stream goes on")
            received += octets
        self.assertIn(b'"type":"error"', received)

    def test_another_consumers_cursor_is_nobodys_business(self):
        one, _ = self.open("sees-all")
        other, start = self.open("sees-spring", campaign="spring")
        plain = self.send()
        cursor = self.read_until(one, plain, "delivered")[-1]["cursor"]
        spring = self.send(campaign="spring")
        given = self.read_until(other, spring, "delivered")
        self.assertEqual({e["campaign"] for e in given}, {"spring"})
        other.write_request(op="ack", cursor=cursor)
        self.assertEqual(other.read()["type"], "error")
        other.close()
        _, now = self.open("sees-spring", campaign="spring")
        self.assertEqual(now, start)

    def test_a_second_connection_takes_over(self):
        first, _ = self.open("taken")
        second, _ = self.open("taken")
        self.assertEqual(first.read(), {"type": "replaced"})
        self.assertIsNone(first.read_line())
        one = self.send()
        self.read_until(second, one, "delivered")


class ManyConsumers(unittest.TestCase):
    def test_one_client_does_not_use_up_the_names_of_all(self):
        carrier = ScriptedCarrier()
        self.addCleanup(carrier.close)
        daemon = under_test.Daemon([under_test.carrier("north", carrier.address)]).start()

        def opened(consumer):
            with daemon.connect() as connection:
                return connection.ask(op="events", consumer=consumer)

        for i in range(1000):
            self.assertEqual(opened(f"c-{i}")["status"], "ok")
        self.assertEqual(opened("one-more")["error"]["code"], "busy")
        self.assertEqual(opened("c-7")["status"], "ok", "one that is known goes on")
        self.assertEqual(daemon.stop(), 0, daemon.log_tail())


if __name__ == "__main__":
    under_test.run_cases(__doc__)

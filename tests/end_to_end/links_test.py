#!/usr/bin/env python3
"""Links to carriers: what an operator sees and does, TLS, and carriers that break the wire."""

import time
import unittest

import stentor_under_test as under_test
from scripted_carrier import Answer, ScriptedCarrier


def send(number, text="Hello", **more):
    return {"op": "send", "to": number, "from": "SHOP", "text": text, **more}


def number_of(i):
    return f"+7916{i:07d}"


def lines_of(connection, **request):
    """The lines of a streamed answer, without the one that ends it."""
    connection.write_request(**request)
    lines = []
    while True:
        line = connection.read()
        assert line is not None, "the connection was cut"
        if line.get("done") or line.get("status") == "rejected":
            return lines, line
        lines.append(line)


class CarrierRequests(unittest.TestCase):
    def setUp(self):
        self.north, self.south = ScriptedCarrier(), ScriptedCarrier()
        self.daemon = under_test.Daemon(
            [under_test.carrier("north", self.north.address, binds={"transceiver": 2}),
             under_test.carrier("south", self.south.address, rate=50)],
            [{"default": True, "carriers": ["north", "south"]}]).start()
        for name in ("north", "south"):
            self.daemon.wait_bound(name)

    def tearDown(self):
        self.assertEqual(self.daemon.stop(), 0, self.daemon.log_tail())
        self.north.close()
        self.south.close()

    def test_list_and_show_tell_of_binds_window_and_rate(self):
        with self.daemon.connect() as connection:
            lines, end = lines_of(connection, op="carrier", action="list")
            self.assertEqual([line["name"] for line in lines], ["north", "south"])
            self.assertEqual(end, {"status": "ok", "done": True, "lines": 2})
            self.assertEqual(lines[1]["rate"], 50)
            under_test.wait_until(
                lambda: connection.ask(op="carrier", action="show", name="north")["bound"] == 2,
                "both binds stand")
            shown = connection.ask(op="carrier", action="show", name="north")
            self.assertEqual(shown["state"], "up")
            self.assertEqual([bind["type"] for bind in shown["bind_list"]], ["transceiver"] * 2)
            self.assertEqual(shown["bind_list"][0]["host"], self.north.address)
            self.assertEqual(shown["bind_list"][0]["window"], 10)
            reply = connection.ask(op="carrier", action="show", name="nowhere")
            self.assertEqual(reply["error"]["code"], "unknown_carrier")
            self.assertEqual(connection.ask(op="carrier", action="show")["error"]["code"],
                             "bad_field")
            self.assertEqual(connection.ask(op="carrier", action="melt")["error"]["code"],
                             "bad_field")

    def test_a_lost_link_is_told_with_its_time(self):
        self.north.cut()
        shown = under_test.wait_until(
            lambda: next((c for c in [self.daemon.ask(op="carrier", action="show", name="north")]
                          if any(b["last_errors"] for b in c["bind_list"])), None),
            "show tells of the loss")
        errors = [e for bind in shown["bind_list"] for e in bind["last_errors"]]
        self.assertRegex(errors[0]["time"], r"^20\d\d-.*Z$")
        self.assertIn("connection lost", errors[0]["what"])

    def test_suspended_it_submits_nothing_new_and_keeps_its_binds_over_a_restart(self):
        suspended = self.daemon.ask(op="carrier", action="suspend", name="north")
        self.assertEqual((suspended["status"], suspended["suspended"]), ("ok", True), suspended)
        bound = self.north.bound()
        for i in range(5):  # by name it waits, by route it goes elsewhere
            self.daemon.ask(**send(number_of(i), carrier="north"))
            self.daemon.ask(**send(number_of(100 + i)))
        under_test.wait_until(lambda: len(self.south.arrived()) == 5, "the route's next took them")
        self.assertEqual(self.north.arrived(), [])
        self.assertEqual(self.north.bound(), bound)
        self.assertEqual(self.daemon.carrier_status("north")["state"], "suspended")

        self.daemon.kill()
        self.daemon.start()
        under_test.wait_until(lambda: self.north.bound() == 2, "it is bound again")
        shown = self.daemon.ask(op="carrier", action="show", name="north")
        self.assertEqual((shown["state"], shown["waiting"]), ("suspended", 5), shown)
        self.assertTrue(shown["suspended_by"])
        time.sleep(0.3)
        self.assertEqual(self.north.arrived(), [])

        self.daemon.ask(op="carrier", action="resume", name="north")
        began = time.monotonic()
        under_test.wait_until(lambda: len(self.north.arrived()) == 5, "what waited goes out")
        self.assertLess(time.monotonic() - began, 1.0)
        self.assertEqual(self.daemon.carrier_status("north")["state"], "up")

    def test_suspending_takes_back_what_is_reserved_and_loses_nothing(self):
        self.south.script = lambda submit, attempt: Answer(delay=0.05)
        with self.daemon.connect() as connection:
            for i in range(60):
                connection.write_request(**send(number_of(i), carrier="south"))
            for _ in range(60):
                self.assertEqual(connection.read()["status"], "accepted")
        under_test.wait_until(lambda: len(self.south.arrived()) >= 5, "it has begun")
        self.daemon.ask(op="carrier", action="suspend", name="south")
        time.sleep(0.2)  # what was in flight is answered
        taken = len(self.south.arrived())
        time.sleep(0.3)
        self.assertEqual(len(self.south.arrived()), taken, "something new was submitted")
        self.assertLess(taken, 60)
        self.daemon.ask(op="carrier", action="resume", name="south")
        under_test.wait_until(lambda: len({a.submit.destination[2]
                                           for a in self.south.arrived()}) == 60, "all go out")
        self.assertEqual(len(self.south.arrived()), 60, "something went twice")


if __name__ == "__main__":
    under_test.run_cases(__doc__.splitlines()[0])

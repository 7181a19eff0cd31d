#!/usr/bin/env python3
"""A state directory that is a copy is refused, and adopted in one of two ways.

The state is written by a daemon here; then its `origin` names another machine, as if it had been
brought here.
"""

import os
import unittest

import stentor_under_test as under_test
from scripted_carrier import Answer, ScriptedCarrier

JOURNAL_REFUSED = 3


class Adoption(unittest.TestCase):
    """At one carrier a message is in doubt when the state is copied, at the other one waits."""

    def setUp(self):
        self.answers = False
        self.north = ScriptedCarrier(lambda submit, attempt: Answer(silent=not self.answers))
        self.addCleanup(self.north.close)
        south_port = under_test.free_port()
        self.daemon = under_test.Daemon(
            [under_test.carrier("north", self.north.address, uncertain="resend"),
             under_test.carrier("south", f"127.0.0.1:{south_port}")])
        self.daemon.start()
        self.addCleanup(self.daemon.kill)
        self.daemon.wait_bound("north")
        self.doubtful = self.send("79160000001", "north")
        under_test.wait_until(lambda: self.north.arrived("79160000001"), "it is on the wire")
        self.waiting = self.send("79160000002", "south")
        self.daemon.kill()
        self.daemon.process.wait()
        self.answers = True
        self.south = ScriptedCarrier(port=south_port)
        self.addCleanup(self.south.close)

    def send(self, digits, carrier):
        reply = self.daemon.ask(to="+" + digits, text="Hello", carrier=carrier, **{"from": "SHOP"})
        self.assertEqual(reply["status"], "accepted", reply)
        return reply["id"]

    def move_to_another_machine(self):
        path = os.path.join(self.daemon.state, "origin")
        with open(path, encoding="ascii") as file:
            title, machine, inode = file.read().splitlines()
        if machine == "machine -":
            under_test.skip("this machine has no id (/etc/machine-id)")
        with open(path, "w", encoding="ascii") as file:
            file.write(f"{title}\nmachine {'0' * 64}\n{inode}\n")

    def start(self, *arguments):
        self.daemon.arguments = list(arguments)
        self.daemon.start()
        self.daemon.wait_bound("north")
        self.daemon.wait_bound("south")

    def state_of(self, message_id):
        return self.daemon.ask(op="message", id=message_id)["state"]

    def wait_for(self, message_id, state):
        under_test.wait_until(lambda: self.state_of(message_id) == state,
                              lambda: f"{state}, it is {self.state_of(message_id)}")

    def test_it_is_refused_and_the_line_says_what_to_do(self):
        self.move_to_another_machine()
        status, log = self.daemon.start_and_fail()
        self.assertEqual(status, JOURNAL_REFUSED)
        for part in (self.daemon.state, "another machine wrote it", "--adopt moved",
                     "--adopt copy"):
            self.assertIn(part, log)
        self.assertEqual((len(self.north.binds), len(self.south.binds)), (1, 0), "it has bound")

    def test_moved_it_goes_on_as_if_nothing_had_happened(self):
        self.move_to_another_machine()
        self.start("--adopt", "moved")
        self.wait_for(self.waiting, "delivered")
        self.wait_for(self.doubtful, "delivered")
        self.assertEqual(self.daemon.stop(), 0)
        self.start()  # it is this machine's own now

    def test_of_a_copy_nothing_is_sent_until_somebody_says_so(self):
        self.move_to_another_machine()
        self.start("--adopt", "copy")
        for name in ("north", "south"):
            shown = self.daemon.ask(op="carrier", action="show", name=name)
            self.assertEqual((shown["state"], shown["suspended_by"]),
                             ("suspended", "--adopt copy"), shown)
        self.assertEqual(self.doubts(), [self.doubtful])
        later = self.send("79160000003", "north")

        self.daemon.kill()  # what was said of it outlives the start that said it
        self.daemon.process.wait()
        self.start()
        self.assertEqual(self.doubts(), [self.doubtful])
        self.assertEqual((len(self.north.arrived()), len(self.south.arrived())), (1, 0),
                         "sent from a copy")

        for name in ("north", "south"):
            self.daemon.ask(op="carrier", action="resume", name=name)
        self.wait_for(self.waiting, "delivered")
        self.wait_for(later, "delivered")
        self.assertEqual(len(self.north.arrived("79160000001")), 1, "what is in doubt is held")
        reply = self.daemon.ask(op="resolve", id=self.doubtful, **{"as": "unsent"})
        self.assertEqual(reply["status"], "ok", reply)
        self.wait_for(self.doubtful, "delivered")

    def doubts(self):
        shown = self.daemon.ask(op="carrier", action="doubts", name="north")
        return [doubt["id"] for doubt in shown["doubts"]]


if __name__ == "__main__":
    under_test.run_cases(__doc__)

#!/usr/bin/env python3
"""Somebody sets the machine's clock while stentord runs, and between two starts.

libfaketime stands between the daemon and the system's clock and leaves the steady one alone: +1 h,
-1 h, 1970 and 2038-01-19. The judge's own clock is never touched.
"""

import datetime
import glob
import os
import re
import time
import unittest

import stentor_under_test as under_test
from scripted_carrier import ScriptedCarrier

HOUR = 3600
END_OF_32_BITS = 2 ** 31 - 1  # 2038-01-19 03:14:07
WAITING = 20
# An event is due within 100 ms; the rest is for a machine that does three other things.
LATE_MAX = 2.0


def faketime():
    found = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    return found[0] if found else None


def is_sanitized():
    """Then its runtime insists on being the first library, where libfaketime has to be."""
    with open(under_test.program("stentord"), "rb") as file:
        octets = file.read()
    return b"__asan_init" in octets or b"__tsan_init" in octets


def setUpModule():
    if not faketime():
        under_test.skip("libfaketime is not installed")
    if is_sanitized():
        under_test.skip("a sanitizer's runtime and libfaketime do not go together")


class Clock(unittest.TestCase):
    def setUp(self):
        self.north = ScriptedCarrier()
        self.daemon = under_test.Daemon([under_test.carrier("north", self.north.address),
                                         under_test.carrier("still", self.north.address)])
        self.offset_path = os.path.join(self.daemon.directory, "offset")
        self.set_clock(0)
        self.daemon.prefix = ["env", f"LD_PRELOAD={faketime()}", "FAKETIME_NO_CACHE=1",
                              "DONT_FAKE_MONOTONIC=1",
                              f"FAKETIME_TIMESTAMP_FILE={self.offset_path}"]
        self.start()
        self.events = under_test.EventFollower(self.daemon)

    def tearDown(self):
        self.events.close()
        self.daemon.kill()
        self.north.close()

    def start(self):
        self.daemon.start()
        for name in ("north", "still"):
            self.daemon.wait_bound(name)

    def set_clock(self, offset):
        """By so many seconds from the truth."""
        with open(self.offset_path + ".new", "w", encoding="ascii") as file:
            file.write(f"{offset:+d}\n")
        os.rename(self.offset_path + ".new", self.offset_path)

    def difference(self):
        page = self.daemon.http("/metrics")[1]
        return float(re.search(r"^stentor_clock_difference_seconds (\S+)$", page, re.M)[1])

    def suspend_still(self):
        reply = self.daemon.ask(op="carrier", action="suspend", name="still")
        self.assertEqual(reply["status"], "ok", reply)

    def resume_still(self):
        reply = self.daemon.ask(op="carrier", action="resume", name="still")
        self.assertEqual(reply["status"], "ok", reply)

    def send(self, to, **more):
        reply = self.daemon.ask(to=f"+{to}", text="Hello", **{"from": "SHOP", **more})
        self.assertEqual(reply["status"], "accepted", reply)
        return reply["id"]

    def set_and_see(self, offset):
        told = self.daemon.log().count("the system's clock was set")
        self.set_clock(offset)
        under_test.wait_until(
            lambda: self.daemon.log().count("the system's clock was set") > told
            and abs(self.difference() - offset) < 3, f"the clock is seen to be {offset} s off")

    def expect_sent_once(self, numbers):
        under_test.wait_until(lambda: all(self.north.arrived(to) for to in numbers),
                              "all are sent")
        for to in numbers:
            self.assertEqual(len(self.north.arrived(to)), 1, to)

    def test_is_set_while_messages_wait(self):
        self.suspend_still()
        waiting = {f"7916{i:07d}": None for i in range(WAITING)}
        for to in waiting:
            waiting[to] = self.send(to, carrier="still", expires=HOUR // 2)
        life = 15
        sent = time.time()
        short = self.send("79170000001", carrier="still", expires=life)
        due = self.send("79170000002", carrier="north", not_before=life)

        now = int(time.time())
        offsets = (HOUR, -HOUR, -now, END_OF_32_BITS - now, 0)
        for step, offset in enumerate(offsets):
            self.set_and_see(offset)
            # Meanwhile it works, and a lifetime counts from the daemon's own date.
            passing = f"7918{step:07d}"
            self.send(passing, carrier="north", expires=60, ref=f"passing-{step}")
            self.expect_sent_once([passing])
            again = self.daemon.ask(to=f"+{passing}", text="Hello", carrier="north", expires=60,
                                    ref=f"passing-{step}", **{"from": "SHOP"})
            self.assertEqual(again["status"], "duplicate", again)
        self.assertEqual(self.daemon.log().count("the system's clock was set"), len(offsets))

        ended = self.events.wait_for(short, "expired")
        told = datetime.datetime.fromisoformat(ended["time"].replace("Z", "+00:00")).timestamp()
        self.assertGreater(told - sent, life - 1, "in seconds, so up to one early")
        self.assertLess(told - sent, life + LATE_MAX)
        self.events.wait_for(due, "sent")
        arrived = self.north.arrived("79170000002")[0].time - (time.monotonic() - time.time()) - sent
        self.assertGreater(arrived, life - 0.1)
        self.assertLess(arrived, life + LATE_MAX)

        self.assertEqual(self.daemon.status()["expired"], 1)
        self.resume_still()
        self.expect_sent_once(waiting)
        self.assertEqual(self.north.arrived("79170000001"), [])
        self.assertEqual(under_test.ledger_gap(self.daemon.status()), 0)
        self.assertEqual(self.daemon.stop(), 0)

    def test_has_gone_back_between_two_starts(self):
        self.suspend_still()
        first = self.send("79160000001", carrier="still", expires=HOUR // 2, ref="first")
        self.assertEqual(self.daemon.stop(), 0)
        self.set_clock(-HOUR)
        self.start()
        self.assertIn("nothing expires for 60 s", self.daemon.log())

        again = self.daemon.ask(to="+79160000001", text="Hello", carrier="still",
                                expires=HOUR // 2, ref="first", **{"from": "SHOP"})
        self.assertEqual((again["status"], again["id"]), ("duplicate", first))
        second = self.send("79160000002", carrier="still")
        self.assertGreater(second, first, "ids ascend")

        self.assertEqual(self.daemon.stop(), 0)
        self.set_clock(0)
        before = len(self.daemon.log())
        self.start()
        self.assertNotIn("the journal has a date", self.daemon.log()[before:])
        self.resume_still()
        self.expect_sent_once(["79160000001", "79160000002"])
        self.assertEqual(self.daemon.stop(), 0)

    def wait_noted(self):
        under_test.wait_until(lambda: os.path.exists(os.path.join(self.daemon.state, "clock")),
                              "the clock is noted")

    def test_forgets_nothing_when_it_has_gone_forward_by_days(self):
        """For as long as somebody may put it right, over another start in that time too."""
        first = self.send("79160000001", carrier="north", expires=HOUR, ref="first")
        self.events.wait_for(first, "sent")
        self.wait_noted()
        self.daemon.kill()
        self.set_clock(100 * HOUR)
        for _ in range(2):
            before = len(self.daemon.log())
            self.start()
            self.assertIn("nothing expires for 60 s", self.daemon.log()[before:])
            again = self.daemon.ask(to="+79160000001", text="Hello", carrier="north", expires=HOUR,
                                    ref="first", **{"from": "SHOP"})
            self.assertEqual((again["status"], again.get("id")), ("duplicate", first), again)
            time.sleep(2.5)  # longer than the clock is noted after a start, and files are looked at
            self.assertTrue(self.daemon.journal_files()[0].endswith("journal-00000001.stj"))
            self.daemon.kill()
        self.set_clock(0)
        self.start()
        self.expect_sent_once(["79160000001"])

    def test_has_gone_forward_between_two_starts(self):
        self.suspend_still()
        self.send("79160000001", carrier="still", expires=HOUR // 2)
        self.wait_noted()
        self.daemon.kill()
        self.set_clock(HOUR)
        self.start()
        self.assertRegex(self.daemon.log(), r"36[0-9]{2} s ahead of what has passed since the "
                                            "process before: .* nothing expires for 60 s")
        # Were it to expire, it would do so before what comes later is sent.
        self.send("79170000001", carrier="north")
        self.expect_sent_once(["79170000001"])
        self.assertEqual(self.daemon.status()["expired"], 0)

        self.daemon.kill()
        self.set_clock(0)
        before = len(self.daemon.log())
        self.start()
        self.assertIn("nothing expires for 60 s", self.daemon.log()[before:])
        self.resume_still()
        self.expect_sent_once(["79160000001"])
        self.assertEqual(self.daemon.stop(), 0)


if __name__ == "__main__":
    under_test.run_cases(__doc__)

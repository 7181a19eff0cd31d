#!/usr/bin/env python3
"""Plain SMPP goes to private addresses, and elsewhere only where the configuration says so.

"0" stands for a host name: the configuration does not take it for an address, and getaddrinfo()
finds 0.0.0.0 without asking anybody. That is no private address, and on Linux whoever connects
there reaches loopback, where a carrier listens that must not be reached.
"""

import unittest

import stentor_under_test as under_test
from scripted_carrier import ScriptedCarrier

NAME = "0"


class PlainText(unittest.TestCase):
    def start(self, host, **settings):
        self.carrier = ScriptedCarrier()
        self.addCleanup(self.carrier.close)
        self.daemon = under_test.Daemon(
            [under_test.carrier("north", f"{host}:{self.carrier.port}", **settings)]).start()
        self.addCleanup(self.daemon.kill)

    def last_error(self):
        return self.daemon.carrier_status("north")["last_error"]

    def test_a_name_that_leads_to_a_public_address_is_refused_and_says_why(self):
        self.start(NAME)
        why = (f"{NAME}:{self.carrier.port}: not a private address: plain text there needs "
               "tls = false in the configuration")
        under_test.wait_until(lambda: self.last_error() == why, self.last_error)
        self.assertIn(f"carrier north bind 0: {why}", self.daemon.log())
        # It is tried again; nothing of it ever reaches the carrier.
        under_test.wait_until(lambda: self.daemon.log().count(why) >= 2, self.daemon.log_tail)
        self.assertEqual(self.carrier.binds, [])
        self.assertEqual(self.daemon.carrier_status("north")["bound"], 0)

    def test_with_tls_false_it_is_bound_and_the_log_warns_once(self):
        self.start(NAME, tls=False)
        self.daemon.wait_bound("north")
        warning = (f"plain text (tls = false) to {NAME}:{self.carrier.port}, which is not a private "
                   "address: messages and password can be read on the way")
        self.assertEqual(self.daemon.log().count(warning), 1, self.daemon.log())
        self.carrier.cut()
        under_test.wait_until(lambda: len(self.carrier.binds) == 2, "it is bound again")
        self.assertEqual(self.daemon.log().count(warning), 1, self.daemon.log())

    def test_a_name_that_leads_to_a_private_address_is_bound_and_the_log_says_so(self):
        self.start("localhost")
        self.daemon.wait_bound("north")
        told = f"carrier north: plain text (tls = false) to localhost:{self.carrier.port}"
        self.assertEqual(self.daemon.log().count(told), 1, self.daemon.log())
        self.assertNotIn("not a private address", self.daemon.log())


if __name__ == "__main__":
    under_test.run_cases(__doc__)

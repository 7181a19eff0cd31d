#!/usr/bin/env python3
"""A case that skips itself is seen: its program counts as skipped and says which and why, unless
something failed."""

import os
import subprocess
import sys
import unittest

import stentor_under_test as under_test

PROGRAM = """
import sys
import unittest
sys.path.insert(0, {here!r})
import stentor_under_test as under_test

class Cases(unittest.TestCase):
    def test_that_passes(self):
        self.assertTrue(True)

    def test_that_skips_itself(self):
        self.skipTest("no moon tonight")

    def test_that_fails(self):
        self.fail("as it should")

class AllSkipped(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        raise unittest.SkipTest("no sun either")

    def test_that_never_begins(self):
        pass

under_test.run_selected(sys.argv[1:])
"""


class Skips(unittest.TestCase):
    def run_cases(self, *names):
        here = os.path.dirname(os.path.abspath(__file__))
        ran = subprocess.run([sys.executable, "-B", "-c", PROGRAM.format(here=here), *names],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        lines = [line for line in ran.stdout.splitlines() if line.startswith("skipped: ")]
        return ran.returncode, lines

    def test_one_that_skips_itself_among_others_is_named_with_its_reason(self):
        self.assertEqual(
            self.run_cases("Cases.test_that_passes", "Cases.test_that_skips_itself"),
            (under_test.SKIPPED, ["skipped: 1 of its cases, while the others passed: "
                                  "Cases.test_that_skips_itself: no moon tonight"]))

    def test_a_class_that_skips_itself_is_named(self):
        status, lines = self.run_cases("Cases.test_that_passes", "AllSkipped")
        self.assertEqual(status, under_test.SKIPPED)
        self.assertIn("AllSkipped", lines[0])
        self.assertIn("no sun either", lines[0])

    def test_a_failure_goes_before_a_skip(self):
        self.assertEqual(self.run_cases("Cases"), (1, []))

    def test_where_all_pass_nothing_is_said(self):
        self.assertEqual(self.run_cases("Cases.test_that_passes"), (0, []))


if __name__ == "__main__":
    unittest.main()

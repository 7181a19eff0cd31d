#!/usr/bin/env python3
"""A step back to an older version: what a later one has left beside the journal is read from the
journal again and named in the log, once; what cannot be made again ends the start, by its name."""

import glob
import os
import struct
import unittest

import stentor_under_test as under_test

REFUSED = 3
VERSION_AT = 8


def crc32c(octets, check=0):
    check ^= 0xFFFFFFFF
    for octet in octets:
        check ^= octet
        for _ in range(8):
            check = check >> 1 ^ (0x82F63B78 if check & 1 else 0)
    return check ^ 0xFFFFFFFF


def write_version(path, seal):
    """Makes the file one of format 2; `seal` mends its check, where it has one for that."""
    with open(path, "r+b") as file:
        octets = bytearray(file.read())
        octets[VERSION_AT:VERSION_AT + 4] = struct.pack("<I", 2)
        seal(octets)
        file.seek(0)
        file.write(octets)


def seal_excerpt(octets):
    octets[60:64] = struct.pack("<I", crc32c(octets[:60]))


def seal_run(octets):
    octets[4092:4096] = struct.pack("<I", crc32c(octets[:4092], crc32c(bytes(8))))


def seal_list(octets):
    octets[-4:] = struct.pack("<I", crc32c(octets[:-4]))


class StepBack(unittest.TestCase):
    messages = 33_000  # more references than a sixteenth of 16 MiB holds: they make a file

    def setUp(self):
        self.daemon = under_test.Daemon(
            [under_test.carrier("north", f"127.0.0.1:{under_test.free_port()}")],
            [{"default": True, "carriers": ["north"]}],
            tables={"queue": {"memory": "16MiB"}, "journal": {"checkpoint": "1MiB"}}).start()

    def files(self, pattern):
        return sorted(glob.glob(os.path.join(self.daemon.state, pattern)))

    def send(self, numbers):
        return self.daemon.send_numbered(numbers, text="Hello" * 20)

    def test_what_can_be_made_again_is_and_the_log_names_it_once(self):
        ids = [reply["id"] for reply in self.send(range(self.messages))]
        kinds = {"journal/checkpoint-*.stx": seal_excerpt, "references/*.refs": seal_run,
                 "history/*.index": lambda octets: None}
        for pattern in kinds:
            under_test.wait_until(lambda pattern=pattern: self.files(pattern), pattern, 60)
        self.daemon.kill()
        first = [os.path.basename(self.files(pattern)[0]) for pattern in kinds]
        first[0] = os.path.basename(self.files("journal/checkpoint-*.stx")[-1])  # newest first
        for pattern, seal in kinds.items():
            for path in self.files(pattern):
                write_version(path, seal)

        before = len(self.daemon.log())
        self.daemon.start(120)
        told = self.daemon.log()[before:]
        for name in first:
            self.assertEqual(told.count(
                f"{name}: format 2, while this program knows up to 1: "
                "what it holds is read from the journal again"), 1, told)
        status = self.daemon.status()
        self.assertEqual(under_test.ledger_gap(status), 0, status)
        self.assertEqual(status["live"], self.messages, status)
        for number in (0, self.messages // 2, self.messages - 1):
            again = self.send(range(number, number + 1))[0]
            self.assertEqual((again["status"], again["id"]), ("duplicate", ids[number]))
            self.assertEqual(self.daemon.ask(op="message", id=ids[number])["status"], "ok")

        self.daemon.audits_at_stop = False  # it notes the checkpoint that it cannot compare
        self.assertEqual(self.daemon.stop(), 0, self.daemon.log_tail())
        status, findings, last = self.daemon.audit()
        self.assertEqual((status, last["live"]), (0, self.messages), findings)

    def test_a_list_of_opt_outs_that_it_cannot_read_ends_the_start(self):
        reply = self.daemon.ask(op="optout", action="add", to="+79160000001")
        self.assertEqual(reply["status"], "ok", reply)
        under_test.wait_until(lambda: self.files("opt_out/list"), "the list is saved")
        self.assertEqual(self.daemon.stop(), 0, self.daemon.log_tail())
        path = self.files("opt_out/list")
        write_version(path[0], seal_list)
        status, printed = self.daemon.start_and_fail()
        self.assertEqual(status, REFUSED)
        self.assertIn(f"{path[0]}: format 2, while this program knows up to 1", printed)


if __name__ == "__main__":
    under_test.run_cases(__doc__.splitlines()[0])

#!/usr/bin/env python3
"""The harness that stands for the unit's system call filters lets through what they let through,
and nothing else: what runs under it is tested as it will run. Other programs of this folder run
stentord under it with --filtered."""

import errno
import json
import subprocess
import sys
import unittest

import stentor_under_test as under_test
import unit_filter

# Prints {what is tried: the error number it met, or 0}.
TRIES = r"""
import ctypes, json, mmap, os, socket, threading
libc = ctypes.CDLL(None, use_errno=True)

def unshare(flag):
    if libc.unshare(flag) != 0:
        raise OSError(ctypes.get_errno(), "unshare")

def run(call):
    try:
        call()
        return 0
    except OSError as error:
        return error.errno

def thread():
    worker = threading.Thread(target=int)
    worker.start()
    worker.join()

print(json.dumps({name: run(call) for name, call in {
    "an IPv4 socket": lambda: socket.socket(socket.AF_INET),
    "an IPv6 socket": lambda: socket.socket(socket.AF_INET6),
    "a local socket": lambda: socket.socket(socket.AF_UNIX),
    "a netlink socket": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
    "a packet socket": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
    "a thread": thread,
    "memory to write": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE),
    "memory to write and execute": lambda: mmap.mmap(-1, 4096,
                                                     prot=mmap.PROT_WRITE | mmap.PROT_EXEC),
    "another root": lambda: os.chroot("/"),
    "a priority": lambda: os.nice(1),
    "a processor of its own": lambda: os.sched_setaffinity(0, os.sched_getaffinity(0)),
    "a user namespace": lambda: unshare(0x10000000),
}.items()}))
"""


class UnitFilter(unittest.TestCase):
    def setUp(self):
        if why := unit_filter.why_not():
            self.skipTest(why)

    def test_what_the_unit_forbids_is_refused_and_what_it_allows_is_not(self):
        command = [sys.executable, "-c", TRIES]
        done = subprocess.run([sys.executable, "-B", unit_filter.__file__, *command],
                              capture_output=True, text=True, check=True)
        refused = {name: number for name, number in json.loads(done.stdout).items() if number}
        self.assertEqual(refused, {
            "a netlink socket": errno.EAFNOSUPPORT, "a packet socket": errno.EAFNOSUPPORT,
            "memory to write and execute": errno.EPERM, "another root": errno.EPERM,
            "a priority": errno.EPERM, "a processor of its own": errno.EPERM,
            "a user namespace": errno.EPERM})


if __name__ == "__main__":
    under_test.run_cases(__doc__)

#!/usr/bin/env python3
"""Runs a program under the system call filters of systemd/stentord.service, without systemd.

    tests/end_to_end/unit_filter.py PROGRAM ARGUMENTS...

What systemd makes of SystemCallFilter=, SystemCallErrorNumber=, MemoryDenyWriteExecute=,
RestrictAddressFamilies= and RestrictNamespaces= (systemd.exec(5)) is loaded with libseccomp, then
the program takes this one's place. The groups of calls are what systemd-analyze says they are.
"""

import ctypes
import errno
import os
import re
import shutil
import socket
import subprocess
import sys

UNIT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "systemd",
                    "stentord.service")
LIBRARY = "libseccomp.so.2"

ALLOW = 0x7FFF0000
LESS, EQUAL, GREATER, MASKED_EQUAL = 2, 4, 6, 7  # enum scmp_compare
PROT_WRITE, PROT_EXEC, SHM_EXEC = 2, 4, 0o100000
NEW_NAMESPACES = (0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000,
                  0x40000000)  # CLONE_NEWTIME to CLONE_NEWNET
PR_SET_NO_NEW_PRIVS = 38


def refuse(number):
    return 0x00050000 | number


class Comparison(ctypes.Structure):
    _fields_ = [("argument", ctypes.c_uint), ("operator", ctypes.c_int),
                ("first", ctypes.c_uint64), ("second", ctypes.c_uint64)]


class Filter:
    def __init__(self, library, otherwise):
        library.seccomp_init.restype = ctypes.c_void_p
        self.library = library
        self.context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(otherwise)))

    def add(self, action, call, *comparisons):
        """A call that this library or machine does not have is left out, as systemd does."""
        number = self.library.seccomp_syscall_resolve_name(call.encode())
        if number == -1:
            return
        array = (Comparison * len(comparisons))(*comparisons)
        error = self.library.seccomp_rule_add_array(
            self.context, ctypes.c_uint32(action), number, len(comparisons), array)
        if error not in (0, -errno.EDOM):
            raise OSError(-error, f"a rule for {call}")

    def load(self):
        error = self.library.seccomp_load(self.context)
        if error:
            raise OSError(-error, "seccomp_load")


def settings():
    """{directive: [its values in order]} of the unit."""
    found = {}
    with open(UNIT, encoding="utf-8") as file:
        for key, value in re.findall(r"^(\w+)=(.*)$", file.read(), re.M):
            found.setdefault(key, []).append(value)
    return found


def groups():
    """{group: what it lists, calls and other groups}."""
    listed = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager"],
                            capture_output=True, text=True, check=True).stdout
    found, group = {}, []
    for line in listed.splitlines():
        word = line.strip()
        if line.startswith("@"):
            group = found.setdefault(word, [])
        elif word and not word.startswith("#"):
            group.append(word)
    return found


def allowed_calls(unit):
    of_group = groups()

    def calls_of(word):
        return set().union(*map(calls_of, of_group[word])) if word.startswith("@") else {word}

    allowed = set()
    for value in unit["SystemCallFilter"]:
        words = set().union(*map(calls_of, value.lstrip("~").split()))
        allowed = allowed - words if value.startswith("~") else allowed | words
    return allowed | calls_of("@default")  # in every allow list


def load_list(library, allowed, otherwise):
    listed = Filter(library, refuse(otherwise))
    for call in sorted(allowed):
        listed.add(ALLOW, call)
    listed.load()


def load_restrictions(library, unit):
    restricted = Filter(library, ALLOW)
    if unit["MemoryDenyWriteExecute"] == ["yes"]:
        both = PROT_WRITE | PROT_EXEC
        restricted.add(refuse(errno.EPERM), "mmap", Comparison(2, MASKED_EQUAL, both, both))
        for call in ("mprotect", "pkey_mprotect"):
            restricted.add(refuse(errno.EPERM), call,
                           Comparison(2, MASKED_EQUAL, PROT_EXEC, PROT_EXEC))
        restricted.add(refuse(errno.EPERM), "shmat",
                       Comparison(2, MASKED_EQUAL, SHM_EXEC, SHM_EXEC))
    families = {int(getattr(socket, name))
                for name in unit["RestrictAddressFamilies"][0].split()}
    unsupported = refuse(errno.EAFNOSUPPORT)
    restricted.add(unsupported, "socket", Comparison(0, LESS, min(families), 0))
    restricted.add(unsupported, "socket", Comparison(0, GREATER, max(families), 0))
    for family in range(min(families), max(families)):
        if family not in families:
            restricted.add(unsupported, "socket", Comparison(0, EQUAL, family, 0))
    if unit["RestrictNamespaces"] == ["yes"]:
        for call in ("unshare", "setns"):
            restricted.add(refuse(errno.EPERM), call)
        restricted.add(refuse(errno.ENOSYS), "clone3")  # its flags lie where no filter looks
        for flag in NEW_NAMESPACES:
            restricted.add(refuse(errno.EPERM), "clone", Comparison(0, MASKED_EQUAL, flag, flag))
    restricted.load()


def why_not():
    """Why there can be no filter here; None where there can."""
    if not shutil.which("systemd-analyze"):
        return "systemd-analyze, which lists the calls of @system-service, is not installed"
    try:
        ctypes.CDLL(LIBRARY)
    except OSError:
        return f"{LIBRARY} is not installed (libseccomp2)"
    return None


def main():
    if why := why_not():
        sys.exit(why)
    library, unit = ctypes.CDLL(LIBRARY), settings()
    allowed = allowed_calls(unit)
    otherwise = getattr(errno, unit["SystemCallErrorNumber"][0])
    if ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        sys.exit("PR_SET_NO_NEW_PRIVS")
    load_restrictions(library, unit)
    load_list(library, allowed, otherwise)  # the last: seccomp(2) is not on it
    os.execvp(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()

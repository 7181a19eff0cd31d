#!/usr/bin/env python3
"""The real daemon on a disk that fills up, under a limit on file sizes, and on one that turns
read-only or dies under it. What it acknowledged is never lost, and it says what is wrong.

Disks are a tmpfs or a file with ext4 in a mount namespace of this program's own; where that is not
permitted the cases are skipped, with the reason.
"""

import ctypes
import fcntl
import os
import resource
import struct
import subprocess
import threading
import time
import unittest

import stentor_under_test as under_test
from scripted_carrier import Answer, ScriptedCarrier

MIB = 1 << 20
CLONE_NEWNS = 0x00020000
MS_REC, MS_PRIVATE = 0x4000, 0x40000
FS_IOC_SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32)
SHUTDOWN_NOLOGFLUSH = 2
FIFREEZE, FITHAW = 0xC0045877, 0xC0045878  # _IOWR('X', 119 and 120, int)
EXIT_JOURNAL_FAILED = 4

libc = ctypes.CDLL(None, use_errno=True)


def own_mount_namespace():
    """None, or why there is none."""
    if libc.unshare(CLONE_NEWNS) != 0:
        return f"no mount namespace: {os.strerror(ctypes.get_errno())}"
    if libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None) != 0:
        return f"mounts cannot be made private: {os.strerror(ctypes.get_errno())}"
    return None


def mount(*arguments):
    """None, or why it cannot be mounted."""
    done = subprocess.run(["mount", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False)
    return None if done.returncode == 0 else done.stdout.decode().strip()


def unmount(folder):
    for _ in range(100):  # a ring is torn down a little after its process
        if subprocess.run(["umount", folder], stderr=subprocess.DEVNULL, check=False).returncode == 0:
            return
        time.sleep(0.05)


class OnADisk(unittest.TestCase):
    def setUp(self):
        self.carrier = ScriptedCarrier(lambda submit, attempt: Answer())
        self.addCleanup(self.carrier.close)
        self.daemon = under_test.Daemon([under_test.carrier("north", self.carrier.address)],
                                        tables={"queue": {"memory": "64MiB"}})
        os.makedirs(self.daemon.state, 0o700)
        self.accepted = {}  # ref -> id
        self.answers = {}  # status or code -> how often
        self.number = 0

    def put_on(self, *mount_arguments):
        why = mount(*mount_arguments, self.daemon.state)
        if why:
            self.skipTest(f"cannot mount {mount_arguments}: {why}")
        self.addCleanup(unmount, self.daemon.state)
        self.addCleanup(lambda: self.daemon.process and self.daemon.process.kill())
        os.chmod(self.daemon.state, 0o700)

    def send(self, count=20, octets=900):
        """Sends some on one connection; what was answered. A connection that is cut ends it."""
        answered = []
        try:
            with self.daemon.connect(10.0) as connection:
                refs = []
                for _ in range(count):
                    self.number += 1
                    refs.append(f"d-{self.number}")
                    connection.write_request(to=f"+7916{self.number:07d}", ref=refs[-1],
                                             text="x" * octets, **{"from": "SHOP"})
                for ref in refs:
                    reply = connection.read()
                    if reply is None:
                        break
                    what = reply.get("error", {}).get("code", reply["status"])
                    self.answers[what] = self.answers.get(what, 0) + 1
                    answered.append(what)
                    if what == "accepted":
                        self.accepted[ref] = reply["id"]
        except OSError:
            pass
        return answered

    def send_until(self, what, patience=60.0):
        under_test.wait_until(lambda: what in self.send(), lambda: f"{what}; {self.answers}",
                              patience, step=0.01)

    def fill(self, name="somebody else"):
        """Takes what the disk has left, to the last octet."""
        path = os.path.join(self.daemon.state, name)
        with open(path, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 65536)
            except OSError:
                pass
            try:
                while True:
                    file.write(b"x")
            except OSError:
                pass
        return path

    def assert_nothing_lost(self):
        """Every acknowledged message has gone out and is final."""
        under_test.wait_until(lambda: self.daemon.status()["live"] == 0,
                              lambda: f"all is final: {self.daemon.status()}", 60)
        for message_id in self.accepted.values():
            shown = self.daemon.ask(op="message", id=message_id)
            self.assertEqual(shown.get("state"), "delivered", shown)


class FullDisk(OnADisk):
    def test_a_small_disk_refuses_delivers_on_and_accepts_again(self):
        self.put_on("-t", "tmpfs", "-o", "size=24m", "tmpfs")
        self.daemon.start()
        self.daemon.wait_bound("north")
        self.send_until("accepted")
        filler = self.fill()
        self.send_until("unavailable")
        self.assertEqual(self.daemon.http("/readyz")[0], 503)
        # What was accepted goes out, and its end is written: room for that was kept.
        self.assert_nothing_lost()
        self.assertTrue(self.daemon.is_running())

        os.remove(filler)
        self.send_until("accepted")
        self.assert_nothing_lost()
        self.assertEqual(self.daemon.stop(), 0, self.daemon.log_tail())

    def test_it_starts_again_on_a_disk_full_to_the_last_octet(self):
        self.put_on("-t", "tmpfs", "-o", "size=24m", "tmpfs")
        self.daemon.start()
        self.daemon.wait_bound("north")
        self.send_until("accepted")
        filler = self.fill()
        self.send_until("unavailable")
        self.daemon.kill()
        os.truncate(filler, os.path.getsize(filler) - 2 * MIB)  # a start makes a file of its own
        self.daemon.start()
        self.assert_nothing_lost()
        os.remove(filler)
        self.send_until("accepted")
        self.assert_nothing_lost()
        self.assertEqual(self.daemon.stop(), 0, self.daemon.log_tail())

    def test_min_free_is_kept_for_what_was_accepted(self):
        self.put_on("-t", "tmpfs", "-o", "size=64m", "tmpfs")
        self.daemon.write_config([under_test.carrier("north", self.carrier.address)],
                                 tables={"journal": {"min_free": "32MiB"}})
        self.daemon.start()
        self.daemon.wait_bound("north")
        self.send_until("accepted")
        filler = os.path.join(self.daemon.state, "somebody else")
        disk = os.statvfs(self.daemon.state)
        with open(filler, "wb") as file:  # all but 32 MiB
            os.posix_fallocate(file.fileno(), 0, disk.f_bavail * disk.f_frsize - 32 * MIB)
        self.send_until("unavailable")
        self.assert_nothing_lost()
        self.assertIn("new messages are refused", self.daemon.log())
        os.truncate(filler, os.path.getsize(filler) - 16 * MIB)
        self.send_until("accepted")
        self.assertIn("accepting again", self.daemon.log())
        self.assert_nothing_lost()
        self.assertEqual(self.daemon.stop(), 0, self.daemon.log_tail())


class FileSizeLimit(OnADisk):
    """RLIMIT_FSIZE: the journal's next file is smaller; where even that is too much, refused."""

    def test_files_stay_below_the_limit_and_nothing_is_lost(self):
        self.daemon.prefix = ["prlimit", f"--fsize={MIB}"]
        self.daemon.start()
        self.daemon.wait_bound("north")
        for _ in range(30):
            self.send(50)
        self.assertIn("accepted", self.send())
        self.assert_nothing_lost()
        self.assertLessEqual(max(map(os.path.getsize, self.daemon.journal_files())), MIB)
        self.assertGreater(len(self.daemon.journal_files()), 1)
        self.assertEqual(self.daemon.stop(), 0, self.daemon.log_tail())

    def test_a_limit_that_leaves_no_room_refuses_and_goes_on_when_it_is_lifted(self):
        self.daemon.prefix = ["prlimit", "--fsize=100000:unlimited"]
        self.daemon.start()
        self.daemon.wait_bound("north")
        self.send_until("unavailable")
        self.assertTrue(self.daemon.is_running())
        resource.prlimit(self.daemon.process.pid, resource.RLIMIT_FSIZE,
                         (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        self.send_until("accepted")
        self.assert_nothing_lost()
        self.assertEqual(self.daemon.stop(), 0, self.daemon.log_tail())


class DyingDisk(OnADisk):
    """A write or a sync fails: nothing more is accepted, it is said, and the next start verifies."""

    def on_ext4(self):
        image = os.path.join(self.daemon.directory, "disk")
        with open(image, "wb") as file:
            file.truncate(64 * MIB)
        made = subprocess.run(["mkfs.ext4", "-q", "-F", image], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False) if have("mkfs.ext4") else None
        if made is None or made.returncode != 0:
            self.skipTest("no ext4 can be made: " + (made.stdout.decode() if made else "no mkfs"))
        self.image = image
        self.put_on("-o", "loop,errors=remount-ro", image)

    def assert_stopped_for_good(self):
        self.assertEqual(self.daemon.process.wait(), EXIT_JOURNAL_FAILED, self.daemon.log_tail())
        self.assertRegex(self.daemon.log(), r"journal: .*: nothing more is accepted; stopping")

    def test_a_disk_that_turns_read_only(self):
        self.on_ext4()
        self.daemon.start()
        self.daemon.wait_bound("north")
        self.send_until("accepted")
        # With files open for writing no remount is allowed; an error in the file system does it.
        device = subprocess.run(["findmnt", "-no", "SOURCE", self.daemon.state],
                                stdout=subprocess.PIPE, check=False).stdout.decode().strip()
        trigger = f"/sys/fs/ext4/{os.path.basename(device)}/trigger_fs_error"
        try:
            with open(trigger, "w") as file:
                file.write("a test of stentor")
        except OSError as error:
            self.skipTest(f"the file system cannot be made to fail: {error}")
        self.fail_by_sending()
        self.come_back()

    def test_a_disk_that_dies_under_load(self):
        self.on_ext4()
        self.daemon.start()
        self.daemon.wait_bound("north")
        self.send_until("accepted")
        folder = os.open(self.daemon.state, os.O_RDONLY)
        try:
            # Stopped first: an acknowledgement under way must not race with the power cut.
            self.daemon.process.signal(19)
            fcntl.ioctl(folder, FS_IOC_SHUTDOWN, struct.pack("I", SHUTDOWN_NOLOGFLUSH))
        except OSError as error:
            self.daemon.process.signal(18)
            self.skipTest(f"no FS_IOC_SHUTDOWN: {error}")
        finally:
            os.close(folder)
        self.daemon.process.signal(18)
        self.fail_by_sending()
        self.come_back()

    def test_a_disk_that_hangs_is_told_and_nothing_is_lost_when_it_goes_on(self):
        self.on_ext4()
        self.daemon.start()
        self.daemon.wait_bound("north")
        self.send_until("accepted")
        self.assertEqual(self.daemon.http("/healthz")[0], 200)
        folder = os.open(self.daemon.state, os.O_RDONLY)
        self.addCleanup(os.close, folder)
        try:
            fcntl.ioctl(folder, FIFREEZE, 0)
        except OSError as error:
            self.skipTest(f"the file system cannot be frozen: {error}")
        try:
            client = threading.Thread(target=self.send, args=(5,))
            client.start()
            # Then the service manager's watchdog is not fed either, and it restarts the service.
            under_test.wait_until(lambda: self.daemon.http("/healthz")[0] == 503,
                                  "the journal's thread is missed", 60)
            self.assertIn("a thread does not answer", self.daemon.http("/healthz")[1])
        finally:
            fcntl.ioctl(folder, FITHAW, 0)
        client.join()
        under_test.wait_until(lambda: self.daemon.http("/healthz")[0] == 200, "it is well again", 60)
        self.send_until("accepted")
        self.assert_nothing_lost()
        self.assertEqual(self.daemon.stop(), 0, self.daemon.log_tail())

    def fail_by_sending(self):
        before = dict(self.answers)
        deadline = time.monotonic() + 30
        while self.daemon.is_running() and time.monotonic() < deadline:
            self.send(5)
        self.assertEqual(self.answers.get("accepted"), before["accepted"],
                         "nothing is acknowledged on a disk that is gone")
        self.assert_stopped_for_good()

    def come_back(self):
        unmount(self.daemon.state)
        why = mount("-o", "loop", self.image, self.daemon.state)
        self.assertIsNone(why)
        self.daemon.start()
        self.daemon.wait_bound("north")
        self.assert_nothing_lost()
        self.assertEqual(self.daemon.stop(), 0, self.daemon.log_tail())


def have(program):
    return any(os.access(os.path.join(folder, program), os.X_OK)
               for folder in os.environ.get("PATH", "").split(":") + ["/sbin", "/usr/sbin"])


if __name__ == "__main__":
    reason = own_mount_namespace()
    if reason:
        under_test.skip(reason)
    under_test.run_cases(__doc__.splitlines()[0])

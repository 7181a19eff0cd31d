#!/usr/bin/env python3
"""Cuts the power of stentord's disk again and again while a client sends, and proves what it
promises.

The disk is a file with ext4 on a loop device. A cut is FS_IOC_SHUTDOWN without a flush of the file
system's log: what was not synced is gone, and so is what ext4 had only in memory. The daemon is
stopped before it (SIGSTOP, every thread of it), so that no acknowledgement races with the cut, and
killed after it: what it had acknowledged by then lies in the client's socket and is held against
the disk. Then the disk is unmounted, mounted, and the daemon starts.

The judge is the crash test's, with cuts for kills. At the end every acknowledged request is sent
again: it must be a duplicate with the id it had.

With --killed a run of its own is ended by SIGKILL in the midst of it: no process, mount or loop
device of it may stay.
"""

import ctypes
import fcntl
import glob
import json
import os
import signal
import struct
import subprocess
import sys
import time

import crash_test
import journal_octets
import stentor_under_test as under_test
from carrier_simulator import CarrierSimulator
from disk_test import FS_IOC_SHUTDOWN, SHUTDOWN_NOLOGFLUSH, have, libc, own_mount_namespace

MIB = 1 << 20
# A child that outlives this program would hold its mounts, and they the loop device.
END_WITH_US = ["setpriv", "--pdeathsig", "KILL"]
DISK = 1024 * MIB  # sparse; a run of thousands of cuts writes some hundred MiB


def run(*command):
    """(what it printed, None) or (None, why it failed)."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    said = done.stdout.decode().strip()
    return (said, None) if done.returncode == 0 else (None, f"{' '.join(command)}: {said}")


class Disk:
    """ext4 on a loop device, mounted on `folder`."""

    def __init__(self, image, folder):
        self.folder = folder
        os.makedirs(folder, 0o700)
        with open(image, "wb") as file:
            file.truncate(DISK)
        if not have("mkfs.ext4"):
            under_test.skip("no mkfs.ext4")
        _, why = run("mkfs.ext4", "-q", "-F", image)
        if why:
            under_test.skip(why)
        self.device, why = run("losetup", "--find", "--show", image)
        if why:
            under_test.skip(why)
        # Held open, and told to go: it goes by itself when neither this program nor a mount holds it
        # any more, however this program ends.
        self.held = os.open(self.device, os.O_RDWR | os.O_CLOEXEC)
        run("losetup", "--detach", self.device)
        try:
            self.mount()
        except OSError as error:
            self.close()
            under_test.skip(f"ext4 cannot be mounted: {error}")
        os.chmod(folder, 0o700)

    def mount(self):
        if libc.mount(self.device.encode(), self.folder.encode(), b"ext4", 0, None) != 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error))

    def unmount(self):
        """A ring is torn down a little after its process, and holds its files till then."""
        under_test.wait_until(lambda: libc.umount2(self.folder.encode(), 0) == 0,
                              "the disk is let go", step=0.002)

    def cut(self):
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, FS_IOC_SHUTDOWN, struct.pack("I", SHUTDOWN_NOLOGFLUSH))
        finally:
            os.close(folder)

    def close(self):
        os.close(self.held)


def states_of(pid):
    """The letter of each thread's state; none when it is gone."""
    states = []
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/stat", encoding="utf-8") as file:
                states.append(file.read().rpartition(")")[2].split()[0])
        except FileNotFoundError:
            pass
    return states


def stop_all_threads(process):
    process.signal(signal.SIGSTOP)
    under_test.wait_until(lambda: all(state in "TtX" for state in states_of(process.pid)),
                          lambda: f"every thread has stopped: {states_of(process.pid)}", step=0.0005)


def wrong_duplicates(daemon, client):
    """Of all acknowledged requests, sent again, those not answered with the id they had."""
    wrong = []
    with daemon.connect(60.0) as connection:
        refs = list(client.answered)
        for start in range(0, len(refs), 500):
            part = refs[start:start + 500]
            lines = [json.dumps(client.submitted[ref], ensure_ascii=False) for ref in part]
            connection.write(("\n".join(lines) + "\n").encode("utf-8"))
            for ref in part:
                reply = connection.read()
                if reply["status"] != "duplicate" or reply["id"] != client.answered[ref]:
                    wrong.append(f"{ref}: was {client.answered[ref]}, now {reply}")
    return wrong


def loop_devices(directory):
    """Those with a file somewhere in the directory behind them."""
    found = []
    for path in glob.glob("/sys/block/loop*/loop/backing_file"):
        try:
            with open(path, encoding="utf-8") as file:
                if file.read().startswith(directory + "/"):
                    found.append(path)
        except OSError:
            pass  # it was let go just now
    return found


def killed():
    """What is wrong with the end of a run that is killed."""
    directory = under_test.new_directory()
    log_path = os.path.join(directory, "log")
    child = under_test.Process(
        [sys.executable, "-B", __file__, "--bin", under_test.Settings.bin, "--cuts", "100000"],
        log_path, env={**os.environ, "TMPDIR": directory})

    def starts():  # of its daemon, which logs outside the disk
        return sum(under_test.tail(path, 10_000).count("accepting on")
                   for path in glob.glob(os.path.join(directory, "*", "stentord.log")))

    under_test.wait_until(lambda: starts() > 3 or not child.is_running(), "it cuts", 100)
    if not child.is_running():
        print(under_test.tail(log_path))
        if child.wait() == under_test.SKIPPED:
            under_test.skip("the run was skipped")
        return [f"the run ended by itself with {child.wait()}"]
    if not loop_devices(directory):
        return ["the run has no loop device"]
    child.kill()
    under_test.wait_until(lambda: not loop_devices(directory),
                          lambda: f"the kernel lets go of {loop_devices(directory)}", 60)
    print("killed in the midst of it; no loop device stays")
    return []


def main():
    def more(parser):
        parser.add_argument("--cuts", type=int, default=200)
        parser.add_argument("--killed", action="store_true")
        parser.add_argument("--io", default="auto", help="how the journal is written")

    arguments, random = under_test.begin(__doc__.splitlines()[0], more)
    if os.geteuid() != 0:
        under_test.skip("not root: no loop device, no mount")
    if not have("setpriv"):
        under_test.skip("no setpriv")
    if arguments.killed:
        return crash_test.report(killed())
    reason = own_mount_namespace()
    if reason:
        under_test.skip(reason)
    directory = under_test.new_directory()
    disk = Disk(os.path.join(directory, "disk"), os.path.join(directory, "state"))
    simulator = CarrierSimulator(directory, latency="4ms+8ms", receipt_delay="50ms",
                                 outcomes="DELIVRD=100", seed=under_test.Settings.seed,
                                 prefix=END_WITH_US)
    daemon = under_test.Daemon(
        [crash_test.carrier(simulator)],
        directory=directory,
        tables={"journal": {"checkpoint": "64KiB", "io": arguments.io}})
    daemon.prefix = END_WITH_US
    try:
        wrong = cut_and_judge(arguments.cuts, random, disk, daemon, simulator)
    finally:
        if daemon.process:
            daemon.kill()
        try:
            disk.unmount()
        finally:
            disk.close()
    return crash_test.report(wrong, daemon.log_tail())


def cut_and_judge(cuts, random, disk, daemon, simulator):
    daemon.start()
    events = under_test.EventFollower(daemon)
    client = crash_test.Client(daemon, random, rate=1000)
    client.start()
    kills, gaps, acknowledged = [], [], []
    began = time.monotonic()
    for _ in range(cuts):
        before = len(client.answered)
        time.sleep(random.uniform(0.005, 0.1))
        stop_all_threads(daemon.process)
        disk.cut()
        kills.append((time.time_ns(), len(events.events)))
        daemon.kill()
        acknowledged.append(len(client.answered) - before)
        disk.unmount()
        disk.mount()
        daemon.start()
        gaps.append(under_test.ledger_gap(daemon.status()))
    took = time.monotonic() - began

    wrong = crash_test.wait_for_finals(client, events)
    wrong += wrong_duplicates(daemon, client)
    gaps.append(under_test.ledger_gap(daemon.status()))
    if any(gaps):
        wrong.append(f"the ledger does not balance: {gaps}")
    exit_status = daemon.stop()
    if exit_status != 0:
        wrong.append(f"SIGTERM ended the daemon with {exit_status}")
    events.close()
    simulator.stop()
    judge = crash_test.Judge(client, simulator, events, kills,
                             journal_octets.intents(os.path.join(daemon.state, "journal")))
    judge.check_all()
    busy = sum(count > 0 for count in acknowledged)
    if busy * 2 < cuts:
        wrong.append(f"the client was answered before only {busy} of {cuts} cuts")
    print(f"{cuts} cuts, {1000 * took / max(1, cuts):.0f} ms each, {busy} of them with "
          f"acknowledgements since the one before; {len(client.submitted)} submitted, "
          f"{len(client.answered)} acknowledged; {len(judge.twice)} messages came twice, "
          f"{judge.marked} marked possible_duplicate")
    return wrong + judge.wrong


if __name__ == "__main__":
    sys.exit(main())

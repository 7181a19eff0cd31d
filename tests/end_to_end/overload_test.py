#!/usr/bin/env python3
"""More is offered than stentord can take: it goes on taking as much as it can, and no less.

The load is open: requests fall due at even times, whether those before them are answered or not,
at 0.5, 1, 3 and 5 times what a closed load has reached. The daemon holds its clients back by not
reading; nothing is refused, nothing is lost, another client is answered meanwhile, and memory stays
below its bound. What is taken a second has a plateau, not a cliff.

    tests/end_to_end/overload_test.py --bin build/release/bin --seconds 20 --share 0.95
"""

import json
import re
import subprocess
import sys
import threading
import time

import crash_test
import stentor_under_test as under_test
from carrier_simulator import CarrierSimulator
from clock_test import is_sanitized

FACTORS = (0.5, 1, 3, 5)
QUEUE_MIB = 64
# What stands beside `[queue] memory` is named in docs/operations.md: with so small a one, of a release
# build 107 MiB at the peak of four million messages, journal files having their full 128 MiB.
BESIDE_MIB = 192
PROBE_EVERY = 0.02


def peak_mib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1)) / 1024


class Prober(threading.Thread):
    """Another client, with one request at a time; how long each answer took."""

    def __init__(self, daemon):
        super().__init__(daemon=True)
        self.connection = daemon.connect(60.0)
        self.over = threading.Event()
        self.took = []
        self.wrong = []

    def run(self):
        while not self.over.wait(PROBE_EVERY):
            began = time.monotonic()
            reply = self.connection.ask(to="+79990000000", text="Hi", priority="urgent",
                                        **{"from": "SHOP"})
            self.took.append(time.monotonic() - began)
            if reply.get("status") != "accepted":
                self.wrong.append(f"another client is answered {reply}")

    def end(self):
        self.over.set()
        self.join(60)
        self.connection.close()
        self.took.sort()
        return self.took[len(self.took) * 99 // 100]


def load(daemon, *options):
    """The figures of stentor-bench, and the 99th percentile of another client's answers."""
    prober = Prober(daemon)
    prober.start()
    done = subprocess.run(
        [under_test.program("stentor-bench"), "load", "--json", "--socket", daemon.socket_path,
         "--connections", "4", *options],
        stdout=subprocess.PIPE, check=False)
    other = prober.end()
    figures = json.loads(done.stdout)
    wrong = prober.wrong
    if done.returncode != 0:
        wrong.append(f"stentor-bench {options} ended with {done.returncode}: {figures}")
    return figures, other, wrong


def main():
    def more(parser):
        parser.add_argument("--seconds", type=float, default=2.0, help="of load at the peak")
        # Other tests run beside this one, now more of them and now fewer: a cliff is what shows.
        parser.add_argument("--share", type=float, default=0.25, help="of the peak that must stay")

    arguments, _ = under_test.begin(__doc__.splitlines()[0], more)
    directory = under_test.new_directory()
    simulator = CarrierSimulator(directory, latency="2ms", seed=under_test.Settings.seed)
    daemon = under_test.Daemon(
        [under_test.carrier("north", simulator.address, window=1000, receipts=False)],
        directory=directory, tables={"queue": {"memory": f"{QUEUE_MIB}MiB"}})
    daemon.start()
    daemon.wait_bound("north")

    wrong, peaks, goodput = [], [], {}
    accepted = 0

    def reach_peak():
        nonlocal accepted
        figures, other, bad = load(daemon, "--seconds", str(arguments.seconds))
        accepted += figures["accepted"]
        peaks.append(figures["accepted_per_second"])
        print(f"closed load: {peaks[-1]:.0f} accepted/s, another client's p99 "
              f"{1000 * other:.0f} ms", flush=True)
        wrong.extend(bad)

    reach_peak()
    for factor in FACTORS:
        messages = int(factor * peaks[0] * arguments.seconds)
        figures, other, bad = load(daemon, "--messages", str(messages), "--rate",
                                   str(factor * peaks[0]), "--window", "100000")
        accepted += figures["accepted"]
        goodput[factor] = figures["accepted_per_second"]
        print(f"{factor} x offered: {goodput[factor]:.0f} accepted/s, p99 "
              f"{1000 * figures['ack_latency_p99_seconds']:.0f} ms from when it was due; another "
              f"client's p99 {1000 * other:.0f} ms; VmHWM {peak_mib(daemon.process.pid):.0f} MiB; "
              f"{daemon.carrier_status('north')['waiting']} wait", flush=True)
        wrong += bad
        if figures["accepted"] != messages:
            wrong.append(f"of {messages} requests at {factor} x only {figures['accepted']} are "
                         f"accepted: {figures}")
    reach_peak()

    # The machine may have become slower meanwhile: the lower of the two peaks is what it can do.
    least = arguments.share * min(peaks)
    for factor in FACTORS:
        if factor > 1 and goodput[factor] < least:
            wrong.append(f"{goodput[factor]:.0f} accepted/s at {factor} x, {least:.0f} are due")
    peak = peak_mib(daemon.process.pid)
    if peak > QUEUE_MIB + BESIDE_MIB and not is_sanitized():  # its shadow is memory too
        wrong.append(f"it took {peak:.0f} MiB, {QUEUE_MIB} + {BESIDE_MIB} are its bound")
    under_test.wait_until(lambda: daemon.status()["live"] == 0, "all that was accepted to go out",
                          600, 0.2)
    status = daemon.status()
    if status["accepted"] < accepted or under_test.ledger_gap(status):
        wrong.append(f"{accepted} were acknowledged: {status}")
    if daemon.stop(120) != 0:
        wrong.append(daemon.log_tail())
    simulator.stop()
    return crash_test.report(wrong, daemon.log_tail())


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Restarts under load, as for an upgrade, while the service manager holds the listening socket.

No connect is refused, nothing is in doubt after an orderly stop, and each message goes out once.
"""

import collections
import os
import socket
import sys
import threading
import time

import stentor_under_test as under_test
from scripted_carrier import ScriptedCarrier

PER_SECOND = 400  # a carrier written in Python answers that many beside all else
FIRST_INHERITED = 3  # sd_listen_fds(3)


def give_socket(daemon):
    """The daemon inherits its listening socket, as from the service manager; returns the socket."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(daemon.socket_path)
    listener.listen(1024)
    daemon.prefix = ["sh", "-c", 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"', "sh"]
    daemon.process_options = {"pass_fds": (FIRST_INHERITED,),
                              "preexec_fn": lambda: os.dup2(listener.fileno(), FIRST_INHERITED)}
    return listener


class Client(threading.Thread):
    """Sends at a steady rate; what was not accepted for the stop's sake it sends again."""

    def __init__(self, daemon):
        super().__init__(daemon=True)
        self.path = daemon.socket_path
        self.open = collections.OrderedDict()  # numbers not accepted yet
        self.accepted = {}  # number -> id
        self.refused_connects = 0
        self.wrong = []
        self.begun = time.monotonic()
        self.finishing = threading.Event()

    def run(self):
        while not (self.finishing.is_set() and not self.open):
            try:
                connection = under_test.Connection(self.path, timeout=30.0)
            except ConnectionRefusedError:
                self.refused_connects += 1
                time.sleep(0.01)
                continue
            with connection:
                try:
                    self.converse(connection)
                except OSError:
                    pass  # the daemon went; the socket is there

    def converse(self, connection):
        while not (self.finishing.is_set() and not self.open):
            if not self.finishing.is_set():
                due = int((time.monotonic() - self.begun) * PER_SECOND)
                for number in range(len(self.accepted) + len(self.open), due):
                    self.open[number] = None
            batch = list(self.open)[:50]
            for number in batch:
                connection.write_request(ref=f"u-{number}", to=f"+7916{number:07d}", text="Hello",
                                         **{"from": "SHOP"})
            for number in batch:
                reply = connection.read()
                if reply is None:
                    return
                if reply["status"] in ("accepted", "duplicate"):
                    self.accepted[number] = reply["id"]
                    del self.open[number]
                elif reply["error"]["code"] != "draining":
                    self.wrong.append(f"{number}: {reply}")
            time.sleep(0.005)


def main():
    arguments, random = under_test.begin(
        __doc__.splitlines()[0],
        lambda parser: parser.add_argument("--restarts", type=int, default=100))
    carrier = ScriptedCarrier()
    daemon = under_test.Daemon([under_test.carrier("north", carrier.address, window=50)])
    daemon.audits_at_stop = False  # once, at the end
    listener = give_socket(daemon)
    daemon.start()
    daemon.wait_bound("north")
    client = Client(daemon)
    client.start()

    wrong = []
    for number in range(arguments.restarts):
        time.sleep(random.uniform(0.05, 0.4))
        status = daemon.stop()
        if status != 0:
            wrong.append(f"stop {number} ended with {status}")
        before = len(daemon.log())
        daemon.start()
        if ", none in doubt;" not in daemon.log()[before:]:
            wrong.append(f"start {number}: {daemon.log()[before:]}")
    client.finishing.set()
    client.join(under_test.PATIENCE * 2)
    under_test.wait_until(lambda: daemon.status()["live"] == 0, "all are final", 60.0)
    daemon.audits_at_stop = True
    if daemon.stop() != 0:
        wrong.append("the last stop did not end with 0")
    listener.close()

    copies = collections.Counter(a.submit.destination[2] for a in carrier.arrived())
    expected = {f"7916{number:07d}" for number in client.accepted}
    wrong += client.wrong[:20]
    if client.open:
        wrong.append(f"{len(client.open)} requests were never accepted")
    if client.refused_connects:
        wrong.append(f"{client.refused_connects} connects were refused")
    if set(copies) != expected:
        wrong.append(f"{len(expected - set(copies))} never arrived, "
                     f"{len(set(copies) - expected)} were never accepted")
    twice = [number for number, count in copies.items() if count > 1]
    if twice:
        wrong.append(f"{len(twice)} arrived more than once")
    carrier.close()
    print(f"{arguments.restarts} restarts; {len(client.accepted)} accepted, "
          f"{client.refused_connects} connects refused")
    if wrong:
        print(f"FAILED with seed {under_test.Settings.seed}:")
        for line in wrong:
            print("  " + line)
        print(daemon.log_tail())
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

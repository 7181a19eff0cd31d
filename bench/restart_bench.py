#!/usr/bin/env python3
"""How fast is stentord there again, and in how much memory?

Fills a journal with messages that wait, each with its own ref, kills the daemon, and starts it
again. Timed, from the start of the process: until the socket answers `status`; until a first `send`
is answered; and, when the carrier is there, until a tenth of what waits has been sent, with the rate
in the second behind that. Memory is VmHWM of each process, the page cache is warm.

    bench/restart_bench.py --bin build/release/bin --messages 1000000 --carrier
    bench/restart_bench.py --bin build/release/bin --messages 10000000 --restarts 3
"""

import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests",
                                "end_to_end"))
import stentor_under_test as under_test  # noqa: E402

LOOK = 0.005  # seconds between two looks at the daemon


def peak_mebibytes(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1)) / 1024


def processor_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def fill(daemon, messages):
    began = time.monotonic()
    done = subprocess.run(
        [under_test.program("stentor-bench"), "load", "--socket", daemon.socket_path, "--messages",
         str(messages)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        sys.exit(done.stdout.decode())
    under_test.wait_until(lambda: daemon.status()["live"] >= messages, "all to wait", 600, 0.2)
    print(f"{messages} accepted in {time.monotonic() - began:.1f} s, "
          f"VmHWM {peak_mebibytes(daemon.process.pid):.0f} MiB", flush=True)


def restart(daemon, number):
    before = len(daemon.log())
    began = time.monotonic()
    daemon.process = under_test.Process(
        [under_test.program("stentord"), "--config", daemon.config_path], daemon.log_path)
    while True:
        try:
            with under_test.Connection(daemon.socket_path, 600.0) as connection:
                if connection.ask(op="status")["status"] == "ok":
                    break
        except OSError:
            pass
        if not daemon.is_running():
            sys.exit(daemon.log_tail())
        time.sleep(LOOK)
    answers = time.monotonic() - began
    reply = daemon.ask(op="send", ref=f"restart-{number}", to="+79990000000", text="Hello",
                       **{"from": "SHOP"})
    print(f"start {number}: answers after {answers:.2f} s, {reply['status']} after "
          f"{time.monotonic() - began:.2f} s, {processor_seconds(daemon.process.pid):.2f} s of CPU, "
          f"VmHWM {peak_mebibytes(daemon.process.pid):.0f} MiB", flush=True)
    for line in daemon.log()[before:].splitlines():
        if "messages wait" in line:
            print("  " + line, flush=True)
    return began


def follow(daemon, began, messages):
    sent = lambda: daemon.status()["sent"]  # noqa: E731
    under_test.wait_until(lambda: sent() >= messages // 10, "a tenth to be sent", 120, LOOK)
    tenth = time.monotonic()
    count = sent()
    time.sleep(1)
    rate = (sent() - count) / (time.monotonic() - tenth)
    print(f"  a tenth was sent {tenth - began:.2f} s after the start, then {rate:.0f}/s; "
          f"VmHWM {peak_mebibytes(daemon.process.pid):.0f} MiB", flush=True)


def options(parser):
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--restarts", type=int, default=2)
    parser.add_argument("--memory", default="512MiB", help="[queue] memory of the daemon")
    parser.add_argument("--carrier", action="store_true", help="let one be there after the last")
    parser.add_argument("--settle", type=float, default=0, metavar="S",
                        help="wait so long before the first kill, for a checkpoint to be made")


def main():
    arguments, _ = under_test.begin(__doc__, options)
    port = under_test.free_port()
    daemon = under_test.Daemon(
        [under_test.carrier("north", f"127.0.0.1:{port}", window=1000, receipts=False)],
        tables={"queue": {"memory": arguments.memory}}).start()
    fill(daemon, arguments.messages)
    time.sleep(arguments.settle)
    for number in range(arguments.restarts):
        daemon.kill()
        if arguments.carrier and number == arguments.restarts - 1:
            under_test.Process([under_test.program("stentor-smsc"), "--listen",
                                f"127.0.0.1:{port}"], daemon.log_path + ".smsc")
            time.sleep(0.5)
        began = restart(daemon, number)
    if arguments.carrier:
        follow(daemon, began, arguments.messages)
    daemon.kill()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""How long does `message` take, over the socket, among very many?

Fills a journal with messages that stentor-smsc takes and reports on, each with its own number, ref
and carrier's id. Then asks for some of them, one question at a time, by each of the four. Timed,
from the request's write to the last octet of its reply: what a client sees, with a connection that
stands. Cold: before each question what the kernel keeps of the journal and its indexes is dropped.

    bench/message_bench.py --bin build/release/bin --messages 2000000
"""

import os
import random
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests",
                                "end_to_end"))
import stentor_under_test as under_test  # noqa: E402

TO = "+79{:09}"  # as bench/load writes them


def fill(daemon, messages):
    began = time.monotonic()
    done = subprocess.run(
        [under_test.program("stentor-bench"), "load", "--socket", daemon.socket_path, "--messages",
         str(messages)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        sys.exit(done.stdout.decode())
    under_test.wait_until(lambda: daemon.status()["delivered"] >= messages, "all delivered", 900, 1)
    print(f"{messages} delivered in {time.monotonic() - began:.0f} s", flush=True)


def drop_cache(daemon):
    for folder in ("history", "journal"):
        folder = os.path.join(os.path.dirname(daemon.config_path), "state", folder)
        for name in os.listdir(folder):
            file = os.open(os.path.join(folder, name), os.O_RDONLY)
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(file)


def ask(connection, request):
    began = time.perf_counter()
    reply = connection.ask(op="message", **request)
    took = time.perf_counter() - began
    if reply["status"] != "ok":
        sys.exit(f"{request}: {reply}")
    return reply, took * 1000


def names_of(reply):
    carrier_id = next(s["carrier_id"] for s in reply["history"] if s["what"] == "part_accepted")
    return {"id": reply["id"], "ref": reply["ref"], "to": reply["to"], "carrier_id": carrier_id}


def measure(daemon, connection, asked, is_cold):
    for name in ("id", "ref", "to", "carrier_id"):
        took = []
        for each in asked:
            if is_cold:
                drop_cache(daemon)
            took.append(ask(connection, {name: each[name]})[1])
        took.sort()
        print(f"{'cold' if is_cold else 'warm'}, by {name}: median {took[len(took) // 2]:.2f} ms, "
              f"slowest {took[-1]:.2f} ms of {len(took)}", flush=True)


def options(parser):
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--questions", type=int, default=50)


def main():
    arguments, _ = under_test.begin(__doc__, options)
    port = under_test.free_port()
    daemon = under_test.Daemon(
        [under_test.carrier("north", f"127.0.0.1:{port}", window=1000)]).start()
    carrier = under_test.Process([under_test.program("stentor-smsc"), "--listen",
                                  f"127.0.0.1:{port}"], daemon.log_path + ".smsc")
    fill(daemon, arguments.messages)
    chosen = random.Random(1).sample(range(1, arguments.messages + 1), arguments.questions)
    with daemon.connect() as connection:
        ids = [ask(connection, {"to": TO.format(i)})[0]["messages"][0]["id"]
               for i in chosen]
        asked = [names_of(ask(connection, {"id": each})[0]) for each in ids]
        measure(daemon, connection, asked, False)
        measure(daemon, connection, asked, True)
    carrier.kill()
    daemon.kill()


if __name__ == "__main__":
    main()

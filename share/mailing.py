#!/usr/bin/env python3
"""Sends a mailing over stentor's local socket and follows it to the end: an upstream program.

    share/mailing.py --socket run/stentor.sock --metrics 127.0.0.1:9477 TEXTS...

Every line of the TEXTS files is one message, each to a number of its own. All requests go down one
connection without waiting for replies; a second connection asks for the status meanwhile. Nothing
but Python's standard library: a program in any language would do the same.
"""

import argparse
import collections
import http.client
import json
import socket
import sys
import threading
import time


class Connection:
    """A line out, a line in."""

    def __init__(self, path):
        self.stream = socket.socket(socket.AF_UNIX)
        self.stream.connect(path)
        self.lines = self.stream.makefile("r", encoding="utf-8", newline="\n")

    def ask(self, request):
        self.stream.sendall(json.dumps(request).encode() + b"\n")
        return json.loads(self.lines.readline())


def read_texts(paths):
    texts = []
    for path in paths:
        with open(path, encoding="utf-8", newline="\n") as file:
            texts += [line.rstrip("\n") for line in file if line.strip()]
    return texts


class Mailing:
    """Everything that is asked and what was answered."""

    def __init__(self, path, texts):
        self.texts = texts
        self.connection = Connection(path)
        # A second run of the same mailing is another mailing, so its refs are others too: with the
        # same ones every message would be answered `duplicate`, and nobody would get it twice.
        self.name = "quickstart-" + time.strftime("%Y%m%d-%H%M%S")
        self.replies = collections.Counter()
        self.reader = threading.Thread(target=self._read, daemon=True)

    def start(self):
        self.begun = time.monotonic()
        self.reader.start()
        threading.Thread(target=self._write, daemon=True).start()

    def _write(self):
        lines = []
        for number, text in enumerate(self.texts):
            lines.append(json.dumps({
                "op": "send", "ref": f"{self.name}/{number}", "campaign": self.name,
                "to": f"+7999{number:07d}", "from": "STENTOR", "text": text, "max_segments": 20,
            }, ensure_ascii=False))
            if len(lines) == 100 or number + 1 == len(self.texts):
                self.connection.stream.sendall(("\n".join(lines) + "\n").encode())
                lines = []

    def _read(self):
        for _ in self.texts:
            reply = json.loads(self.connection.lines.readline())
            code = reply.get("error", {}).get("code", "")
            self.replies[reply["status"], code] += 1

    def answered(self):
        return sum(self.replies.values())


FINAL = ("delivered", "failed", "expired", "cancelled", "unknown", "sent_final")


def progress(status, before, total, seconds, on_terminal):
    """One line; drawn over itself on a terminal."""
    count = {key: status[key] - before[key] for key in ("accepted", "sent") + FINAL}
    done = sum(count[key] for key in FINAL)
    width = 24
    filled = width * done // max(total, 1)
    line = (f"  [{'#' * filled}{'.' * (width - filled)}] {count['accepted']:6,} accepted "
            f"{count['sent']:6,} sent {count['delivered']:6,} delivered "
            f"{count['failed'] + count['expired']:4,} failed or expired  {seconds:4.1f} s")
    print(("\r" + line) if on_terminal else line, end="" if on_terminal else "\n", flush=True)
    return count, done


def segments_by_encoding(metrics):
    """{encoding: count} from the metrics page."""
    found = {}
    for line in metrics.splitlines():
        if line.startswith("stentor_segments_sent_total{"):
            encoding = line.split('encoding="')[1].split('"')[0]
            found[encoding] = found.get(encoding, 0) + int(float(line.rpartition(" ")[2]))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--socket", required=True)
    parser.add_argument("--metrics", help="host:port; adds segments by encoding to the table")
    parser.add_argument("--save-metrics", help="file to keep the last metrics page in")
    parser.add_argument("--patience", type=float, default=120.0, help="seconds to wait at most")
    parser.add_argument("texts", nargs="+")
    arguments = parser.parse_args()

    texts = read_texts(arguments.texts)
    watcher = Connection(arguments.socket)
    before = watcher.ask({"op": "status"})
    mailing = Mailing(arguments.socket, texts)
    print(f"  {len(texts):,} messages, campaign {mailing.name}")
    mailing.start()

    on_terminal = sys.stdout.isatty()
    drawn = 0.0
    while True:
        time.sleep(0.05)
        seconds = time.monotonic() - mailing.begun
        status = watcher.ask({"op": "status"})
        finished = (mailing.answered() == len(texts)
                    and sum(status[k] - before[k] for k in FINAL)
                    >= status["accepted"] - before["accepted"])
        too_long = seconds > arguments.patience
        if finished or too_long or seconds - drawn >= (0.1 if on_terminal else 1.0):
            drawn = seconds
            count, done = progress(status, before, len(texts), seconds, on_terminal)
        if finished or too_long:
            break
    print("\n" if on_terminal else "")

    rows = [("accepted", count["accepted"])]
    for (kind, code), number in sorted(mailing.replies.items()):
        if kind != "accepted":
            rows.append((f"{kind} {code}".strip(), number))
    if arguments.metrics:
        page = http.client.HTTPConnection(arguments.metrics, timeout=10)
        page.request("GET", "/metrics")
        metrics = page.getresponse().read().decode()
        rows += [(f"segments, {name}", number)
                 for name, number in sorted(segments_by_encoding(metrics).items()) if number]
        if arguments.save_metrics:
            with open(arguments.save_metrics, "w", encoding="utf-8") as file:
                file.write(metrics)
    rows += [(key, count[key]) for key in ("sent", "delivered", "failed")]
    rows += [(key, count[key]) for key in ("expired", "cancelled", "unknown") if count[key]]
    rows.append(("messages/s", round(done / seconds)))
    for name, number in rows:
        print(f"  {name:<24}{number:>10,}")

    rejected = [reply for reply in mailing.replies if reply[0] != "accepted"]
    if too_long:
        print(f"  not finished after {seconds:.0f} s", file=sys.stderr)
    return 1 if too_long or rejected else 0


if __name__ == "__main__":
    sys.exit(main())

"""The real programs, started for a test: stentord, its configuration, its socket, its events.

Everything lives in a temporary directory of the test; every process is ended by its own id.
Only the standard library, and nothing of stentor but its programs and documents.
"""

import argparse
import atexit
import errno
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import unit_filter

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SKIPPED = 77  # what ctest takes for "skipped", see CMakeLists.txt

# Waits are for a machine with two busy cores; a passing run spends a small part of them.
PATIENCE = 30.0

FINAL = ("delivered", "failed", "expired", "cancelled", "unknown", "sent_final")


class Settings:
    """What the command line said; filled in by begin()."""

    bin = os.environ.get("STENTOR_BIN", os.path.join(REPOSITORY, "build", "release", "bin"))
    seed = 0
    keep = False
    filter = []  # a command that runs stentord under the filter of its unit


def begin(description, more=None):
    """Reads the command line, prints the seed; returns (arguments, random source)."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--bin", default=Settings.bin, help="folder of the programs")
    parser.add_argument("--seed", type=int, default=None, help="repeat a run")
    parser.add_argument("--keep", action="store_true", help="leave state and logs behind")
    parser.add_argument("--filtered", action="store_true",
                        help="run stentord under the system call filter of its unit")
    if more:
        more(parser)
    arguments, rest = parser.parse_known_args()
    Settings.bin = os.path.abspath(arguments.bin)
    Settings.seed = arguments.seed if arguments.seed is not None else random.SystemRandom().getrandbits(32)
    Settings.keep = arguments.keep
    if arguments.filtered:
        if why := unit_filter.why_not():
            skip(why)
        Settings.filter = [sys.executable, "-B", os.path.abspath(unit_filter.__file__)]
    arguments.rest = rest
    print(f"seed {Settings.seed}; programs {Settings.bin}", flush=True)
    if not os.access(program("stentord"), os.X_OK):
        sys.exit(f"{program('stentord')} is not there: build first")
    return arguments, random.Random(Settings.seed)


def run_cases(description):
    """Entry of a test program made of unittest cases; names on the command line select."""
    arguments, _ = begin(description)
    run_selected(arguments.rest)


def run_selected(names):
    """Runs the cases of the test program, or those named. A case that skips itself is seen: where none
    failed, the program as a whole counts as skipped and says which did, and why."""
    ran = unittest.main(module="__main__", argv=[sys.argv[0], "-v"] + names, exit=False).result
    if not ran.wasSuccessful():
        sys.exit(1)
    if ran.skipped:
        which = "; ".join(f"{case.id().removeprefix('__main__.')}: {reason}"
                          for case, reason in ran.skipped)
        skip(f"{len(ran.skipped)} of its cases, while the others passed: {which}")
    sys.exit(0)


def skip(reason):
    print(f"skipped: {reason}", flush=True)
    sys.exit(SKIPPED)


def program(name):
    return os.path.join(Settings.bin, name)


def new_directory():
    """A directory of this test, removed at its end; short, for a socket path has 107 octets."""
    directory = tempfile.mkdtemp(prefix="stentor-")
    if Settings.keep:
        print(f"state and logs stay in {directory}", flush=True)
    else:
        atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return directory


def free_port():
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, what, patience=PATIENCE, step=0.02):
    """The first true value of condition(); fails after `patience` seconds naming `what`, a text or
    a function that makes one."""
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {patience:.0f} s in vain: "
                                 f"{what() if callable(what) else what}")
        time.sleep(step)


class Process:
    """A child with its output in a file; ended with this program at the latest."""

    def __init__(self, arguments, log_path, **options):
        self.log_path = log_path
        with open(log_path, "ab") as log:
            self.child = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=log,
                                          stderr=log, **options)
        atexit.register(self.kill)

    @property
    def pid(self):
        return self.child.pid

    def is_running(self):
        return self.child.poll() is None

    def signal(self, number):
        self.child.send_signal(number)

    def kill(self):
        if self.is_running():
            self.child.kill()
        self.child.wait()

    def wait(self, patience=PATIENCE):
        """Its exit status."""
        try:
            return self.child.wait(patience)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.child.args[0]} did not end within {patience:.0f} s:\n"
                                 + tail(self.log_path)) from None

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="backslashreplace") as log:
            return log.read()


def is_filtered(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return "\nSeccomp:\t2\n" in status.read()


def tail(path, lines=30):
    try:
        with open(path, encoding="utf-8", errors="backslashreplace") as log:
            return "".join(log.readlines()[-lines:])
    except FileNotFoundError:
        return f"({path} is not there)"


def toml(value):
    """One value as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return "[" + ", ".join(toml(v) for v in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {toml(v)}" for k, v in value.items()) + " }"
    raise TypeError(value)


def carrier(name, address, **settings):
    """A [[carrier]] for the configuration; times are short, for a test does not wait."""
    table = {"name": name, "hosts": [address], "system_id": "stentor", "password": "secret",
             "binds": {"transceiver": 1}, "window": 10}
    table.update(settings)
    return table


class Daemon:
    """stentord with its own state, configuration and socket; may be killed and started again."""

    def __init__(self, carriers, routes=None, directory=None, tables=None):
        self.directory = directory or new_directory()
        self.state = os.path.join(self.directory, "state")
        self.socket_path = os.path.join(self.directory, "s")
        self.config_path = os.path.join(self.directory, "stentor.toml")
        self.log_path = os.path.join(self.directory, "stentord.log")
        self.metrics_port = free_port()
        self.process = None
        self.audits_at_stop = True  # not where the test itself has damaged the journal
        self.arguments = []  # of stentord, behind --config
        self.prefix = []  # a command that runs it, such as one that enters a namespace
        self.process_options = {}  # of subprocess.Popen
        self.write_config(carriers, routes, tables or {})

    def write_config(self, carriers, routes=None, tables=None):
        if routes is None:
            routes = [{"default": True, "carriers": [carriers[0]["name"]]}] if carriers else []
        sections = {"socket": {"path": self.socket_path, "mode": "0600"},
                    "metrics": {"listen": f"127.0.0.1:{self.metrics_port}"},
                    "journal": {"min_free": "1MiB"}}
        for name, settings in (tables or {}).items():
            sections.setdefault(name, {}).update(settings)
        lines = ["node = 1", f"state_dir = {toml(self.state)}"]
        for name, settings in sections.items():
            lines += ["", f"[{name}]"] + [f"{k} = {toml(v)}" for k, v in settings.items()]
        for name, list_of in (("carrier", carriers), ("route", routes)):
            for settings in list_of:
                lines += ["", f"[[{name}]]"] + [f"{k} = {toml(v)}" for k, v in settings.items()]
        self.write_config_text("\n".join(lines) + "\n")

    def write_config_text(self, text):
        with open(os.open(self.config_path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w",
                  encoding="utf-8") as file:
            file.write(text)

    def launch(self):
        """Starts it, and does not wait: it may be about to end by itself."""
        command = [program("stentord"), "--config", self.config_path] + self.arguments
        self.process = Process(self.prefix + Settings.filter + command, self.log_path,
                               **self.process_options)

    def start(self, patience=PATIENCE):
        """Starts it and waits until it answers."""
        self.launch()
        wait_until(lambda: self.answers() or not self.process.is_running(),
                   "stentord answers on its socket", patience)
        if not self.process.is_running():
            raise AssertionError(f"stentord ended with {self.process.wait()}:\n{self.log_tail()}")
        if Settings.filter and not is_filtered(self.process.pid):
            raise AssertionError("stentord runs, and not under the filter of its unit")
        return self

    def start_and_fail(self, patience=PATIENCE):
        """Starts it where it must refuse; returns (exit status, what this start printed)."""
        before = len(self.log()) if os.path.exists(self.log_path) else 0
        process = Process([program("stentord"), "--config", self.config_path], self.log_path)
        status = process.wait(patience)
        return status, self.log()[before:]

    def answers(self):
        """Whether it replies to a request."""
        try:
            with Connection(self.socket_path, timeout=1.0) as connection:
                return connection.ask(op="status")["status"] == "ok"
        except (OSError, TypeError):
            return False

    def kill(self):
        self.process.kill()

    def stop(self, patience=40.0):
        """SIGTERM; its exit status once it has drained. What it leaves behind is audited."""
        self.process.signal(signal.SIGTERM)
        status = self.process.wait(patience)
        if self.audits_at_stop:
            wrong = audit_complaint(self.audit())
            if wrong:
                raise AssertionError(f"audit after the stop: {wrong}")
        if Settings.filter and os.strerror(errno.EPERM) in self.log():
            raise AssertionError(f"the filter refuses what it needs:\n{self.log_tail()}")
        return status

    def audit(self, *options):
        """(exit status, findings, the last line) of stentorctl audit."""
        done = subprocess.run(
            [program("stentorctl"), "audit", "--json", "--state-dir", self.state, *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, check=False)
        lines = [json.loads(line) for line in done.stdout.decode().splitlines()]
        last = lines.pop() if lines else {"error": done.stderr.decode()}
        return done.returncode, lines, last

    def is_running(self):
        return self.process.is_running()

    def connect(self, timeout=PATIENCE):
        return Connection(self.socket_path, timeout)

    def ask(self, **request):
        """One request on a connection of its own."""
        with self.connect() as connection:
            return connection.ask(**request)

    def status(self):
        return self.ask(op="status")

    def send_numbered(self, numbers, ref="o-{}", text="Hello"):
        """Sends one message for each number, to it and with it in its ref; the replies in order."""
        replies = []
        numbers = list(numbers)
        with self.connect(60.0) as connection:
            for start in range(0, len(numbers), 1000):
                part = numbers[start:start + 1000]
                for number in part:
                    connection.write_request(ref=ref.format(number), to=f"+7916{number:07d}",
                                             text=text, **{"from": "SHOP"})
                replies += [connection.read() for _ in part]
        return replies

    def carrier_status(self, name):
        return next(c for c in self.status()["carriers"] if c["name"] == name)

    def wait_bound(self, name, patience=PATIENCE):
        wait_until(lambda: self.carrier_status(name)["bound"] > 0, f"{name} is bound", patience)

    def http(self, path):
        """(status, body) of a GET on the metrics listener."""
        with socket.create_connection(("127.0.0.1", self.metrics_port), timeout=PATIENCE) as stream:
            stream.sendall(f"GET {path} HTTP/1.1\r\nHost: stentor\r\nConnection: close\r\n\r\n"
                           .encode())
            answer = b""
            while octets := stream.recv(65536):
                answer += octets
        head, _, body = answer.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        if any(line.lower() == "transfer-encoding: chunked" for line in lines):
            body = _join_chunks(body)
        return int(lines[0].split()[1]), body.decode("utf-8")

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="backslashreplace") as log:
            return log.read()

    def log_tail(self):
        return tail(self.log_path)

    def journal_files(self):
        """Journal files under the state directory, oldest first."""
        found = []
        for folder, _, names in os.walk(self.state):
            found += [os.path.join(folder, name) for name in names if name.endswith(".stj")]
        return sorted(found)


def _join_chunks(body):
    joined = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        count = int(size, 16)
        if count == 0:
            break
        joined += body[:count]
        body = body[count + 2:]
    return joined


def audit_complaint(audited):
    """What an audit found wrong, in words; None when nothing."""
    status, findings, last = audited
    figures = [last.get(name, 0) for name in ("accepted", "delivered", "sent_final", "failed",
                                              "expired", "cancelled", "unknown", "live")]
    if status == 0 and not findings and figures[0] == sum(figures[1:]):
        return None
    return f"exit status {status}; {findings[:10]}; {last}"


class Connection:
    """One connection to the local socket: a line out, a line in."""

    def __init__(self, path, timeout=PATIENCE):
        self.stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.stream.settimeout(timeout)
        self.inbox = b""
        try:
            self.stream.connect(path)
        except OSError:
            self.stream.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.stream.close()

    def write(self, octets):
        self.stream.sendall(octets)

    def write_request(self, **request):
        self.write(json.dumps(request, ensure_ascii=False).encode("utf-8") + b"\n")

    def read_line(self):
        """The next line without its newline; None at end-of-file."""
        while b"\n" not in self.inbox:
            octets = self.stream.recv(262144)
            if not octets:
                return None
            self.inbox += octets
        line, _, self.inbox = self.inbox.partition(b"\n")
        return line

    def read(self):
        line = self.read_line()
        return None if line is None else json.loads(line)

    def ask(self, **request):
        self.write_request(**request)
        return self.read()


class EventFollower:
    """Reads a consumer's stream into `events`, acknowledging as it goes; survives the daemon.

    `events` holds each cursor once, in the order it came first.
    """

    def __init__(self, daemon, consumer="judge", acknowledge=True):
        self.daemon = daemon
        self.consumer = consumer
        self.acknowledge = acknowledge
        self.events = []
        self.seen_at = {}  # cursor -> time.monotonic() of its first sight
        self.repeated = 0
        self.lock = threading.Lock()
        self._closing = False
        self._connection = None
        self.opened = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()
        if not self.opened.wait(PATIENCE):
            raise AssertionError("no reply to the events request")

    def close(self):
        self._closing = True
        if self._connection:
            try:
                self._connection.stream.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self._thread.join()

    def of(self, message_id, *types):
        with self.lock:
            return [e for e in self.events
                    if e.get("id") == message_id and (not types or e["type"] in types)]

    def by_message(self):
        """Lists of events keyed by message id."""
        grouped = {}
        with self.lock:
            for event in self.events:
                grouped.setdefault(event.get("id"), []).append(event)
        return grouped

    def wait_for(self, message_id, *types, patience=PATIENCE):
        return wait_until(lambda: self.of(message_id, *types),
                          lambda: f"an event {'/'.join(types)} of {message_id}; it has "
                          f"{[e['type'] for e in self.of(message_id)]}", patience)[-1]

    def _follow(self):
        while not self._closing:
            try:
                self._read_stream()
            except (OSError, ValueError):
                pass
            time.sleep(0.05)

    def _read_stream(self):
        with Connection(self.daemon.socket_path, timeout=PATIENCE * 4) as connection:
            self._connection = connection
            opened = connection.ask(op="events", consumer=self.consumer)
            if not opened or opened.get("status") != "ok":
                return
            self.opened.set()
            while (event := connection.read()) is not None:
                if event.get("type") in ("idle", "replaced") or "cursor" not in event:
                    continue
                with self.lock:
                    if event["cursor"] in self.seen_at:
                        self.repeated += 1
                    else:
                        self.seen_at[event["cursor"]] = time.monotonic()
                        self.events.append(event)
                # One acknowledgement per burst: what is read already needs none of its own.
                if self.acknowledge and b"\n" not in connection.inbox:
                    connection.write_request(op="ack", cursor=event["cursor"])


def ledger_gap(status):
    """accepted less the sum of where messages may be; 0 when nothing is lost or invented."""
    return status["accepted"] - sum(status[k] for k in (
        "delivered", "sent_final", "failed", "expired", "cancelled", "unknown", "live"))


def one_line(text):
    """The only line that is not empty; fails when there are none or several."""
    lines = [line for line in text.splitlines() if line.strip()]
    assert len(lines) == 1, f"expected one line, got {len(lines)}:\n{text}"
    return lines[0]

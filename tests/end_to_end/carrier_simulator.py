"""stentor-smsc, the carrier simulator, as a test sees it: started, stopped, its capture read."""

import json
import os
import re
import signal
from dataclasses import dataclass

import stentor_under_test as under_test


@dataclass(frozen=True)
class Arrival:
    """One submit_sm of the capture, in the order of arrival."""

    time: int  # Unix nanoseconds
    connection: int
    destination: str
    source: str
    esm_class: int
    data_coding: int
    short_message: bytes
    status: int
    message_id: str


class CarrierSimulator:
    """Runs from construction to stop(); listens on a free port unless one is named. Keyword arguments are its options;
    `prefix` is a command that runs it."""

    def __init__(self, directory, *, host="127.0.0.1", port=0, prefix=(), **options):
        os.makedirs(directory, exist_ok=True)
        self.capture_path = os.path.join(directory, "capture.ndjson")
        self.host = host
        arguments = ["--listen", f"{host}:{port}", "--capture", self.capture_path,
                     "--system-id", "stentor", "--password", "secret"]
        for name, value in options.items():
            option = f"--{name.replace('_', '-')}"
            arguments += [option] if value is True else [option, str(value)]
        self.process = under_test.Process(list(prefix) + [under_test.program("stentor-smsc")]
                                          + arguments, os.path.join(directory, "smsc.log"))
        self.address = under_test.wait_until(self._address, "stentor-smsc says where it listens")

    def _address(self):
        if not self.process.is_running():
            raise AssertionError(f"stentor-smsc ended:\n{self.process.log()}")
        match = re.search(re.escape(self.host) + r":[1-9]\d*", self.process.log())
        return match.group(0) if match else None

    def stop(self):
        """Ends it, so that the capture is whole."""
        self.process.signal(signal.SIGTERM)
        status = self.process.wait()
        assert status == 0, f"stentor-smsc ended with {status}:\n{self.process.log()}"

    def lines(self):
        with open(self.capture_path, encoding="utf-8") as capture:
            for line in capture:
                yield json.loads(line)

    def arrivals(self):
        return [Arrival(line["time"], line["connection"], line["destination"], line["source"],
                        line["esm_class"], line["data_coding"],
                        bytes.fromhex(line["short_message"]), line["status"], line["message_id"])
                for line in self.lines() if line["type"] == "submit_sm"]

    def bind_kinds(self):
        """bind_transmitter, bind_receiver or bind_transceiver of each connection."""
        return {line["connection"]: line["type"] for line in self.lines()
                if line["type"].startswith("bind_") and line["status"] == 0}

    def bind_times(self):
        """Unix nanoseconds of the bind of each connection."""
        return {line["connection"]: line["time"] for line in self.lines()
                if line["type"].startswith("bind_") and line["status"] == 0}

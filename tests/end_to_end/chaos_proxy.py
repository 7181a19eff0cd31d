"""A TCP proxy that breaks what passes through it, as a plan for each connection says."""

import itertools
import socket
import struct
import threading
import time
from dataclasses import dataclass
from typing import Optional

UP, DOWN = "up", "down"  # towards the carrier, towards stentor


@dataclass
class Plan:
    """What becomes of one connection. Octets count from behind the first PDU of a direction."""

    cut_at: Optional[int] = None  # so many octets pass, then the connection ends ...
    cut_in: str = UP  # ... in this direction
    reset: bool = False  # by RST instead of FIN
    cut_after: Optional[float] = None  # seconds after it was made
    octet_pause: float = 0.0  # towards stentor one octet at a time, with this pause


class ChaosProxy:
    """Listens from construction to close(); `plan(number)` says what to do with a connection."""

    def __init__(self, target_port, plan):
        self.target_port = target_port
        self.plan = plan
        self.connected_at = []  # time.monotonic() of each connection
        self._open = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def close(self):
        try:
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes who accepts
        except OSError:
            pass
        self._listener.close()
        with self._lock:
            streams = list(self._open)
        for stream in streams:
            self._end(stream, False)

    def _accept(self):
        for number in itertools.count(1):
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self.connected_at.append(time.monotonic())
            try:
                far = socket.create_connection(("127.0.0.1", self.target_port))
            except OSError:
                near.close()
                continue
            plan = self.plan(number)
            for stream in (near, far):
                stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with self._lock:
                    self._open.add(stream)
            both = (near, far)
            for source, sink, way in ((near, far, UP), (far, near, DOWN)):
                threading.Thread(target=self._pass_on, args=(source, sink, way, plan, both),
                                 daemon=True).start()
            if plan.cut_after is not None:
                threading.Timer(plan.cut_after, self._end_both, (both, plan.reset)).start()

    def _pass_on(self, source, sink, way, plan, both):
        first_left = None  # octets of the first PDU still to pass
        left = plan.cut_at if way == plan.cut_in else None
        head = b""
        try:
            while octets := source.recv(65536):
                if left is not None:
                    if first_left is None:
                        head += octets
                        if len(head) < 4:
                            continue
                        octets, first_left = head, struct.unpack_from(">I", head)[0]
                    passing = min(len(octets), first_left)
                    first_left -= passing
                    behind = len(octets) - passing
                    if behind > left or (behind == left and first_left == 0):
                        sink.sendall(octets[:passing + left])
                        return self._end_both(both, plan.reset)
                    left -= behind
                if plan.octet_pause and way == DOWN:
                    for at in range(len(octets)):
                        sink.sendall(octets[at:at + 1])
                        time.sleep(plan.octet_pause)
                else:
                    sink.sendall(octets)
        except OSError:
            pass
        self._end_both(both, False)

    def _end_both(self, both, reset):
        for stream in both:
            self._end(stream, reset)

    def _end(self, stream, reset):
        with self._lock:
            if stream not in self._open:
                return
            self._open.discard(stream)
        try:
            if reset:
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                stream.shutdown(socket.SHUT_RD)  # wakes who reads it, or close() would wait
            else:
                stream.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        stream.close()

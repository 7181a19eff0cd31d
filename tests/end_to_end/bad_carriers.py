"""Carriers of every bad kind, and peers that play them: the museum, over a real socket.

A part is a function of the stream to one client. It ends by returning or by OSError.
"""

import itertools
import socket
import struct
import threading
import time

import smpp_octets as smpp


class _Recorded:
    """A stream that keeps the beginning of what is read from it."""

    KEPT = 4096  # octets: a part may read for ever

    def __init__(self, stream):
        self._stream = stream
        self.heard = b""

    def recv(self, count):
        octets = self._stream.recv(count)
        self.heard += octets[:self.KEPT - len(self.heard)]
        return octets

    def __getattr__(self, name):
        return getattr(self._stream, name)


class RawPeer:
    """A TCP listener that plays one bad part to everybody who connects."""

    def __init__(self, part):
        self.part = part
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.port = self._listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self._streams = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                stream, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            stream = _Recorded(stream)
            self._streams.append(stream)
            threading.Thread(target=self._play, args=(stream,), daemon=True).start()

    def _play(self, stream):
        try:
            self.part(stream)
        except OSError:
            pass

    def heard(self):
        """The beginning of what was read on each connection so far."""
        return [stream.heard for stream in self._streams]

    def close(self):
        for stream in [self._listener] + self._streams:
            try:
                stream.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            stream.close()


def read_pdu(stream):
    head = b""
    while len(head) < 16:
        octets = stream.recv(16 - len(head))
        if not octets:
            raise OSError("end-of-file")
        head += octets
    length, command, _, sequence = struct.unpack(">IIII", head)
    body = b""
    while len(body) < length - 16:
        octets = stream.recv(length - 16 - len(body))
        if not octets:
            raise OSError("end-of-file")
        body += octets
    return command, sequence


def swallow(stream):
    while stream.recv(65536):
        pass


def let_bind(stream):
    command, sequence = read_pdu(stream)
    stream.sendall(smpp.pdu(command | smpp.RESPONSE, 0, sequence, smpp.c_string("bad")))


def garbage(stream):
    read_pdu(stream)
    stream.sendall(b"HTTP/1.1 400 Bad Request\r\nServer: not a carrier\r\n\r\n")
    swallow(stream)


def half_a_pdu(stream):
    let_bind(stream)
    while True:
        command, sequence = read_pdu(stream)
        if command == smpp.SUBMIT_SM:
            stream.sendall(smpp.pdu(command | smpp.RESPONSE, 0, sequence, smpp.c_string("1"))[:11])
            swallow(stream)


def two_gigabytes(stream):
    let_bind(stream)
    stream.sendall(struct.pack(">IIII", 0x7FFFFFFF, smpp.DELIVER_SM, 0, 1) + b"\0" * 1000)
    swallow(stream)


def tiny_length(stream):
    let_bind(stream)
    stream.sendall(struct.pack(">IIII", 7, smpp.DELIVER_SM, 0, 1))
    swallow(stream)


def hangs_up(stream):
    stream.close()


def answer_all(stream):
    """Reads and answers whatever asks, for ever: what a part says in between is its own. What comes
    together is read together: ten thousand answers a second must not cost this program a core."""
    number = itertools.count(1)
    inbox = b""
    while octets := stream.recv(65536):
        inbox += octets
        at, answers = 0, []
        while len(inbox) - at >= 16:
            length, command, _, sequence = struct.unpack_from(">IIII", inbox, at)
            if len(inbox) - at < length:
                break
            at += length
            if command & smpp.RESPONSE:
                continue
            body = smpp.c_string(f"{next(number):08x}") if command == smpp.SUBMIT_SM else b""
            answers.append(smpp.pdu(command | smpp.RESPONSE, 0, sequence, body))
        inbox = inbox[at:]
        if answers:
            stream.sendall(b"".join(answers))


def saying(octets_of, pause=0.05):
    """A part that binds, answers everything, and says octets_of(n) every `pause` seconds."""
    def part(stream):
        let_bind(stream)

        def say():
            try:
                for n in itertools.count(1):
                    stream.sendall(octets_of(n))
                    time.sleep(pause)
            except OSError:
                pass
        threading.Thread(target=say, daemon=True).start()
        answer_all(stream)
    return part


def deliver(n, body):
    return smpp.pdu(smpp.DELIVER_SM, 0, n, body)


def message(text, tlvs=b"", esm_class=0, data_coding=0):
    return smpp.deliver_sm((1, 1, "79160000000"), (5, 0, "SHOP"), esm_class, data_coding, text, tlvs)


def with_length(octets, change):
    """The same PDU with another command_length."""
    return struct.pack(">I", len(octets) + change) + octets[4:]


def receipts(count):
    """So many receipts for ids that nobody gave."""
    return b"".join(
        deliver(n, message(b"id:%08x stat:DELIVRD err:000 text:" % (0xE0000000 + n), b"",
                           smpp.ESM_RECEIPT)) for n in range(1, count + 1))


def resets_mid_pdu(stream):
    let_bind(stream)
    read_pdu(stream)
    stream.sendall(deliver(1, message(b"cut"))[:20])
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    stream.close()


def an_octet_a_second(stream):
    let_bind(stream)
    for octet in itertools.cycle(deliver(1, message(b"slow" * 50))):
        time.sleep(1)
        stream.sendall(bytes([octet]))


def never_reads(stream):
    let_bind(stream)
    asks = b"".join(smpp.pdu(smpp.ENQUIRE_LINK, 0, n) for n in range(1, 2001))
    while True:
        stream.sendall(asks)  # and reads no answer


def reads_hardly(stream):
    """Asks without end, and reads of the answers so little that the connection just lives."""
    let_bind(stream)
    asks = b"".join(smpp.pdu(smpp.ENQUIRE_LINK, 0, n) for n in range(1, 2001))

    def ask():
        try:
            while True:
                stream.sendall(asks)
        except OSError:
            pass
    threading.Thread(target=ask, daemon=True).start()
    while stream.recv(1024):
        time.sleep(0.1)


FORGED = b"id:1 sub:001 dlvrd:001 stat:DELIVRD err:000 text:id:%08x stat:UNDELIV"

BAD_PARTS = {  # by the name of the carrier
    "garbage": garbage,
    "halfpdu": half_a_pdu,
    "twogig": two_gigabytes,
    "tiny": tiny_length,
    "mute": swallow,  # takes the bind and never answers
    "deaf": lambda stream: (let_bind(stream), swallow(stream)),  # binds, then answers nothing
    "hangup": hangs_up,
}

# The rest of the museum: most of these keep their bind, and go on.
MUSEUM_PARTS = {
    "resets": resets_mid_pdu,
    "trickle": an_octet_a_second,
    "nonul": saying(lambda n: deliver(n, b"x" * 40)),
    "tlvpast": saying(lambda n: deliver(n, message(b"x", struct.pack(">HH", 0x1400, 500) + b"y"))),
    "tinytlvs": saying(lambda n: deliver(n, message(b"x", smpp.tlv(0x1400, b"") * 200))),
    "length255": saying(lambda n: deliver(n, message(b"x" * 255))),
    "noheader": saying(lambda n: deliver(n, message(b"", esm_class=0x40))),
    "halfunit": saying(lambda n: deliver(n, message(b"odd", data_coding=8))),
    "longer": saying(lambda n: with_length(deliver(n, message(b"x")), 1), 0.3),
    "shorter": saying(lambda n: with_length(deliver(n, message(b"x")), -1), 0.3),
    "unknown": saying(lambda n: smpp.pdu(0x0000BAD0 + n % 16, 0, n, b"?")),
    "unasked": saying(lambda n: smpp.pdu(smpp.SUBMIT_SM | smpp.RESPONSE, 0, 0x70000000 + n,
                                         smpp.c_string("4f")) * 20),
    "forged": saying(lambda n: deliver(n, message(FORGED % n, esm_class=smpp.ESM_RECEIPT))),
    "nacks": saying(lambda n: smpp.pdu(smpp.GENERIC_NACK, 3, 0x70000000 + n)),
    "nackzero": saying(lambda n: smpp.pdu(smpp.GENERIC_NACK, 3, 0), 0.5),
    "unbinds": saying(lambda n: smpp.pdu(smpp.UNBIND, 0, n), 0.5),
    "alerts": saying(lambda n: smpp.pdu(smpp.ALERT_NOTIFICATION, 0, n, b"\x01\x01x\x00\x01")),
    "flood": saying(lambda n, octets=receipts(25): octets),  # 500 a second
    "neverreads": never_reads,
    "readshardly": reads_hardly,
}
FLOODS = {"flood": saying(lambda n, octets=receipts(500): octets),  # 10,000 a second
          "neverreads": never_reads}

"""A carrier under the test's thumb: an SMPP server that does what a script tells it.

The script is asked for an Answer to every submit_sm; with no script every segment is accepted and
reported delivered. Unacknowledged receipts are sent again to the next bind, as carriers do.
Everything that came is kept in `arrivals`, with its octets.
"""

import heapq
import itertools
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from typing import Callable, List, Optional

import smpp_octets as smpp


@dataclass
class Receipt:
    """One delivery receipt to come."""

    stat: str = "DELIVRD"
    error: str = "000"
    delay: float = 0.0
    form: str = "both"  # text, tlv or both
    spelled: Optional[Callable[[str], str]] = None  # how the id is written here; None: as answered
    esm_class: int = smpp.ESM_RECEIPT
    via: str = "first"  # bind; "same" as the submit_sm (not at all, once that is gone), or "other"


@dataclass
class Answer:
    """What to do with one submit_sm."""

    status: int = 0
    message_id: Optional[str] = None  # None: the carrier counts
    receipts: List[Receipt] = field(default_factory=lambda: [Receipt()])
    receipts_first: bool = False  # before the response
    delay: float = 0.0
    silent: bool = False  # no response at all
    hang_up: bool = False  # close the connection instead of answering


@dataclass(eq=False)
class Arrival:
    """One submit_sm as it came."""

    time: float  # time.monotonic()
    connection: int
    sequence: int
    submit: smpp.Submit
    status: int
    message_id: str
    command: int = smpp.SUBMIT_SM
    answered: Optional[float] = None  # when its response was written; None: it was not


@dataclass(eq=False)
class Delivery:
    """One receipt as it was written, each time that it was."""

    time: float  # time.monotonic()
    connection: int
    sequence: int
    message_id: str
    receipt: Receipt
    of: Optional[Arrival]  # None: of nothing that came
    acknowledged: Optional[float] = None  # when its deliver_sm_resp came


@dataclass(eq=False)
class _Outgoing:
    """A receipt on its way."""

    message_id: str
    receipt: Receipt
    body: bytes
    of: Optional[Arrival] = None


class _Link:
    """One TCP connection of the client."""

    def __init__(self, number, stream):
        self.number = number
        self.stream = stream
        self.system_id = None
        self.kind = None
        self.sequence = itertools.count(1)
        self.lock = threading.Lock()
        self.delivering = threading.Lock()

    def write(self, octets):
        with self.lock:
            self.stream.sendall(octets)

    def receives(self):
        return self.kind in (smpp.BIND_TRANSCEIVER, smpp.BIND_RECEIVER)


class ScriptedCarrier:
    """Listens from construction to close(), on a free port unless one is named."""

    def __init__(self, script=None, *, system_id="stentor", password="secret", bind_status=0,
                 id_of=lambda number: f"{number:08x}", port=0, interface_version=0x34):
        self.script = script or (lambda submit, attempt: Answer())
        self.system_id = system_id
        self.password = password
        self.bind_status = bind_status
        self.id_of = id_of
        self.answers_enquire = True
        self.delay_of = lambda connection: 0.0  # of each answer there, besides its own
        self.arrivals = []
        self.binds = []
        self.bind_times = []  # time.monotonic() of each
        self.unbinds = 0
        self.receipt_answers = []  # (status, message id) of every deliver_sm_resp and data_sm_resp
        self.deliveries = []
        self.on_acknowledged = lambda delivery: None
        self.malformed = []
        self.queries = []  # ids that query_sm asked about
        self.query_answer = None  # (status, message_state); None: query_sm is unknown
        self.cancels = []  # (id, source, destination) of every cancel_sm
        self.cancel_status = None  # of cancel_sm_resp, by id; None: cancel_sm is unknown
        self.interface_version = interface_version  # told in bind responses; None: it tells none
        self.lock = threading.Lock()
        self._links = {}
        self._link_numbers = itertools.count(1)
        self._outbound = []  # links that we have opened
        self._attempts = {}
        self._numbers = itertools.count(0x1A2B3C4D)
        self._due = []  # heap of (time, order, _Outgoing or (link, response, Arrival))
        self._order = itertools.count()
        self._unacknowledged = {}  # (link number, sequence) -> (_Outgoing, Delivery)
        self._waiting = []  # _Outgoing that found no bind
        self._wake = threading.Condition(self.lock)
        self._closing = False
        self._listener = socket.create_server(("127.0.0.1", port), backlog=64)
        self.port = self._listener.getsockname()[1]
        for target in (self._accept, self._send_receipts):
            threading.Thread(target=target, daemon=True).start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def close(self):
        with self.lock:
            self._closing = True
            self._wake.notify_all()
            links = list(self._links.values())
        # shutdown() wakes the accepting thread; close() alone would leave it, and the port, alive.
        for stream in [self._listener] + [link.stream for link in links]:
            try:
                stream.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            stream.close()

    def cut(self):
        """Hangs up on every client; it may come back."""
        with self.lock:
            links = list(self._links.values())
        for link in links:
            try:
                link.stream.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def outbind(self, port, *, system_id, password):
        """Connects to the client and asks it to bind there (section 4.1.7)."""
        stream = socket.create_connection(("127.0.0.1", port))
        body = smpp.c_string(system_id) + smpp.c_string(password)
        self._outbound.append(self._begin(stream, smpp.pdu(smpp.OUTBIND, 0, 1, body)))

    def cut_outbinds(self):
        """Hangs up on the connections that outbind() opened."""
        while self._outbound:
            try:
                self._outbound.pop().stream.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def arrived(self, address=None):
        """Arrivals so far, those to one number (digits) if given."""
        with self.lock:
            return [a for a in self.arrivals if address in (None, a.submit.destination[2])]

    def bound(self):
        with self.lock:
            return sum(1 for link in self._links.values() if link.system_id)

    def say(self, command, body=b"", status=0, bind=None):
        """Sends a request of our own over every bind, or over one of them, counted from 0."""
        with self.lock:
            links = [link for link in self._links.values() if link.system_id]
        for link in links if bind is None else links[bind:bind + 1]:
            link.write(smpp.pdu(command, status, next(link.sequence), body))

    def report(self, message_id, receipt, source, destination):
        """A receipt of nothing that came, over any bind, until it is acknowledged."""
        body = self._receipt_octets(source, destination, message_id, receipt)
        with self.lock:
            self._push(receipt.delay, _Outgoing(message_id, receipt, body))

    def is_quiet(self):
        """Nothing is due, waits for a bind or for its acknowledgement."""
        with self.lock:
            return not (self._due or self._waiting or self._unacknowledged)

    # -- threads ---------------------------------------------------------------------------------

    def _accept(self):
        while True:
            try:
                stream, _ = self._listener.accept()
            except OSError:
                return
            self._begin(stream)

    def _begin(self, stream, said_first=b""):
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self.lock:
            link = _Link(next(self._link_numbers), stream)
            self._links[link.number] = link
        if said_first:
            link.write(said_first)
        threading.Thread(target=self._serve, args=(link,), daemon=True).start()
        return link

    def _serve(self, link):
        inbox = b""
        try:
            while True:
                octets = link.stream.recv(65536)
                if not octets:
                    return
                inbox += octets
                at = 0
                while len(inbox) - at >= 16:
                    length, command, status, sequence = struct.unpack_from(">IIII", inbox, at)
                    if length < 16 or length > 65536:
                        self.malformed.append(f"command_length {length}")
                        return
                    if len(inbox) - at < length:
                        break
                    body = inbox[at + 16:at + length]
                    at += length
                    if not self._on_pdu(link, command, status, sequence, body):
                        return
                inbox = inbox[at:]
        except OSError:
            pass
        finally:
            self._forget(link)

    def _forget(self, link):
        with self.lock:
            self._links.pop(link.number, None)
            for key in [k for k in self._unacknowledged if k[0] == link.number]:
                self._waiting.append(self._unacknowledged.pop(key)[0])
        link.stream.close()

    def _on_pdu(self, link, command, status, sequence, body):
        """False: hang up."""
        if command in (smpp.BIND_TRANSCEIVER, smpp.BIND_TRANSMITTER, smpp.BIND_RECEIVER):
            return self._on_bind(link, command, sequence, body)
        if command in (smpp.SUBMIT_SM, smpp.DATA_SM):
            return self._on_submit(link, command, sequence, body)
        if command == smpp.QUERY_SM and self.query_answer:
            message_id = smpp.Reader(body).c_string(65)
            with self.lock:
                self.queries.append(message_id)
            status, state = self.query_answer
            link.write(smpp.pdu(command | smpp.RESPONSE, status, sequence,
                                smpp.c_string(message_id) + bytes([0, state, 0])
                                if not status else b""))
            return True
        if command == smpp.CANCEL_SM and self.cancel_status:
            reader = smpp.Reader(body)
            reader.c_string(6)
            message_id = reader.c_string(65)
            addresses = [(reader.octet(), reader.octet(), reader.c_string(21)) for _ in range(2)]
            with self.lock:
                self.cancels.append((message_id, *addresses))
            link.write(smpp.pdu(command | smpp.RESPONSE, self.cancel_status(message_id), sequence))
            return True
        if command == smpp.ENQUIRE_LINK:
            if self.answers_enquire:
                link.write(smpp.pdu(command | smpp.RESPONSE, 0, sequence))
        elif command == smpp.UNBIND:
            with self.lock:
                self.unbinds += 1
            link.write(smpp.pdu(command | smpp.RESPONSE, 0, sequence))
            return False
        elif command in (smpp.DELIVER_SM | smpp.RESPONSE, smpp.DATA_SM | smpp.RESPONSE):
            with self.lock:
                outgoing, delivery = self._unacknowledged.pop((link.number, sequence), (None, None))
                self.receipt_answers.append((status, outgoing.message_id if outgoing else None))
                if delivery:
                    delivery.acknowledged = time.monotonic()
            if delivery:
                self.on_acknowledged(delivery)
        elif not command & smpp.RESPONSE:
            self.malformed.append(f"unexpected command {command:#010x}")
            link.write(smpp.pdu(smpp.GENERIC_NACK, 0x03, sequence))
        return True

    def _on_bind(self, link, command, sequence, body):
        bind = smpp.Bind.parse(body)
        status = self.bind_status
        if not status and bind.system_id != self.system_id:
            status = 0x0F  # ESME_RINVSYSID
        if not status and bind.password != self.password:
            status = 0x0E  # ESME_RINVPASWD
        # One step for whoever looks: a client that says it is bound is one that say() reaches, and
        # none hears anything before the response.
        with self.lock:
            self.binds.append((command, bind, status))
            self.bind_times.append(time.monotonic())
            link.write(smpp.pdu(command | smpp.RESPONSE, status, sequence,
                                smpp.c_string("script") + (
                                    smpp.tlv(0x0210, bytes([self.interface_version]))
                                    if self.interface_version else b"") if not status else b""))
            if status:
                return False
            link.system_id, link.kind = bind.system_id, command
            for outgoing in self._waiting if link.receives() else []:
                self._push(0.0, outgoing)
            if link.receives():
                self._waiting = []
        return True

    def _on_submit(self, link, command, sequence, body):
        is_data = command == smpp.DATA_SM
        try:
            submit = smpp.Submit.parse_data(body) if is_data else smpp.Submit.parse(body)
        except smpp.Malformed as error:
            self.malformed.append(str(error))
            link.write(smpp.pdu(command | smpp.RESPONSE, 0x02, sequence))
            return True
        with self.lock:
            key = (submit.destination[2], submit.short_message)
            attempt = self._attempts[key] = self._attempts.get(key, 0) + 1
        answer = self.script(submit, attempt)
        with self.lock:
            message_id = answer.message_id or self.id_of(next(self._numbers))
            arrival = Arrival(time.monotonic(), link.number, sequence, submit, answer.status,
                              message_id, command)
            self.arrivals.append(arrival)
        if answer.hang_up:
            return False
        wants = submit.registered_delivery & 0x03 and not answer.status
        receipts = [_Outgoing(message_id, receipt, self._receipt_octets(
            submit.destination, submit.source, message_id, receipt), arrival)
            for receipt in (answer.receipts if wants else [])]
        if answer.receipts_first:
            for outgoing in receipts:
                self._deliver(link, outgoing)
        response = smpp.pdu(command | smpp.RESPONSE, answer.status, sequence,
                            smpp.c_string(message_id) if not answer.status else b"")
        delay = answer.delay + self.delay_of(link.number)
        if delay:
            with self.lock:
                self._push(delay, (link, response, arrival))
        elif not answer.silent:
            link.write(response)
            arrival.answered = time.monotonic()
        if not answer.receipts_first:
            with self.lock:
                for outgoing in receipts:
                    self._push(delay + outgoing.receipt.delay, outgoing)
        return True

    def _push(self, delay, what):
        heapq.heappush(self._due, (time.monotonic() + delay, next(self._order), what))
        self._wake.notify_all()

    def _link_for(self, outgoing):
        """Where it goes; None: nowhere now."""
        submitted_on = outgoing.of.connection if outgoing.of else None
        links = [link for link in self._links.values() if link.receives()]
        if outgoing.receipt.via == "other":
            links.sort(key=lambda link: link.number == submitted_on)
        elif outgoing.receipt.via == "same":
            links = [link for link in links if link.number == submitted_on]
        return links[0] if links else None

    def _send_receipts(self):
        while True:
            with self.lock:
                while not self._closing and (not self._due or self._due[0][0] > time.monotonic()):
                    self._wake.wait(self._due[0][0] - time.monotonic() if self._due else None)
                if self._closing:
                    return
                _, _, what = heapq.heappop(self._due)
                link = None
                if isinstance(what, _Outgoing):
                    link = self._link_for(what)
                    if link is None:
                        if what.receipt.via != "same":
                            self._waiting.append(what)
                        continue
            try:
                if link is None:  # a response whose time has come
                    link, response, arrival = what
                    link.write(response)
                    arrival.answered = time.monotonic()
                else:
                    self._deliver(link, what)
            except OSError:
                self._forget(link)  # keeps the receipt for the next bind

    def _deliver(self, link, outgoing):
        with link.delivering:  # its numbers grow in the order of the wire
            sequence = next(link.sequence)
            delivery = Delivery(time.monotonic(), link.number, sequence, outgoing.message_id,
                                outgoing.receipt, outgoing.of)
            with self.lock:
                if link.number not in self._links:  # it went meanwhile
                    self._push(0.0, outgoing)
                    return
                self.deliveries.append(delivery)
                self._unacknowledged[(link.number, sequence)] = (outgoing, delivery)
            link.write(smpp.pdu(smpp.DELIVER_SM, 0, sequence, outgoing.body))

    @staticmethod
    def _receipt_octets(source, destination, message_id, receipt):
        """Appendix B of the specification, or the TLVs of section 5.3.2, or both."""
        spelled = receipt.spelled(message_id) if receipt.spelled else message_id
        text, tlvs = b"", b""
        if receipt.form in ("text", "both"):
            stamp = time.strftime("%y%m%d%H%M")
            delivered = 1 if receipt.stat == "DELIVRD" else 0
            text = (f"id:{spelled} sub:001 dlvrd:{delivered:03d} submit date:{stamp} "
                    f"done date:{stamp} stat:{receipt.stat} err:{receipt.error} text:"
                    ).encode("latin-1")
        if receipt.form in ("tlv", "both"):
            tlvs = (smpp.tlv(smpp.TLV_RECEIPTED_MESSAGE_ID, smpp.c_string(spelled))
                    + smpp.tlv(smpp.TLV_MESSAGE_STATE,
                               bytes([smpp.MESSAGE_STATE[receipt.stat]])))
        return smpp.deliver_sm(source, destination, receipt.esm_class, 0, text, tlvs)

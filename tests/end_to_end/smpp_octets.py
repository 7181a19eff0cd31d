"""SMPP 3.4 PDUs as octets: the few that a carrier reads and writes, after the specification.

The judge's own: shares nothing with stentor's codec. Section numbers are those of SMPP 3.4.
"""

import struct
from dataclasses import dataclass, field

BIND_RECEIVER = 0x00000001
BIND_TRANSMITTER = 0x00000002
QUERY_SM = 0x00000003
SUBMIT_SM = 0x00000004
DELIVER_SM = 0x00000005
UNBIND = 0x00000006
CANCEL_SM = 0x00000008
BIND_TRANSCEIVER = 0x00000009
OUTBIND = 0x0000000B
ENQUIRE_LINK = 0x00000015
ALERT_NOTIFICATION = 0x00000102
DATA_SM = 0x00000103
GENERIC_NACK = 0x80000000
RESPONSE = 0x80000000

TLV_QOS_TIME_TO_LIVE = 0x0017
TLV_RECEIPTED_MESSAGE_ID = 0x001E
TLV_USER_MESSAGE_REFERENCE = 0x0204
TLV_SAR_REFERENCE = 0x020C
TLV_SAR_TOTAL = 0x020E
TLV_SAR_NUMBER = 0x020F
TLV_MESSAGE_PAYLOAD = 0x0424
TLV_MORE_MESSAGES_TO_SEND = 0x0426
TLV_MESSAGE_STATE = 0x0427

ESM_RECEIPT = 0x04  # section 5.2.12: SMSC delivery receipt

# section 5.2.28
MESSAGE_STATE = {"ENROUTE": 1, "DELIVRD": 2, "EXPIRED": 3, "DELETED": 4, "UNDELIV": 5,
                 "ACCEPTD": 6, "UNKNOWN": 7, "REJECTD": 8}


def pdu(command, status, sequence, body=b""):
    return struct.pack(">IIII", 16 + len(body), command, status, sequence) + body


def c_string(text):
    return text.encode("latin-1") + b"\0"


def tlv(tag, value):
    return struct.pack(">HH", tag, len(value)) + value


class Malformed(Exception):
    """The PDU breaks the specification."""


class Reader:
    """Takes fields off the front of a body."""

    def __init__(self, octets):
        self.octets = octets
        self.at = 0

    def take(self, count):
        if self.at + count > len(self.octets):
            raise Malformed("body is shorter than its fields")
        value = self.octets[self.at:self.at + count]
        self.at += count
        return value

    def octet(self):
        return self.take(1)[0]

    def c_string(self, limit):
        end = self.octets.find(b"\0", self.at)
        if end < 0:
            raise Malformed("string without its NUL")
        value = self.octets[self.at:end]
        if len(value) + 1 > limit:
            raise Malformed(f"string of {len(value)} octets where {limit - 1} are allowed")
        self.at = end + 1
        return value.decode("latin-1")

    def tlvs(self):
        found = {}
        while self.at < len(self.octets):
            tag, length = struct.unpack(">HH", self.take(4))
            found[tag] = self.take(length)
        return found


@dataclass
class Bind:
    system_id: str
    password: str
    system_type: str
    interface_version: int
    address: tuple  # (addr_ton, addr_npi, address_range)

    @staticmethod
    def parse(body):  # section 4.1
        reader = Reader(body)
        return Bind(reader.c_string(16), reader.c_string(9), reader.c_string(13), reader.octet(),
                    (reader.octet(), reader.octet(), reader.c_string(41)))


@dataclass
class Submit:
    """submit_sm, section 4.4.1."""

    service_type: str
    source: tuple  # (ton, npi, address)
    destination: tuple
    esm_class: int
    protocol_id: int
    priority: int
    schedule: str
    validity: str
    registered_delivery: int
    replace: int
    data_coding: int
    short_message: bytes
    tlvs: dict = field(default_factory=dict)

    @staticmethod
    def parse(body):
        reader = Reader(body)
        service_type = reader.c_string(6)
        source = (reader.octet(), reader.octet(), reader.c_string(21))
        destination = (reader.octet(), reader.octet(), reader.c_string(21))
        esm_class, protocol_id, priority = reader.octet(), reader.octet(), reader.octet()
        schedule, validity = reader.c_string(17), reader.c_string(17)
        registered_delivery, replace = reader.octet(), reader.octet()
        data_coding, _sm_default = reader.octet(), reader.octet()
        length = reader.octet()
        if length > 254:
            raise Malformed(f"sm_length {length}")
        short_message = bytes(reader.take(length))
        return Submit(service_type, source, destination, esm_class, protocol_id, priority,
                      schedule, validity, registered_delivery, replace, data_coding,
                      short_message, reader.tlvs())

    @staticmethod
    def parse_data(body):
        """data_sm, section 4.7.1: the text is the message_payload."""
        reader = Reader(body)
        service_type = reader.c_string(6)
        source = (reader.octet(), reader.octet(), reader.c_string(65))
        destination = (reader.octet(), reader.octet(), reader.c_string(65))
        esm_class, registered_delivery, data_coding = (reader.octet() for _ in range(3))
        tlvs = reader.tlvs()
        return Submit(service_type, source, destination, esm_class, 0, 0, "", "",
                      registered_delivery, 0, data_coding,
                      bytes(tlvs.get(TLV_MESSAGE_PAYLOAD, b"")), tlvs)


def data_sm(source, destination, esm_class, data_coding, payload, tlvs=b""):
    """Body of data_sm, section 4.7.1."""
    return (c_string("")
            + bytes(source[:2]) + c_string(source[2])
            + bytes(destination[:2]) + c_string(destination[2])
            + bytes([esm_class, 0, data_coding])
            + (tlv(TLV_MESSAGE_PAYLOAD, payload) if payload else b"") + tlvs)


def deliver_sm(source, destination, esm_class, data_coding, short_message, tlvs=b"",
               service_type=""):
    """Body of deliver_sm, section 4.6.1; the addresses are (ton, npi, address)."""
    return (c_string(service_type)
            + bytes(source[:2]) + c_string(source[2])
            + bytes(destination[:2]) + c_string(destination[2])
            + bytes([esm_class, 0, 0]) + b"\0\0" + bytes([0, 0, data_coding, 0])
            + bytes([len(short_message)]) + short_message + tlvs)

"""What a handset makes of the octets of a short message: the judge's own decoding.

Shares nothing with stentor: the tables are from 3GPP TS 23.038 section 6.2.1, the user data
header from TS 23.040 section 9.2.3.24.1. SMPP carries one septet per octet (unpacked).
"""

from dataclasses import dataclass
from typing import Optional

GSM_ALPHABET = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
assert len(GSM_ALPHABET) == 128

GSM_EXTENSION = {
    0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\",
    0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€",
}

ESCAPE = 0x1B
UDH_INDICATOR = 0x40  # esm_class, SMPP 3.4 section 5.2.12


class Undecodable(Exception):
    """The octets are not what a phone could show."""


@dataclass(frozen=True)
class Part:
    """One short message: its text and its place in the message it belongs to."""

    text: str
    reference: Optional[int]  # None: it stands alone
    total: int
    number: int


def decode_gsm7(septets):
    """Text of unpacked septets; an escape pair cut in half is an error."""
    text = []
    escaped = False
    for septet in septets:
        if septet > 0x7F:
            raise Undecodable(f"septet {septet:#x} has its eighth bit set")
        if escaped:
            if septet not in GSM_EXTENSION:
                raise Undecodable(f"no extension character {septet:#x}")
            text.append(GSM_EXTENSION[septet])
            escaped = False
        elif septet == ESCAPE:
            escaped = True
        else:
            text.append(GSM_ALPHABET[septet])
    if escaped:
        raise Undecodable("an escape pair was cut in half")
    return "".join(text)


def decode_ucs2(octets):
    """Text of UTF-16BE; a surrogate pair cut in half is an error."""
    try:
        return bytes(octets).decode("utf-16-be")
    except UnicodeDecodeError as error:
        raise Undecodable(f"not UTF-16BE: {error}") from error


def split_header(octets):
    """(reference, total, number, body) of user data that begins with a header."""
    length = octets[0]
    header, body = octets[1:1 + length], octets[1 + length:]
    if len(header) != length:
        raise Undecodable("user data header is longer than the message")
    reference, total, number = None, 1, 1
    at = 0
    while at < len(header):
        kind, size = header[at], header[at + 1]
        value = header[at + 2:at + 2 + size]
        if len(value) != size:
            raise Undecodable("information element runs past the header")
        if kind == 0x00 and size == 3:
            reference, total, number = value[0], value[1], value[2]
        elif kind == 0x08 and size == 4:
            reference, total, number = value[0] << 8 | value[1], value[2], value[3]
        at += 2 + size
    return reference, total, number, body


def decode_part(short_message, esm_class, data_coding):
    """The Part that these octets are, as a phone would read them."""
    reference, total, number, body = None, 1, 1, bytes(short_message)
    if esm_class & UDH_INDICATOR:
        reference, total, number, body = split_header(body)
    if data_coding == 0:
        # The header is padded to whole septets: 6 octets take 7 of the 160, 7 octets take 8.
        header_septets = -(-(len(short_message) - len(body)) * 8 // 7)
        if header_septets + len(body) > 160:
            raise Undecodable(f"{len(body)} septets after a header of {header_septets}")
        text = decode_gsm7(body)
    elif data_coding == 8:
        if len(short_message) > 140:
            raise Undecodable(f"{len(short_message)} octets in one UCS-2 segment")
        text = decode_ucs2(body)
    else:
        raise Undecodable(f"data_coding {data_coding:#x} was not asked for")
    return Part(text, reference, total, number)

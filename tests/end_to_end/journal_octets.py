"""The journal's files as docs/journal.md describes them, read without stentord's code.

Only what a judge asks: which records of a kind there are. Checksums are not looked at: what a start
has accepted is taken as it lies.
"""

import collections
import os
import re
import struct

INTENT = 3  # messages about to be written to a bind
FILE_HEADER_OCTETS = 64
BLOCK = struct.Struct("<4sIQQIIIIII")  # 48 octets
BLOCK_ALIGNMENT = 64
BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's
SEQUENCE_BITS = 54


def varint(octets, at):
    """A number in groups of seven bits, the lowest first, and where it ends."""
    value = shift = 0
    while True:
        value |= (octets[at] & 0x7F) << shift
        at += 1
        if octets[at - 1] < 0x80:
            return value, at
        shift += 7


def files(journal):
    """Paths of the journal's files, the oldest first."""
    return [os.path.join(journal, name) for name in sorted(os.listdir(journal))
            if re.fullmatch(r"journal-[0-9]{8}\.stj", name)]


def records(path):
    """(kind, payload) of each record of a file, in order."""
    with open(path, "rb") as file:
        octets = file.read()
    magic, _, _, epoch = struct.unpack_from("<8sIIQ", octets)
    if magic != b"STENTORJ":
        raise ValueError(f"{path}: not a journal's file")
    at, number = FILE_HEADER_OCTETS, 1
    while at + BLOCK.size <= len(octets):
        block = BLOCK.unpack_from(octets, at)
        if block[:3] != (b"STJB", number, epoch):
            return
        at += BLOCK.size
        end = at + block[5]
        while at < end:
            kind = octets[at]
            length, at = varint(octets, at + 1)
            yield kind, octets[at:at + length]
            at += length
        at = -(-end // BLOCK_ALIGNMENT) * BLOCK_ALIGNMENT
        number += 1


def intended(payload):
    """The accept sequences that an intent names."""
    length, at = varint(payload, 4)  # behind the bind's epoch: the carrier's name
    at += length + 2 + 8  # the bind's number, the time
    count, at = varint(payload, at)
    sequence = 0
    for _ in range(count):
        step, at = varint(payload, at)
        sequence += step >> 1 if step % 2 == 0 else -(step >> 1) - 1
        yield sequence


def intents(journal):
    """How often each accept sequence was intended."""
    counts = collections.Counter()
    for path in files(journal):
        for kind, payload in records(path):
            if kind == INTENT:
                counts.update(intended(payload))
    return counts


def sequence_of(message_id):
    """The accept sequence in a message's id."""
    value = 0
    for letter in message_id:
        value = value << 5 | BASE32.index(letter)
    return value & ((1 << SEQUENCE_BITS) - 1)

#!/usr/bin/env python3
"""stentord against SMPP programs that this project did not write.

  net_smpp    a carrier on Perl's Net::SMPP (libnet-smpp-perl)
  drive_smpp  Kannel's test carrier (kannel-extras): answers with empty message ids, knows no
              bind_transceiver, sends messages of its own
  tshark      every kind of PDU that stentord and a carrier say, decoded by Wireshark's dissector
  stentor_smsc_decoded
              the same of stentord and our simulator
  net_smpp_decoded, drive_smpp_decoded
              the same conversations, captured and decoded by it

A peer that is not installed, or a capture that is not permitted, is skipped with its reason.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import time

import sms_octets
import smpp_octets as smpp
import stentor_under_test as under_test
from carrier_simulator import CarrierSimulator
from scripted_carrier import Answer, Receipt, ScriptedCarrier

HERE = os.path.dirname(os.path.abspath(__file__))
DRIVE_SMPP = "/usr/lib/kannel/test/drive_smpp"
DRIVE_SMPP_BEARERBOX_PORT = 13001

OUTBIND = {"system_id": "SMSC", "password": "hush-hsh"}
WITHOUT_RECEIPT = "79160000009"

TEXTS = ("Hello", "@£$ [brackets] 5€", "Привет, мир", "long " * 60, "длинный текст 👍🏽 " * 10)


class Capture:
    """What passes on some TCP ports of loopback from construction to end(), as Wireshark reads it.

    `why_not` says why there is none, where there is none.
    """

    def __init__(self, directory, *ports):
        self.ports = ports
        self.path = os.path.join(directory, "frames.pcapng")
        self.process, self.why_not = None, None
        if not shutil.which("tshark"):
            self.why_not = "tshark is not installed"
            return
        # Not tshark, whose own dumpcap would outlive it when it is killed.
        self.process = under_test.Process(
            ["dumpcap", "-q", "-i", "lo", "-f", " or ".join(f"tcp port {port}" for port in ports),
             "-w", self.path], self.path + ".log")
        deadline = time.monotonic() + 20
        while not (os.path.exists(self.path) and "Capturing on" in self.process.log()):
            if not self.process.is_running() or time.monotonic() > deadline:
                self.why_not = ("frames on loopback may not be captured here: "
                                + self.process.log().strip().replace("\n", " ")[-200:])
                self.process.kill()
                return
            time.sleep(0.05)

    def end(self):
        """Fails if Wireshark finds anything wrong with what was captured."""
        time.sleep(0.5)  # the recorder writes what the kernel still holds
        self.process.signal(under_test.signal.SIGINT)
        self.process.wait()
        malformed = self.fields("_ws.malformed", "frame.number", "frame.protocols")
        assert not malformed, f"Wireshark finds malformed frames: {malformed}"
        suspicious = self.fields("smpp && _ws.expert.severity >= 0x00600000",
                                 "frame.number", "_ws.expert.message")
        assert not suspicious, f"Wireshark warns: {suspicious}"

    def fields(self, display_filter, *fields):
        as_smpp = [option for port in self.ports for option in ("-d", f"tcp.port=={port},smpp")]
        done = subprocess.run(
            ["tshark", "-r", self.path, *as_smpp, "-Y", display_filter,
             "-T", "fields"] + [option for field in fields for option in ("-e", field)],
            capture_output=True, text=True, check=True)
        return [line for line in done.stdout.splitlines() if line]

    def commands(self, display_filter="smpp"):
        return {int(command, 0) for line in
                self.fields(f"smpp && ({display_filter})", "smpp.command_id")
                for command in line.split(",")}


def begin_capture(is_decoded, directory, port):
    """None where nobody asked; skips where it is asked and cannot be."""
    if not is_decoded:
        return None
    capture = Capture(directory, port)
    if capture.why_not:
        under_test.skip(capture.why_not)
    return capture


def end_capture(capture, *expected):
    """Of a peer: each of the expected commands passed, and all that passed is well-formed."""
    if capture is None:
        return
    capture.end()
    unseen = set(expected) - capture.commands()
    assert not unseen, f"not captured: {sorted(map(hex, unseen))}"
    print(f"{len(capture.commands())} kinds of PDU decoded by Wireshark, none malformed")


def send_all(daemon, texts=TEXTS):
    """{id: (destination digits, text)} of what was accepted."""
    sent = {}
    with daemon.connect() as connection:
        for number, text in enumerate(texts):
            digits = f"7916{number:07d}"
            reply = connection.ask(op="send", to="+" + digits, text=text, **{"from": "SHOP"})
            assert reply["status"] == "accepted", reply
            sent[reply["id"]] = (digits, text)
    return sent


def net_smpp(is_decoded=False):
    if subprocess.run(["perl", "-MNet::SMPP", "-e", "1"], capture_output=True,
                      check=False).returncode != 0:
        under_test.skip("Net::SMPP is not installed (libnet-smpp-perl)")
    directory = under_test.new_directory()
    peer = under_test.Process(["perl", os.path.join(HERE, "net_smpp_carrier.pl")],
                              os.path.join(directory, "net_smpp.log"))
    port = under_test.wait_until(lambda: re.search(r"listening (\d+)", peer.log()),
                                 "Net::SMPP listens").group(1)
    capture = begin_capture(is_decoded, directory, port)
    daemon = under_test.Daemon([under_test.carrier("perl", f"127.0.0.1:{port}", query_after="1s",
                                                   tlv={'"0x1400"': "0a0b"})],
                               directory=directory).start()
    events = under_test.EventFollower(daemon)
    sent = send_all(daemon)
    for message_id in sent:
        events.wait_for(message_id, "delivered")
    with daemon.connect() as connection:
        asked = connection.ask(op="send", to="+79160000009", text=TEXTS[0], **{"from": "SHOP"})
    events.wait_for(asked["id"], "delivered")
    assert re.search(r"query [0-9a-f]+ SHOP\n", peer.log()), peer.log()
    sent[asked["id"]] = ("79160000009", TEXTS[0])
    events.close()
    assert daemon.stop() == 0, daemon.log_tail()
    under_test.wait_until(lambda: "unbind" in peer.log(), "stentord unbinds")
    end_capture(capture, smpp.BIND_TRANSCEIVER, smpp.SUBMIT_SM, smpp.SUBMIT_SM | smpp.RESPONSE,
                smpp.DELIVER_SM, smpp.DELIVER_SM | smpp.RESPONSE, smpp.QUERY_SM, smpp.UNBIND)
    assert "unexpected" not in peer.log(), peer.log()
    assert "bind stentor secret 52" in peer.log(), peer.log()  # interface_version 0x34

    texts = {}
    for match in re.finditer(r"submit SHOP (\d+) (\d+) (\d+) ([0-9a-f]*)", peer.log()):
        digits, esm_class, data_coding, octets = match.groups()
        part = sms_octets.decode_part(bytes.fromhex(octets), int(esm_class), int(data_coding))
        texts.setdefault(digits, {})[part.number] = part.text
    for digits, text in sent.values():
        got = "".join(texts[digits][n] for n in sorted(texts[digits]))
        assert got == text, f"{digits}: {got!r} instead of {text!r}"
    segments = sum(map(len, texts.values()))
    assert peer.log().count("receipt 0\n") == segments - 1, peer.log()
    print(f"{segments} segments, each decoded by Net::SMPP, answered and reported")


def drive_smpp(is_decoded=False):
    if not os.access(DRIVE_SMPP, os.X_OK):
        under_test.skip("drive_smpp is not installed (kannel-extras)")
    # drive_smpp also wants to be an smsbox, at a port it does not let one choose: somebody must
    # listen there, or it panics after three seconds.
    try:
        bearerbox = socket.create_server(("127.0.0.1", DRIVE_SMPP_BEARERBOX_PORT))
    except OSError as error:
        under_test.skip(f"drive_smpp needs 127.0.0.1:{DRIVE_SMPP_BEARERBOX_PORT}: {error}")
    directory = under_test.new_directory()
    port = under_test.free_port()
    replies = 20
    capture = begin_capture(is_decoded, directory, port)
    peer = under_test.Process([DRIVE_SMPP, "-v", "0", "-p", str(port), "-m", str(replies)],
                              os.path.join(directory, "drive_smpp.log"), cwd=directory)
    daemon = under_test.Daemon(
        [under_test.carrier("kannel", f"127.0.0.1:{port}",
                            binds={"transmitter": 1, "receiver": 1})],
        directory=directory).start()
    events = under_test.EventFollower(daemon)
    parts_of = {}
    for message_id in send_all(daemon):
        parts_of[message_id] = events.wait_for(message_id, "sent")["parts"]
    # It gives no ids: no receipt can be matched, and each message says why none is due.
    assert max(parts_of.values()) > 1, parts_of
    under_test.wait_until(lambda: daemon.status()["sent_final"] == len(TEXTS),
                          lambda: f"each is final: {daemon.status()}")
    for message_id, parts in parts_of.items():
        told = daemon.ask(op="message", id=message_id)
        assert told["state"] == "sent", told
        codes = [step["code"] for step in told["history"] if "code" in step]
        assert codes == ["no_message_id"], told
    # Its deliver_sm come with sequence numbers from 0 on; each must be answered all the same.
    under_test.wait_until(lambda: peer.log().count("type deliver_sm_resp") == replies,
                          "every deliver_sm is answered")
    events.close()
    assert daemon.stop() == 0, daemon.log_tail()
    under_test.wait_until(lambda: "type unbind" in peer.log(), "stentord unbinds")
    end_capture(capture, smpp.BIND_TRANSMITTER, smpp.BIND_RECEIVER, smpp.SUBMIT_SM,
                smpp.SUBMIT_SM | smpp.RESPONSE, smpp.DELIVER_SM, smpp.DELIVER_SM | smpp.RESPONSE)
    complaints = [line for line in peer.log().splitlines()
                  if re.search(r" (ERROR|PANIC|WARNING): ", line)]
    assert not complaints, complaints
    bearerbox.close()
    print(f"{len(TEXTS)} messages sent through Kannel's carrier, its {replies} answered")


def call_back(daemon, events):
    with daemon.connect() as connection:
        sent = connection.ask(op="send", to="+" + WITHOUT_RECEIPT, text="Hello",
                              **{"from": "SHOP"})
        events.wait_for(sent["id"], "sent")
        reply = connection.ask(op="cancel", id=sent["id"], at_carrier=True)
    assert reply.get("state") == "cancelled", reply


def say_what_carriers_say(carrier):
    carrier.say(smpp.ENQUIRE_LINK)
    carrier.say(smpp.DATA_SM, smpp.data_sm((1, 1, "79160000000"), (5, 0, "SHOP"), smpp.ESM_RECEIPT,
                                           0, b"id:0 stat:DELIVRD err:000"))
    carrier.say(smpp.ALERT_NOTIFICATION, bytes([1, 1]) + smpp.c_string("79160000000")
                + bytes([5, 0]) + smpp.c_string("SHOP") + smpp.tlv(0x0422, b"\0"))
    # What only servers serve is answered with generic_nack; the bind stays.
    carrier.say(smpp.QUERY_SM, smpp.c_string("4f") + b"\x05\x00" + smpp.c_string("SHOP"))
    carrier.say(smpp.GENERIC_NACK, status=0x03)


def converse(settings, receipts, query_answer=None, outbind_port=None):
    """The commands that stentord wrote, and those that it read, in a conversation that Wireshark
    finds nothing wrong with."""
    directory = under_test.new_directory()
    carrier = ScriptedCarrier(lambda submit, attempt: Answer(
        status=0x58 if attempt == 1 and submit.destination[2].endswith("1") else 0,
        receipts=[] if submit.destination[2] == WITHOUT_RECEIPT else receipts))
    carrier.query_answer = query_answer
    carrier.cancel_status = lambda message_id: 0
    capture = Capture(directory, carrier.port, *([outbind_port] if outbind_port else []))
    if capture.why_not:
        under_test.skip(capture.why_not)
    daemon = under_test.Daemon(
        [under_test.carrier("north", carrier.address, enquire_link="1s", **settings)],
        directory=directory).start()
    if outbind_port:
        daemon.wait_bound("north")
        carrier.outbind(outbind_port, **OUTBIND)
        under_test.wait_until(lambda: daemon.carrier_status("north")["bound"] == 2,
                              "it is bound on the connection that the carrier opened")
    events = under_test.EventFollower(daemon)
    for message_id in send_all(daemon):
        events.wait_for(message_id, "delivered")
    if receipts:  # else it is asked, and delivered before it could be called back
        call_back(daemon, events)
    say_what_carriers_say(carrier)
    time.sleep(1.5)  # silence, so that stentord asks whether the carrier lives
    binds = len(carrier.binds)
    carrier.say(smpp.UNBIND)
    under_test.wait_until(lambda: len(carrier.binds) > binds, "stentord binds again")
    daemon.wait_bound("north")
    events.close()
    assert daemon.stop() == 0, daemon.log_tail()
    carrier.close()
    assert not carrier.malformed, carrier.malformed
    capture.end()
    ours, theirs = f"tcp.dstport == {carrier.port}", f"tcp.srcport == {carrier.port}"
    if outbind_port:
        ours += f" || tcp.srcport == {outbind_port}"
        theirs += f" || tcp.dstport == {outbind_port}"
    return capture.commands(ours), capture.commands(theirs)


def tshark():
    tlv = {"source_port": 16, "dest_subaddress": "a088", "callback_num": "01010131323334"}
    port = under_test.free_port()
    conversations = [
        converse({"tlv": tlv}, [Receipt(form="both")]),
        converse({"submit": "data_sm", "binds": {"transmitter": 1, "receiver": 1},
                  "query_after": "1s", "long": "sar", "tlv": tlv,
                  "outbind": {"listen": f"127.0.0.1:{port}", "connect": False, **OUTBIND}}, [],
                 query_answer=(0, 2), outbind_port=port)]
    written, read = (set().union(*commands) for commands in zip(*conversations))
    both = {smpp.DATA_SM, smpp.DATA_SM | smpp.RESPONSE, smpp.ENQUIRE_LINK,
            smpp.ENQUIRE_LINK | smpp.RESPONSE, smpp.UNBIND, smpp.UNBIND | smpp.RESPONSE,
            smpp.GENERIC_NACK}
    asked = {smpp.BIND_TRANSCEIVER, smpp.BIND_TRANSMITTER, smpp.BIND_RECEIVER, smpp.SUBMIT_SM,
             smpp.QUERY_SM, smpp.CANCEL_SM}
    unseen = {
        "written": both | asked | {smpp.DELIVER_SM | smpp.RESPONSE},
        "read": both | {command | smpp.RESPONSE for command in asked}
        | {smpp.DELIVER_SM, smpp.ALERT_NOTIFICATION, smpp.OUTBIND}}
    for way, seen in (("written", written), ("read", read)):
        unseen[way] -= seen
        assert not unseen[way], f"not seen {way}: {sorted(map(hex, unseen[way]))}"
    print(f"{len(written)} kinds of PDU that stentord writes and {len(read)} that it reads, "
          "none malformed")


def stentor_smsc_decoded():
    directory = under_test.new_directory()
    carrier = CarrierSimulator(os.path.join(directory, "smsc"))
    port = int(carrier.address.rpartition(":")[2])
    capture = begin_capture(True, directory, port)
    daemon = under_test.Daemon([under_test.carrier("north", carrier.address, enquire_link="1s")],
                               directory=directory).start()
    events = under_test.EventFollower(daemon)
    for message_id in send_all(daemon):
        events.wait_for(message_id, "delivered")
    time.sleep(1.5)  # silence, so that stentord asks whether the carrier lives
    events.close()
    assert daemon.stop() == 0, daemon.log_tail()
    carrier.stop()
    both_ways = (smpp.BIND_TRANSCEIVER, smpp.SUBMIT_SM, smpp.DELIVER_SM, smpp.ENQUIRE_LINK,
                 smpp.UNBIND)
    end_capture(capture, *both_ways, *(command | smpp.RESPONSE for command in both_ways))


def main():
    peers = {"net_smpp": net_smpp, "net_smpp_decoded": lambda: net_smpp(True),
             "drive_smpp": drive_smpp, "drive_smpp_decoded": lambda: drive_smpp(True),
             "tshark": tshark, "stentor_smsc_decoded": stentor_smsc_decoded}
    arguments, _ = under_test.begin(
        __doc__.splitlines()[0],
        lambda parser: parser.add_argument("peer", choices=sorted(peers)))
    peers[arguments.peer]()
    return 0


if __name__ == "__main__":
    sys.exit(main())

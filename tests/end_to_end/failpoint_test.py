#!/usr/bin/env python3
"""Kills stentord at each of its failpoints under load and proves what it promises.

Each life of the daemon has one failpoint armed (STENTOR_FAILPOINT, docs/journal.md) and must end
there: by SIGKILL, its last line naming the point. Then it starts again with the next one armed. A
point that is not reached fails the test by name, and so does one that the daemon has and no lane
below names. At the end the independent judge of the crash test compares the three histories.

A lane is a load that reaches some of the points:

  load       much is sent: commits, files, checkpoints, answers, receipts, events, recovery
  names      so many journal files are sealed that a run of their names is made
  references so many references that runs of them are written
  retirement retention lets files go
  carrying   messages for later are carried out of them: an excerpt is made
  carried    and it takes the place of the files, and of the excerpt before
  doubts     some messages are held in doubt, and an operator resolves them
  opt_outs   opt-outs are taken and saved
  orders     messages are cancelled, paused, resumed; a campaign is, and so is all that waits for a
             carrier
  spill      more waits for a carrier that is not there than memory may hold
  salvage    a damaged journal is salvaged
"""

import os
import signal
import sys
import time

import crash_test
import stentor_under_test as under_test
from carrier_simulator import CarrierSimulator

MAKING = ("create.after", "write.after", "sync.after", "rename.before", "rename.after",
          "sync_directory.after")


def of_files(kind, *steps):
    return [f"{kind}.{step}" for step in steps]


# Passed so often that the moment can vary: the count is drawn.
HOT = ("journal.commit.before", "journal.commit.half", "journal.commit.unsynced",
       "journal.commit.after", "commit.durable", "commit.told", "answer.before_write",
       "answer.after_write", "intent.before", "intent.durable", "submit.before_write",
       "submit.after_write", "response.read", "response.recorded", "receipt.read",
       "receipt.recorded", "receipt.before_answer", "receipt.after_answer", "event.before_write",
       "event.after_write")

LANES = {
    # Recovery makes a tail certain where the life before has ended under load.
    "load": [*HOT, *of_files("recovery", *MAKING), "doubt.noted", "start.recovered",
             "stop.drained", "stop.last_commit", *of_files("journal", *MAKING),
             *of_files("checkpoint", *MAKING, "remove.before", "remove.after"),
             *of_files("history", "create.after", "write.after", "rename.before", "rename.after"),
             "journal.truncate.after"],  # of a file that is full: 4 MiB
    "names": of_files("names", "create.after", "write.after", "sync.after", "rename.before",
                      "remove.after", "rename.after"),
    "references": of_files("references", "create.after", "write.after", "sync.after",
                           "rename.before", "rename.after"),
    "retirement": ["retirement.before", "retirement.asked", "history.remove.after",
                   *of_files("journal", "remove.before", "remove.after")],
    "carrying": of_files("carried", *MAKING),
    "carried": ["carrying.before", "carrying.recorded",
                *of_files("carried", "remove.before", "remove.after")],
    # Dying behind the write leaves doubts to resolve.
    "doubts": ["submit.after_write", "resolve.before", "submit.after_write", "resolve.recorded"],
    "opt_outs": ["opt_out.trail", "opt_out.before_rename", "opt_out.after_rename"],
    "orders": ["cancel.before", "cancel.durable", "pause.before", "pause.durable",
               "resume.before", "resume.durable", "campaign_cancel.before",
               "campaign_cancel.durable", "campaign_cancel.some", "message_pause.before",
               "message_pause.durable", "message_resume.before", "message_resume.durable",
               "carrier_cancel.before", "carrier_cancel.durable", "carrier_cancel.some"],
    "spill": of_files("spill", "create.after", "write.after", "remove.before", "remove.after",
                      "truncate.after"),
    "salvage": of_files("quarantine", *MAKING),
}

# Ended by SIGTERM, since they are on the way out.
AT_STOP = ("stop.drained", "stop.last_commit")


def all_points():
    """As the program itself tells them, when it is asked for one that it does not have."""
    daemon = under_test.Daemon([under_test.carrier("north", "127.0.0.1:1")])
    daemon.process_options = {"env": {**os.environ, "STENTOR_FAILPOINT": "?"}}
    process = under_test.Process([under_test.program("stentord"), "--config", daemon.config_path],
                                 daemon.log_path, **daemon.process_options)
    assert process.wait() == 2, process.log()
    return process.log().split("there are:")[1].split()


def not_died_at(point, daemon, before):
    """What is wrong with the end of a daemon that should have died there, its log from `before`."""
    status = daemon.process.wait()
    lines = daemon.log()[before:].splitlines()
    # Before the signal comes to all threads another one may have said its own.
    if status == -signal.SIGKILL and f"failpoint {point} reached" in lines[-5:]:
        return []
    return [f"{point}: ended with {status}, its last line {lines[-1:]}"]


class Lane:
    """One daemon, its carrier, its client and what they say of it."""

    settings = {}
    carrier_settings = {}
    more_carriers = []
    rate = 1500
    answered_again = 20
    patience = 60.0

    def __init__(self, name, random):
        self.name = name
        self.random = random
        self.points = list(LANES[name])
        self.wrong = []
        self.kills = []
        self.directory = under_test.new_directory()
        self.simulator = CarrierSimulator(
            self.directory, latency="4ms+8ms", receipt_delay="50ms", outcomes="DELIVRD=100",
            seed=under_test.Settings.seed)
        self.daemon = under_test.Daemon(
            [crash_test.carrier(self.simulator, **self.carrier_settings), *self.more_carriers],
            directory=self.directory, tables={"journal": {"checkpoint": "64KiB"}, **self.settings})

    def run(self):
        self.daemon.start()
        self.events = under_test.EventFollower(self.daemon)
        self.client = crash_test.Client(self.daemon, self.random, self.rate)
        self.client.answered_again = self.answered_again
        self.client.start()
        self.begin()
        self.daemon.kill()
        self.kills.append((time.time_ns(), len(self.events.events)))
        for point in self.points:
            began = time.monotonic()
            self.die_at(point)
            print(f"{point}: {time.monotonic() - began:.1f} s", flush=True)
        self.start_unarmed()
        self.finish()
        return self.wrong

    def begin(self):
        """What the load needs besides the client, before the first death."""

    def while_alive(self):
        """What somebody does again and again while the daemon is up."""

    def die_at(self, point):
        count = self.random.randint(1, 20) if point in HOT else 1
        self.daemon.process_options = {
            "env": {**os.environ, "STENTOR_FAILPOINT": f"{point}:{count}"}}
        before = len(self.daemon.log())
        self.daemon.launch()
        deadline = time.monotonic() + self.patience
        if point in AT_STOP:
            try:
                under_test.wait_until(lambda: self.daemon.answers() or not self.daemon.is_running(),
                                      "it serves")
            except AssertionError as error:
                self.wrong.append(f"{point}: {error}")
            time.sleep(0.2)
            if self.daemon.is_running():
                self.daemon.process.signal(signal.SIGTERM)
        while self.daemon.is_running() and time.monotonic() < deadline:
            try:
                self.while_alive()
            except (OSError, ValueError, TypeError):
                pass  # it may die at any moment: it shall
            time.sleep(0.01)
        if self.daemon.is_running():
            self.wrong.append(f"{point}: never reached")
            self.daemon.kill()
        else:
            self.wrong += not_died_at(point, self.daemon, before)
        self.kills.append((time.time_ns(), len(self.events.events)))

    def start_unarmed(self):
        self.daemon.process_options = {}
        self.daemon.start()

    def finish(self):
        """All that waits goes out; the judge compares the histories."""
        self.wrong += crash_test.wait_for_finals(self.client, self.events, self.while_alive)
        self.end()
        gap = under_test.ledger_gap(self.daemon.status())
        if gap:
            self.wrong.append(f"the ledger does not balance: {gap}; {self.daemon.status()}")
        exit_status = self.daemon.stop()
        if exit_status != 0:
            self.wrong.append(f"SIGTERM ended the daemon with {exit_status}")
        self.events.close()
        self.simulator.stop()
        judge = crash_test.Judge(self.client, self.simulator, self.events, self.kills)
        judge.check_all()
        self.wrong += judge.wrong
        print(f"{self.name}: {len(self.points)} failpoints; {len(self.client.submitted)} submitted, "
              f"{len(self.client.answered)} acknowledged; {len(judge.twice)} messages came twice, "
              f"{judge.marked} marked possible_duplicate")

    def end(self):
        """What besides the client's messages must be there."""


class References(Lane):
    """More references than the table in memory may hold: each life writes a run of them. Their
    messages expire at a carrier that is not there, so that none is live at the next start."""

    settings = {"queue": {"memory": "16MiB"}}
    more_carriers = [under_test.carrier("south", "127.0.0.1:1")]
    rate = 200
    at_once = 1000

    def begin(self):
        self.ids = {}  # number -> id
        self.tried = 0

    def send(self, numbers):
        with self.daemon.connect(60.0) as connection:
            for number in numbers:
                connection.write_request(ref=f"gone-{number}", to=f"+1555{number:07d}", text="Hi",
                                         carrier="south", expires=1, **{"from": "SHOP"})
            for number in numbers:
                yield number, connection.read()

    def while_alive(self):
        if self.client.finishing.is_set():
            return
        numbers = range(self.tried, self.tried + self.at_once)
        self.tried = numbers.stop
        for number, reply in self.send(numbers):
            if reply["status"] == "accepted":
                self.ids[number] = reply["id"]

    def end(self):
        asked = sorted(self.random.sample(sorted(self.ids), 20 * self.at_once))
        for start in range(0, len(asked), self.at_once):
            for number, reply in self.send(asked[start:start + self.at_once]):
                if reply["status"] != "duplicate" or reply["id"] != self.ids[number]:
                    self.wrong.append(f"gone-{number} is not known any more: {reply}")


class Names(Lane):
    """Each life seals a journal file, and sixteen of them make a run of names: the first armed one
    finds them."""

    rate = 100

    def begin(self):
        for _ in range(15):
            time.sleep(0.2)
            self.daemon.kill()
            self.kills.append((time.time_ns(), len(self.events.events)))
            self.daemon.start()


class Retirement(Lane):
    """Files go soon."""

    settings = {"journal": {"retention": "1s", "retention_size": "1MiB", "checkpoint": "64KiB"},
                "queue": {"guard": "15s"}}
    rate = 500
    answered_again = 0  # an answer older than the guard makes a new message


class Carrying(Retirement):
    """Messages for later keep old files until they are carried out of them."""

    def begin(self):
        self.later = []
        self.send_for_later()

    def send_for_later(self):
        reply = self.daemon.ask(to="+79169999999", text="Later", not_before=3600,
                                **{"from": "SHOP"})
        assert reply["status"] == "accepted", reply
        self.later.append(reply["id"])

    def die_at(self, point):
        self.sent_in_life = False
        super().die_at(point)

    def while_alive(self):
        if not self.sent_in_life and not self.client.finishing.is_set():
            self.send_for_later()
            self.sent_in_life = True

    def end(self):
        for message_id in self.later:
            reply = self.daemon.ask(op="cancel", id=message_id)
            if reply["status"] != "ok":
                self.wrong.append(f"a message for later is not there: {reply}")


class Doubts(Lane):
    """An operator says of each message held in doubt that it was not sent."""

    carrier_settings = {"uncertain": "hold"}
    rate = 300

    def while_alive(self):
        with self.daemon.connect(5.0) as connection:
            shown = connection.ask(op="carrier", action="doubts", name="north")
            for doubt in (shown or {}).get("doubts", []):  # none where it has just died
                connection.ask(op="resolve", id=doubt["id"], **{"as": "unsent"})


class OptOuts(Lane):
    """Numbers are opted out; each one that was acknowledged is in the list at the end."""

    rate = 50

    def begin(self):
        self.opted_out = []
        self.tried = 0

    def while_alive(self):
        if self.client.finishing.is_set():
            return
        self.tried += 1
        number = f"+1212{self.tried:07d}"
        reply = self.daemon.ask(op="optout", action="add", to=number)
        if reply["status"] == "ok":
            self.opted_out.append(number)

    def end(self):
        listed, cursor = set(), {}
        while True:
            reply = self.daemon.ask(op="optout", action="list", **cursor)
            listed.update(entry["to"] for entry in reply["entries"])
            if "cursor" not in reply:
                break
            cursor = {"cursor": reply["cursor"]}
        missing = [number for number in self.opted_out if number not in listed]
        if missing or not self.opted_out:
            self.wrong.append(f"{len(missing)} of {len(self.opted_out)} opt-outs are missing")


class Campaign(Lane):
    """A campaign waits for a carrier that is not there."""

    name_of_campaign = "spring"
    more_carriers = [under_test.carrier("south", "127.0.0.1:1")]
    rate = 300
    at_once = 1000
    sent = 0

    def send_campaign(self, count):
        for start in range(0, count, self.at_once):
            numbers = [f"+1666{self.sent + start + i:07d}" for i in range(self.at_once)]
            reply = self.daemon.ask(op="send", to=numbers, text="Hi", carrier="south",
                                    campaign=self.name_of_campaign, receipt="none",
                                    **{"from": "SHOP"})
            assert reply["status"] == "accepted", reply
        self.sent += count

    def campaign(self, action):
        return self.daemon.ask(op="campaign", action=action, name=self.name_of_campaign)

    def wait_cancelled(self):
        """Each of its messages has ended as cancelled, and none twice."""
        under_test.wait_until(lambda: self.campaign("show")["live"] == 0, "all to be cancelled")
        shown = self.campaign("show")
        if (shown["accepted"], shown["cancelled"]) != (self.sent, self.sent):
            self.wrong.append(f"{self.sent} were sent to be cancelled: {shown}")


class Orders(Campaign):
    """Somebody cancels messages and orders a campaign about. What had not come to the disk when the
    daemon died was never ordered, and what had is carried out by the next one, told or not."""

    def begin(self):
        self.message = None  # the one that is cancelled
        self.send_campaign(self.at_once)

    def die_at(self, point):
        self.order, self.place = point.split(".")
        self.message = None
        needs_more = self.place == "some" or self.order == "carrier_cancel"
        if needs_more or self.order == "message_resume":  # those before are cancelled
            self.start_unarmed()
            if needs_more:
                self.send_campaign(self.at_once)
            else:
                self.send_later()
                assert self.daemon.ask(op="pause", id=self.message)["status"] == "ok"
            self.waiting = self.campaign("show")["waiting"]
            self.daemon.kill()
            self.kills.append((time.time_ns(), len(self.events.events)))
        super().die_at(point)
        self.start_unarmed()
        try:
            self.check()
        except (AssertionError, KeyError, TypeError) as error:
            self.wrong.append(f"{point}: {error!r}")
        self.daemon.kill()
        self.kills.append((time.time_ns(), len(self.events.events)))

    def while_alive(self):
        if self.client.finishing.is_set():
            return
        if self.order == "carrier_cancel":
            self.daemon.ask(op="carrier", action="cancel", name="south")
        elif self.order == "message_resume":
            self.daemon.ask(op="resume", id=self.message)
        elif self.order in ("cancel", "message_pause"):
            self.send_later()
            self.daemon.ask(op=self.order.removeprefix("message_"), id=self.message)
        else:
            self.campaign(self.order.removeprefix("campaign_"))

    def send_later(self):
        reply = self.daemon.ask(to="+16669999999", text="Later", not_before=3600, carrier="south",
                                **{"from": "SHOP"})
        self.message = reply["id"]

    def check(self):
        if self.order in ("message_pause", "message_resume"):
            told = self.daemon.ask(op="message", id=self.message)
            is_paused = (self.order == "message_pause") == (self.place == "durable")
            assert told.get("paused", False) == is_paused, told
            assert self.daemon.status()["paused"] == is_paused, told
            assert self.daemon.ask(op="cancel", id=self.message)["status"] == "ok"
        elif self.order == "carrier_cancel":
            if self.place == "before":
                assert self.campaign("show")["waiting"] == self.waiting, self.campaign("show")
            else:
                self.wait_cancelled()
        elif self.order == "cancel":
            state = self.daemon.ask(op="message", id=self.message)["state"]
            expected = {"before": "scheduled", "durable": "cancelled"}[self.place]
            assert state == expected, f"the message is {state}"
            if state == "scheduled":
                assert self.daemon.ask(op="cancel", id=self.message)["status"] == "ok"
        elif self.order == "campaign_cancel" and self.place != "before":
            self.wait_cancelled()
        else:
            shown = self.campaign("show")
            is_paused = (self.order == "pause") == (self.place == "durable")
            if self.order == "campaign_cancel":
                is_paused = False
            assert (shown["state"] == "paused") == is_paused, shown
            assert shown["waiting"] == self.sent, shown


class Spill(Campaign):
    """Forty thousand wait, and memory may hold 16,384 of them."""

    settings = {"queue": {"memory": "16MiB"}}
    more_carriers = [under_test.carrier(name, "127.0.0.1:1")
                     for name in ("south", "a", "b", "c", "d", "e", "f")]
    cancelling = False

    def begin(self):
        self.send_campaign(40 * self.at_once)

    def die_at(self, point):
        # The last of its blocks is read when the last of the campaign is cancelled.
        self.cancelling = point == "spill.truncate.after"
        super().die_at(point)

    def while_alive(self):
        if self.cancelling and not self.client.finishing.is_set():
            self.campaign("cancel")

    def end(self):
        self.wait_cancelled()


class Salvage:
    """A journal with one octet spoilt is salvaged, and dies over it at each step; what was not in
    the spoilt block is there in the end."""

    def __init__(self, name, _random):
        self.points = LANES[name]
        self.wrong = []

    def run(self):
        for point in self.points:
            self.salvage(point)
        return self.wrong

    def salvage(self, point):
        daemon = under_test.Daemon([under_test.carrier("north", "127.0.0.1:1")],
                                   tables={"journal": {"checkpoint": "1GiB"}})
        daemon.audits_at_stop = False
        daemon.start()
        ids = {}
        for start in range(0, 200, 50):  # commits of their own, so that a block holds a few
            replies = daemon.send_numbered(range(start, start + 50), ref="s-{}.")
            ids.update(zip(range(start, start + 50), (reply["id"] for reply in replies)))
        daemon.kill()
        spoilt = daemon.journal_files()[0]
        with open(spoilt, "r+b") as file:
            octets = file.read()
            at = octets.find(b"s-20.")
            assert at >= 0, "the message is in the journal"
            file.seek(at)
            file.write(bytes([octets[at] ^ 0x10]))
        daemon.arguments = ["--salvage"]
        daemon.process_options = {"env": {**os.environ, "STENTOR_FAILPOINT": point}}
        daemon.launch()
        self.wrong += not_died_at(point, daemon, 0)
        daemon.process_options = {}
        daemon.start()
        live = [n for n, message_id in ids.items()
                if daemon.ask(op="message", id=message_id).get("state") == "queued"]
        if 20 in live or set(live) < set(range(150, 200)):
            self.wrong.append(f"{point}: after the salvage {len(live)} of 200 are there")
        daemon.arguments = []
        daemon.kill()
        daemon.start()  # and without --salvage
        if daemon.status()["live"] != len(live):
            self.wrong.append(f"{point}: {len(live)} were there, and now {daemon.status()['live']}")
        daemon.kill()
        print(f"{point}: {len(live)} of 200 left", flush=True)


LANE_CLASSES = {"load": Lane, "names": Names, "references": References, "retirement": Retirement,
                "carrying": Carrying, "carried": Carrying, "doubts": Doubts, "opt_outs": OptOuts,
                "orders": Orders, "spill": Spill, "salvage": Salvage}


def main():
    arguments, random = under_test.begin(
        __doc__.splitlines()[0],
        lambda parser: (parser.add_argument("lane", choices=sorted(LANES)),
                        parser.add_argument("--only", action="append",
                                            help="of the lane's failpoints")))
    named, known = {point for points in LANES.values() for point in points}, set(all_points())
    wrong = [f"{point}: no lane reaches it" for point in sorted(known - named)]
    wrong += [f"{point}: the daemon has no such failpoint" for point in sorted(named - known)]
    lane = LANE_CLASSES[arguments.lane](arguments.lane, random)
    if arguments.only:
        lane.points = arguments.only
    wrong += lane.run()
    return crash_test.report(wrong)


if __name__ == "__main__":
    sys.exit(main())

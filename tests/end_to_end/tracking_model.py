"""What the events of messages must be, given what their carrier did: a plain reference model.

It knows what was accepted, what the carrier took and said (and when), and reads the daemon's events
in their order. Every rule of docs/protocol.md ("events") and docs/carriers.md ("Receipts", "Message
ids") that it needs is written out; nothing is packed or indexed, and no code is the daemon's. Where
the world leaves two outcomes open (a link that was cut, two binds that were read in either order)
both are right; everything else is wrong.
"""

from dataclasses import dataclass, field
from typing import Dict, List, Optional

STATE_OF = {"DELIVRD": "delivered", "UNDELIV": "failed", "EXPIRED": "expired", "UNKNOWN": "unknown"}
CODE_OF = {"UNDELIV": "undeliverable", "EXPIRED": "expired", "UNKNOWN": "unknown",
           "ENROUTE": "enroute"}
WORST_FIRST = ["failed", "expired", "unknown", "delivered"]
CODE_OF_STATE = {"failed": "undeliverable", "expired": "expired", "unknown": "unknown"}


@dataclass(eq=False)
class Submitted:
    """One submit_sm that reached the carrier, and the id that it was given."""

    message: str
    part: int
    carrier_id: str
    time: float


@dataclass(eq=False)
class Said:
    """One receipt as it was written to a link, each time that it was."""

    carrier_id: str
    stat: str
    time: float
    connection: int
    sequence: int
    acknowledged: Optional[float]  # the daemon is done with it, durably
    of: Optional[Submitted]  # None: of nothing that was sent

    @property
    def state(self):
        """None: it is not final."""
        return STATE_OF.get(self.stat)

    def is_before(self, other):
        """The daemon has certainly dealt with it before the other."""
        if self.connection == other.connection:
            return self.sequence < other.sequence
        return self.acknowledged is not None and self.acknowledged < other.time


@dataclass
class Part:
    taken: Optional[Submitted] = None  # as the daemon was told
    marked: bool = False  # possible_duplicate
    replaced_at: float = float("inf")  # its id may be another's since then: when that was submitted
    heard: List[str] = field(default_factory=list)  # stat of each receipt event
    state: Optional[str] = None

    @property
    def is_closed(self):
        return self.state not in (None, "unknown")


@dataclass
class Message:
    parts: Dict[int, Part]
    told: Optional[str] = None
    doubted: bool = False
    due: Optional[tuple] = None  # (type, corrects) of the event that must be the next
    conflicts: List[str] = field(default_factory=list)  # stat of each

    def verdict(self):
        """Of the parts, when all are reported on."""
        states = [part.state for part in self.parts.values()]
        return None if None in states else min(states, key=WORST_FIRST.index)


def canonical(carrier_id):
    return carrier_id.lower().lstrip("0")


class TrackingModel:
    def __init__(self, parts_of, submitted, said):
        """`parts_of`: how many parts each accepted message has."""
        self.messages = {message: Message({n: Part() for n in range(1, parts + 1)})
                         for message, parts in parts_of.items()}
        self.submitted = {}
        for each in submitted:
            self.submitted.setdefault((each.message, each.part), []).append(each)
        self.said = {}
        for each in said:
            self.said.setdefault(canonical(each.carrier_id), []).append(each)
        self.holders = {}  # carrier's id -> (message, part) that it meant last
        self.wrong = []

    def complain(self, message, words):
        self.wrong.append(f"{message}: {words}")

    def judge(self, events):
        """Reads the events in their order, then whether something is missing; what is wrong."""
        handlers = {"part": self._on_part, "sent": self._on_due, "receipt": self._on_receipt,
                    "conflict": self._on_conflict, "uncertain": self._on_uncertain,
                    **{state: self._on_due for state in WORST_FIRST}}
        for event in events:
            name, kind = event["id"], event["type"]
            message = self.messages.get(name)
            if message is None or kind not in handlers:
                self.complain(name, f"{kind} of a message that nobody sent, or of no kind we know")
                continue
            if event.get("possible_duplicate") and not message.doubted and kind != "uncertain":
                self.complain(name, f"{kind} says possible_duplicate, and nothing was uncertain")
            if message.due and kind != message.due[0]:
                self.complain(name, f"{kind} where {message.due[0]} was due")
                message.due = None
            handlers[kind](name, message, event)
        for name, message in self.messages.items():
            self._check_whole(name, message)
        return self.wrong

    def states(self, name):
        """Of its parts, as history tells them."""
        return [part.state or "sent" for part in self.messages[name].parts.values()]

    def carriers_side(self, name):
        """What the carrier did with a message, for whoever looks into a complaint."""
        for number in self.messages[name].parts:
            for submit in self.submitted.get((name, number), []):
                yield submit
                yield from self.said.get(canonical(submit.carrier_id), [])

    # -- one event -------------------------------------------------------------------------------

    def _on_part(self, name, message, event):
        part = message.parts.get(event["part"])
        if part is None or part.taken:
            return self.complain(name, f"part {event['part']} is none of its, or taken twice")
        key = canonical(event.get("carrier_id", ""))
        tried = self.submitted.get((name, event["part"]), [])
        part.taken = next((s for s in tried if canonical(s.carrier_id) == key), None)
        if part.taken is None:
            return self.complain(name, f"part {event['part']} was given no id {key!r}")
        part.marked = bool(event.get("possible_duplicate"))
        if part.taken is not tried[0] and not part.marked:
            self.complain(name, f"part {event['part']} came twice, unmarked")
        if key in self.holders:  # whose submit_sm may well be the later one: responses overtake
            holder, number = self.holders[key]
            other = self.messages[holder].parts[number]
            other.replaced_at = min(other.replaced_at, part.taken.time)
        self.holders[key] = (name, event["part"])
        if all(p.taken for p in message.parts.values()):
            message.due = ("sent", None)

    def _on_due(self, name, message, event):
        """`sent`, or a verdict: only where it is due."""
        if message.due is None:
            return self.complain(name, f"{event['type']} that was not due")
        kind, corrects = message.due
        message.due = None
        if event.get("corrects") != corrects:
            self.complain(name, f"{kind} corrects {event.get('corrects')}, not {corrects}")
        if message.doubted and not event.get("possible_duplicate"):
            self.complain(name, f"{kind} after a doubt does not say possible_duplicate")
        if kind != "sent" and event.get("code") != CODE_OF_STATE.get(kind):
            self.complain(name, f"{kind} has the code {event.get('code')}")

    def _on_receipt(self, name, message, event):
        key, number = canonical(event.get("carrier_id", "")), event["part"]
        part = message.parts.get(number)
        if part is None or self.holders.get(key) != (name, number):
            return self.complain(name, f"a receipt for {key!r}, which part {number} does not have")
        stat = event.get("detail", "").partition("stat:")[2].partition(" ")[0]
        heard = self._eligible(part)
        meant = [s for s in heard if s.stat == stat]
        if part.heard.count(stat) >= len(meant):
            self.complain(name, f"a receipt {stat} that the carrier did not give")
        elif part.is_closed or part.state and STATE_OF.get(stat, "unknown") == "unknown":
            self.complain(name, f"a receipt {stat} after {part.state}")
        elif all(any(final.state and final.stat not in (stat, *part.heard) and final.is_before(s)
                     for final in heard if final.of is part.taken) for s in meant):
            self.complain(name, f"a receipt {stat} before what came before it")
        if event.get("code") != CODE_OF.get(stat):
            self.complain(name, f"a receipt {stat} has the code {event.get('code')}")
        if part.marked and not event.get("possible_duplicate"):
            self.complain(name, f"a receipt of part {number} does not say possible_duplicate")
        part.heard.append(stat)
        if stat not in STATE_OF:
            return
        part.state = STATE_OF[stat]
        verdict = message.verdict()
        if verdict and verdict != message.told and message.told in (None, "unknown"):
            message.due = (verdict, message.told)
            message.told = verdict

    def _on_conflict(self, name, message, event):
        if event.get("code") == "confirmed_duplicate":  # of attempts, not of verdicts
            if not event.get("possible_duplicate"):
                self.complain(name, "taken twice, and went once")
            return
        stat = event.get("detail", "").partition("stat:")[2].partition(" ")[0]
        can_be = sum(s.stat == stat for number, part in message.parts.items()
                     for s in self._contradicting(part)
                     if self.holders.get(canonical(s.carrier_id)) == (name, number))
        if message.conflicts.count(stat) >= can_be:
            self.complain(name, f"a conflict {stat} that the carrier did not make")
        message.conflicts.append(stat)

    def _on_uncertain(self, name, message, event):
        if all(part.taken for part in message.parts.values()):
            self.complain(name, "uncertain when all was answered")
        message.doubted = True

    # -- what the carrier said -------------------------------------------------------------------

    def _eligible(self, part):
        """What may have been taken as a receipt of this part: of its id, and not acknowledged
        before it was submitted. Where an answer was lost, nobody knows when that was first."""
        if part.taken is None:
            return []
        return [s for s in self.said.get(canonical(part.taken.carrier_id), [])
                if part.marked or s.acknowledged is None or s.acknowledged > part.taken.time]

    def _contradicting(self, part):
        if not part.is_closed:
            return []
        return [s for s in self._eligible(part) if s.state not in (None, "unknown", part.state)]

    @staticmethod
    def _is_done(said, part):
        """It must have had its effect, and on this part."""
        return said.of is part.taken and (said.acknowledged or float("inf")) < part.replaced_at

    # -- at the end ------------------------------------------------------------------------------

    def _check_whole(self, name, message):
        if message.due:
            self.complain(name, f"{message.due[0]} was due and never came")
        conflicts = {}
        for number, part in message.parts.items():
            if part.taken is None:
                self.complain(name, f"part {number} was never answered for")
                continue
            if len(self.submitted[(name, number)]) > 1 and not message.doubted:
                self.complain(name, f"part {number} was sent twice, and nothing was uncertain")
            self._check_heard(name, number, part, message.told)
            for each in self._contradicting(part):
                if self._is_done(each, part):
                    conflicts[each.stat] = conflicts.get(each.stat, 0) + 1
        for stat, count in conflicts.items():
            if message.conflicts.count(stat) < count:
                self.complain(name, f"{message.conflicts.count(stat)} conflicts {stat} of {count}")

    def _check_heard(self, name, number, part, told):
        """What was acknowledged must have had its effect."""
        done = [s for s in self._eligible(part) if self._is_done(s, part)]
        finals = {s.state for s in done} - {None, "unknown"}
        # What knows better is noted as long as it may change something: a start forgets the rest.
        is_open = told in (None, "unknown") or part.state is None
        if is_open and finals and not part.is_closed or \
                part.state is None and any(s.state for s in done):
            self.complain(name, f"part {number} is {part.state} after {[s.stat for s in done]}")
        first = [s for s in done if not s.state and
                 all(s.is_before(f) for f in self._eligible(part) if f.state)]
        if part.heard.count("ENROUTE") < len(first):
            self.complain(name, f"part {number}: {part.heard.count('ENROUTE')} intermediate "
                                f"receipts of {len(first)}")

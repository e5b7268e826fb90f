"""What an answer consists of, and how it is written down."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.cadence.account import Plain
from services.cadence.evaluation import Cause
from services.cadence.explanation.smallest_change import Need
from services.cadence.policy import Location

WhyCause = Cause | Literal["clause", "window", "event", "opt_out"]
"""What stops a rule that holds; or a clause that fails, a window that has passed, an event nobody heard, everybody of the
audience out of reach."""


@dataclass(frozen=True, slots=True)
class Event:
    """A fact behind a value. `type`: short, such as `health.scored`."""

    type: str
    source: str
    id: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause in its author's words. `holds`: None where a null before it left it unjudged."""

    text: str
    holds: bool | None
    values: Mapping[str, Plain]
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Stopped:
    """The one cause. `by`: the rule, limit, blackout or clause that did it; `until`: when time alone ends it."""

    cause: WhyCause
    text: str
    by: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """The smallest change that would make it fire.

    `needs`: what words would have to become; `event`: what would have to be heard; `without`: what would have to
    give way; `at`: the moment from which time alone is enough.
    """

    text: str
    needs: tuple[Need, ...] = ()
    event: str = ""
    without: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Why:
    """`rule` None: nothing asks for the touchpoint. `kind`: rhythm, trigger, step, adjustment, feedback or blackout."""

    rule: str | None
    kind: str
    touchpoint_type: str | None
    fires: bool
    text: str
    clauses: tuple[Clause, ...] = ()
    stopped_by: Stopped | None = None
    smallest_change: Change | None = None
    place: Location | None = None
    others: tuple["Why", ...] = ()


def document(why: Why) -> dict[str, object]:
    """JSON-ready but for moments, which stay what they are."""
    said: dict[str, object] = {
        "fires": why.fires,
        "rule": why.rule,
        "kind": why.kind,
        "touchpoint_type": why.touchpoint_type,
        "place": {"file": why.place.file, "line": why.place.line} if why.place is not None else None,
        "clauses": [_clause(each) for each in why.clauses],
        "stopped_by": None if why.stopped_by is None else _stopped(why.stopped_by),
        "smallest_change": None if why.smallest_change is None else _change(why.smallest_change),
        "text": why.text,
    }
    return {**said, "others": [document(each) for each in why.others]}


def _clause(each: Clause) -> dict[str, object]:
    events = [{"type": e.type, "source": e.source, "id": e.id, "time": e.time} for e in each.events]
    return {"text": each.text, "holds": each.holds, "values": dict(each.values), "events": events}


def _stopped(stopped: Stopped) -> dict[str, object]:
    return {
        "cause": stopped.cause,
        "text": stopped.text,
        "by": stopped.by or None,
        "until": stopped.until,
    }


def _change(change: Change) -> dict[str, object]:
    needs = [
        {
            "words": list(need.words),
            "want": need.want,
            "clauses": list(need.clauses),
            "now": dict(need.now),
            "to": dict(need.to),
        }
        for need in change.needs
    ]
    return {
        "text": change.text,
        "needs": needs,
        "event": change.event or None,
        "without": change.without or None,
        "at": change.at,
    }

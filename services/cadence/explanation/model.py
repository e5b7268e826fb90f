"""What an explanation consists of, and its JSON document."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.cadence.account import Plain
from services.cadence.evaluation import SuppressionCause
from services.cadence.explanation.smallest_change import Need
from services.cadence.policy import Location

StopCause = SuppressionCause | Literal["clause", "window", "event", "opt_out"]
"""What stops a rule whose condition is true; or a clause that is not true, a window that ended, an event that is missing,
an audience that opted out."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event behind a value. `type`: short, such as `health.scored`."""

    type: str
    source: str
    id: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause as its author wrote it. `holds`: None where a null before it left it unevaluated."""

    text: str
    holds: bool | None
    values: Mapping[str, Plain]
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Stopped:
    """The one cause. `by`: the rule, limit, blackout or clause that did it; `until`: when time alone ends it."""

    cause: StopCause
    text: str
    by: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Remedy:
    """The smallest change that would make the rule fire.

    `needs`: what features would have to become; `event`: which would have to arrive; `without`: what would have to give
    way; `at`: the moment from which time alone is enough.
    """

    text: str
    needs: tuple[Need, ...] = ()
    event: str = ""
    without: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """`rule` None: no rule asks for the touchpoint. `kind`: rhythm, trigger, step, adjustment, feedback or blackout."""

    rule: str | None
    kind: str
    touchpoint_type: str | None
    fires: bool
    text: str
    clauses: tuple[Clause, ...] = ()
    stopped_by: Stopped | None = None
    smallest_change: Remedy | None = None
    place: Location | None = None
    others: tuple["Explanation", ...] = ()

    def document(self) -> dict[str, object]:
        """JSON-ready but for moments, which stay `datetime`."""
        place, stopped, remedy = self.place, self.stopped_by, self.smallest_change
        return {
            "fires": self.fires,
            "rule": self.rule,
            "kind": self.kind,
            "touchpoint_type": self.touchpoint_type,
            "place": None if place is None else {"file": place.file, "line": place.line},
            "clauses": [_clause(clause) for clause in self.clauses],
            "stopped_by": None if stopped is None else _stopped(stopped),
            "smallest_change": None if remedy is None else _remedy(remedy),
            "text": self.text,
            "others": [other.document() for other in self.others],
        }


def _clause(clause: Clause) -> dict[str, object]:
    events = [
        {"type": event.type, "source": event.source, "id": event.id, "time": event.time}
        for event in clause.events
    ]
    return {"text": clause.text, "holds": clause.holds, "values": dict(clause.values), "events": events}


def _stopped(stopped: Stopped) -> dict[str, object]:
    by, until = stopped.by or None, stopped.until
    return {"cause": stopped.cause, "text": stopped.text, "by": by, "until": until}


def _remedy(remedy: Remedy) -> dict[str, object]:
    needs = [
        {
            "words": list(need.words),
            "want": need.want,
            "clauses": list(need.clauses),
            "now": dict(need.now),
            "to": dict(need.to),
        }
        for need in remedy.needs
    ]
    return {
        "text": remedy.text,
        "needs": needs,
        "event": remedy.event or None,
        "without": remedy.without or None,
        "at": remedy.at,
    }

"""What an explanation consists of, and its JSON document."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Literal

from services.cadence.account import Plain
from services.cadence.evaluation import SuppressionCause
from services.cadence.explanation.smallest_change import Need
from services.cadence.policy import Location

_Cause = Literal[
    "clause",
    "window",
    "event",
    "opt_out",
    "quiet_hours",
    "no_content",
    "channel",
    "no_recipient",
    "no_address",
    "on_hold",
    "deadline",
    "contact_budget",
    "approval",
    "failed",
]
StopCause = SuppressionCause | _Cause
"""What stops a rule whose condition is true; or a clause that is not true, a window that ended, an event that is missing,
an audience that opted out, or what else kept its newest message from being sent."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event behind a value. `type`: short, such as `health.scored`; "" where the state no longer has it."""

    type: str
    source: str
    id: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause as its author wrote it. `holds`: None where a null before it left it unevaluated.

    `events`: the newest behind each value, for a reader; `Explanation.events` has all.
    """

    text: str
    holds: bool | None
    values: Mapping[str, Plain]
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Stopped:
    """The one cause. `by`: the rule, limit, blackout or clause that did it; `until`: when time alone ends it."""

    cause: StopCause
    text: str
    by: str | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Remedy:
    """The smallest change that would make the rule fire.

    `needs`: what features would have to become; `event`: which would have to arrive; `without`: what would have to give
    way; `at`: the moment from which time alone is enough.
    """

    text: str
    needs: tuple[Need, ...] = ()
    event: str | None = None
    without: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """`rule` None: no rule asks for the touchpoint. `kind`: rhythm, trigger, step, adjustment, feedback or blackout.

    `events`: all events that what the rule plans rests on, oldest first: these alone lead to the same items again. Of a
    rule that plans nothing, all events behind what it reads.
    """

    rule: str | None
    kind: str
    touchpoint_type: str | None
    fires: bool
    text: str
    clauses: tuple[Clause, ...] = ()
    events: tuple[Event, ...] = ()
    stopped_by: Stopped | None = None
    smallest_change: Remedy | None = None
    place: Location | None = None
    others: tuple["Explanation", ...] = ()

    def document(self) -> dict[str, object]:
        """JSON-ready but for moments, which stay `datetime`."""
        place = None if self.place is None else self.place._asdict()
        others = [other.document() for other in self.others]
        document: dict[str, object] = asdict(replace(self, place=None, others=()))
        return document | {"place": place, "others": others}

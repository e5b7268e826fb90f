"""Candidates: the one-offs that triggers and timelines ask for, those selected of them, and what stops the others."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, cast

from schemas.ids import derived_id
from services.cadence.account import DAY, Fields, Plain, Stamp, moment
from services.cadence.account.codec import loads
from services.cadence.evaluation.avoid import Avoidance
from services.cadence.evaluation.entry import AboutThing
from services.cadence.evaluation.state import EvaluationState
from services.cadence.policy import Step, Trigger

SuppressionCause = Literal[
    "precedence",
    "preference",
    "cooldown",
    "cap",
    "limit",
    "asked_first",
    "pause",
    "blackout",
    "over",
    "fallback",
]
"""What stops a rule whose condition is true. `over`: its touchpoint came due or ended already."""


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A rule that was stopped: the cause, until when if known, and which rule, limit or blackout did it."""

    touchpoint_type: str
    rule: str
    reason: str
    cause: SuppressionCause
    until: datetime | None = None
    by: str = ""


class Obstacle(NamedTuple):
    """What stops a candidate; `until` in microseconds where that is known; `by`: the rule, limit or blackout."""

    cause: SuppressionCause
    reason: str
    until: int | None = None
    by: str = ""


class Candidate(NamedTuple):
    """A one-off that a rule asks for. Times in microseconds since 1970.

    `key`: the parts of its identity after the account; `base`: the moment its window counts from; `stamp`: the one event
    it answers, if any; `values`: features of that event; `aliases`: other keys under which the same may have been issued;
    `about`: the contract or program it is about.
    """

    bit: int
    rule: Trigger | Step
    key: tuple[str, ...]
    base: int
    start: int
    end: int
    deadline: int
    stamp: Stamp | None
    values: Mapping[str, Plain]
    aliases: tuple[tuple[str, ...], ...] = ()
    about: AboutThing | None = None


class Selection:
    """Candidates that are in the plan, one-offs that came due and stay in it or are let go, and what was suppressed.

    `ends`: moments (microseconds) at which one of these leaves the plan; `change_points`: others at which time alone
    changes any of it; `fired`: bits of the rules that ask.
    """

    __slots__ = ("change_points", "due", "ends", "fired", "selected", "suppressed", "withdrawn")

    def __init__(self) -> None:
        self.selected: list[Candidate] = []
        self.due: dict[str, Fields] = {}
        self.withdrawn: list[str] = []
        self.suppressed: list[Suppressed] = []
        self.ends: list[int] = []
        self.change_points: list[int] = []
        self.fired = 0

    def select(self, candidate: Candidate) -> None:
        self.selected.append(candidate)
        self.ends.append(candidate.end)

    def suppress(self, candidate: Candidate, obstacle: Obstacle) -> None:
        until: datetime | None = None
        if obstacle.until is not None:
            until = moment(obstacle.until)
            if obstacle.until < candidate.end:
                self.change_points.append(obstacle.until)
        rule = candidate.rule
        self.suppressed.append(
            Suppressed(rule.touchpoint, rule.rule, obstacle.reason, obstacle.cause, until, obstacle.by)
        )


def touchpoint_id(account_id: str, key: tuple[str, ...]) -> str:
    """The id of a one-off: it follows from the account, the type and the cause, never from the rule."""
    return derived_id("touchpoint", account_id, *key)


def keep_due(state: EvaluationState, selection: Selection) -> None:
    """Keep one-offs that came due in the plan until they are settled or past their deadline (else their window)."""
    for touchpoints in state.one_offs.values():
        for key, fields in touchpoints.items():
            end = fields.get("deadline") or fields.get("window_to")
            if fields.get("reason_policy") is None or fields.get("ended") is not None:
                continue
            if isinstance(end, int) and state.now < end:
                selection.due[key] = fields
                selection.ends.append(end)


def issued_fields(state: EvaluationState, candidate: Candidate) -> tuple[Candidate, str, Fields | None]:
    """The candidate under the key that it was issued under, its id, and what was issued.

    The first of its keys under which anything was issued counts, else its own key, with an empty id where nothing of its
    type was issued.
    """
    issued = state.one_offs.get(candidate.rule.touchpoint)
    if not issued:
        return candidate, "", None
    ids = {key: touchpoint_id(state.facts.account_id, key) for key in (candidate.key, *candidate.aliases)}
    key = next((key for key, own_id in ids.items() if own_id in issued), candidate.key)
    own = candidate if key == candidate.key else candidate._replace(key=key)
    return own, ids[key], issued.get(ids[key])


def issued_facts(fields: Fields) -> list[Mapping[str, object]]:
    """The facts of the reason of an issued one-off."""
    return cast("list[Mapping[str, object]]", loads(str(fields.get("reason_facts") or "[]")))


def cause_of(fields: Fields) -> tuple[str, str] | None:
    """(source, id) of the event that an issued one-off answers: its facts begin with those of the event."""
    facts = issued_facts(fields)
    return (str(facts[0].get("source")), str(facts[0].get("id"))) if facts else None


def over(fields: Fields | None) -> Obstacle | None:
    """The obstacle of a one-off that came due or ended; one that was only withdrawn may be planned again."""
    if fields is None:
        return None
    ended = fields.get("ended")
    if ended is not None and not (ended == "cancelled" and fields.get("ended_why") == "withdrawn"):
        return Obstacle("over", f"it was {ended} already")
    return Obstacle("over", "it came due already") if fields.get("due_at") is not None else None


def fit_around_avoidances(state: EvaluationState, candidate: Candidate) -> Candidate | Obstacle:
    """Move the start of a candidate to the end of pause and blackouts, or name the one that leaves no room."""
    if state.pause is None and not state.blackouts.all:
        return candidate
    kind = state.policy.catalogue[candidate.rule.touchpoint]
    start, close = candidate.start, min(candidate.end, candidate.deadline)
    pause = state.pause
    if pause is not None and kind.topic is not None:
        if pause.end is None or pause.end >= close:
            return Obstacle("pause", pause.text, pause.end)
        start = max(start, pause.end)
    for blackout in state.blackouts.all:
        end = _end_around(start, blackout, state) if kind.type in blackout.touchpoint_types else None
        if end is None:
            continue
        if end < close:
            start = end
        elif not kind.never_skip:
            return Obstacle("blackout", f"{blackout.name}: {blackout.text}", end, blackout.name)
    return candidate if start == candidate.start else candidate._replace(start=start)


def _end_around(start: int, blackout: Avoidance, state: EvaluationState) -> int | None:
    """When the blackout ends, by the clocks of the account; None: it is another day for them at `start`."""
    if blackout.end is None or not blackout.start - DAY <= start < blackout.end + DAY:
        return None
    begin, end = blackout.span(state.clocks)
    return end if end is not None and begin <= start < end else None

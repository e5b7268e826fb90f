"""Timelines: the steps that timelines and sequences ask for, counted from a renewal, the start, going live or a program.

A step is in the plan as soon as its date is known, until its window ends. A window that has ended is never asked for.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import NamedTuple

from services.cadence.account import DAY, Plain, Stamp, day_text, when
from services.cadence.account.relation import CLOSED, Standing
from services.cadence.evaluation.candidates import (
    Candidate,
    Obstacle,
    Selection,
    fit_around_avoidances,
    issued_fields,
    over,
)
from services.cadence.evaluation.entry import AboutThing
from services.cadence.evaluation.state import EvaluationState
from services.cadence.features.compute import next_day
from services.cadence.features.contracts import contract_values, day_counts
from services.cadence.features.responses import went_live
from services.cadence.policy import Anchor, Step, Timeline
from services.cadence.policy.compiled import CONTRACT_ANCHORS

_US = timedelta(microseconds=1)


class AnchorPoint(NamedTuple):
    """A date that steps count from. `key`: what identities of its steps are made of, after the type.

    `values`: the features its steps read; `reason_values`: those that their reasons speak of; `aliases`: other keys.
    `is_closed`: of a contract that ends; only steps that read `contract_state` are for it. `about`: the term or program.
    """

    key: tuple[str, ...]
    base: int
    stamp: Stamp | None
    values: Mapping[str, Plain]
    reason_values: Mapping[str, Plain] = {}
    aliases: tuple[tuple[str, ...], ...] = ()
    is_closed: bool = False
    about: AboutThing | None = None


def select_steps(state: EvaluationState, selection: Selection) -> None:
    """Select the steps of every anchor that the account has."""
    for name, timeline in state.policy.timelines.items():
        for anchor in anchors_of(state, selection, name, timeline.end):
            if state.now < anchor.base + timeline.end:
                _select(state, selection, timeline, anchor, without_ordinal=name in CONTRACT_ANCHORS)


def anchors_of(state: EvaluationState, selection: Selection, name: Anchor, end: int) -> Iterator[AnchorPoint]:
    """The account's anchors of that name which are not past by `end` microseconds (a go-live may be older)."""
    match name:
        case "renewal":
            return _renewals(state, selection, end)
        case "notice":
            return _notices(state, end)
        case "start":
            return _start(state, end)
        case "go_live":
            return _go_live(state)
        case "program":
            return _programs(state, end)


def _select(
    state: EvaluationState,
    selection: Selection,
    timeline: Timeline,
    anchor: AnchorPoint,
    *,
    without_ordinal: bool,
) -> None:
    bits = timeline.bits(state.view.values, anchor.values)
    taken: dict[tuple[str, ...], str] = {}
    for bit, step, start, end in timeline.steps if bits else ():
        if not bits >> bit & 1 or state.now >= anchor.base + end or not _is_for(state, step, anchor):
            continue
        selection.fired |= 1 << bit
        ordinal = () if without_ordinal and not step.ordinal else (str(step.ordinal),)
        key, *aliases = ((step.touchpoint, *own, *ordinal) for own in (anchor.key, *anchor.aliases))
        base = anchor.base
        deadline = _deadline(step, anchor, base + start, base + end)
        asked = Candidate(
            bit, step, key, base, base + start, base + end, deadline, anchor.stamp, anchor.reason_values, tuple(aliases),
            anchor.about,
        )  # fmt: skip
        candidate, own_id, fields = issued_fields(state, asked)
        obstacle = over(fields)
        if obstacle is not None and own_id in selection.due:
            continue
        outcome = obstacle or _same(taken, candidate) or fit_around_avoidances(state, candidate)
        if isinstance(outcome, Obstacle):
            selection.suppress(candidate, outcome)
        else:
            taken[outcome.key] = step.rule
            selection.select(outcome)


def _is_for(state: EvaluationState, step: Step, anchor: AnchorPoint) -> bool:
    return not anchor.is_closed or "contract_state" in state.policy.read_by[step.rule]


def _deadline(step: Step, anchor: AnchorPoint, start: int, end: int) -> int:
    """Counted from the start of the step, or from the moment its date became known if that was later.

    What could not be known before is not overdue at once.
    """
    if step.deadline is None:
        return end
    known = start if anchor.stamp is None else max(start, when(anchor.stamp))
    return min(end, known + step.deadline // _US) if known > start else start + step.deadline // _US


def _same(taken: Mapping[tuple[str, ...], str], candidate: Candidate) -> Obstacle | None:
    rule = taken.get(candidate.key)
    return None if rule is None else Obstacle("precedence", f"{rule} asks for the same", by=rule)


def _renewals(state: EvaluationState, selection: Selection, end: int) -> Iterator[AnchorPoint]:
    """The ends of terms. Contracts in one state that end on one day are one anchor, so that nothing is asked twice."""
    by_day: dict[int, list[Standing]] = {}
    for standing in state.view.relation.standings:
        day = _end_of(state, standing)
        if day is not None and state.now < day * DAY + end:
            by_day.setdefault(day, []).append(standing)
    for day, standings in by_day.items():
        groups: dict[tuple[str, bool], list[Standing]] = {}
        for standing in standings:
            groups.setdefault((standing.state, standing.is_settled), []).append(standing)
        keys = [(other.contract_id, key) for other in standings for key in other.keys]
        for group in groups.values():
            values = _values_of(state, group)
            if values is not state.view.values:
                upcoming = next_day(day * DAY, state.now, state.policy.day_counts.get("days_to_renewal", ()))
                selection.change_points += [] if upcoming is None else [upcoming]
            own = (group[0].contract_id, group[0].term.key)
            aliases = tuple(key for key in keys if key != own)
            stamp = group[0].term.stamp
            is_closed = group[0].state in CLOSED
            reason_values, about = _speaks_of(group, day), _term_of(group[0])
            yield AnchorPoint(own, day * DAY, stamp, values, reason_values, aliases, is_closed, about)


def _notices(state: EvaluationState, end: int) -> Iterator[AnchorPoint]:
    """The last days for notice to contracts that renew by themselves."""
    for standing in state.view.relation.standings:
        day = day_counts(standing).get("days_to_notice")
        if day is not None and standing.term.ends_on is not None and state.now < day * DAY + end:
            values = _values_of(state, [standing])
            reason_values = {**_speaks_of([standing], standing.term.ends_on), "notice_on": day_text(day)}
            own, *aliases = ((standing.contract_id, key, "notice") for key in standing.keys)
            yield AnchorPoint(
                own,
                day * DAY,
                standing.term.stamp,
                values,
                reason_values,
                tuple(aliases),
                about=_term_of(standing),
            )


def _term_of(standing: Standing) -> AboutThing:
    return AboutThing(standing.contract_id, standing.term.ends_on, day_counts(standing).get("days_to_notice"))


def _end_of(state: EvaluationState, standing: Standing) -> int | None:
    """The day that steps around the end of a contract count from; None: there is none, or another contract goes on."""
    if standing.state in {"draft", "superseded"}:
        return None
    if standing.state not in CLOSED:
        return standing.term.ends_on
    until = standing.serves_until
    others = (other for other in state.view.relation.standings if other.is_served and other is not standing)
    outlived = until is not None and any(
        other.serves_until is None or other.serves_until > until for other in others
    )
    return None if outlived else until


def _values_of(state: EvaluationState, group: list[Standing]) -> Mapping[str, Plain]:
    if state.view.primary in group:
        return state.view.values
    counts = {name: day - state.now // DAY for name, day in day_counts(group[0]).items()}
    return {"days_to_renewal": None, "days_to_notice": None, **contract_values(group[0]), **counts}


def _speaks_of(group: list[Standing], day: int) -> dict[str, Plain]:
    values: dict[str, Plain] = {"contract_id": group[0].contract_id, "renews_on": day_text(day)}
    if len(group) > 1:
        values["contract_ids"] = [standing.contract_id for standing in group]
    if group[0].assumed_from is not None:
        values["assumed_from"] = day_text(group[0].assumed_from)
    return values


def _start(state: EvaluationState, end: int) -> Iterator[AnchorPoint]:
    """The day the relation began; without a contract, the day of the account's first event."""
    at = state.view.bases.get("days_since_start")
    if at is not None and state.now < at + end:
        beginning = state.view.relation.beginning
        key, stamp = (("start",), None) if beginning is None else (beginning.key, beginning.stamp)
        yield AnchorPoint(key, at // DAY * DAY, stamp, state.view.values)


def _go_live(state: EvaluationState) -> Iterator[AnchorPoint]:
    reached = went_live(state.view)
    if reached is not None:
        yield AnchorPoint(("go_live",), reached.at // DAY * DAY, reached.stamp, state.view.values)


def _programs(state: EvaluationState, end: int) -> Iterator[AnchorPoint]:
    """Programs whose audience the account belongs to."""
    view_values, since = state.view.values, state.now - end
    for program in state.portfolio.programs:
        if program.at > since and (program.audience is None or program.audience(view_values)):
            values: dict[str, Plain] = {"program_kind": program.kind, "meaningful": program.meaningful}
            reason_values = {"program": program.title, **values}
            yield AnchorPoint(
                (program.id,),
                program.at,
                program.stamp or None,
                values,
                reason_values,
                about=AboutThing(program_id=program.id),
            )

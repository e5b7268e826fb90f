"""Timelines: the steps that timelines and sequences ask for, counted from a renewal, the start, going live or a program.

A step is in the plan as soon as its date is known, until its window ends. A window that has ended is never asked for.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import NamedTuple

from services.cadence.account import DAY, Facts, Plain, Stamp, day_text, when
from services.cadence.account.contract_terms import ContractTerms
from services.cadence.evaluation.candidates import (
    Candidate,
    Obstacle,
    Selection,
    fit_around_avoidances,
    issued_fields,
    over,
)
from services.cadence.evaluation.state import EvaluationState
from services.cadence.features.compute import next_day, renews_itself
from services.cadence.features.responses import went_live
from services.cadence.policy import Anchor, Step, Timeline

_US = timedelta(microseconds=1)


class AnchorPoint(NamedTuple):
    """A date that steps count from. `key`: what identities of its steps are made of, after the type.

    `values`: the features its steps read; `reason_values`: those that their reasons speak of.
    """

    key: tuple[str, ...]
    base: int
    stamp: Stamp | None
    values: Mapping[str, Plain]
    reason_values: Mapping[str, Plain] = {}


def select_steps(state: EvaluationState, selection: Selection) -> None:
    """Select the steps of every anchor that the account has."""
    for name, timeline in state.policy.timelines.items():
        for anchor in anchors_of(state, selection, name, timeline.end):
            if state.now < anchor.base + timeline.end:
                _select(state, selection, timeline, anchor, first_without_ordinal=name == "renewal")


def anchors_of(state: EvaluationState, selection: Selection, name: Anchor, end: int) -> Iterator[AnchorPoint]:
    """The account's anchors of that name which are not past by `end` microseconds (a go-live may be older)."""
    match name:
        case "renewal":
            return _renewals(state, selection, end)
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
    first_without_ordinal: bool,
) -> None:
    bits = timeline.bits(state.view.values, anchor.values)
    taken: dict[tuple[str, ...], str] = {}
    for bit, step, start, end in timeline.steps if bits else ():
        if not bits >> bit & 1 or state.now >= anchor.base + end:
            continue
        selection.fired |= 1 << bit
        key = (step.touchpoint, *anchor.key)
        if step.ordinal or not first_without_ordinal:
            key = (*key, str(step.ordinal))
        base = anchor.base
        deadline = _deadline(step, anchor, base + start, base + end)
        asked = Candidate(
            bit, step, key, base, base + start, base + end, deadline, anchor.stamp, anchor.reason_values
        )
        candidate, own_id, fields = issued_fields(state, asked)
        obstacle = over(fields)
        if obstacle is not None and own_id in selection.due:
            continue
        outcome = obstacle or _same(taken, candidate) or fit_around_avoidances(state, candidate)
        if isinstance(outcome, Obstacle):
            selection.suppress(candidate, outcome)
        else:
            taken[key] = step.rule
            selection.select(outcome)


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
    view = state.view
    for contract in view.contract_terms:
        if contract.renews_on is None or contract.anchor is None or not contract.live:
            continue
        base = contract.renews_on * DAY
        if view.now >= base + end:
            continue
        values: Mapping[str, Plain] = view.values
        if contract is not view.primary:
            values = _contract_values(state.facts, view.now, contract, base)
            upcoming = next_day(base, view.now, state.policy.day_counts.get("days_to_renewal", ()))
            selection.change_points += [] if upcoming is None else [upcoming]
        term = "" if contract.term_start is None else day_text(contract.term_start)
        yield AnchorPoint((contract.contract_id, term), base, contract.anchor, values)


def _contract_values(facts: Facts, now: int, contract: ContractTerms, renews_on: int) -> dict[str, Plain]:
    return {
        "contract_status": contract.status,
        "contract_signed": contract.signed,
        "auto_renew": renews_itself(facts, contract),
        "days_to_renewal": -((now - renews_on) // DAY),
    }


def _start(state: EvaluationState, end: int) -> Iterator[AnchorPoint]:
    """The day the first contract started; without one, the day of the account's first event."""
    at = state.view.bases.get("days_since_start")
    if at is not None and state.now < at + end:
        first = min(
            (contract for contract in state.view.contract_terms if contract.first_start is not None),
            key=lambda contract: (contract.first_start or 0, contract.contract_id),
            default=None,
        )
        stamp = None if first is None else _start_stamp(state.facts, first)
        yield AnchorPoint(("start",), at // DAY * DAY, stamp, state.view.values)


def _start_stamp(facts: Facts, contract: ContractTerms) -> Stamp | None:
    terms = facts.contracts[contract.contract_id].terms
    matching = (stamp for stamp, fields in terms.items() if fields.get("starts_on") == contract.first_start)
    return next(matching, None)


def _go_live(state: EvaluationState) -> Iterator[AnchorPoint]:
    reached = went_live(state.facts)
    if reached is not None:
        yield AnchorPoint(("go_live",), reached.at // DAY * DAY, reached.stamp, state.view.values)


def _programs(state: EvaluationState, end: int) -> Iterator[AnchorPoint]:
    """Programs whose audience the account belongs to."""
    view_values, since = state.view.values, state.now - end
    for program in state.portfolio.programs:
        if program.at > since and (program.audience is None or program.audience(view_values)):
            values: dict[str, Plain] = {"program_kind": program.kind, "meaningful": program.meaningful}
            reason_values = {"program": program.title, **values}
            yield AnchorPoint((program.id,), program.at, program.stamp or None, values, reason_values)

"""Triggers: which of the one-offs that triggers ask for are selected.

1. Of one type, the earliest event inside its window comes first, whichever rule it meets.
2. A one-off that came due or ended is never asked for again; it stays in the plan until settled or past its deadline, or
   until the answer behind it is revised.
3. A cool-down, a cap or a limit suppresses a candidate; it may be selected when that ends inside its window.
4. A pause or a blackout moves it to its end, if that is still inside the window.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from services.cadence.account import moment, when, who
from services.cadence.account.retention import ANSWERS
from services.cadence.evaluation.candidates import (
    Candidate,
    Obstacle,
    Selection,
    cause_of,
    fit_around_avoidances,
    issued_fields,
    over,
    touchpoint_id,
)
from services.cadence.evaluation.event_entries import EventEntry, entries_of, recent_events
from services.cadence.evaluation.state import EvaluationState
from services.cadence.policy import Cap, Trigger

_US = timedelta(microseconds=1)


def select_triggered(state: EvaluationState, selection: Selection) -> None:
    """Collect what the triggers ask for, and select what nothing suppresses."""
    _withdraw_revised(state, selection)
    candidates: list[Candidate] = []
    for event in recent_events(state.view, state.policy.longest_within):
        _collect(state, event, candidates)
    candidates.sort(key=_order)
    first: dict[str, Candidate] = {}
    for asked in candidates:
        selection.fired |= 1 << asked.bit
        candidate, own_id, fields = issued_fields(state, asked)
        obstacle = over(fields)
        if obstacle is not None and own_id in selection.due:
            continue
        outcome = (
            obstacle
            or _behind(first, candidate)
            or _budget_obstacle(state, selection, candidate)
            or fit_around_avoidances(state, candidate)
        )
        if isinstance(outcome, Obstacle):
            selection.suppress(candidate, outcome)
        else:
            first[candidate.rule.touchpoint] = outcome
            selection.select(outcome)


def _withdraw_revised(state: EvaluationState, selection: Selection) -> None:
    """Let go of what came due for an answer which the same person revised since, unless a rule asks for it still."""
    for event in ANSWERS if selection.due else ():
        asked = {rule.touchpoint for _, rule in state.policy.triggers.get(event, ())}
        if asked.isdisjoint(str(fields.get("type")) for fields in selection.due.values()):
            continue
        for entry in entries_of(state.view, event, 0, state.policy.entry_reads[event]):
            for kind in asked - _asked_by(state, event, entry):
                for key in (entry.key, *entry.aliases):
                    own_id = touchpoint_id(state.facts.account_id, (kind, *key))
                    if own_id in selection.due and cause_of(selection.due[own_id]) != who(entry.stamp):
                        del selection.due[own_id]
                        selection.withdrawn.append(own_id)


def _asked_by(state: EvaluationState, event: str, entry: EventEntry) -> set[str]:
    """The types of touchpoints that triggers ask for after an event, whatever its window."""
    bits = state.policy.entry_bits[event](state.view.values, entry.values)
    return {rule.touchpoint for bit, rule in state.policy.triggers[event] if bits >> bit & 1}


def _order(candidate: Candidate) -> tuple[int, int, tuple[str, ...], str]:
    """Of one moment the things asked about decide, not the ids of events: a tool that repeats one asks for no other."""
    stated_at = 0 if candidate.stamp is None else when(candidate.stamp)
    return candidate.base, stated_at, candidate.key[1:], candidate.rule.rule


def _collect(state: EvaluationState, event: str, candidates: list[Candidate]) -> None:
    policy, view = state.policy, state.view
    bits_of, rules = policy.entry_bits[event], policy.triggers[event]
    since, wanted = view.now - policy.longest_within[event], policy.entry_reads[event]
    for entry in entries_of(view, event, since, wanted):
        bits = bits_of(view.values, entry.values)
        for bit, rule in rules if bits else ():
            end = entry.at + rule.within // _US
            if bits >> bit & 1 and view.now < end:
                start = entry.at + rule.after // _US if rule.after else entry.at
                deadline = end if rule.deadline is None else entry.at + rule.deadline // _US
                key = (rule.touchpoint, *entry.key)
                aliases = tuple((rule.touchpoint, *alias) for alias in entry.aliases)
                candidates.append(
                    Candidate(
                        bit,
                        rule,
                        key,
                        entry.at,
                        start,
                        end,
                        deadline,
                        entry.stamp,
                        entry.values,
                        aliases,
                        entry.about,
                    )
                )


def _behind(first: Mapping[str, Candidate], candidate: Candidate) -> Obstacle | None:
    ahead = first.get(candidate.rule.touchpoint)
    if ahead is None:
        return None
    rule = ahead.rule.rule
    if ahead.key == candidate.key:
        return Obstacle("precedence", f"{rule} answers the same fact", by=rule)
    return Obstacle("asked_first", f"{rule} asked first", by=rule)


def _budget_obstacle(state: EvaluationState, selection: Selection, candidate: Candidate) -> Obstacle | None:
    """A cool-down, a cap or a limit that leaves no room for one more; the candidate itself has not come due."""
    rule, at = candidate.rule, max(state.now, candidate.start)
    if not isinstance(rule, Trigger):
        return None
    if rule.cooldown is not None or rule.cap is not None:
        times = state.issued.times_of([rule.touchpoint])
        if rule.cooldown is not None and times:
            until = max(times) + rule.cooldown // _US
            if at < until:
                return Obstacle("cooldown", f"cooling down until {_minute(until)}", until)
        if rule.cap is not None:
            until = room_from(times, rule.cap, at)
            if until is not None:
                reason = f"{_cap_text(rule.cap)} were held; the next from {_minute(until)}"
                return Obstacle("cap", reason, until)
    return _limit_obstacle(state, selection, rule, at)


def _limit_obstacle(state: EvaluationState, selection: Selection, rule: Trigger, at: int) -> Obstacle | None:
    """Of a budget that types share, candidates that are selected already use room, too."""
    for limit in state.policy.limits:
        if rule.touchpoint not in limit.touchpoints:
            continue
        used = state.issued.times_of(limit.touchpoints)
        used += [
            max(state.now, selected.start)
            for selected in selection.selected
            if selected.rule.touchpoint in limit.touchpoints
        ]
        until = room_from(used, limit.cap, at)
        if until is not None:
            reason = f"{limit.rule}: {_cap_text(limit.cap)} are taken until {_minute(until)}"
            return Obstacle("limit", reason, until, limit.rule)
    return None


def room_from(used: Iterable[int], cap: Cap, at: int) -> int | None:
    """When there is room for one more after these; None where there is at `at`. All in microseconds."""
    per = cap.per // _US
    recent = sorted((time for time in used if time > at - per), reverse=True)
    return None if len(recent) < cap.count else recent[cap.count - 1] + per


def _cap_text(cap: Cap) -> str:
    return f"{cap.count} in {cap.per.days} days"


def _minute(at: int) -> str:
    return f"{moment(at):%Y-%m-%d %H:%M} UTC"

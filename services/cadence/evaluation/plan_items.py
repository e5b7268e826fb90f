"""Plan items: the outline of a plan filled in from the catalogue, each item with its reason."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from functools import lru_cache
from itertools import chain
from typing import NamedTuple, TypedDict, cast

from schemas.plans import About, Avoid, Cause, FactRef, OneOffItem, Plan, Reason, RhythmItem, Window
from schemas.vocabulary import Channel, Owner, Precedence, Priority, Role, Topic
from services.cadence.account import DAY, Fields, Plain, day_of, day_text, moment, who
from services.cadence.account.codec import loads
from services.cadence.evaluation.avoid import Avoidance
from services.cadence.evaluation.candidates import (
    Candidate,
    Selection,
    cause_of,
    touchpoint_id,
)
from services.cadence.evaluation.entry import AboutThing
from services.cadence.evaluation.feedback import FeedbackState
from services.cadence.evaluation.reasons import Reasons, Sentence
from services.cadence.evaluation.rhythm_changes import channel_preference, rhythm_changes
from services.cadence.evaluation.rhythms import ChosenRhythm
from services.cadence.evaluation.state import EvaluationState
from services.cadence.policy import Policy, Touchpoint, Trigger
from services.cadence.policy.model import YIELDS

_PERSONS = frozenset({"csm", "pooled_csm"})


class PlanOutline(NamedTuple):
    """What an evaluation decided: with its state, all that a plan is built from."""

    rhythms: tuple[ChosenRhythm, ...]
    feedback: FeedbackState
    selection: Selection


class _Shared(TypedDict):
    touchpoint_type: str
    channel: Channel
    owner: Owner
    csm_id: str | None
    purpose: str
    topic: Topic | None
    minutes: int
    audience: tuple[Role, ...]
    never_skip: bool
    priority: Priority | None


def build_plan(state: EvaluationState, outline: PlanOutline) -> Plan:
    """The plan with its reasons, from the facts of the state as they are now."""
    reasons, selection = Reasons(state), outline.selection
    csm_id = _text(state.view.values["csm_id"])
    one_offs = [_selected(state, candidate, csm_id, reasons) for candidate in selection.selected]
    one_offs += [_due(state, key, fields) for key, fields in selection.due.items()]
    one_offs.sort(key=lambda item: (item.window.from_, item.id))
    return Plan.of_valid(
        rhythms=tuple(
            _rhythm(
                state,
                chosen,
                csm_id,
                reasons.of(chosen.rule, more=rhythm_changes(reasons, chosen, outline.feedback)),
            )
            for chosen in outline.rhythms
        ),
        touchpoints=tuple(one_offs),
        avoid=tuple(_avoid(window, reasons) for window in state.avoid),
        withdrawn=tuple(sorted(selection.withdrawn)),
        quiet_hours=state.policy.content.quiet_hours,
    )


def _shared(kind: Touchpoint, channel: str | None, owner: str | None, csm_id: str | None) -> _Shared:
    leads = owner or kind.owner
    return {
        "touchpoint_type": kind.type,
        "channel": cast("Channel", channel or kind.channel),
        "owner": cast("Owner", leads),
        "csm_id": csm_id if leads in _PERSONS else None,
        "purpose": kind.purpose,
        "topic": cast("Topic | None", kind.topic),
        "minutes": kind.minutes,
        "audience": cast("tuple[Role, ...]", kind.audience),
        "never_skip": kind.never_skip,
        "priority": None if kind.yields is None else cast("Priority", YIELDS.index(kind.yields)),
    }


def _rhythm(state: EvaluationState, chosen: ChosenRhythm, csm_id: str | None, reason: Reason) -> RhythmItem:
    rule = chosen.rule
    last = state.view.last_contact(rule.touchpoint, of_any_type=rule.any_contact)
    kind = state.policy.catalogue[rule.touchpoint]
    return RhythmItem.of_valid(
        **_shared(kind, chosen.channel or rule.channel, rule.owner, csm_id),
        every_days=chosen.every_days,
        rrule=chosen.rrule,
        urgency=rule.urgency,
        last_touch_at=None if last is None else moment(last[0]),
        precedence=cast("Precedence", rule.precedence),
        folds_into=kind.folds_into,
        reason=reason,
    )


def _selected(
    state: EvaluationState, candidate: Candidate, csm_id: str | None, reasons: Reasons
) -> OneOffItem:
    rule, policy = candidate.rule, state.policy
    kind, preferred = policy.catalogue[rule.touchpoint], state.preferred_channel(rule)
    more = () if preferred is None else (channel_preference(state, rule.touchpoint),)
    return OneOffItem.of_valid(
        **_shared(kind, preferred or rule.channel, rule.owner, csm_id),
        id=touchpoint_id(state.facts.account_id, candidate.key),
        window=Window.of_valid(from_=moment(candidate.start), to=moment(candidate.end)),
        deadline=moment(candidate.deadline),
        spacing_days=spacing_days(policy, rule.touchpoint) if isinstance(rule, Trigger) else None,
        cause=_cause(*who(candidate.stamp)) if candidate.stamp else None,
        precedence=cast("Precedence", rule.precedence),
        reason=reasons.of(rule, candidate.stamp, _reason_values(candidate), chain(more, _notes(candidate))),
        about=_about(candidate.about),
    )


def _about(thing: AboutThing | None) -> About | None:
    if thing is None:
        return None
    contract_id, renews_on, notice_on, program_id = thing
    return About.of_valid(
        contract_id=contract_id,
        renews_on=None if renews_on is None else day_of(renews_on),
        notice_on=None if notice_on is None else day_of(notice_on),
        program_id=program_id,
    )


@lru_cache(maxsize=1024)
def _cause(source: str | None, event_id: str | None) -> Cause | None:
    return None if source is None or event_id is None else Cause.of_valid(source=source, id=event_id)


def _reason_values(candidate: Candidate) -> Mapping[str, Plain]:
    if isinstance(candidate.rule, Trigger):
        return candidate.values
    day = day_text(candidate.base // DAY)
    match candidate.rule.anchor:
        case "renewal" | "notice":
            return {name: value for name, value in candidate.values.items() if name != "assumed_from"}
        case "start":
            return {"started_on": day}
        case "go_live":
            return {"went_live_on": day}
        case "program":
            return {**candidate.values, "takes_place_on": day}


def _notes(candidate: Candidate) -> Iterator[Sentence]:
    """What the reason of a step around a contract's end says besides."""
    ids, day = candidate.values.get("contract_ids"), candidate.values.get("assumed_from")
    if isinstance(ids, list):
        yield Sentence(f"It is about the contracts {', '.join(ids[:-1])} and {ids[-1]}.", [])
    if isinstance(day, str):
        text = (
            f"That date is assumed: the last term that was reported ended on {day}, and the contract goes on."
        )
        yield Sentence(text, [])


@lru_cache(maxsize=1024)
def spacing_days(policy: Policy, kind: str) -> int | None:
    """The longest cooldown of the triggers of a touchpoint type, in days."""
    cooldowns = [
        rule.cooldown.days
        for triggers in policy.triggers.values()
        for _, rule in triggers
        if rule.touchpoint == kind and rule.cooldown is not None
    ]
    return max(cooldowns, default=None)


def catalogue_entry(policy: Policy, name: str) -> Touchpoint:
    """The touchpoint type of the policy; internal work of the CSM for one that the policy no longer has."""
    return policy.catalogue.get(name) or Touchpoint(name, None, "csm", "call", "", 0)


def _due(state: EvaluationState, key: str, fields: Fields) -> OneOffItem:
    """A one-off that came due, as it was issued; only what was not issued comes from the catalogue."""
    name = str(fields.get("type"))
    kind = catalogue_entry(state.policy, name)
    cause = cause_of(fields)
    start = cast("int", fields.get("window_from") or fields.get("due_at"))
    end = cast("int", fields.get("window_to") or fields.get("deadline"))
    shared = _shared(kind, _text(fields.get("channel")), _text(fields.get("owner_kind")), None)
    shared["csm_id"] = _text(fields.get("owner_csm_id"))
    shared["purpose"] = str(fields.get("purpose") or kind.purpose)
    return OneOffItem.of_valid(
        **shared,
        id=key,
        window=Window.of_valid(from_=moment(start), to=moment(end)),
        deadline=_moment(fields.get("deadline")),
        spacing_days=spacing_days(state.policy, name),
        cause=None if cause is None else _cause(*cause),
        precedence=cast("Precedence", _text(fields.get("precedence")) or "default"),
        reason=Reason.of_valid(
            rule=str(fields.get("reason_rule") or ""),
            policy=str(fields.get("reason_policy") or ""),
            facts=_facts_of(str(fields.get("reason_facts") or "[]")),
            text=str(fields.get("reason_text") or ""),
        ),
        about=About.read_stored(about.encode()) if isinstance(about := fields.get("about"), str) else None,
    )


@lru_cache(maxsize=1024)
def _facts_of(text: str) -> tuple[FactRef, ...]:
    """The facts of an issued one-off, which stays in every plan until its deadline."""
    return tuple(map(FactRef.model_validate, cast("list[object]", loads(text))))


def _avoid(window: Avoidance, reasons: Reasons) -> Avoid:
    return Avoid.of_valid(
        name=window.name,
        from_=moment(window.start),
        to=_moment(window.end),
        touchpoint_types=window.touchpoint_types,
        text=reasons.fill(window.text),
        **_days_of(window),
    )


def _days_of(window: Avoidance) -> dict[str, date]:
    return (
        {}
        if window.days is None
        else dict(zip(("first_on", "last_on"), map(day_of, window.days), strict=True))
    )


def _moment(at: Plain) -> datetime | None:
    return moment(at) if isinstance(at, int) else None


def _text(value: Plain) -> str | None:
    return value if isinstance(value, str) else None

"""Change detection: whether events can change the plan of an account at all.

A basis states what an evaluation rests on of the parts of an account that events of some types may change: the class of
each feature that conditions read (`expressions.value_classes`), so that the truth of every atom follows from it, the
values that a plan copies, the dated entries that some rule may answer, and when time alone changes any of it. All other
parts stay as they are. So where the basis is the same before and after, an evaluation would give the plan in force.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

import orjson

from services.cadence.account import FactEvent, Plain, micros
from services.cadence.account.codec import AccountState
from services.cadence.account.issued import Issued
from services.cadence.account.relation import relate
from services.cadence.account.retention import ANSWERS
from services.cadence.account.usage_reach import usage_reach
from services.cadence.evaluation.basis_parts import PARTS, PEOPLE, TOUCHES, may_hold
from services.cadence.evaluation.event_entries import entries_of, usage_entries
from services.cadence.expressions.value_classes import Thresholds, class_of, thresholds_of
from services.cadence.features.compute import next_day, view_features
from services.cadence.features.registry import feature_named
from services.cadence.features.view import AccountView
from services.cadence.policy import Policy
from services.cadence.policy.compiled import conditions
from services.cadence.portfolio import Portfolio

_ENTRIES: Mapping[str, frozenset[str]] = {
    "contact.described": PEOPLE,
    "contact.left": PEOPLE,
    "nps.answered": PEOPLE | {"nps.answered"},
    "survey.answered": PEOPLE | {"survey.answered"},
    "mail.judged": frozenset({"delivery.finished", "message.engaged"}),
    "touchpoint.settled": frozenset({"touchpoint.settled", "message.engaged"}),
    "program.announced": frozenset(),
    "contract.changed": frozenset(),
}
"""Event of a rule -> the event types that may change its entries, where these are not itself alone. Programs are the same
for all accounts; what their audiences read of an account counts as it is, and so do contracts.
"""
_COVERED = frozenset(
    {
        "account.described", "contract.changed", "delivery.finished",
        "expansion.signalled", "health.scored", "interaction.logged", "message.engaged", "milestone.reached",
        "nps.answered", "outreach.paused", "outreach.resumed", "preference.changed", "request.answered",
        "request.received", "survey.answered", "touchpoint.cancelled", "touchpoint.due", "touchpoint.overdue",
        "touchpoint.settled", "usage.reported",
    }
)  # fmt: skip
"""Not those about people: which answers are of one person follows from all of them, and they are few."""
_COPIED = frozenset({"csm_id", "segment_override"})
"""Features that a plan, its segment or its stage copy."""


class Basis(NamedTuple):
    """`reading`: what an evaluation rests on; `changes_at`: when time alone changes it next, microseconds since 1970."""

    reading: tuple[object, ...]
    changes_at: int | None


class ChangeDetection:
    """Of one account at one moment, from before events are applied until after them."""

    __slots__ = ("_before", "_first", "_now", "_policy", "_portfolio", "_reach", "_scope")

    def __init__(
        self,
        policy: Policy,
        portfolio: Portfolio,
        now: datetime,
        account_state: AccountState,
        events: Sequence[FactEvent],
    ) -> None:
        """`account_state` as it is before these events."""
        self._policy, self._portfolio, self._now = policy, portfolio, micros(now)
        self._scope = _scope(policy, portfolio.reads, frozenset({event.type for event in events}))
        self._first = account_state.facts.first_event_at
        self._reach = usage_reach(account_state.facts.usage, events)
        self._before = None if self._scope is None else self._read(self._scope, account_state)

    def unchanged(self, account_state: AccountState) -> Basis | None:
        """The basis after the events were applied; None: it is not what it was, and an evaluation is needed."""
        if self._before is None or self._scope is None:
            return None
        after = self._read(self._scope, account_state)
        if after.reading != self._before.reading:
            return None
        facts = account_state.facts
        # The relation begins with the first event of all, where no contract says when.
        began_before = facts.first_event_at != self._first and (
            not facts.contracts or relate(facts.contracts, self._now).beginning is None
        )
        return None if began_before else after

    def _read(self, scope: "_Scope", account_state: AccountState) -> Basis:
        """Shares nothing with the state that applying further events changes."""
        (facts, issued), policy, now = account_state, self._policy, self._now
        view = view_features(facts, self._portfolio, now, scope.names, policy.feature_settings)
        values = view.values
        if scope.reads_color:
            color = policy.content.health.effective_color(values["color"], values["health_score"])
            values["color"] = color
        reading: list[object] = [orjson.dumps(issued.one_offs) if issued.one_offs else b""]
        reading += [class_of(values.get(name), thresholds) for name, thresholds in scope.classes]
        reading += [part(policy, view, issued) for part in scope.parts]
        reading += [self._answerable(view, entries, issued) for entries in scope.entries]
        change_times: list[int | None] = [*view.change_times]
        bases = view.bases
        change_times += [
            next_day(bases[name], now, counts) for name, counts in scope.day_counts if name in bases
        ]
        ahead = [at for at in change_times if at is not None and at > now]
        return Basis(tuple(reading), min(ahead, default=None))

    def _answerable(self, view: AccountView, entries: "_Entries", issued: Issued) -> list[object]:
        """The entries that a rule may answer; while something is due that an answer asked for, answers of any age."""
        is_revisable = entries.event in ANSWERS and issued.one_offs
        since = 0 if entries.within is None or is_revisable else view.now - entries.within
        if entries.event == "usage.reported":
            found = usage_entries(view, view.usage.since(since, self._reach.covers), entries.reads)
        else:
            found = entries_of(view, entries.event, since, entries.reads)
        return [entry for entry in found if entries.may_hold(entry.values)]


class _Entries(NamedTuple):
    """Entries of an event that rules may answer. `within`: how far back, in microseconds; None: all.

    `may_hold`: whether a rule may answer an entry with these values.
    """

    event: str
    within: int | None
    reads: frozenset[str]
    may_hold: Callable[[Mapping[str, Plain]], bool]


class _Scope(NamedTuple):
    """What events of some types may change. `names`: the features to compute; `classes`: those to compare."""

    names: frozenset[str]
    classes: tuple[tuple[str, Thresholds | None], ...]
    day_counts: tuple[tuple[str, tuple[int, ...] | None], ...]
    entries: tuple[_Entries, ...]
    parts: tuple[Callable[[Policy, AccountView, Issued], object], ...]
    reads_color: bool


@lru_cache(maxsize=512)
def _scope(policy: Policy, audience_reads: frozenset[str], event_types: frozenset[str]) -> _Scope | None:
    if not event_types <= _COVERED:
        return None
    thresholds = _thresholds(policy)
    read = policy.reads | audience_reads | _COPIED
    names = frozenset(name for name in read if not event_types.isdisjoint(_changed_by(name)))
    if not event_types.isdisjoint(TOUCHES):
        names |= {"days_since_touch"}
    if not event_types.isdisjoint(PEOPLE | {"preference.changed"}):
        names |= {"preferred_frequency"}
    if "health.scored" in event_types:
        names |= {"color", "health_score"}
    if "usage.reported" in event_types:
        names |= {"seats"}
    classes = tuple(
        (name, None if name in audience_reads else thresholds.get(name))
        for name in sorted(names)
        if name in read or name == "color"
    )
    day_counts = tuple((name, policy.day_counts[name]) for name in sorted(names & policy.day_counts.keys()))
    entries = tuple(
        each
        for each in _entries(policy)
        if not event_types.isdisjoint(_ENTRIES.get(each.event, {each.event}))
    )
    parts = tuple(part for types, part in PARTS if not types.isdisjoint(event_types))
    return _Scope(names, classes, day_counts, entries, parts, "color" in names)


@lru_cache(maxsize=8)
def _thresholds(policy: Policy) -> Mapping[str, Thresholds | None]:
    return thresholds_of(conditions(policy.content))


@lru_cache(maxsize=4096)
def _changed_by(name: str) -> frozenset[str]:
    """The event types that may change a feature; segment and stage follow from others.

    Contracts count as they are (`_contracts`), whatever features follow from them.
    """
    feature = feature_named(name)
    if feature is None:
        return frozenset()
    changed_by = frozenset(feature.changed_by)
    if not changed_by.isdisjoint(ANSWERS):
        changed_by |= PEOPLE  # which answers are of one person
    if not changed_by.isdisjoint(TOUCHES):
        changed_by |= {"delivery.finished"}  # a message of a type
    return changed_by - {"contract.changed"}


@lru_cache(maxsize=8)
def _entries(policy: Policy) -> tuple[_Entries, ...]:
    events = sorted({*policy.triggers, *policy.feedback} - {"program.announced"})
    return tuple(_entries_of_event(policy, event) for event in events)


def _entries_of_event(policy: Policy, event: str) -> _Entries:
    within = None if event in policy.feedback else policy.longest_within[event]
    return _Entries(event, within, policy.entry_reads[event], may_hold(policy, event))

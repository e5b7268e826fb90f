"""The cadence of an account over the next months, as far as time alone changes it: what its customer can be told.

The account is evaluated at each later moment at which time alone may change its plan, with the facts as they are now. So
events that are still to come, such as a renewal, are not foreseen.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from schemas.plans import RhythmItem
from services.cadence.account import Facts
from services.cadence.account.issued import Issued
from services.cadence.evaluation.evaluate import Decision, evaluate_account
from services.cadence.policy import Policy
from services.cadence.portfolio import Portfolio

AHEAD: Final = timedelta(days=365)
MOST_LOOKS: Final = 400
"""Evaluations of one outlook; what comes later is left out."""


@dataclass(frozen=True, slots=True)
class OutlookPhase:
    """From when on these rhythms hold, until the next phase begins; internal work is not among them.

    `preferred`: the types whose interval or channel follows what the customer asked for.
    """

    begins_at: datetime
    rhythms: tuple[RhythmItem, ...]
    preferred: frozenset[str]


@dataclass(frozen=True, slots=True)
class Outlook:
    """The decision of today, and the phases up to `ends_at`, today's first; each differs from the one before."""

    decision: Decision
    phases: tuple[OutlookPhase, ...]
    ends_at: datetime


def project_cadence(
    policy: Policy, facts: Facts, issued: Issued, portfolio: Portfolio, now: datetime
) -> Outlook:
    """The cadence of a year, or until the running term ends: whether another follows is not known. Pure.

    Takes some 20 to 60 evaluations with the shipped policy, and a plan for each phase.
    """
    looks = _look(policy, facts, issued, portfolio, now)
    first, at = next(looks)
    phases, before, ends_at = [_phase(first, at)], first.outline.rhythms, now + AHEAD
    for decision, at in looks:
        if decision.stage == "churned" != first.stage:
            ends_at = at
            break
        if decision.outline.rhythms == before:
            continue
        before, phase = decision.outline.rhythms, _phase(decision, at)
        if _noticed(phases[-1]) != _noticed(phase):
            phases.append(phase)
    return Outlook(first, tuple(phases), ends_at)


def _look(
    policy: Policy, facts: Facts, issued: Issued, portfolio: Portfolio, now: datetime
) -> Iterator[tuple[Decision, datetime]]:
    at: datetime | None = now
    for _ in range(MOST_LOOKS):
        if at is None or at > now + AHEAD:
            return
        decision = evaluate_account(policy, facts, issued, portfolio, at)
        yield decision, at
        at = decision.next_evaluation_at


def _phase(decision: Decision, at: datetime) -> OutlookPhase:
    preferred = {
        chosen.rule.touchpoint
        for chosen in decision.outline.rhythms
        if chosen.preferred_channel or (chosen.preferred_days is not None and not chosen.is_kept)
    }
    rhythms = tuple(item for item in decision.plan.rhythms if item.topic is not None)
    return OutlookPhase(at, rhythms, frozenset(preferred))


def _noticed(phase: OutlookPhase) -> list[tuple[str, int, str]]:
    """What a customer notices of the rhythms."""
    return [(item.touchpoint_type, item.every_days, item.channel) for item in phase.rhythms]

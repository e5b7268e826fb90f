"""Rules that their own effect switches off and on again.

A year is simulated day by day, for accounts for which such a rule holds or just not: what is planned happens when it
is due, and nothing else happens.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

from services.cadence.account import DAY, Plain
from services.cadence.evaluation.feedback import FeedbackStep, weigh_steps
from services.cadence.evaluation.rhythms import ChosenRhythm, resolve_rhythms
from services.cadence.features.registry import touch_type
from services.cadence.lint.accounts import OVERRIDE, PossibleAccounts
from services.cadence.lint.conditions import condition
from services.cadence.lint.findings import Finding, finding
from services.cadence.policy import Adjustment, Feedback, Policy, Rhythm, Rule

_YEAR = 365
_OSCILLATIONS = 3
_SIMULATED = 60
"""Accounts in all: a bound on time."""
_SETTLED = "touchpoint.settled"
_ANY_TOUCH = "days_since_touch"
_COMPLETED = condition('outcome == "completed" and declines_in_row == 0', f"{_SETTLED}:")


def oscillations(accounts: PossibleAccounts) -> Iterator[Finding]:
    policy, left = accounts.policy, _SIMULATED
    yield from _short_lived(policy)
    for rule in policy.rules:
        for values in _starts(accounts, rule) if _reads_own_effect(policy, rule) else ():
            left -= 1
            times = _Simulation(policy, values).count_oscillations(rule) if left >= 0 else 0
            if times >= _OSCILLATIONS:
                message = f"its own touchpoints switch it off and on {times} times a year, without other news"
                message += "; use a condition that contact does not change, or one interval"
                witness = {name: value for name, value in values.items() if value and name != OVERRIDE}
                yield finding("oscillation", rule, message, "search", witness)
                break


def _short_lived(policy: Policy) -> Iterator[Finding]:
    damping, feedback = policy.content.damping, policy.content.feedback
    if feedback and damping.lasts < damping.spacing:
        first = min(rule.place for rule in feedback)
        message = (
            f"a step ends after {damping.lasts.days} days, before the next one may count ({damping.spacing.days} days)"
            ", so the interval of an unchanged customer goes back and forth; make `lasts` longer than `spacing`"
        )
        yield Finding("oscillation", policy.content.places.get("feedback", first), "feedback", message)


def _reads_own_effect(policy: Policy, rule: Rule) -> bool:
    """Whether it reads when a touchpoint last took place that is planned, directly or indirectly, because of it."""
    if isinstance(rule, Feedback):
        return rule.on == _SETTLED
    if not isinstance(rule, Rhythm | Adjustment):
        return False
    effects = set(_planned(rule))
    movable = [mover for _, mover in (*policy.rhythms, *policy.adjustments)]
    while True:
        moved = [mover for mover in movable if not effects.isdisjoint(_types_read(policy, mover))]
        more = {kind for mover in moved for kind in _planned(mover)}
        if more <= effects:
            return not effects.isdisjoint(_types_read(policy, rule))
        effects |= more


def _planned(rule: Rhythm | Adjustment) -> tuple[str, ...]:
    return (rule.touchpoint,) if isinstance(rule, Rhythm) else rule.touchpoints


def _types_read(policy: Policy, rule: Rhythm | Adjustment) -> Iterator[str]:
    """Touchpoint types from which it counts days."""
    for name in policy.read_by[rule.rule]:
        kind = touch_type(name)
        if name == _ANY_TOUCH:
            yield from policy.feature_settings.meetings
        elif kind is not None:
            yield kind


def _starts(accounts: PossibleAccounts, rule: Rule) -> Iterator[dict[str, Plain]]:
    """In every segment and stage an account for which it holds, and one for which it does not."""
    own = (rule.rule, _COMPLETED) if isinstance(rule, Feedback) else (rule.rule,)
    for cohort in accounts.cohorts_of(rule.rule):
        holds = accounts.query(cohort, own)
        for result in (holds, accounts.query(cohort, fail=(rule.rule,))) if holds.answer != "no" else ():
            if result.witness is not None:
                yield accounts.complete(cohort, result.witness)


class _DayState(NamedTuple):
    """Whether the rule acts on a day, and the rhythms selected: rule, interval in days, channel."""

    acts: bool
    plan: tuple[tuple[str, int, str | None], ...]


class _Simulation:
    """One account. Days count from 0; earlier contact has negative days."""

    def __init__(self, policy: Policy, values: dict[str, Plain]) -> None:
        self._policy = policy
        self._values = dict(values)
        self._asked: list[FeedbackStep] = []
        self._selected_since: dict[str, int] = {}
        counts = [name for name in policy.day_counts if name in values]
        self._touches = {name: touch_type(name) for name in counts if name == _ANY_TOUCH or touch_type(name)}
        self._other_counts = [name for name in counts if name not in self._touches]
        self._last: dict[str | None, int] = {
            kind: -int(days)
            for name, kind in self._touches.items()
            if isinstance(days := values[name], int | float)
        }

    def count_oscillations(self, rule: Rule) -> int:
        """How often the rule came back, each time with another plan than before."""
        days = [self._simulate(day, rule) for day in range(_YEAR)]
        changes = [after for before, after in pairwise(days) if before != after]
        resumed = sum(after.acts and not before.acts for before, after in pairwise(days))
        seen, returned = {days[0]}, 0
        for state in changes:
            returned += state in seen
            seen.add(state)
        return min(resumed, returned) if len({state.plan for state in changes}) > 1 else 0

    def _simulate(self, day: int, rule: Rule) -> _DayState:
        policy = self._policy
        values = self._values | self._day_counts(day)
        segment, stage, color, fired = policy.evaluate_conditions(values)
        values |= {"segment": segment, "stage": stage, "color": color}
        levels = weigh_steps(self._asked, policy.content.damping, day * DAY).levels
        chosen = resolve_rhythms(policy, fired & policy.rhythm_bits, (), levels).chosen
        for rhythm in chosen:
            self._hold_if_due(day, rhythm, values)
        acts = bool(fired >> policy.bits[rule.rule] & 1)
        if isinstance(rule, Feedback):
            acts = any(kind in rule.touchpoints for kind, _ in levels)
        return _DayState(acts, tuple((item.rule.rule, item.every_days, item.channel) for item in chosen))

    def _day_counts(self, day: int) -> dict[str, Plain]:
        counts: dict[str, Plain] = {
            name: day - self._last[kind] if kind in self._last else None
            for name, kind in self._touches.items()
        }
        for name in self._other_counts:
            value = self._values[name]
            if isinstance(value, int | float):
                counts[name] = value - day if name == "days_to_renewal" else value + day
        return counts

    def _hold_if_due(self, day: int, chosen: ChosenRhythm, values: Mapping[str, Plain]) -> None:
        rule, kind = chosen.rule, chosen.rule.touchpoint
        last = self._last.get(None if rule.any_contact else kind)
        since = self._selected_since.setdefault(rule.rule, day)
        first = since + chosen.every_days if rule.urgency == "spread" else since
        if day < (first if last is None else last + chosen.every_days):
            return
        self._last[kind] = day
        if kind in self._policy.feature_settings.meetings:
            self._last[None] = day
        # The customer attends, and feedback answers.
        outcome: dict[str, Plain] = {"settled_type": kind, "outcome": "completed", "declines_in_row": 0}
        outcome["attendance_rate"] = 1.0
        rules = self._policy.feedback.get(_SETTLED, ())
        bits = self._policy.feedback_bits[_SETTLED](values, outcome) if rules else 0
        for bit, rule in rules:
            if bits >> bit & 1:
                self._asked.append(FeedbackStep(day * DAY, f"{day}", rule, bit, outcome))

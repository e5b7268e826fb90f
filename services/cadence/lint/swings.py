"""Swings: rules that their own effect switches off and on again.

A year is played day by day with accounts for which such a rule holds, or just not: what is planned happens when it is
due, and nothing else happens.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

from services.cadence.account import DAY, Plain
from services.cadence.evaluation.feedback import MOST_STEPS, FeedbackStep, active_steps
from services.cadence.evaluation.rhythms import NONE, Amounts, ChosenRhythm, resolve_rhythms
from services.cadence.features.registry import touch_type
from services.cadence.lint.accounts import Accounts
from services.cadence.lint.findings import Finding
from services.cadence.lint.trees import compared
from services.cadence.policy import Adjustment, Feedback, Location, Policy, Rhythm, Rule

_YEAR = 365
_SWINGS = 3
_PLAYED = 60
"""Accounts in all: a bound on time."""
_SETTLED = "touchpoint.settled"
_ANY = "days_since_touch"
_COMPLETED = (
    (compared(f"{_SETTLED}:outcome", "==", "completed"), True),
    (compared(f"{_SETTLED}:declines_in_row", "==", 0), True),
)


def swings(accounts: Accounts) -> Iterator[Finding]:
    yield from _short_lived(accounts.policy)
    left = _PLAYED
    for rule in accounts.policy.rules:
        if not _feeds_itself(accounts.policy, rule):
            continue
        for start in _starts(accounts, rule):
            left -= 1
            times = _Year(accounts.policy, start).play(rule) if left >= 0 else 0
            if times >= _SWINGS:
                told = f"its own touchpoints switch it off and on {times} times in a year without news from outside"
                more = "; ask for something that contact does not change, or use one interval"
                yield Finding("oscillation", rule.place, rule.rule, told + more, "search", _known(start))
                break


def _short_lived(policy: Policy) -> Iterator[Finding]:
    damping = policy.content.damping
    if policy.content.feedback and damping.lasts < damping.spacing:
        first = min(policy.content.feedback, key=lambda each: each.place)
        place = policy.content.places.get("feedback", first.place)
        told = f"a step is forgotten after {damping.lasts.days} days, before the next may count ({damping.spacing.days})"
        more = ", so an unchanged customer swings between two intervals; let `lasts` be longer than `spacing`"
        yield Finding("oscillation", place or Location(), "feedback", told + more)


def _feeds_itself(policy: Policy, rule: Rule) -> bool:
    """Does it read when a touchpoint last took place that is planned, straight or roundabout, because of it?"""
    if isinstance(rule, Feedback):
        return rule.on == _SETTLED
    if not isinstance(rule, Rhythm | Adjustment):
        return False
    caused = set(_planned(rule))
    while True:
        more = {
            kind
            for _, each in (*policy.rhythms, *policy.adjustments)
            if not caused.isdisjoint(_looks_at(policy, each))
            for kind in _planned(each)
        }
        if more <= caused:
            return not caused.isdisjoint(_looks_at(policy, rule))
        caused |= more


def _planned(rule: Rhythm | Adjustment) -> tuple[str, ...]:
    return (rule.touchpoint,) if isinstance(rule, Rhythm) else rule.touchpoints


def _looks_at(policy: Policy, rule: Rhythm | Adjustment) -> Iterator[str]:
    """Touchpoint types that it counts the days from."""
    for name in policy.read_by[rule.rule]:
        kind = touch_type(name)
        if name == _ANY:
            yield from policy.meetings
        elif kind is not None:
            yield kind


def _starts(accounts: Accounts, rule: Rule) -> Iterator[dict[str, Plain]]:
    """In every segment and stage an account for which it holds, and one for which it does not."""
    held = _COMPLETED if isinstance(rule, Feedback) else ()
    seen: set[tuple[str, str]] = set()
    for world in accounts.alive(rule.rule):
        if (world.segment, world.stage) in seen:
            continue
        seen.add((world.segment, world.stage))
        acts = accounts.can(world, (rule.rule,), also=held)
        for verdict in (acts, accounts.can(world, fail=(rule.rule,))) if acts.answer != "no" else ():
            if verdict.witness is not None:
                yield accounts.whole(world, verdict.witness)


def _known(values: Mapping[str, Plain]) -> dict[str, Plain]:
    return {name: value for name, value in values.items() if value and name != "segment_override"}


class _Held(NamedTuple):
    """What a day finds: whether the rule acts, and which rhythms stand."""

    acts: bool
    plan: tuple[tuple[str, int, str | None], ...]


class _Year:
    """One account, played. Days count from 0; contact before that lies below it."""

    def __init__(self, policy: Policy, values: dict[str, Plain]) -> None:
        self._policy = policy
        self._values = dict(values)
        self._asked: list[FeedbackStep] = []
        self._stands_since: dict[str, int] = {}
        self._last: dict[str | None, int] = {}
        counts = [name for name in policy.day_counts if name in values]
        self._touches = {name: touch_type(name) for name in counts if name == _ANY or touch_type(name)}
        self._others = [(name, values[name]) for name in counts if name not in self._touches]
        for name, kind in self._touches.items():
            value = values[name]
            if isinstance(value, int | float):
                self._last[kind] = -int(value)

    def play(self, rule: Rule) -> int:
        """How often the rule came back, each time with another plan than before."""
        days = [self._day(day, rule) for day in range(_YEAR)]
        changes = [other for one, other in pairwise(days) if one != other]
        acted = [each.acts for each in days]
        came = sum(1 for one, other in pairwise(acted) if other and not one)
        known: set[_Held] = {days[0]}
        back = 0
        for each in changes:
            back += each in known
            known.add(each)
        return min(came, back) if len({each.plan for each in changes}) > 1 else 0

    def _day(self, day: int, rule: Rule) -> _Held:
        policy = self._policy
        values = self._values | self._counted(day)
        segment, stage, color, fired = policy.evaluate_conditions(values)
        values |= {"segment": segment, "stage": stage, "color": color}
        levels = self._levels(day)
        chosen = resolve_rhythms(policy, fired & policy.rhythm_bits, (), levels).chosen
        for each in chosen:
            self._hold(day, each, values)
        acts = bool(fired >> policy.bits[rule.rule] & 1)
        if isinstance(rule, Feedback):
            acts = any(kind in rule.touchpoints for kind, _ in levels)
        return _Held(acts, tuple((each.rule.rule, each.every_days, each.channel) for each in chosen))

    def _counted(self, day: int) -> dict[str, Plain]:
        found: dict[str, Plain] = {
            name: day - self._last[kind] if kind in self._last else None
            for name, kind in self._touches.items()
        }
        for name, value in self._others:
            if isinstance(value, int | float):
                found[name] = value - day if name == "days_to_renewal" else value + day
        return found

    def _hold(self, day: int, each: ChosenRhythm, values: Mapping[str, Plain]) -> None:
        kind = each.rule.touchpoint
        last = self._last.get(None if each.rule.any_contact else kind)
        since = self._stands_since.setdefault(each.rule.rule, day)
        spread = since + each.every_days if each.rule.urgency == "spread" else since
        if day < (spread if last is None else last + each.every_days):
            return
        self._last[kind] = day
        if kind in self._policy.meetings:
            self._last[None] = day
        self._answer(day, kind, values)

    def _answer(self, day: int, kind: str, values: Mapping[str, Plain]) -> None:
        words: dict[str, Plain] = {"settled_type": kind, "outcome": "completed", "declines_in_row": 0}
        words["attendance_rate"] = 1.0
        rules = self._policy.feedback.get(_SETTLED, ())
        bits = self._policy.feedback_bits[_SETTLED](values, words) if rules else 0
        for bit, rule in rules:
            if bits >> bit & 1:
                self._asked.append(FeedbackStep(day * DAY, f"{day}", rule, bit, words))

    def _levels(self, day: int) -> Amounts:
        if not self._asked:
            return NONE
        levels: list[tuple[str, int]] = []
        for kind in sorted({kind for each in self._asked for kind in each.rule.touchpoints}):
            own = [each for each in self._asked if kind in each.rule.touchpoints]
            steps = active_steps(own, self._policy.content.damping, day * DAY, set())
            level = max(-MOST_STEPS, min(MOST_STEPS, sum(1 if each.rule.steps > 0 else -1 for each in steps)))
            levels += [(kind, level)] if level else []
        return tuple(levels)

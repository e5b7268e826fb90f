"""Policy tests: events up to a moment and the plan expected then, run through the evaluation that plans accounts."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from operator import attrgetter
from typing import NamedTuple, cast

from schemas.plans import OneOffItem, RhythmItem
from schemas.recurrence_text import interval_text
from services.cadence.account import FactEvent, Facts
from services.cadence.account.apply import apply_event
from services.cadence.account.codec import AccountState
from services.cadence.account.issued import Issued
from services.cadence.evaluation import Decision, evaluate_account
from services.cadence.explanation import Explainer
from services.cadence.policy import Adjustment, Feedback, Location, Policy
from services.cadence.portfolio import Portfolio

ACCOUNT = "account"
Item = RhythmItem | OneOffItem
_MOMENT = "%Y-%m-%dT%H:%MZ"
_ATTRIBUTES: Mapping[str, str] = {
    "from": "window.from_",
    "to": "window.to",
    "rule": "reason.rule",
}
"""Keys of expectations whose attribute of an item has another name."""


@dataclass(frozen=True, slots=True)
class Expected:
    """One expectation. `part`: segment, stage, color, rhythms, touchpoints, stopped, avoid or text.

    `name`: the touchpoint type, rule or blackout it is about. `wanted`: attributes and their values, or `is` alone.
    """

    part: str
    name: str
    wanted: Mapping[str, object]
    written: str
    place: Location


@dataclass(frozen=True, slots=True)
class Phase:
    """A moment, the events up to it in any order, and what is expected then."""

    at: datetime
    events: tuple[FactEvent, ...]
    expected: tuple[Expected, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One test. `shows`: the requirements it shows; `place`: of its sentence."""

    name: str
    shows: tuple[str, ...]
    place: Location
    portfolio: Portfolio
    phases: tuple[Phase, ...]


class Failure(NamedTuple):
    """What was expected at which moment, what came, and why it came or did not."""

    place: Location
    at: datetime
    expected: str
    came: str
    why: str


class Outcome(NamedTuple):
    """`rules`: those behind the expectations that were met; segments and stages as `segment/enterprise`."""

    case: Case
    failures: tuple[Failure, ...]
    rules: frozenset[str]


class _Finding(NamedTuple):
    """Whether an expectation is met, what came in words, why, and the rules behind it."""

    met: bool
    came: str = ""
    why: str = ""
    rules: Iterable[str] = ()


class _Result(NamedTuple):
    """A decision under a policy, and how to ask why; asked only where an expectation fails."""

    policy: Policy
    decision: Decision
    explainer: Callable[[], Explainer]


def run(policy: Policy, case: Case) -> Outcome:
    """The events of a phase are applied before its decision; those of later phases are not known yet."""
    account_state = AccountState(Facts(ACCOUNT), Issued())
    failures: list[Failure] = []
    rules: set[str] = set()
    for phase in case.phases:
        for event in phase.events:
            apply_event(account_state, event)
        decision = evaluate_account(
            policy, account_state.facts, account_state.issued, case.portfolio, phase.at
        )
        result = _Result(
            policy, decision, partial(Explainer, policy, account_state, case.portfolio, phase.at)
        )
        for expected in phase.expected:
            finding = _check(result, expected)
            if finding.met:
                rules.update(finding.rules)
            else:
                text = _in_words(expected)
                failures.append(Failure(expected.place, phase.at, text, finding.came, finding.why))
    return Outcome(case, tuple(failures), frozenset(rules))


def _in_words(expected: Expected) -> str:
    about = f"{expected.part}: {expected.name}" if expected.name else expected.part
    written = f"says {expected.written!r}" if expected.part == "text" else expected.written
    return f"{about}: {written}" if written else about


def _check(result: _Result, expected: Expected) -> _Finding:
    decision, part, name = result.decision, expected.part, expected.name
    match part:
        case "rhythms" | "touchpoints" | "text":
            return _check_items(result, expected)
        case "stopped":
            return _check_stop(result, expected)
        case "avoid":
            came, rule = [avoid.name for avoid in decision.plan.avoid], name
        case _:
            state = {"segment": decision.segment, "stage": decision.stage}.get(part, decision.color or "none")
            came, rule = [state], f"{part}/{state}"
    is_met = expected.wanted.get("is", name) in came
    return _Finding(is_met, f"{part}: {', '.join(came) or 'nothing'}", rules=[rule])


def _check_items(result: _Result, expected: Expected) -> _Finding:
    """`count`: how many items are as wanted; without it at least one. Of a text, the reason of one contains it."""
    plan, name, count = result.decision.plan, expected.name, expected.wanted.get("count")
    parts: dict[str, Sequence[Item]] = {"rhythms": plan.rhythms, "touchpoints": plan.touchpoints}
    of_part = parts.get(expected.part, (*plan.rhythms, *plan.touchpoints))
    items = [item for item in of_part if item.touchpoint_type == name]
    matching = [item for item in items if _is_wanted(item, expected)]
    if not (bool(matching) if count is None else len(matching) == count):
        return _Finding(met=False, came=_came(items, expected), why=_why(result, expected, items))
    return _Finding(met=True, rules=[rule for item in matching for rule in _rules_behind(result, item)])


def _is_wanted(item: Item, expected: Expected) -> bool:
    if expected.part == "text":
        return str(expected.wanted["is"]) in item.reason.text
    wanted = expected.wanted.items()
    return all(
        _has_interval(item, *cast("tuple[int, str | None]", value))
        if key == "every"
        else attrgetter(_ATTRIBUTES.get(key, key))(item) == value
        for key, value in wanted
        if key != "count"
    )


def _has_interval(item: Item, days: int, rrule: str | None) -> bool:
    """By its days alone where these were written: `30d` is met by `month`."""
    return isinstance(item, RhythmItem) and item.every_days == days and rrule in (None, item.rrule)


def _came(items: Sequence[Item], expected: Expected) -> str:
    if expected.part == "text":
        return " / ".join(item.reason.text for item in items) or f"no {expected.name}"
    more = f"; and {len(items) - 5} more" if len(items) > 5 else ""
    return "; ".join(map(_item_in_words, items[:5])) + more or f"no {expected.name}"


def _why(result: _Result, expected: Expected, items: Sequence[Item]) -> str:
    """The reasons of the items there are, and why the expected rule or touchpoint is not among them."""
    texts = [item.reason.text for item in items[:5]]
    rule = expected.wanted.get("rule")
    if isinstance(rule, str) and all(item.reason.rule != rule for item in items):
        texts.append(result.explainer().explain_rule(rule).text)
    elif not items:
        texts.append(result.explainer().explain_touchpoint(expected.name).text)
    return " ".join(dict.fromkeys(texts))


def _rules_behind(result: _Result, item: Item) -> Iterable[str]:
    """The rule of an item, and those that moved its interval."""
    policy, name = result.policy, item.reason.rule
    yield name
    rule = policy.rules[policy.bits[name]] if name in policy.bits else None
    if isinstance(item, RhythmItem) and getattr(rule, "every_days", item.every_days) != item.every_days:
        for bit, mover in enumerate(policy.rules):
            moves = isinstance(mover, Adjustment | Feedback) and item.touchpoint_type in mover.touchpoints
            if moves and result.decision.fired >> bit & 1:
                yield mover.rule


def _item_in_words(item: Item) -> str:
    never = ", never skipped" if item.never_skip else ""
    led = f"by {item.channel}, led by {item.owner}, rule {item.reason.rule}{never}"
    if isinstance(item, RhythmItem):
        return f"{interval_text(item.every_days, item.rrule)} {led}"
    has_deadline = item.deadline is not None and item.deadline != item.window.to
    deadline = f", deadline {item.deadline:{_MOMENT}}" if has_deadline else ""
    return f"{item.window.from_:{_MOMENT}} to {item.window.to:{_MOMENT}}{deadline}, {led}"


def _check_stop(result: _Result, expected: Expected) -> _Finding:
    name = expected.name
    stops = [stop for stop in result.decision.suppressed if stop.rule == name]
    if stops:
        causes = dict.fromkeys(stop.cause for stop in stops)
        why = "; ".join(stop.reason for stop in stops)
        return _Finding(expected.wanted["is"] in causes, f"stopped: {', '.join(causes)}", why, [name])
    fires = result.decision.fired >> result.policy.bits[name] & 1
    came = "nothing stopped it" if fires else "it does not hold, so nothing stopped it"
    return _Finding(met=False, came=came)

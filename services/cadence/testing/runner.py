"""Policy tests: facts at moments and the plan expected of them, run through the very `decide` that plans accounts."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import NamedTuple

from schemas.plans import OneOffItem, Plan, RhythmItem
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
PRESENT = "present"
COUNT = "count"


@dataclass(frozen=True, slots=True)
class Expected:
    """One expectation. `part`: segment, stage, color, rhythms, touchpoints, stopped, avoid or text.

    `name`: the touchpoint type, rule or blackout it is about; `wanted`: attributes and their values; `said`: as written.
    """

    part: str
    name: str
    wanted: Mapping[str, object]
    said: str
    place: Location


@dataclass(frozen=True, slots=True)
class Phase:
    """A moment, what is told up to it (in any order), and what is expected then."""

    at: datetime
    events: tuple[FactEvent, ...]
    expected: tuple[Expected, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One test. `shows`: the requirements it shows; `place`: where its sentence stands."""

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


class _Found(NamedTuple):
    """What stands where something was expected: whether it is as wanted, in words, and the rules behind it."""

    met: bool
    came: str
    why: str = ""
    rules: frozenset[str] = frozenset()


class _Scene(NamedTuple):
    policy: Policy
    decision: Decision
    plan: Plan
    ask: Callable[[], Explainer]
    """Why and why not; only asked where an expectation fails."""


def run(policy: Policy, case: Case) -> Outcome:
    """Facts of one phase are told before it is decided; those of later ones are not known yet."""
    account_state = AccountState(Facts(ACCOUNT), Issued())
    failures: list[Failure] = []
    rules: set[str] = set()
    for phase in case.phases:
        for event in phase.events:
            apply_event(account_state, event)
        decision = evaluate_account(
            policy, account_state.facts, account_state.issued, case.portfolio, phase.at
        )
        inquiry = partial(Explainer, policy, account_state, case.portfolio, phase.at)
        scene = _Scene(policy, decision, decision.plan, inquiry)
        for each in phase.expected:
            found = _LOOKS[each.part](scene, each)
            if found.met:
                rules |= found.rules
            else:
                failures.append(Failure(each.place, phase.at, _spoken(each), found.came, found.why))
    return Outcome(case, tuple(failures), frozenset(rules))


def _spoken(each: Expected) -> str:
    part = f"{each.part}: " if each.name else ""
    return f"{part}{each.name or each.part}: {each.said}" if each.said else f"{part}{each.name}"


def _standing(scene: _Scene, each: Expected) -> _Found:
    decision = scene.decision
    came = {"segment": decision.segment, "stage": decision.stage, "color": decision.color}[each.part]
    found = "none" if came is None else came
    return _Found(
        found == each.wanted["is"], f"{each.part}: {found}", rules=frozenset({f"{each.part}/{found}"})
    )


def _rhythm(scene: _Scene, each: Expected) -> _Found:
    items = [item for item in scene.plan.rhythms if item.touchpoint_type == each.name]
    return _of_items(scene, each, items)


def _one_off(scene: _Scene, each: Expected) -> _Found:
    items = [item for item in scene.plan.touchpoints if item.touchpoint_type == each.name]
    return _of_items(scene, each, items)


def _of_items(scene: _Scene, each: Expected, items: list[RhythmItem] | list[OneOffItem]) -> _Found:
    """`count`: how many there are as wanted; without it at least one; `present: false`: none of the type at all."""
    wanted = {name: value for name, value in each.wanted.items() if name not in {COUNT, PRESENT}}
    matching = [item for item in items if all(_ATTRIBUTES[name](item) == wanted[name] for name in wanted)]
    if each.wanted.get(PRESENT) is False:
        met = not items
    elif COUNT in each.wanted:
        met = len(matching) == each.wanted[COUNT]
    else:
        met = bool(matching)
    came = "; ".join(map(_item, items[:5])) + (f"; and {len(items) - 5} more" if len(items) > 5 else "")
    if not met:
        return _Found(met, came or f"no {each.name}", _why(scene, each, items))
    return _Found(met, came, rules=frozenset(rule for item in matching for rule in _behind(scene, item)))


def _why(scene: _Scene, each: Expected, items: Sequence[Item]) -> str:
    """The reasons of what stands, and why the expected rule does not, or why there is nothing of the type."""
    told = [item.reason.text for item in items[:5]]
    rule = each.wanted.get("rule")
    if isinstance(rule, str) and all(item.reason.rule != rule for item in items):
        told.append(scene.ask().explain_rule(rule).text)
    elif not items:
        told.append(scene.ask().explain_touchpoint(each.name).text)
    return " ".join(dict.fromkeys(told))


def _behind(scene: _Scene, item: Item) -> Iterable[str]:
    """The rule an item rests on, and what moved its interval."""
    policy, rule = scene.policy, item.reason.rule
    yield rule
    said = policy.rules[policy.bits[rule]] if rule in policy.bits else None
    if isinstance(item, RhythmItem) and getattr(said, "every_days", item.every_days) != item.every_days:
        for bit, each in enumerate(policy.rules):
            moves = isinstance(each, Adjustment | Feedback) and item.touchpoint_type in each.touchpoints
            if moves and scene.decision.fired >> bit & 1:
                yield each.rule


def _item(item: Item) -> str:
    led = f"by {item.channel}, led by {item.owner}, rule {item.reason.rule}"
    never = ", never skipped" if item.never_skip else ""
    if isinstance(item, RhythmItem):
        return f"every {item.every_days} days {led}{never}"
    times = f"{_moment(item.window.from_)} to {_moment(item.window.to)}"
    deadline = "" if item.deadline in {None, item.window.to} else f", deadline {_moment(item.deadline)}"
    return f"{times}{deadline}, {led}{never}"


def _moment(at: datetime | None) -> str:
    return "none" if at is None else f"{at:%Y-%m-%dT%H:%M}Z"


_ATTRIBUTES: Mapping[str, Callable[[Item], object]] = {
    "every": lambda item: getattr(item, "every_days", None),
    "urgency": lambda item: getattr(item, "urgency", None),
    "from": lambda item: item.window.from_ if isinstance(item, OneOffItem) else None,
    "to": lambda item: item.window.to if isinstance(item, OneOffItem) else None,
    "deadline": lambda item: getattr(item, "deadline", None),
    "rule": lambda item: item.reason.rule,
    "owner": lambda item: item.owner,
    "channel": lambda item: item.channel,
    "csm_id": lambda item: item.csm_id,
    "minutes": lambda item: item.minutes,
    "never_skip": lambda item: item.never_skip,
}


def _stopped(scene: _Scene, each: Expected) -> _Found:
    stops = [stop for stop in scene.decision.suppressed if stop.rule == each.name]
    met = any(stop.cause == each.wanted["cause"] for stop in stops)
    if stops:
        came = ", ".join(dict.fromkeys(stop.cause for stop in stops))
        return _Found(
            met, f"stopped: {came}", "; ".join(stop.reason for stop in stops), frozenset({each.name})
        )
    bit = scene.policy.bits[each.name]
    fires = scene.decision.fired >> bit & 1
    return _Found(
        met=False, came="nothing stopped it" if fires else "it does not hold, so nothing stopped it"
    )


def _avoided(scene: _Scene, each: Expected) -> _Found:
    names = [avoid.name for avoid in scene.plan.avoid]
    return _Found(each.name in names, f"avoid: {', '.join(names) or 'nothing'}", rules=frozenset({each.name}))


def _texts(scene: _Scene, each: Expected) -> _Found:
    items = [
        item for item in (*scene.plan.rhythms, *scene.plan.touchpoints) if item.touchpoint_type == each.name
    ]
    met = [item for item in items if str(each.wanted["text"]) in item.reason.text]
    came = " / ".join(item.reason.text for item in items) or f"no {each.name}"
    why = "" if met else _why(scene, each, items)
    return _Found(bool(met), came, why, frozenset(rule for item in met for rule in _behind(scene, item)))


_LOOKS: Mapping[str, Callable[[_Scene, Expected], _Found]] = {
    "segment": _standing,
    "stage": _standing,
    "color": _standing,
    "rhythms": _rhythm,
    "touchpoints": _one_off,
    "stopped": _stopped,
    "avoid": _avoided,
    "text": _texts,
}
PARTS = tuple(_LOOKS)
RHYTHM_KEYS = ("every", "owner", "channel", "rule", "never_skip", "urgency", "csm_id", "minutes")
TOUCHPOINT_KEYS = (
    "from",
    "to",
    "deadline",
    "owner",
    "channel",
    "rule",
    "never_skip",
    "csm_id",
    "minutes",
    COUNT,
)

"""Small policies for tests: rules as values, conditions as text."""

from datetime import timedelta
from typing import Any

from services.cadence.account import FactEvent
from services.cadence.evaluation import Decision, Suppressed, evaluate_account
from services.cadence.expressions.compile import Health
from services.cadence.expressions.parser import parse
from services.cadence.expressions.tree import Node
from services.cadence.policy import (
    Adjustment,
    Blackout,
    Cap,
    Damping,
    Feedback,
    Limit,
    Policy,
    PolicyContent,
    Rhythm,
    Rule,
    Step,
    Touchpoint,
    Trigger,
    compile_policy,
)
from services.cadence.policy.model import SeasonDay
from services.cadence.portfolio import Portfolio
from tests.unit.cadence.events import NOW, facts_after, issued

ALWAYS = parse("account_id != ''".replace("'", '"'))


def kind(name: str, topic: str | None = "account", *, never_skip: bool = False) -> Touchpoint:
    channel = "in_app" if topic is None else "call"
    return Touchpoint(name, topic, "csm", channel, f"What {name} is for", 30, never_skip=never_skip)


CATALOGUE = (
    kind("check_in"),
    kind("business_review", never_skip=True),
    kind("usage_report"),
    kind("tips", "education"),
    kind("advocacy_ask"),
    kind("expansion_discovery"),
    kind("risk_action_plan", None),
)


def rhythm(rule: str, touchpoint: str, every: int, when: Node = ALWAYS, **more: object) -> Rhythm:
    return Rhythm(**_named(rule, when), touchpoint=touchpoint, every_days=every, **more)  # pyright: ignore[reportArgumentType]


def trigger(rule: str, on: str, touchpoint: str, within: int, when: Node = ALWAYS, **more: object) -> Trigger:
    """`within` in days."""
    span = timedelta(days=within)
    return Trigger(**_named(rule, when), on=on, touchpoint=touchpoint, within=span, **more)  # pyright: ignore[reportArgumentType]


def step(rule: str, touchpoint: str, days: int, within: int = 7, when: Node = ALWAYS, **more: object) -> Step:
    span = timedelta(days=within)
    return Step(**_named(rule, when), touchpoint=touchpoint, days=days, within=span, **more)  # pyright: ignore[reportArgumentType]


def adjustment(rule: str, steps: int, *touchpoints: str, when: Node = ALWAYS) -> Adjustment:
    return Adjustment(**_named(rule, when), touchpoints=touchpoints, steps=steps)


def feedback(rule: str, on: str, when: str, steps: int, *touchpoints: str) -> Feedback:
    return Feedback(**_named(rule, parse(when)), on=on, touchpoints=touchpoints, steps=steps)


def limit(rule: str, count: int, days: int, *touchpoints: str) -> Limit:
    cap = Cap(count, timedelta(days=days))
    return Limit(rule=rule, cap=cap, touchpoints=touchpoints, because=f"Because of {rule}.")


def blackout(
    rule: str, first: SeasonDay, last: SeasonDay, *touchpoints: str, when: Node = ALWAYS
) -> Blackout:
    return Blackout(**_named(rule, when), first=first, last=last, touchpoints=touchpoints)


def _named(rule: str, when: Node) -> dict[str, Any]:
    """What every rule has."""
    return {"rule": rule, "when": when, "because": f"Because of {rule}."}


def policy(*rules: Rule | Limit, damping: Damping | None = None) -> Policy:
    return compile_policy(
        PolicyContent(
            Health(40, 70),
            (("enterprise", parse("arr is not null and arr >= 1000")), ("self_service", ALWAYS)),
            (("growth", ALWAYS),),
            CATALOGUE,
            rhythms=tuple(rule for rule in rules if isinstance(rule, Rhythm)),
            triggers=tuple(rule for rule in rules if isinstance(rule, Trigger)),
            steps=tuple(rule for rule in rules if isinstance(rule, Step)),
            adjustments=tuple(rule for rule in rules if isinstance(rule, Adjustment)),
            feedback=tuple(rule for rule in rules if isinstance(rule, Feedback)),
            limits=tuple(rule for rule in rules if isinstance(rule, Limit)),
            blackouts=tuple(rule for rule in rules if isinstance(rule, Blackout)),
            damping=damping or Damping((7, 14, 30, 60, 90, 180)),
        )
    )


def evaluated(
    under: Policy,
    *events: FactEvent,
    now: object = NOW,
    came: tuple[FactEvent, ...] = (),
    portfolio: Portfolio | None = None,
) -> Decision:
    return evaluate_account(under, facts_after(events), issued(came), portfolio or Portfolio(), now)  # pyright: ignore[reportArgumentType]


def stops(decision: Decision) -> list[tuple[str, str]]:
    return [(suppressed.rule, suppressed.cause) for suppressed in decision.suppressed]


def stop(decision: Decision, rule: str) -> Suppressed:
    (suppressed,) = [stopped for stopped in decision.suppressed if stopped.rule == rule]
    return suppressed

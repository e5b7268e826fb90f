"""Re-evaluating just the events that `why` names gives the same decision (F2), for every item of every plan.

The accounts are those of the frozen plans' generator, 300 a seed; `make soak` takes 34 seeds, which are 10,200 accounts.
Programs, ranks and exchange rates are not of one account: ranks and rates stay, of programs those that `why` names count.
The 100 % are of generated accounts, none of which is beyond a bound of its state: what a bound let go of has no name.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import pytest

from schemas.envelope import from_structured
from schemas.plans import OneOffItem, Plan, RhythmItem
from services.cadence.account import FactEvent
from services.cadence.account.apply import apply_event
from services.cadence.account.codec import AccountState, decode
from services.cadence.account.events import read_event
from services.cadence.announcements import portfolio_of
from services.cadence.evaluation import evaluate_account
from services.cadence.explanation import Explainer, Explanation
from services.cadence.policy import Policy
from services.cadence.policy.load import SHIPPED, load_policy
from services.cadence.portfolio import Portfolio
from services.cadence.rates import Rates
from tests.unit.cadence.frozen_plans import generator

ACCOUNTS = 300 if os.environ.get("DRUMBEAT_SOAK") else 100
SEEDS = range(8, 42) if os.environ.get("DRUMBEAT_SOAK") else range(8, 9)
NOW = generator.NOW
AT_PAR = Rates(NOW.date(), "USD", {"EUR": 1.0, "JPY": 1.0})
Item = RhythmItem | OneOffItem
Events = Mapping[tuple[str, str], list[FactEvent]]
"""(source, id) -> events: two where one id was given to two contents."""


@pytest.mark.timeout(60 + 120 * len(SEEDS))
def test_the_named_events_alone_lead_to_the_same_item_again() -> None:
    """F2."""
    policy, others = load_policy(SHIPPED), list[str]()
    items = 0
    for seed in SEEDS:
        told, announced = generated(seed)
        states = {account_id: folded(account_id, events) for account_id, events in told.items()}
        portfolio = portfolio_of(announced, states.values(), AT_PAR)
        for account_id, account_state in states.items():
            known = by_id([*told[account_id], *announced])
            again = Replay(policy, portfolio, account_id, known)
            for item, why in explained(Explainer(policy, account_state, portfolio, NOW)):
                items += 1
                if face(item) not in again.faces(why):
                    others.append(f"seed {seed}, {account_id}: {item.touchpoint_type} by {item.reason.rule}")
                assert why.events
                assert item.reason.policy
    assert items > 15 * len(SEEDS) * ACCOUNTS
    assert others == []


def generated(seed: int) -> tuple[Mapping[str, list[FactEvent]], list[FactEvent]]:
    """The events of each account, and the announcements of programs."""
    told, announced = defaultdict[str, list[FactEvent]](list), list[FactEvent]()
    for each in generator.events(seed, ACCOUNTS, ACCOUNTS * 100):
        event = read_event(from_structured(each))
        if event.type == "program.announced":
            announced.append(event)
        elif event.type != "csm.described":
            told[event.account_id].append(event)
    return told, announced


def folded(account_id: str, events: Iterable[FactEvent]) -> AccountState:
    account_state = decode(account_id, None)
    for event in events:
        apply_event(account_state, event)
    return account_state


def by_id(events: Iterable[FactEvent]) -> Events:
    known = defaultdict[tuple[str, str], list[FactEvent]](list)
    for event in events:
        known[event.provenance.source, event.provenance.id].append(event)
    return known


def explained(explainer: Explainer) -> Iterator[tuple[Item, Explanation]]:
    """Each item of the plan with its explanation, as `GET /v1/accounts/{id}/why` gives it."""
    plan, known = explainer.decision.plan, dict[str, Explanation]()
    for item in (*plan.rhythms, *plan.touchpoints):
        rule = item.reason.rule
        if rule not in known:
            known[rule] = explanation_of(explainer, item)
        yield item, known[rule]


def explanation_of(explainer: Explainer, item: Item) -> Explanation:
    rule = item.reason.rule
    if rule in explainer.policy.bits:
        return explainer.explain_rule(rule)
    found = explainer.explain_touchpoint(item.touchpoint_type)
    return next(each for each in (found, *found.others) if each.rule == rule)


class Replay:
    """Evaluates an account anew from some of its events alone."""

    def __init__(self, policy: Policy, portfolio: Portfolio, account_id: str, known: Events) -> None:
        self._policy = policy
        self._portfolio = portfolio
        self._account_id = account_id
        self._known = known
        self._faces: dict[str | None, list[tuple[object, ...]]] = {}

    def faces(self, why: Explanation) -> list[tuple[object, ...]]:
        if why.rule not in self._faces:
            plan = self._plan([event for each in why.events for event in self._known[each.source, each.id]])
            self._faces[why.rule] = [face(item) for item in (*plan.rhythms, *plan.touchpoints)]
        return self._faces[why.rule]

    def _plan(self, named: list[FactEvent]) -> Plan:
        own = folded(self._account_id, (event for event in named if event.type != "program.announced"))
        portfolio = self._portfolio
        programs = [event for event in named if event.type == "program.announced"]
        portfolio = replace(portfolio, programs=portfolio_of(programs, (), AT_PAR).programs)
        return evaluate_account(self._policy, *own, portfolio, NOW).plan


def face(item: Item) -> tuple[object, ...]:
    """What of an item was decided."""
    shared = (
        item.touchpoint_type,
        item.channel,
        item.owner,
        item.csm_id,
        item.reason.rule,
        item.reason.policy,
    )
    if isinstance(item, RhythmItem):
        return *shared, item.every_days
    return *shared, item.id, item.window, item.deadline

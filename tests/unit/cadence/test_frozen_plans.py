"""Same events, same plans: 100,000 mixed events over 1,000 accounts lead to the plans that an earlier version stored.

`frozen_plans/plans.json.gz` has a hash per account at two moments, and 50 accounts in full. The generator is seeded.
`make soak` compares all accounts; otherwise those of which the plan is there in full, and every fourth of the others.
"""

import gzip
import json
from collections.abc import Collection, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from schemas.envelope import from_structured
from services.cadence.account import FactEvent, Facts
from services.cadence.account.apply import apply_event
from services.cadence.account.codec import AccountState
from services.cadence.account.events import read_event
from services.cadence.account.issued import Issued
from services.cadence.announcements import portfolio_of
from services.cadence.evaluation import Decision, evaluate_account
from services.cadence.policy.load import SHIPPED, load_policy
from services.cadence.rates import Rates
from tests.conftest import IS_SOAK
from tests.unit.cadence.frozen_plans import generator, normalise

FROZEN = Path(__file__).parent / "frozen_plans" / "plans.json.gz"
AT_PAR = Rates(generator.NOW.date(), "USD", {"EUR": 1.0, "JPY": 1.0})
"""The plans are those of accounts whose amounts compare as they are, whatever their currency."""
MOMENTS = (generator.NOW, generator.NOW + timedelta(days=45))


ONE_IN = 1 if IS_SOAK else 4
TELEMETRY = ("drumbeat.usage.reported.v1", "drumbeat.health.scored.v1")
"""Three of four events. No portfolio depends on them: accounts that are not compared do without."""


def decisions(compared: Collection[str]) -> Mapping[str, list[Decision]]:
    account_states: dict[str, AccountState] = {}
    announcements: list[FactEvent] = []
    for generated in generator.events():
        if generated["type"] in TELEMETRY and generated["subject"] not in compared:
            continue
        event = read_event(from_structured(generated))
        if event.type == "program.announced":
            announcements.append(event)
        elif event.type != "csm.described":
            account_id = event.account_id
            state = account_states.setdefault(account_id, AccountState(Facts(account_id), Issued()))
            apply_event(state, event)
    portfolio, policy = portfolio_of(announcements, account_states.values(), AT_PAR), load_policy(SHIPPED)
    return {
        account_id: [evaluate_account(policy, facts, issued, portfolio, now) for now in MOMENTS]
        for account_id, (facts, issued) in sorted(account_states.items())
        if account_id in compared
    }


def state(decision: Decision) -> dict[str, Any]:
    suppressed = [
        (item.touchpoint_type, item.rule, item.cause, item.until, item.by) for item in decision.suppressed
    ]
    return normalise.state(
        segment=decision.segment,
        stage=decision.stage,
        color=decision.color,
        next_evaluation_at=decision.next_evaluation_at,
        suppressed=suppressed,
        plan=decision.plan.model_dump(
            mode="json", exclude={"quiet_hours": True, "avoid": {"__all__": {"first_on", "last_on"}}}
        ),
    )


@pytest.mark.timeout(300)
def test_the_same_events_lead_to_the_same_plans() -> None:
    frozen = cast("dict[str, Any]", json.loads(gzip.decompress(FROZEN.read_bytes())))
    compared = {*frozen["full"], *sorted(frozen["accounts"])[::ONE_IN]}
    states = {account_id: list(map(state, pair)) for account_id, pair in decisions(compared).items()}

    for account_id, plans in frozen["full"].items():
        assert [account["plan"] for account in states[account_id]] == plans
    assert len(frozen["accounts"]) == 1000
    assert states.keys() == compared
    assert len(compared) >= 1000 // ONE_IN
    differing = [
        account_id
        for account_id, pair in states.items()
        if frozen["accounts"][account_id] != list(map(normalise.fingerprint, pair))
    ]
    assert differing == []

"""What is heard batch by batch ends as if each account were decided anew on all it has heard."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.cadence.account import FactEvent
from services.cadence.account.codec import encode
from services.cadence.account.issued import Issued
from services.cadence.evaluation import evaluate_account
from services.cadence.portfolio import Portfolio
from services.rules_engine.application.apply_events import apply_events
from services.rules_engine.application.replan_account import EvaluationContext, Clocks
from services.rules_engine.domain.account import Account, IncomingEvent, NewPlan, Parked, Receipt
from tests.unit.cadence.evaluation.test_change_detection_properties import scored
from tests.unit.cadence.evaluation.test_evaluate_properties import facts
from tests.unit.cadence.events import HOUR, NOW, facts_after, make_event, shipped

BENCH = EvaluationContext(
    shipped(), Portfolio(generation=3), 3, publish=True, retry_after=timedelta(minutes=1)
)
batches = st.lists(
    st.tuples(st.integers(0, 30), st.lists(scored(), min_size=1, max_size=3) | st.lists(facts(), max_size=3)),
    min_size=1,
    max_size=12,
)


class Desk:
    """The `Work` port over one account, which is stored between the batches as in the database."""

    def __init__(self) -> None:
        self.account = Account("acme")
        self.plan: bytes = b""
        self.saved = self.judged = 0

    async def accounts(self, account_ids: Sequence[str]) -> dict[str, Account]:
        return dict.fromkeys(account_ids, self.account)

    async def save(self, accounts: Sequence[Account]) -> None:
        self.saved += len(accounts)

    async def plans(self, versions: Mapping[str, int]) -> dict[str, bytes]:
        return dict.fromkeys(versions, self.plan)

    async def record(self, new_plans: Sequence[NewPlan], *, publish: bool) -> None:
        assert publish
        for each in new_plans:
            self.plan = each.plan
            self.judged += 1

    async def introduce(self, accounts: Sequence[Account], real: datetime) -> None:
        """Nobody is told."""

    async def acknowledge(self, receipts: Sequence[Receipt]) -> int:
        return len(receipts)

    async def park(self, parked: Sequence[Parked]) -> None:
        assert not parked


def told(event: FactEvent) -> IncomingEvent:
    return IncomingEvent(event, b"", b"", None)


@given(batches)
def test_the_plan_in_force_is_what_would_be_decided_on_all_that_was_heard(
    told_of: list[tuple[int, list[FactEvent]]],
) -> None:
    desk, now, known = Desk(), NOW, list[FactEvent]()
    for hours, batch in told_of:
        now += hours * HOUR
        known += batch
        asyncio.run(apply_events(desk, [told(each) for each in batch], BENCH, Clocks(now, now)))
        account = desk.account
        if not batch or (account.next_evaluation_at is not None and now >= account.next_evaluation_at):
            continue

        whole = facts_after(known)
        anew = evaluate_account(BENCH.policy, whole, Issued(), BENCH.portfolio, now)
        assert account.memory == encode(whole, Issued())
        assert account.plan_key == account.published_key == anew.key
        assert account.next_evaluation_at == anew.next_evaluation_at
        assert (account.segment, account.stage, account.color) == (anew.segment, anew.stage, anew.color)


def test_scores_that_mean_nothing_new_are_remembered_and_lead_to_no_other_plan() -> None:
    desk = Desk()
    for day in range(20):
        event = scored_on(day)
        asyncio.run(apply_events(desk, [told(event)], BENCH, Clocks(NOW, NOW)))

    assert (desk.saved, desk.judged) == (20, 1)
    assert desk.account.memory == encode(facts_after(map(scored_on, range(20))), Issued())


def scored_on(day: int) -> FactEvent:
    return make_event("health.scored", NOW - (20 - day) * HOUR, score=80 + day % 5)

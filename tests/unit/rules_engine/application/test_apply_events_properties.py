"""Events applied batch by batch end as if each account were evaluated on all of its events at once."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from schemas.plans import Plan
from services.cadence.account import FactEvent
from services.cadence.account.codec import encode
from services.cadence.account.issued import Issued
from services.cadence.evaluation import evaluate_account
from services.cadence.portfolio import Portfolio
from services.rules_engine.application.apply_events import apply_events
from services.rules_engine.domain.account import (
    Account,
    Clocks,
    EvaluationContext,
    IncomingEvent,
    NewPlan,
    Parked,
    Receipt,
    ReceiptState,
)
from tests.unit.cadence.evaluation.test_change_detection_properties import scored
from tests.unit.cadence.evaluation.test_evaluate_properties import facts
from tests.unit.cadence.events import HOUR, NOW, facts_after, make_event, shipped

CONTEXT = EvaluationContext(
    shipped(), Portfolio(generation=3), 3, publish=True, retry_after=timedelta(minutes=1)
)
batches = st.lists(
    st.tuples(st.integers(0, 30), st.lists(scored(), min_size=1, max_size=3) | st.lists(facts(), max_size=3)),
    min_size=1,
    max_size=12,
)


class OneAccount:
    """The `UnitOfWork` port over one account, which is stored between the batches as in the database."""

    def __init__(self) -> None:
        self.account = Account("acme")
        self.plan = Plan()
        self.saved = self.recorded = 0
        self.parked: list[Parked] = []
        self.receipts: list[Receipt] = []

    async def accounts(self, account_ids: Sequence[str]) -> dict[str, Account]:
        return dict.fromkeys(account_ids, self.account)

    async def save(self, accounts: Sequence[Account]) -> None:
        self.saved += len(accounts)

    async def plans(self, versions: Mapping[str, int]) -> dict[str, Plan]:
        return dict.fromkeys(versions, self.plan)

    async def record(self, new_plans: Sequence[NewPlan], *, publish: bool) -> None:
        assert publish
        for new in new_plans:
            self.plan = new.plan
            self.recorded += 1

    async def publish_directory(self, accounts: Sequence[Account], real: datetime) -> None:
        """The directory has no reader here."""

    async def acknowledge(self, receipts: Sequence[Receipt]) -> int:
        self.receipts += receipts
        return len(receipts)

    async def park(self, parked: Sequence[Parked]) -> None:
        self.parked += parked


def incoming(event: FactEvent) -> IncomingEvent:
    return IncomingEvent(event, b"", b"", None)


@given(batches)
def test_the_plan_in_force_is_what_all_events_together_lead_to(
    steps: list[tuple[int, list[FactEvent]]],
) -> None:
    work, now, events = OneAccount(), NOW, list[FactEvent]()
    for hours, batch in steps:
        now += hours * HOUR
        events += batch
        asyncio.run(apply_events(work, list(map(incoming, batch)), CONTEXT, Clocks(now, now)))
        account = work.account
        if not batch or (account.next_evaluation_at is not None and now >= account.next_evaluation_at):
            continue

        whole = facts_after(events)
        decision = evaluate_account(CONTEXT.policy, whole, Issued(), CONTEXT.portfolio, now)
        assert account.state == encode(whole, Issued())
        assert account.plan_key == account.published_key == decision.key
        assert account.next_evaluation_at == decision.next_evaluation_at
        assert (account.segment, account.stage, account.color) == (
            decision.segment,
            decision.stage,
            decision.color,
        )


def test_scores_that_mean_nothing_new_are_stored_and_lead_to_no_other_plan() -> None:
    work = OneAccount()
    for day in range(20):
        asyncio.run(apply_events(work, [incoming(scored_on(day))], CONTEXT, Clocks(NOW, NOW)))

    assert (work.saved, work.recorded) == (20, 1)
    assert work.account.state == encode(facts_after(map(scored_on, range(20))), Issued())


def test_an_event_that_cannot_be_applied_is_parked_and_the_others_count() -> None:
    work = OneAccount()
    broken = make_event("usage.reported", NOW)._replace(fields={"limits": 3})
    batch = [incoming(scored_on(1)), incoming(broken), incoming(scored_on(2))]
    counts = asyncio.run(apply_events(work, batch, CONTEXT, Clocks(NOW, NOW)))

    assert (counts.events, counts.parked) == (3, 1)
    (parked,) = work.parked
    assert parked.incoming.event is broken
    assert parked.reason.startswith("AttributeError: ")
    assert [receipt.state for receipt in work.receipts] == [ReceiptState.FOLDED] * 2
    assert work.account.state == encode(facts_after(map(scored_on, (1, 2))), Issued())


def scored_on(day: int) -> FactEvent:
    return make_event("health.scored", NOW - (20 - day) * HOUR, score=80 + day % 5)

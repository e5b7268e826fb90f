"""What is heard batch by batch ends as if each account were decided anew on all it has heard."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.rules_engine.application.account import Account, Heard, Judgement, Parked, Receipt
from services.rules_engine.application.hear import hear
from services.rules_engine.application.judge import Bench, Moment
from services.rules_engine.domain.book import Book
from services.rules_engine.domain.codec import encode
from services.rules_engine.domain.facts import FactEvent
from services.rules_engine.domain.issued import Issued
from services.rules_engine.domain.plan import decide
from tests.unit.rules_engine.given import HOUR, NOW, heard, said, shipped
from tests.unit.rules_engine.test_plan_footing_properties import scored
from tests.unit.rules_engine.test_plan_properties import facts

BENCH = Bench(shipped(), Book(epoch=3), 3, publish=True, retry_after=timedelta(minutes=1))
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

    async def record(self, judgements: Sequence[Judgement], *, publish: bool) -> None:
        assert publish
        for each in judgements:
            self.plan = each.plan
            self.judged += 1

    async def introduce(self, accounts: Sequence[Account], real: datetime) -> None:
        """Nobody is told."""

    async def acknowledge(self, receipts: Sequence[Receipt]) -> int:
        return len(receipts)

    async def park(self, parked: Sequence[Parked]) -> None:
        assert not parked


def told(event: FactEvent) -> Heard:
    return Heard(event, b"", b"", None)


@given(batches)
def test_the_plan_in_force_is_what_would_be_decided_on_all_that_was_heard(
    told_of: list[tuple[int, list[FactEvent]]],
) -> None:
    desk, now, known = Desk(), NOW, list[FactEvent]()
    for hours, batch in told_of:
        now += hours * HOUR
        known += batch
        asyncio.run(hear(desk, [told(each) for each in batch], BENCH, Moment(now, now)))
        account = desk.account
        if not batch or (account.next_evaluation_at is not None and now >= account.next_evaluation_at):
            continue

        whole = heard(known)
        anew = decide(BENCH.policy, whole, Issued(), BENCH.book, now)
        assert account.memory == encode(whole, Issued())
        assert account.plan_key == account.published_key == anew.key
        assert account.next_evaluation_at == anew.next_evaluation_at
        assert (account.segment, account.stage, account.color) == (anew.segment, anew.stage, anew.color)


def test_scores_that_mean_nothing_new_are_remembered_and_lead_to_no_other_plan() -> None:
    desk = Desk()
    for day in range(20):
        event = scored_on(day)
        asyncio.run(hear(desk, [told(event)], BENCH, Moment(NOW, NOW)))

    assert (desk.saved, desk.judged) == (20, 1)
    assert desk.account.memory == encode(heard(map(scored_on, range(20))), Issued())


def scored_on(day: int) -> FactEvent:
    return said("health.scored", NOW - (20 - day) * HOUR, score=80 + day % 5)

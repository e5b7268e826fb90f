"""Events applied batch by batch end as if each account were evaluated on all of its events at once."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from services.cadence.account import FactEvent
from services.cadence.account.codec import encode
from services.cadence.account.issued import Issued
from services.cadence.evaluation import evaluate_account
from services.rules_engine.application.apply_events import apply_events
from services.rules_engine.domain.account import Clocks
from tests.unit.cadence.evaluation.test_change_detection_properties import scored
from tests.unit.cadence.evaluation.test_evaluate_properties import facts
from tests.unit.cadence.events import HOUR, NOW, facts_after
from tests.unit.rules_engine.application.stored_accounts import CONTEXT, StoredAccounts, incoming

batches = st.lists(
    st.tuples(st.integers(0, 30), st.lists(scored(), min_size=1, max_size=3) | st.lists(facts(), max_size=3)),
    min_size=1,
    max_size=12,
)


@settings(deadline=None)
@given(batches)
def test_the_plan_in_force_is_what_all_events_together_lead_to(
    steps: list[tuple[int, list[FactEvent]]],
) -> None:
    work, now, events = StoredAccounts("acme"), NOW, list[FactEvent]()
    for hours, batch in steps:
        now += hours * HOUR
        events += batch
        asyncio.run(apply_events(work, list(map(incoming, batch)), CONTEXT, Clocks(now, now)))
        account = work.stored["acme"]
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

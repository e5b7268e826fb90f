"""The message of a plan is its stored document with what the message adds."""

import asyncio
from typing import cast

from schemas.plans import PlanAdjusted
from schemas.vocabulary import Color, Segment, Stage
from services.rules_engine.adapters.messages import plan_document
from services.rules_engine.application.apply_events import apply_events
from services.rules_engine.domain.account import Clocks, NewPlan
from tests.unit.cadence.events import HOUR, NOW, make_event
from tests.unit.rules_engine.application.stored_accounts import CONTEXT, StoredAccounts, incoming


class Recording(StoredAccounts):
    """Keeps the new plans, too."""

    new_plans: tuple[NewPlan, ...] = ()

    async def record(self, new_plans: list[NewPlan], *, publish: bool) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        await super().record(new_plans, publish=publish)
        self.new_plans += tuple(new_plans)


def test_it_is_what_the_whole_message_would_be_written_as() -> None:
    work = Recording("acme")
    for hour, score in enumerate((80, 5)):
        event = make_event("health.scored", NOW + hour * HOUR, score=score)
        asyncio.run(apply_events(work, [incoming(event)], CONTEXT, Clocks(NOW + hour * HOUR, NOW)))

    assert len(work.new_plans) == 2
    for new in work.new_plans:
        account = new.account
        whole = PlanAdjusted.of_valid(
            **vars(new.plan),
            account_id=account.account_id,
            version=account.version,
            policy=new.policy,
            changes=new.changes,
            merged_from=account.merged_from,
            decided_at=new.decided_at,
            segment=cast("Segment | None", account.segment),
            stage=cast("Stage | None", account.stage),
            color=cast("Color | None", account.color),
        )
        assert plan_document(new) == whole.write()
        assert PlanAdjusted.read(plan_document(new)) == whole
    assert work.new_plans[1].changes

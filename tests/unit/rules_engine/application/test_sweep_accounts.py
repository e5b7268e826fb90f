"""An account whose stored state cannot be read is undecided; the sweep evaluates the others."""

import asyncio

from services.cadence.account.codec import encode
from services.cadence.account.issued import Issued
from services.rules_engine.application.sweep_accounts import sweep_accounts
from services.rules_engine.domain.account import Clocks
from tests.unit.cadence.events import HOUR, NOW, facts_after, make_event
from tests.unit.rules_engine.application.stored_accounts import CONTEXT, StoredAccounts

READABLE = encode(facts_after([make_event("health.scored", NOW - HOUR, score=20)]), Issued())


def test_an_unreadable_account_is_undecided_and_the_others_are_evaluated() -> None:
    work = StoredAccounts("acme", "other")
    work.stored["acme"].state, work.stored["other"].state = b'{"v":99}', READABLE

    assert asyncio.run(sweep_accounts(work, ["acme", "other"], CONTEXT, Clocks(NOW, NOW))) == 1

    unreadable = work.stored["acme"]
    assert unreadable.undecided is not None
    assert unreadable.undecided.startswith("UnreadableState: ")
    assert unreadable.next_evaluation_at == NOW + CONTEXT.retry_after
    assert unreadable.state == b'{"v":99}'
    assert work.stored["other"].plan_key is not None
    assert work.saved == 2


def test_it_is_decided_as_soon_as_its_state_can_be_read() -> None:
    work = StoredAccounts("acme")
    work.stored["acme"].state = b'{"v":99}'
    asyncio.run(sweep_accounts(work, ["acme"], CONTEXT, Clocks(NOW, NOW)))
    work.stored["acme"].state = READABLE

    later = NOW + CONTEXT.retry_after
    assert asyncio.run(sweep_accounts(work, ["acme"], CONTEXT, Clocks(later, later))) == 1
    assert work.stored["acme"].undecided is None

"""The calendar as it stands, which a simulation begins with: who leads instead, and whose accounts wait (F4, U8)."""

import pytest

from schemas.standing import StandingPage
from services.scheduler.adapters.standing import read_standing
from tests.integration.scheduler.conftest import MONDAY, Scheduler
from tests.integration.scheduler.test_handovers import hand_over, plan_book
from tests.integration.scheduler.test_owners import person

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


async def read(scheduler: Scheduler, after: str = "") -> StandingPage:
    page = await read_standing(scheduler.database, after, 100, MONDAY)
    return StandingPage.read_stored(page.write())


async def test_it_names_who_leads_instead_after_a_handover(scheduler: Scheduler) -> None:
    await scheduler.consume(person(scheduler, "ada"), person(scheduler, "bob"))
    [name] = await plan_book(scheduler, 1)

    await hand_over(scheduler, "ada", to="bob", preview=False)

    [account] = (await read(scheduler)).items
    assert (account.account_id, account.csm_id, account.handovers) == (name, "ada", {"ada": "bob"})


async def test_it_names_people_who_have_left_until_their_accounts_are_shared_out(
    scheduler: Scheduler,
) -> None:
    await scheduler.consume(person(scheduler, "ada", pool="emea"), person(scheduler, "bob", pool="emea"))
    [name] = await plan_book(scheduler, 1)
    assert (await read(scheduler)).left == ()

    await scheduler.consume(scheduler.tombstone("directory.csms", "ada"))

    assert (await read(scheduler)).left == ("ada",)
    assert (await read(scheduler, name)).left == (), "only the first page has them"
    await scheduler.share_out()
    assert (await read(scheduler)).left == ()

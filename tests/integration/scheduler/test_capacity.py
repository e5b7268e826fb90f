"""What does not fit is found before its weeks come: which weeks, which touchpoints, how many minutes and people."""

from datetime import timedelta
from typing import Any

import pytest

from tests.integration.scheduler.conftest import MONDAY, Scheduler, at, one_off, rhythm, season

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]
DAY = timedelta(days=1)
NEXT_MONDAY = MONDAY + 7 * DAY


async def capacity(scheduler: Scheduler, **query: Any) -> dict[str, Any]:
    answer = await scheduler.http.get("/v1/capacity", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def kickoff(number: int, **changed: object) -> dict[str, object]:
    name = f"00000000-0000-4000-8000-{number:012d}"
    return one_off(name, NEXT_MONDAY, NEXT_MONDAY + 3 * DAY, minutes=60, **changed)


async def plan_kickoffs(scheduler: Scheduler, count: int, **changed: object) -> None:
    """All of them in the week after this one, and in no other."""
    for number in range(count):
        item = kickoff(number, **changed)
        await scheduler.consume(scheduler.plan(1, touchpoints=[item], account=f"acc-{number}"))


async def test_an_overload_is_known_a_week_before_it_comes(scheduler: Scheduler) -> None:
    """S149, S148: seven hours of kickoffs in a week that holds five."""
    await scheduler.describe("ada", weekly_minutes=300)
    await plan_kickoffs(scheduler, 7)
    await scheduler.level()

    found = await capacity(scheduler)

    (conflict,) = found["conflicts"]
    assert (conflict["csm_id"], conflict["weeks"]) == ("ada", ["2026-W11"])
    assert (conflict["missing_minutes"], conflict["needed_minutes"]) == (120, 420)
    assert len(conflict["touchpoint_ids"]) == 6  # hours that five cannot hold
    assert conflict["headcount"] == "7/5"
    assert "120 missing" in conflict["text"]
    assert found["headcount_gap"] == 0.4
    assert found["headcount_week"] == {"week": "2026-W11", "people": "2/5"}
    assert {group["account_id"] for group in conflict["groups"]} == {f"acc-{n}" for n in range(7)}


async def test_people_who_are_short_in_one_week_add_up(scheduler: Scheduler) -> None:
    """S160: the headcount gap is that of the worst week, over all people."""
    await scheduler.describe("ada", weekly_minutes=300)
    await scheduler.describe("bob", weekly_minutes=600)
    await plan_kickoffs(scheduler, 7)
    for number in range(100, 115):
        item = kickoff(number, csm_id="bob")
        await scheduler.consume(scheduler.plan(1, touchpoints=[item], account=f"acc-{number}"))
    await scheduler.level()

    assert (await capacity(scheduler))["headcount_gap"] == 0.9
    alone = await capacity(scheduler, csm_id="bob")
    assert [conflict["csm_id"] for conflict in alone["conflicts"]] == ["bob"]
    assert alone["headcount_week"] == {"week": "2026-W11", "people": "1/2"}
    later = await capacity(scheduler, **{"from": "2026-06-01"})
    assert (later["conflicts"], later["headcount_gap"]) == ([], 0.0)


async def test_more_than_twenty_touchpoints_are_shown_as_groups(scheduler: Scheduler) -> None:
    await scheduler.describe("ada", weekly_minutes=1500)
    await plan_kickoffs(scheduler, 30)
    await scheduler.level()

    (conflict,) = (await capacity(scheduler))["conflicts"]

    assert conflict["touchpoint_ids"] == []
    assert (conflict["touches"], len(conflict["groups"])) == (30, 20)


async def test_a_conflict_goes_when_the_person_gets_more_hours(scheduler: Scheduler) -> None:
    await scheduler.describe("ada", weekly_minutes=300)
    await plan_kickoffs(scheduler, 7)
    await scheduler.level()
    assert (await capacity(scheduler))["conflicts"]

    await scheduler.describe("ada", version=2, weekly_minutes=600)
    await scheduler.level()

    assert (await capacity(scheduler))["conflicts"] == []


async def test_twenty_five_strategic_accounts_fit_a_usual_week(scheduler: Scheduler) -> None:
    """S148, X10: bi-weekly calls and quarterly reviews of 25 accounts; the book is stressed all the same (X12)."""
    await scheduler.describe("ada", weekly_minutes=1500)
    for number in range(25):
        review = rhythm(91, touchpoint_type="business_review", minutes=90, urgency="spread")
        plans = [rhythm(14, urgency="spread"), review]
        await scheduler.consume(scheduler.plan(1, plans, account=f"acc-{number}"))
    await scheduler.level()

    found = await capacity(scheduler)

    assert (found["conflicts"], found["headcount_gap"]) == ([], 0.0)
    (book,) = found["books"]
    assert (book["accounts"], book["size"]) == (25, "stressed")
    assert "crowded from 15" in book["text"]
    assert book["hours_per_account_month"] < 5  # S40


@pytest.mark.parametrize(("accounts", "size"), [(14, "ok"), (15, "warned"), (24, "warned"), (25, "stressed")])
async def test_a_dedicated_book_is_warned_from_fifteen_and_stressed_from_twenty_five(
    scheduler: Scheduler, accounts: int, size: str
) -> None:
    """X12, S39."""
    await scheduler.consume(*(scheduler.plan(1, [rhythm(28)], account=f"a{n}") for n in range(accounts)))

    (book,) = (await capacity(scheduler))["books"]

    assert (book["dedicated_accounts"], book["size"]) == (accounts, size)


async def test_a_pooled_book_is_warned_above_eighty(scheduler: Scheduler) -> None:
    """S54."""
    plan = [rhythm(28, owner="pooled_csm")]
    await scheduler.consume(*(scheduler.plan(1, plan, account=f"a{n}") for n in range(80)))
    (book,) = (await capacity(scheduler))["books"]
    assert (book["pooled_accounts"], book["size"]) == (80, "ok")

    await scheduler.consume(scheduler.plan(1, plan, account="one-more"))

    assert (await capacity(scheduler))["books"][0]["size"] == "warned"


async def test_the_loudest_account_and_those_that_nobody_met_are_seen(scheduler: Scheduler) -> None:
    """S12: uneven time, and half of the portfolio not spoken to in months."""
    await scheduler.consume(scheduler.plan(1, [rhythm(7, minutes=120)], account="loud"))
    await scheduler.consume(scheduler.plan(1, [rhythm(28)], account="quiet"))
    at(MONDAY + 8 * DAY)
    await scheduler.release()
    for item in await scheduler.list_touchpoints(account_id="loud", status="due"):
        body = {"outcome": "completed", "version": item["sequence"]}
        await scheduler.http.post(f"/v1/touchpoints/{item['id']}/settle", json=body)

    (book,) = (await capacity(scheduler))["books"]

    assert book["accounts_not_met"] == 1
    assert book["busiest_account_percent"] > 80
    assert "1 of 2 accounts had no meeting" in book["text"]


async def test_time_off_is_named_and_leaves_no_minutes(scheduler: Scheduler) -> None:
    off = {"from": "2026-03-10", "to": "2026-03-11"}
    await scheduler.describe("ada", weekly_minutes=1500, time_off=[off])

    weeks = (await capacity(scheduler))["weeks"]

    assert weeks[1]["time_off"] == ["2026-03-10", "2026-03-11"]
    assert weeks[1]["available_minutes"] == 900


async def test_a_book_with_times_to_avoid_is_levelled(scheduler: Scheduler) -> None:
    """Times to avoid are stored as JSON, with their types as a list."""
    avoid = [season(MONDAY + 7 * DAY, MONDAY + 14 * DAY, "check_in")]
    await scheduler.consume(scheduler.plan(1, [rhythm(28)], avoid=avoid))
    await scheduler.level()
    assert scheduler.counted["level_books"] >= 1

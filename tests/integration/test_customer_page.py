"""A customer's own page through the running services: what is chosen on it is in the plan at once, and once."""

import asyncio
import re
import tempfile
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.conftest import PATIENCE
from tests.integration.requirements_history import History
from tests.links import page_url
from tests.stack import Stack, event, until

pytestmark = [
    pytest.mark.integration,
    pytest.mark.long,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(300),
]

MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)
CHAMPION = "acme-champion"
SETTLED = 3.0
"""Real seconds in which a second change of the plan would have shown."""


@dataclass
class CustomerPage:
    """The page of the champion of an enterprise account, without a key."""

    stack: Stack
    url: str
    visitor: httpx.AsyncClient

    async def show(self) -> str:
        answer = await self.visitor.get(self.url)
        assert answer.status_code == 200, answer.text
        return unescape(answer.text)

    async def act(self, **form: str | list[str]) -> str:
        answer = await self.visitor.post(self.url, data=form)
        assert answer.status_code == 200, answer.text
        return unescape(answer.text)

    async def save(self, **preferred: str) -> str:
        """Save with this frequency for each topic named; all topics stay opted in."""
        topics = re.findall(r'name="topic" value="(\w+)"', await self.show())
        return await self.act(
            act="save", topic=topics, **{f"frequency.{name}": preferred[name] for name in preferred}
        )

    async def account(self) -> dict[str, Any]:
        return await self.stack.get("rules_engine", "/v1/accounts/acme")

    async def plans(self) -> int:
        """How many plans the account has had."""
        found = await self.stack.get("rules_engine", "/v1/accounts/acme/decisions", limit=200)
        assert found["next_cursor"] is None
        return len(found["items"])

    async def intervals(self) -> dict[str, int]:
        rhythms = (await self.account())["plan"]["rhythms"]
        return {rhythm["touchpoint_type"]: rhythm["every_days"] for rhythm in rhythms}

    async def settle(self, before: int) -> float:
        """Wait until the plan has another plan than before; how long that took, in real seconds."""
        began = monotonic()

        async def is_planned() -> bool:
            return await self.plans() > before

        await until(is_planned, 20, "the plan follows the page")
        took = monotonic() - began
        await asyncio.sleep(SETTLED)
        return took


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page() -> AsyncGenerator[CustomerPage]:
    with tempfile.TemporaryDirectory(prefix="drumbeat-page-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        async with Stack(folder, start=MONDAY) as stack, httpx.AsyncClient(timeout=60) as visitor:
            await stack.run()
            now = await stack.now()
            history = History(now)
            history.add_account("acme", 250_000)
            dana = event(
                "csm.described", "dana", {"name": "Dana Reyes", "email": "d@x.example"}, id="d", time=now
            )
            await stack.tell(dana, *history.events)
            opened = CustomerPage(stack, await page_url(stack, CHAMPION), visitor)
            await until(lambda: _is_ready(opened), 60, "the account has a plan, a calendar and a page")
            yield opened
            for process in stack.processes.values():
                assert "Traceback" not in process.log.read_text()


async def _is_ready(page: CustomerPage) -> bool:
    account = await page.stack.find("rules_engine", "/v1/accounts/acme")
    shown = await page.show()
    return bool(account and account["plan"]) and "Business review" in shown and CHAMPION in shown


async def test_a_wish_for_quarterly_is_in_the_plan_at_once_and_once_and_the_floors_stay(
    page: CustomerPage,
) -> None:
    """F8, S7, S143: the check-in follows, the quarterly review and the monthly word stay."""
    before, count = await page.intervals(), await page.plans()
    assert before["check_in"] == 14

    shown = await page.save(account="quarterly")
    took = await page.settle(count)

    after = await page.intervals()
    assert after["check_in"] == 90
    assert after["business_review"] == before["business_review"] == 90
    assert min(after["newsletter"], after["value_report"]) == 30  # the month's word, still
    assert await page.plans() == count + 1
    assert took < 5 * PATIENCE  # usually a tenth of a second; a busy machine may take longer
    assert "Saved." in shown
    kept = await page.show()
    assert "Check-in: every 3 months</li>" in kept
    assert "Business review: every 3 months <small>(stays, whatever you choose)</small></li>" in kept
    # The same form again changes nothing.
    await page.save(account="quarterly")
    await asyncio.sleep(SETTLED)
    assert await page.plans() == count + 1


async def test_what_would_fall_below_a_word_a_month_is_kept_and_explained(page: CustomerPage) -> None:
    """F8, S7: the minimum of the policy takes the place of the last monthly message."""
    count = await page.plans()
    await page.save(account="quarterly", education="quarterly")
    await page.settle(count)

    assert (await page.intervals())["newsletter"] == 90
    assert (await page.intervals())["usage_report"] == 30
    assert await page.plans() == count + 1
    assert "This stays, whatever you choose: Usage report: every month." in await page.show()


async def test_taking_it_back_restores_the_rhythm_once(page: CustomerPage) -> None:
    original = await page.save(account="suggested", education="suggested")
    await asyncio.sleep(SETTLED)
    before, count = await page.intervals(), await page.plans()
    assert before["check_in"] == 14
    assert "Saved." in original
    saved = await page.save(account="quarterly")
    await page.settle(count)
    assert (await page.intervals())["check_in"] == 90

    (token,) = re.findall(r'name="undo" value="([^"]+)"', saved)
    assert "Taken back." in await page.act(act="undo", undo=token)
    await page.settle(count + 1)

    assert await page.intervals() == before
    assert await page.plans() == count + 2


async def test_too_much_makes_the_rhythm_rarer_once(page: CustomerPage) -> None:
    """S143: the answer is a fact; a second one within two months moves nothing."""
    before, count = await page.intervals(), await page.plans()
    assert "Thank you." in await page.act(act="answer", answer="too_much")
    await page.settle(count)

    assert before["check_in"] == 14
    assert (await page.intervals())["check_in"] == 30
    count = await page.plans()
    await page.act(act="answer", answer="too_much")
    await asyncio.sleep(SETTLED)
    assert ((await page.intervals())["check_in"], await page.plans()) == (30, count)


async def test_the_schedule_is_that_of_the_calendar_for_a_year(page: CustomerPage) -> None:
    """F8: twelve months, with who leads it, and no internal work."""
    schedule = await page.stack.get("scheduler", "/v1/schedule", account_id="acme")
    shown = await page.show()

    months = re.findall(r"<h3>(\w+ 20\d\d)</h3></summary>", shown)
    assert months[0] == "March 2026"
    assert len(months) in (12, 13)
    kinds = {one["touchpoint_type"] for one in schedule["touchpoints"]}
    assert {"check_in", "business_review", "executive_review", "newsletter", "value_report"} <= kinds
    assert "value_watch" not in kinds
    assert "Dana Reyes, in a meeting" in shown
    reviews = [one for one in schedule["touchpoints"] if one["touchpoint_type"] == "business_review"]
    assert shown.count('<span class="name">Business review</span>') == len(reviews) >= 4


async def test_the_address_of_the_calendar_is_that_of_a_feed(page: CustomerPage) -> None:
    """F8: what the page shows can be subscribed to; a second address does not end the first."""
    addresses = [
        re.findall(r'readonly value="https://drumbeat.example(/v1/calendars/[\w-]+\.ics)"', shown)[0]
        for shown in (await page.act(act="feed"), await page.act(act="feed"))
    ]
    assert len(set(addresses)) == 2
    for address in addresses:
        feed = await page.visitor.get(page.stack.processes["scheduler"].url + address)
        assert feed.headers["content-type"].startswith("text/calendar")
        assert "SUMMARY:Business review: Dana Reyes" in feed.text.replace("\r\n ", "")


async def test_while_the_scheduler_is_away_the_page_says_so_and_saves(page: CustomerPage) -> None:
    port = page.stack.processes["scheduler"].port
    page.stack.kill("scheduler")
    try:
        shown = await page.save(events="monthly")
        assert "Saved." in shown
        assert "The schedule cannot be shown at the moment." in shown
    finally:
        page.stack.spawn("scheduler", port=port)
        await page.stack.ready("scheduler")
    assert "Business review" in await page.show()

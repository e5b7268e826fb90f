"""An empty installation is led to its first data in a real browser: sample book, connector, sender, policy."""

import hashlib
import hmac
import json
import shutil
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from aiosmtpd.controller import Controller
from playwright.async_api import Browser, expect

from services.console.setup_view import SAMPLE_IDS
from tests.browser.visits import NARROW, axe, visiting
from tests.stack import KEY, Stack, until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(480),
]
MORNING = datetime(2026, 3, 2, 10, tzinfo=UTC)
SECRET = "a-secret-of-segment"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(executable: str) -> AsyncGenerator[Stack]:
    """Without any data; Segment is configured and has sent nothing."""
    assert executable
    folder = Path(tempfile.mkdtemp(prefix="drumbeat-setup-"))
    folder.chmod(0o755)
    settings = {"DRUMBEAT_WEBHOOKS__SEGMENT__SECRET": SECRET}
    async with Stack(folder, start=MORNING, settings=settings) as running:
        for names in (("rules_engine", "scheduler"), ("notifier",), ("console",)):
            await running.run(*names)
            for name, process in running.processes.items():
                running.environment[f"DRUMBEAT_{name.upper()}__PORT"] = str(process.port)
        yield running
    shutil.rmtree(folder, ignore_errors=True)


async def test_each_step_of_the_set_up_says_what_was_found_of_it(browser: Browser, stack: Stack) -> None:
    """Issue 14, 4."""
    async with visiting(browser, stack) as (visit, _):
        page = visit.page
        await page.goto(visit.url)
        await visit.sign_in(KEY)
        await page.get_by_role("main").get_by_role("link", name="Set-up").click()
        await expect(page.locator("#step-data")).to_contain_text("There are no accounts yet.")
        await expect(page.locator("#step-connector")).to_contain_text("nothing has come in yet")
        await expect(page.locator("#step-mail")).to_contain_text("answers. Mail comes from")
        await expect(page.locator("#step-policy")).to_contain_text("Version 1 is in force")
        assert await axe(page) == []

        await page.get_by_role("button", name="Load the sample book").click()
        await expect(page.locator("#step-data")).to_contain_text("Only the sample book is loaded.")
        await expect(page.locator("#step-people")).to_contain_text("people are described.")

        await _segment_sends(stack)
        await expect(page.locator("#step-connector")).to_contain_text("segment: 1 received")
        await expect(page.locator("#step-data")).to_contain_text("1 account of your own.")

        await page.get_by_label("Send a test mail to").fill("ops@northwind.example")
        await page.get_by_role("button", name="Send", exact=True).click()
        await expect(page.locator(".toast")).to_contain_text("The test mail is on its way.")
        assert _mails_to(stack, "ops@northwind.example")

        await page.get_by_text("Erase the sample book").click()
        await page.get_by_role("button", name="Erase it").click()
        await until(lambda: _is_erased(stack), 60, "the sample book is erased, and nothing else")
        await expect(page.get_by_role("button", name="Load the sample book")).to_be_visible()
        assert visit.complaints == []


async def test_a_table_is_checked_first_and_imported_then(browser: Browser, stack: Stack) -> None:
    """Issue 14, 2 and 4: a spreadsheet with semicolons, of which one row cannot be read."""
    table = (
        "Account ID;Contract ID;Vertragsende;Währung;ARR\r\n"
        "table-1;c-1;31.12.2026;EUR;12.500,50\r\ntable-2;c-2;bald;EUR;1.000,00\r\n"
    )
    async with visiting(browser, stack) as (visit, _):
        page = visit.page
        await page.goto(f"{visit.url}/setup")
        await visit.sign_in(KEY)
        field = page.get_by_label("A table (CSV)")
        await field.set_input_files(
            {"name": "contracts.csv", "mimeType": "text/csv", "buffer": table.encode("cp1252")}
        )
        await page.get_by_label("What it lists").select_option("contracts")
        await page.wait_for_timeout(5_000)  # the page is read again meanwhile, and keeps what was chosen
        await page.get_by_role("button", name="Check it").click()
        await expect(page.get_by_role("heading", name="Import contracts.csv")).to_be_visible()
        await expect(page.get_by_role("row", name="Vertragsende renews_on")).to_be_visible()
        await expect(page.get_by_role("region", name="Refused")).to_contain_text("bald")
        assert await axe(page) == []
        assert await visit.fits()
        await page.get_by_role("button", name="Import 1 row").click()
        await expect(page.locator(".toast")).to_contain_text("Imported")
        await until(lambda: _is_imported(stack), 60, "the row is imported, and the refused one is not")
        assert visit.complaints == []


async def test_a_stopped_relay_and_a_refused_webhook_are_problems_that_say_why(
    browser: Browser, stack: Stack
) -> None:
    refused = await _post_segment(stack, {"type": "group"}, signature="00")
    assert refused.status_code == 401
    async with _without_relay(stack), visiting(browser, stack, NARROW) as (visit, _):
        await visit.page.goto(f"{visit.url}/setup")
        await visit.sign_in(KEY)
        page = visit.page
        await expect(page.locator("#step-connector .error")).to_contain_text("the last request was refused")
        await expect(page.locator("#step-mail .error")).to_contain_text("does not answer")
        await page.get_by_label("Send a test mail to").fill("ops@northwind.example")
        await page.get_by_role("button", name="Send", exact=True).click()
        await expect(page.locator(".toast")).to_contain_text("The test mail was not sent")
        assert await visit.fits()
        assert await axe(page) == []
        assert visit.complaints == []


@asynccontextmanager
async def _without_relay(stack: Stack) -> AsyncGenerator[None]:
    port = stack.smtp.port
    stack.smtp.stop()
    try:
        yield
    finally:
        stack.smtp = Controller(stack.mail, hostname="127.0.0.1", port=port)
        stack.smtp.start()


async def _segment_sends(stack: Stack) -> None:
    group = {"type": "group", "messageId": "m-1", "groupId": "acme-of-segment", "traits": {"name": "Acme"}}
    answer = await _post_segment(stack, {**group, "timestamp": "2026-03-02T09:00:00Z"})
    assert answer.status_code == 202, answer.text


async def _post_segment(stack: Stack, message: object, signature: str = "") -> httpx.Response:
    body = json.dumps(message).encode()
    proof = signature or hmac.new(SECRET.encode(), body, hashlib.sha1).hexdigest()
    url = f"{stack.processes['rules_engine'].url}/v1/webhooks/segment"
    headers = {"Content-Type": "application/json", "X-Signature": proof}
    return await stack.client.post(url, content=body, headers=headers)


async def _accounts(stack: Stack) -> set[str]:
    listed = await stack.get("rules_engine", "/v1/accounts", limit=500)
    return {item["id"] for item in listed["items"]}


async def _is_erased(stack: Stack) -> bool:
    accounts = await _accounts(stack)
    return "acme-of-segment" in accounts and accounts.isdisjoint(SAMPLE_IDS)


async def _is_imported(stack: Stack) -> bool:
    accounts = await _accounts(stack)
    return "table-1" in accounts and "table-2" not in accounts


def _mails_to(stack: Stack, address: str) -> list[bytes]:
    return [content for recipients, content in stack.mail.messages if address in recipients]

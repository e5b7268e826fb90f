"""The policy page in a real browser: reading, checking, publishing, rolling back, and keys that may only read."""

from typing import Any

import pytest
from playwright.async_api import Browser, FilePayload, Page, expect

from services.cadence.policy.load import SHIPPED
from tests.browser.visits import NARROW, Visit, visiting
from tests.stack import KEY, Stack, until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.long,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(180),
]

FILE = "20-rhythms.yaml"
TEXT = (SHIPPED / FILE).read_text()
NEVER = """rhythms:
  - rule: tiny-enterprise
    touchpoint: survey
    every: 30d
    segment: enterprise
    when: arr is not null and arr < 10
    because: Nobody is like this.
"""
FAILING = """tests:
  - test: A new enterprise account speaks with its CSM every day
    account: {arr: 500_000, csm_id: dana, starts: -10d, renews: 355d}
    expect:
      rhythms: {check_in: {every: 1d}}
"""
ONBOARDING = "every: {onboarding: 7d, adoption: 14d"


def slower(days: int) -> str:
    """The shipped rhythms with another interval for enterprise customers who are onboarding."""
    assert ONBOARDING in TEXT, "the shipped policy has the rhythm this test changes"
    return TEXT.replace(ONBOARDING, f"every: {{onboarding: {days}d, adoption: 14d", 1)


async def open_policy(visit: Visit, key: str = KEY) -> Page:
    """The policy page, opened with this key."""
    await visit.page.goto(f"{visit.url}/policy")
    await visit.sign_in(key)
    await expect(visit.page.get_by_role("heading", name="Catalogue")).to_be_visible()
    return visit.page


async def check_draft(page: Page, text: str) -> None:
    """Upload the rhythms, and have the draft checked."""
    file: FilePayload = {"name": FILE, "mimeType": "text/yaml", "buffer": text.encode()}
    await page.get_by_label("Upload files").set_input_files([file])
    await expect(page.locator(".draft-file").filter(has_text=FILE)).to_contain_text("changed")
    await page.get_by_role("button", name="Check", exact=True).click()


async def check_in(stack: Stack, account_id: str) -> int | None:
    """Days between its check-ins; None while none are planned."""
    account: dict[str, Any] | None = await stack.find("rules_engine", f"/v1/accounts/{account_id}")
    rhythms: list[dict[str, Any]] = account["plan"]["rhythms"] if account and account["plan"] else []
    return next((each["every_days"] for each in rhythms if each["touchpoint_type"] == "check_in"), None)


async def test_the_policy_is_a_document_whose_rules_link_to_their_lines(
    browser: Browser, stack: Stack
) -> None:
    async with visiting(browser, stack) as (visit, _):
        page = await open_policy(visit)

        await expect(page.get_by_role("heading", name="Policy, version")).to_be_visible()
        enterprise = page.get_by_role("table", name="Enterprise")
        row = enterprise.get_by_role("row").filter(has_text="enterprise-business-review")
        await expect(row).to_contain_text("every 90 days")
        await expect(row).to_contain_text("at least")
        await row.get_by_role("link", name=FILE).click()

        line = page.locator(".code li:focus")
        await expect(line).to_contain_text("rule: enterprise-business-review")
        await expect(line).to_be_in_viewport()
        assert visit.complaints == []


async def test_the_policy_page_needs_no_sideways_scrolling_on_a_narrow_screen(
    browser: Browser, stack: Stack
) -> None:
    async with visiting(browser, stack, NARROW) as (visit, _):
        page = await open_policy(visit)
        assert await visit.fits()
        await page.get_by_role("link", name=f"{FILE}:").first.click()
        assert await visit.fits()
        assert visit.complaints == []


async def test_errors_are_shown_with_their_positions_and_prevent_publishing(
    browser: Browser, stack: Stack
) -> None:
    async with visiting(browser, stack) as (visit, _):
        page = await open_policy(visit)
        await check_draft(page, TEXT.replace("segment: enterprise", "segment: enterprize", 1))

        error = page.locator(".policy-error")
        await expect(error).to_contain_text("did you mean 'enterprise'?")
        await expect(error).to_contain_text(f"{FILE}:")
        await expect(error.locator(".excerpt")).to_contain_text("segment: enterprize")
        await expect(page.get_by_role("button", name="Publish", exact=True)).to_be_hidden()
        assert visit.complaints == []


async def test_a_published_change_changes_plans_and_rolling_back_asks_first(
    browser: Browser, stack: Stack
) -> None:
    await until(lambda: _has_interval(stack, 7), 30, "the plan of the policy at the start")
    async with visiting(browser, stack) as (visit, _):
        page = await open_policy(visit)
        await check_draft(page, slower(21))
        publish = page.get_by_role("button", name="Publish", exact=True)
        await publish.click()
        await expect(page.get_by_role("alert").filter(has_text="Give a reason")).to_be_visible()
        await page.get_by_label("Note").fill("They asked for fewer calls")
        await publish.click()
        # The draft keeps the tests of the version in force, and one of them is about these calls.
        await expect(page.get_by_role("alert").filter(has_text="Tests of the policy fail.")).to_be_visible()
        await expect(page.locator(".policy-error").filter(has_text="rhythms_test.yaml")).to_be_visible()
        assert await check_in(stack, "quiet") == 7
        await page.get_by_label("Publish although tests fail").check()
        await publish.click()

        await expect(page.get_by_role("status").filter(has_text="is in force.")).to_be_visible()
        assert "rhythms_test.yaml" in (await stack.get("rules_engine", "/v1/policies/current"))["files"]
        await expect(page.locator("#policy")).to_contain_text("They asked for fewer calls")
        await until(lambda: _has_interval(stack, 21), 30, "the plan follows the policy")
        await expect(page.locator("#evaluated")).to_contain_text("accounts evaluated under this policy.")

        await page.get_by_role("button", name="Roll back to version 1").click()
        dialog = page.get_by_role("dialog", name="Roll back to version 1?")
        await dialog.get_by_role("button", name="Roll back").click()
        await expect(dialog.get_by_label("Reason")).to_be_focused()  # it is required
        await expect(dialog).to_be_visible()
        assert await check_in(stack, "quiet") == 21
        await dialog.get_by_label("Reason").fill("They missed the calls")
        await dialog.get_by_role("button", name="Roll back").click()

        await expect(dialog).to_be_hidden()
        await until(lambda: _has_interval(stack, 7), 30, "the plan follows the policy back")
        assert visit.complaints == []


async def _has_interval(stack: Stack, days: int) -> bool:
    return await check_in(stack, "quiet") == days


async def test_findings_are_listed_first_and_link_to_their_lines(browser: Browser, stack: Stack) -> None:
    async with visiting(browser, stack) as (visit, _):
        page = await open_policy(visit)
        findings = page.get_by_role("region", name="Findings")
        await expect(findings).to_contain_text("No findings.")
        await check_draft(page, TEXT.replace("rhythms:\n", NEVER, 1))
        await expect(page.locator(".result")).to_contain_text("The policy is valid, with 1 warning about ")
        await page.get_by_label("Note").fill("A rule for nobody")
        await page.get_by_role("button", name="Publish", exact=True).click()

        finding = findings.locator(".finding").filter(has_text="tiny-enterprise")
        await expect(finding).to_contain_text("never fires")
        await expect(finding).to_contain_text("Proved by analysis")
        await finding.get_by_role("link", name=f"{FILE}:").click()

        await expect(page.locator(".code li:focus")).to_contain_text("rule: tiny-enterprise")
        assert visit.complaints == []
        await stack.post("rules_engine", "/v1/policies/rollback", {"version": 1})
        await expect(findings).to_contain_text("No findings.")


async def test_a_key_that_may_only_read_sees_the_policy_and_nothing_to_change_it(
    browser: Browser, stack: Stack
) -> None:
    made = await stack.post("rules_engine", "/v1/keys", {"name": "reader", "scopes": ["read"]})

    async def known() -> bool:
        bearer = {"Authorization": f"Bearer {made['key']}"}
        answer = await stack.client.get(stack.processes["rules_engine"].url + "/v1/clock", headers=bearer)
        return answer.status_code == 200

    await until(known, 20, "the key is known")
    async with visiting(browser, stack) as (visit, _):
        page = await open_policy(visit, made["key"])

        await expect(page.get_by_role("heading", name="Versions")).to_be_visible()
        await expect(page.get_by_role("heading", name="Publish a change")).to_be_hidden()
        await expect(page.get_by_role("link", name="Publish a change")).to_be_hidden()
        for name in ("Publish", "Check", "Roll back to version"):
            assert await page.get_by_role("button", name=name).count() == 0


async def test_the_policy_page_needs_a_key(browser: Browser, stack: Stack) -> None:
    async with visiting(browser, stack) as (visit, _):
        await visit.page.goto(f"{visit.url}/policy")
        await visit.sign_in("db_0123abcd_" + "x" * 43)
        await expect(visit.page.get_by_role("alert")).to_contain_text("This key is not valid.")
        await visit.sign_in(KEY)
        await expect(visit.page.get_by_role("heading", name="Policy, version")).to_be_visible()
        assert visit.page.url == f"{visit.url}/policy"


async def test_a_policy_whose_tests_fail_is_published_only_with_the_box_that_says_so(
    browser: Browser, stack: Stack
) -> None:
    """C: publishing runs the policy's own tests; on failure it is forced with a note."""
    async with visiting(browser, stack) as (visit, _):
        page = await open_policy(visit)
        failing: FilePayload = {
            "name": "console_test.yaml",
            "mimeType": "text/yaml",
            "buffer": FAILING.encode(),
        }
        await page.get_by_label("Upload files").set_input_files([failing])
        await expect(page.locator(".draft-file").filter(has_text="console_test.yaml")).to_be_visible()
        await check_draft(page, slower(22))
        publish = page.get_by_role("button", name="Publish", exact=True)
        await page.get_by_label("Note").fill("They want it today")
        await publish.click()
        box = page.get_by_label("Publish although tests fail")
        await expect(box).to_be_visible()
        await expect(page.locator("#policy")).not_to_contain_text("They want it today")

        await box.check()
        await publish.click()
        await expect(page.get_by_role("status").filter(has_text="is in force.")).to_be_visible()
        await expect(page.locator("#policy")).to_contain_text("They want it today")
        assert visit.complaints == []

"""Users in a real browser: signing in, what is theirs first, their password, and what an admin does."""

import json
import shutil
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Final

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.browser.visits import NARROW, WIDE, Visit, axe, visiting
from tests.node import running_script
from tests.stack import KEY, Stack, event, free_port, until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.long,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(600),
]
PASSWORD: Final = "seven green herons wade"
NEW_PASSWORD: Final = "nine brown otters swim"
CLIENT: Final = {"id": "drumbeat", "secret": "not-a-secret: only of this test"}
ANA: Final = {"name": "Ana Silva", "email": "ana@x.example", "email_verified": True}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(executable: str) -> AsyncGenerator[Stack]:
    """Accounts of Kim and of Ana, users for Kim and an admin, and an identity provider that knows Ana."""
    assert executable
    folder, port = Path(tempfile.mkdtemp(prefix="drumbeat-people-")), free_port()
    folder.chmod(0o755)
    (folder / "oidc-secret").write_text(CLIENT["secret"])
    async with Stack(folder) as running:
        console = f"http://127.0.0.1:{running.ports['console']}"
        configured = {"port": port, "client": CLIENT, "redirectUri": f"{console}/sign-in/callback"}
        with running_script(
            "oidc_provider.js", json.dumps({**configured, "accounts": {"ana": ANA}})
        ) as issuer:
            running.environment |= {
                "DRUMBEAT_CONSOLE__URL": console,
                "DRUMBEAT_OIDC__ISSUER": issuer,
                "DRUMBEAT_OIDC__NAME": "Northwind",
                "DRUMBEAT_OIDC__CLIENT_ID": CLIENT["id"],
                "DRUMBEAT_OIDC__CLIENT_SECRET_FILE": str(folder / "oidc-secret"),
                "DRUMBEAT_OIDC__DEFAULT_ROLE": "csm",
            }
            for names in (("rules_engine", "scheduler"), ("notifier",), ("console",)):
                await running.run(*names)
                for name, process in running.processes.items():
                    running.environment[f"DRUMBEAT_{name.upper()}__PORT"] = str(process.port)
            await _describe(running)
            yield running
    shutil.rmtree(folder, ignore_errors=True)


async def _describe(stack: Stack) -> None:
    now = await stack.now()
    for csm, name in (("kim", "Kim Okafor"), ("ana", "Ana Silva")):
        person = {"name": name, "email": f"{csm}@x.example"}
        account = {"name": f"Account of {csm}", "arr": 250_000, "csm_id": csm}
        await stack.tell(
            event("csm.described", csm, person, id=f"{csm}-c", time=now),
            event("account.described", f"of-{csm}", account, id=f"{csm}-a", time=now),
            event("health.scored", f"of-{csm}", {"score": 20}, id=f"{csm}-h", time=now),
        )
    await _add(stack, "kim", "csm", name="Kim Okafor", email="kim@x.example")
    await _add(stack, "root", "admin", name="Ruth Admin")
    await until(lambda: _has_due(stack), 120, "both accounts have something due")


async def _has_due(stack: Stack) -> bool:
    found = (await stack.get("scheduler", "/v1/touchpoints", status="due"))["items"]
    people = (await stack.get("notifier", "/v1/people"))["items"]
    return {item["account_id"] for item in found} >= {"of-kim", "of-ana"} and len(people) >= 2


async def _add(stack: Stack, login: str, role: str, **more: str) -> None:
    await stack.post(
        "rules_engine", "/v1/users", {"login": login, "role": role, "password": PASSWORD, **more}
    )


async def sign_in(visit: Visit, login: str, path: str = "/", password: str = PASSWORD) -> Page:
    page = visit.page
    await page.goto(f"{visit.url}{path}")
    await page.get_by_label("Name or mail address").fill(login)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    return page


async def check_page(page: Page, visit: Visit) -> None:
    assert await axe(page) == []
    assert await visit.fits()


@pytest.mark.parametrize("width", [WIDE, NARROW])
async def test_a_csm_signs_in_and_sees_what_is_theirs_first(
    browser: Browser, stack: Stack, width: int
) -> None:
    async with visiting(browser, stack, width) as (visit, _):
        page = visit.page
        await page.goto(visit.url)
        await expect(page.get_by_role("link", name="Sign in with Northwind")).to_be_visible()
        await check_page(page, visit)
        await sign_in(visit, "kim")
        await expect(page.get_by_role("link", name="Kim Okafor, CSM")).to_be_visible()
        whose = page.get_by_role("navigation", name="Whose accounts and touchpoints")
        await expect(whose.get_by_role("link", name="Mine")).to_have_attribute("aria-current", "true")
        await expect(page.locator("#account-body").get_by_role("link", name="Account of kim")).to_be_visible()
        await expect(page.locator("main")).not_to_contain_text("Account of ana")
        await check_page(page, visit)
        await whose.get_by_role("link", name="Everybody's").click()
        await expect(page.locator("#account-body").get_by_role("link", name="Account of ana")).to_be_visible()
        await expect(page.locator("#due")).to_contain_text("Account of ana")
        await page.goto(f"{visit.url}/my-day")
        await expect(page.get_by_label("Whose day")).to_have_value("kim")
        await page.goto(f"{visit.url}/you")
        await expect(page.get_by_role("heading", name="Change your password")).to_be_visible()
        await check_page(page, visit)
        assert visit.complaints == []


async def test_a_wrong_password_says_so_and_keeps_the_name(browser: Browser, stack: Stack) -> None:
    async with visiting(browser, stack) as (visit, _):
        page = visit.page
        await page.goto(visit.url)
        await page.get_by_label("Name or mail address").fill("kim")
        await page.get_by_label("Password").fill("wrong wrong wrong")
        await page.get_by_role("button", name="Sign in", exact=True).click()
        await expect(page.get_by_role("alert")).to_contain_text("do not belong together")
        await expect(page.get_by_label("Name or mail address")).to_have_value("kim")
        await expect(page.get_by_label("Password")).to_have_value("")


async def test_somebody_of_the_identity_provider_comes_back_as_their_csm(
    browser: Browser, stack: Stack
) -> None:
    async with visiting(browser, stack) as (visit, context):
        page = visit.page
        await page.goto(f"{visit.url}/you")
        await page.get_by_role("link", name="Sign in with Northwind").click()
        await expect(page.get_by_role("link", name="Ana Silva, CSM")).to_be_visible()
        await expect(page).to_have_url(f"{visit.url}/you")
        await expect(page.locator("main")).to_contain_text("In the calendar")
        await expect(page.locator("main")).to_contain_text("Ana Silva")
        cookies = {cookie.get("name"): cookie for cookie in await context.cookies()}
        assert cookies["drumbeat_session"].get("sameSite") == "Strict"
        assert cookies["drumbeat_session"].get("httpOnly")
        assert "drumbeat_sign_in" not in cookies


@pytest.mark.parametrize("width", [WIDE, NARROW])
async def test_an_admin_adds_changes_and_disables_users(browser: Browser, stack: Stack, width: int) -> None:
    login = f"lea-{width}"
    async with visiting(browser, stack, width) as (visit, _), visiting(browser, stack) as (other, _):
        page = await sign_in(visit, "root", "/users")
        await check_page(page, visit)
        form = page.get_by_role("form", name="Add a user")
        await form.get_by_label("Login").fill(login)
        await form.get_by_label("Role").select_option("ops")
        await form.get_by_label("Password").fill("short")
        await form.get_by_role("button", name="Add").click()
        await expect(page.get_by_role("alert")).to_contain_text("12 to 200")
        await form.get_by_label("Password").fill(PASSWORD)
        await form.get_by_role("button", name="Add").click()
        row = page.locator("tr").filter(has_text=login)
        await expect(row).to_contain_text("ops")

        hers = await sign_in(other, login, "/you")
        await expect(hers.locator("main")).to_contain_text("ops")
        await hers.get_by_label("Current password").fill(PASSWORD)
        await hers.get_by_label("New password").fill(NEW_PASSWORD)
        await hers.get_by_label("The same again").fill(NEW_PASSWORD)
        await hers.get_by_role("button", name="Change it").click()
        await expect(hers.locator("#toasts")).to_contain_text("Your password is changed")

        await row.get_by_role("button", name=f"Disable {login}").click()
        await expect(page.locator("tr").filter(has_text=login)).to_contain_text("disabled")
        await until(lambda: _is_sent_away(other), 10, "the console has asked about the session again")
        await expect(hers.get_by_role("alert")).to_contain_text("session has ended")


async def _is_sent_away(visit: Visit) -> bool:
    """The console asks every two seconds whether a session still is one."""
    await visit.page.goto(f"{visit.url}/you")
    return "/sign-in" in visit.page.url


async def test_the_audit_log_names_who_acted_and_finds_them_by_name(browser: Browser, stack: Stack) -> None:
    due = (await stack.get("scheduler", "/v1/touchpoints", status="due", account_id="of-kim"))["items"][0]
    async with httpx.AsyncClient(base_url=stack.processes["scheduler"].url) as client:
        body = {"login": "kim", "password": PASSWORD}
        begun = await client.post(f"{stack.processes['rules_engine'].url}/v1/sign-in/password", json=body)
        headers = {"authorization": f"Bearer {begun.json()['token']}"}
        act = {"outcome": "completed", "version": due["sequence"], "only": True}
        path = f"/v1/touchpoints/{due['id']}/settle"

        async def settled() -> bool:
            return (await client.post(path, json=act, headers=headers)).status_code == 200

        await until(settled, 30, "the scheduler knows the session")

    async def history() -> list[dict[str, object]]:
        return (await stack.get("rules_engine", f"/v1/touchpoints/{due['id']}/history"))["items"]

    (entry,) = await until(history, 60, "the act in the history of the touchpoint")
    assert (entry["actor_name"], entry["action"]) == ("Kim Okafor", "touchpoint.settled")
    assert entry["after"] == {"outcome": "completed"}
    async with visiting(browser, stack) as (visit, _):
        page = await sign_in(visit, "root", "/audit?action=touchpoint")
        await page.get_by_label("Who", exact=True).fill("okafor")
        await page.get_by_role("button", name="Search").click()
        row = page.locator("tbody tr").first
        await expect(row).to_contain_text("Kim Okafor")
        await expect(row).to_contain_text("touchpoint settled")
        await check_page(page, visit)
    verified = await stack.get("rules_engine", "/v1/audit/verify")
    assert verified["problem"] is None


async def test_a_key_still_signs_in(browser: Browser, stack: Stack) -> None:
    async with visiting(browser, stack) as (visit, _):
        await visit.page.goto(visit.url)
        await visit.page.get_by_text("Sign in with an API key").click()
        await visit.page.get_by_label("API key").fill(KEY)
        await visit.page.get_by_role("button", name="Sign in with the key").click()
        await expect(visit.page.get_by_role("button", name="Sign out")).to_be_visible()
        await expect(visit.page.get_by_role("link", name="key 0123abcd")).to_be_visible()
        await expect(
            visit.page.get_by_role("navigation", name="Whose accounts and touchpoints")
        ).to_have_count(0)

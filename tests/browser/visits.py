"""A page of the console in a real browser, with its errors and its requests to other hosts."""

import os
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import httpx
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page

from tests.stack import KEY, Stack

FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
)
MARKUP = "<img src=x onerror=\"document.title='taken'\">"
NARROW = 390
FITS = "document.fonts.status === 'loaded' && document.documentElement.scrollWidth <= window.innerWidth"
FITS_TRIES = 100
FITS_PAUSE = 100  # milliseconds
WIDE = 1280


def chromium() -> str:
    """The browser of this machine; in CI its absence is a failure, else the tests are skipped."""
    for name in ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"):
        if (path := shutil.which(name)) is not None:
            return path
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail("No Chromium is installed: `apt-get install chromium`.")
    pytest.skip("No Chromium is installed: `apt-get install chromium`.")


@dataclass
class Visit:
    """A page. `complaints`: its errors, and its requests to other hosts than the console."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list[str])

    def watch(self) -> "Visit":
        self.page.on("console", lambda message: self._note(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self._note(str(error)))
        self.page.on(
            "request", lambda request: None if self._is_own(request.url) else self._note(request.url)
        )
        return self

    async def sign_in(self, key: str) -> None:
        await self.page.get_by_label("API key").fill(key)
        await self.page.get_by_role("button", name="Sign in").click()

    async def fits(self) -> bool:
        """Whether the page needs no horizontal scrolling once it has its styles and fonts.

        An element counts as visible before the style sheets of a new page have arrived; the
        widths of that moment say nothing.
        """
        await self.page.wait_for_load_state("load")
        # Waiting inside the page would need what its content policy forbids.
        for _ in range(FITS_TRIES):
            if await self.page.evaluate(FITS):
                return True
            await self.page.wait_for_timeout(FITS_PAUSE)
        return False

    def _note(self, text: str) -> None:
        self.complaints.append(text)

    def _is_own(self, url: str) -> bool:
        return url.startswith((self.url, self.url.replace("http", "ws", 1), "data:"))


@asynccontextmanager
async def visiting(
    browser: Browser, stack: Stack, width: int = WIDE, zone: str = "Europe/London"
) -> AsyncGenerator[tuple[Visit, BrowserContext]]:
    context = await browser.new_context(viewport={"width": width, "height": 844}, timezone_id=zone)
    context.set_default_timeout(60_000)  # milliseconds that a busy machine may take
    url = stack.processes["console"].url
    try:
        yield Visit(await context.new_page(), url).watch(), context
    finally:
        await context.close()


async def session_cookies(stack: Stack, key: str = KEY) -> dict[str, str]:
    """The cookies of a client without a browser that has signed in."""
    async with httpx.AsyncClient() as visitor:
        answer = await visitor.post(f"{stack.processes['console'].url}/sign-in", data={"key": key})
        assert answer.status_code == 303, answer.text
        return dict(visitor.cookies)


async def axe(page: Page, options: dict[str, object] | None = None) -> list[str]:
    """What axe finds: the rule, and the first element that breaks it."""
    results = await Axe().run(page, options={"resultTypes": ["violations"], **(options or {})})  # pyright: ignore[reportUnknownMemberType]
    violations = cast("list[dict[str, Any]]", results.response["violations"])
    return [f"{found['id']}: {found['nodes'][0]['html'][:200]}" for found in violations]

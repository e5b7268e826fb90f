"""The first page: what is due and next, the accounts, the activity; it updates while it is open."""

from typing import Final
from urllib.parse import quote

from fastapi import Request
from nicegui import ui
from starlette.responses import RedirectResponse, Response

from services.chassis.clock import ServiceClock
from services.console.auth import key_of
from services.console.client import AsyncApiClient
from services.console.pages.accounts import AccountsPanel
from services.console.pages.activity import ActivityPanel
from services.console.pages.due import DuePanel
from services.console.pages.elements import Node, address
from services.console.pages.page_header import READ_SECONDS, REDRAW_SECONDS, OpenPages, PageHeader
from services.console.poller import Poller, with_age
from services.console.touchpoints import board

_SECTIONS: Final = (("Due", "#due"), ("Accounts", "#account"), ("Activity", "#activity"))
_HISTORY_SCRIPT: Final = """
window.addEventListener("popstate", () => {
  const account = new URLSearchParams(location.search).get("account") || "";
  emitEvent("account_in_address", account);
});
"""
# On a narrow screen the account is below the calendar.
_SCROLL_TO_ACCOUNT: Final = """
if (window.innerWidth < 1100) document.getElementById("account").scrollIntoView();
"""
_SCROLL_TO_TOP: Final = 'document.getElementById("account").scrollTop = 0;'
# The heading gets the focus, so that a screen reader announces the account.
_FOCUS_ACCOUNT: Final = """
requestAnimationFrame(() => document.getElementById("account-name").focus({preventScroll: true}));
"""


def add_page(apis: AsyncApiClient, clock: ServiceClock, open_pages: OpenPages) -> None:
    """Add the page to the app."""

    @ui.page("/", title="Drumbeat", response_timeout=10.0)
    def overview(request: Request, account: str = "") -> Response | None:
        key = key_of(request)
        if key is None:
            return RedirectResponse(f"/sign-in?next={quote(address(account))}", 303)
        open_pages.add(key)
        OverviewPage(Poller(apis, key, clock), account).start()
        return None


class OverviewPage:
    """The page of one reader."""

    def __init__(self, poller: Poller, account_id: str) -> None:
        self._poller = poller
        self._client = ui.context.client
        self._is_new = bool(account_id)
        poller.select(account_id)
        ui.add_body_html(f"<script>{_HISTORY_SCRIPT}</script>")
        self._header = PageHeader(
            path="/", skip=("Skip to the account", "#account"), sections=_SECTIONS, rate=poller.clock.rate
        )
        with Node("div", classes="columns"):
            self._due = DuePanel(self.select)
            self._accounts = AccountsPanel(self.select, self._search, poller.explanations)
            self._activity = ActivityPanel(self.select)
        ui.on("account_in_address", lambda event: self._address_changed(str(event.args)))

    def start(self) -> None:
        self.draw()
        ui.timer(READ_SECONDS, self._read)
        ui.timer(REDRAW_SECONDS, self.draw)

    async def select(self, account_id: str) -> None:
        """Open an account and put it into the address."""
        ui.navigate.history.push(address(account_id))
        await self._open(account_id)

    def draw(self) -> None:
        """Show what has been read, as of now on the service clock."""
        poller, now = self._poller, self._poller.clock.now()
        names, calendar = poller.accounts.names, poller.calendar
        self._header.show(now, poller.mode)
        open_touchpoints = calendar.open_touchpoints
        due = None if open_touchpoints is None else board(open_touchpoints, calendar.planned, now, names)
        self._due.show(due, with_age(calendar.error, calendar.read_at, now), now, names)
        activities, error = poller.activities(now)
        self._activity.show(activities, error, now, names)
        self._activity.show_warning(poller.activity.warning)
        self._accounts.show(poller.accounts, poller.selected, now)

    async def _read(self) -> None:
        await self._poller.refresh()
        self.draw()
        if self._is_new:
            self._is_new = False
            self._client.run_javascript(_SCROLL_TO_ACCOUNT)

    async def _address_changed(self, account_id: str) -> None:
        """The reader went back or forward to this account."""
        if account_id != self._poller.selected_id:
            await self._open(account_id)

    async def _open(self, account_id: str) -> None:
        self._poller.select(account_id)
        self.draw()
        if account_id:
            self._client.run_javascript(_SCROLL_TO_TOP + _SCROLL_TO_ACCOUNT)
        await self._poller.read_selected()
        self.draw()
        if account_id:
            self._client.run_javascript(_FOCUS_ACCOUNT)

    async def _search(self, query: str) -> None:
        self._poller.accounts.query = query.strip()[:200]
        await self._poller.search()
        self.draw()

"""The page: what is due and next, one account, what just happened; alive while somebody reads it."""

from typing import Final
from urllib.parse import quote

from fastapi import Request
from nicegui import ui
from starlette.responses import RedirectResponse, Response

from services.chassis.clock import ServiceClock
from services.console.auth import key_of
from services.console.client import Apis
from services.console.pages.accounts import Workspace
from services.console.pages.activity import HappenedPanel
from services.console.pages.due import DuePanel
from services.console.pages.elements import Node, address
from services.console.pages.page_header import Guests, Masthead
from services.console.poller import Watch, with_age
from services.console.touchpoints import board

_ASK_EVERY: Final = 2.0  # real seconds
_TICK: Final = 1.0
_JUMPS: Final = (("Due", "#due"), ("Accounts", "#account"), ("Just happened", "#happened"))
_BACK_AND_FORTH: Final = """
window.addEventListener("popstate", () => {
  const account = new URLSearchParams(location.search).get("account") || "";
  emitEvent("account_in_address", account);
});
"""
# On a narrow screen the account stands below the calendar.
_GO_DOWN: Final = """
const panel = document.getElementById("account");
if (window.innerWidth < 1100) panel.scrollIntoView(); else panel.scrollTop = 0;
"""
# The focus goes to the heading, so that a screen reader tells which account it is.
_TELL_ACCOUNT: Final = """
requestAnimationFrame(() => document.getElementById("account-name").focus({preventScroll: true}));
"""


def mount(apis: Apis, clock: ServiceClock, guests: Guests) -> None:
    """Make the page known to the app."""

    @ui.page("/", title="Drumbeat", response_timeout=10.0)
    def overview(request: Request, account: str = "") -> Response | None:
        key = key_of(request)
        if key is None:
            return RedirectResponse(f"/sign-in?next={quote(address(account))}", 303)
        guests.enter(key, ui.context.client)
        Page(Watch(apis, key, clock), account).start()
        return None


class Page:
    """One reader's page."""

    def __init__(self, watch: Watch, account_id: str) -> None:
        self._watch = watch
        self._client = ui.context.client
        self._arriving = bool(account_id)
        watch.open(account_id)
        ui.add_body_html(f"<script>{_BACK_AND_FORTH}</script>")
        self._head = Masthead(
            here="/", skip=("Skip to the account", "#account"), jumps=_JUMPS, rate=watch.clock.rate
        )
        with Node("div", classes="columns"):
            self._due = DuePanel(self.select)
            self._workspace = Workspace(self.select, self._typed, watch.inquiry)
            self._happened = HappenedPanel(self.select)
        ui.on("account_in_address", lambda event: self._moved(str(event.args)))

    def start(self) -> None:
        self.draw()
        ui.timer(_ASK_EVERY, self._ask)
        ui.timer(_TICK, self.draw)

    async def select(self, account_id: str) -> None:
        """Open an account, and let the address say so."""
        ui.navigate.history.push(address(account_id))
        await self._open(account_id)

    def draw(self) -> None:
        """Show what is known, as of now on the service clock."""
        watch, now = self._watch, self._watch.clock.now()
        names = watch.book.names
        self._head.show(now)
        calendar = watch.calendar
        waiting = calendar.waiting
        shown = None if waiting is None else board(waiting, calendar.planned, now, names)
        self._due.show(shown, with_age(calendar.trouble, calendar.known_at, now), now, names)
        lines, trouble = watch.told(now)
        self._happened.show(lines, trouble, now, names)
        self._workspace.show(watch.book, watch.account, now)

    async def _ask(self) -> None:
        await self._watch.refresh()
        self.draw()
        if self._arriving:
            self._arriving = False
            self._client.run_javascript(_GO_DOWN)

    async def _moved(self, account_id: str) -> None:
        """The reader went back or forth to this address."""
        held = self._watch.account
        if account_id != (held.id if held else ""):
            await self._open(account_id)

    async def _open(self, account_id: str) -> None:
        self._watch.open(account_id)
        self.draw()
        if account_id:
            self._client.run_javascript(_GO_DOWN)
        await self._watch.look()
        self.draw()
        if account_id:
            self._client.run_javascript(_TELL_ACCOUNT)

    async def _typed(self, query: str) -> None:
        self._watch.book.query = query.strip()[:200]
        await self._watch.search()
        self.draw()

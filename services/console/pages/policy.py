"""The policy in force as a page to read: what it says, what a linter found, who follows it, and how to change it."""

from pathlib import Path
from typing import Final
from urllib.parse import quote

from fastapi import Request
from jinja2 import Environment, FileSystemLoader
from nicegui import ui
from starlette.responses import RedirectResponse, Response

from services.chassis.clock import ServiceClock
from services.console.auth import key_of
from services.console.client import Apis
from services.console.pages.elements import Node
from services.console.pages.page_header import Guests, Masthead
from services.console.pages.policy_status import FindingsPanel, StandingPanel
from services.console.pages.publishing import PublishPanel
from services.console.pages.versions import VersionsPanel
from services.console.policy_editor import Desk
from services.console.policy_view import edition

_ASK_EVERY: Final = 2.0  # real seconds
_TICK: Final = 1.0
_JUMPS: Final = (("Contents", "#contents"),)
_PAGES: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parents[1] / "templates"),
    autoescape=True,
    auto_reload=False,
    trim_blocks=True,
    lstrip_blocks=True,
)
_CONTENTS: Final = (
    ("Findings", "findings-title"),
    ("Accounts", "accounts-head"),
    ("Rhythms", "rhythms-head"),
    ("Guarantees", "guarantees-head"),
    ("Triggers", "triggers-head"),
    ("Timelines", "days-head"),
    ("Adjustments", "moves-head"),
    ("Limits", "limits-head"),
    ("Catalogue", "catalogue-head"),
    ("Files", "files-head"),
    ("Versions", "versions-title"),
)
# A line of a file stands in a closed box until somebody is led to it.
_LEAD: Final = """
document.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="#line-"]');
  const line = link && document.getElementById(link.getAttribute("href").slice(1));
  if (!line) return;
  event.preventDefault();
  document.querySelectorAll(".code .led-to").forEach((each) => each.classList.remove("led-to"));
  line.closest("details").open = true;
  line.classList.add("led-to");
  line.tabIndex = -1;
  line.scrollIntoView({block: "center"});
  line.focus({preventScroll: true});
});
"""


def mount(apis: Apis, clock: ServiceClock, guests: Guests) -> None:
    """Make the page known to the app."""

    @ui.page("/policy", title="Policy · Drumbeat", response_timeout=10.0)
    def policy(request: Request) -> Response | None:
        key = key_of(request)
        if key is None:
            return RedirectResponse(f"/sign-in?next={quote('/policy')}", 303)
        guests.enter(key, ui.context.client)
        Page(Desk(apis, key), clock).start()
        return None


class Page:
    """One reader's page."""

    def __init__(self, desk: Desk, clock: ServiceClock) -> None:
        self._desk, self._clock = desk, clock
        self._shown = ""
        ui.add_body_html(f"<script>{_LEAD}</script>")
        self._head = Masthead(
            here="/policy", skip=("Skip to the policy", "#policy"), jumps=_JUMPS, rate=clock.rate
        )
        with Node("div", classes="reading"):
            self._contents = Node("nav", classes="contents", id="contents", aria_label="Contents")
            with self._contents:
                for name, anchor in _CONTENTS:
                    Node("a", name, href=f"#{anchor}")
                self._to_change = Node("a", "Publish a change", href="#publish-title")
            with Node("main", classes="policy sheet", id="policy"):
                self._standing = StandingPanel()
                self._findings = FindingsPanel()
                self._text = ui.html("", sanitize=False)  # the template escapes whatever comes from data
                self._trouble = Node("p", classes="trouble", role="alert")
                self._versions = VersionsPanel(desk, self.draw)
                self._publish = PublishPanel(desk, self.draw)

    def start(self) -> None:
        self.draw()
        ui.timer(_ASK_EVERY, self._ask)
        ui.timer(_TICK, self._tick)

    def draw(self) -> None:
        """Show what is known, as of now on the service clock."""
        desk, clock = self._desk, self._clock
        held = desk.in_force
        self._head.show(clock.now())
        self._standing.show(desk, clock)
        self._findings.show(held)
        self._trouble.say(held.document_trouble)
        self._contents.show(bool(held.document))
        self._to_change.show(desk.may_change)
        if self._shown != held.hash and held.document:
            self._shown = held.hash
            told = edition(held.document, held.files)
            self._text.set_content(_PAGES.get_template("policy.html").render(edition=told))
        self._versions.show(clock)
        self._publish.show()

    def _tick(self) -> None:
        self._head.show(self._clock.now())

    async def _ask(self) -> None:
        await self._desk.refresh()
        self.draw()

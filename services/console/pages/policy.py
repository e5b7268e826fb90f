"""The policy page: the policy in force, its findings, the progress of evaluation, versions, and publishing."""

from pathlib import Path
from typing import Final

from fastapi import Request
from jinja2 import Environment, FileSystemLoader
from nicegui import ui
from starlette.responses import RedirectResponse, Response

from services.chassis.clock import ServiceClock
from services.console.auth import key_of
from services.console.client import AsyncApiClient
from services.console.json_fields import text
from services.console.pages.elements import Message, Node
from services.console.pages.page_header import READ_SECONDS, REDRAW_SECONDS, OpenPages, PageHeader
from services.console.pages.policy_status import FindingsPanel, StatusPanel
from services.console.pages.publishing import PublishPanel
from services.console.pages.versions import VersionsPanel
from services.console.policy_editor import PolicyEditor
from services.console.policy_view import policy_view

_TEMPLATES: Final = Environment(
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
    ("Timelines", "timelines-head"),
    ("Adjustments", "adjustments-head"),
    ("Limits", "limits-head"),
    ("Catalogue", "catalogue-head"),
    ("Files", "files-head"),
    ("Versions", "versions-title"),
)
# A link to a line opens the file that contains it and marks the line.
_LINE_LINKS: Final = """
document.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="#line-"]');
  const line = link && document.getElementById(link.getAttribute("href").slice(1));
  if (!line) return;
  event.preventDefault();
  document.querySelectorAll(".code .target-line").forEach((other) => other.classList.remove("target-line"));
  line.closest("details").open = true;
  line.classList.add("target-line");
  line.tabIndex = -1;
  line.scrollIntoView({block: "center"});
  line.focus({preventScroll: true});
});
"""


def add_page(apis: AsyncApiClient, clock: ServiceClock, open_pages: OpenPages) -> None:
    """Add the page to the app."""

    @ui.page("/policy", title="Policy · Drumbeat", response_timeout=10.0)
    def policy(request: Request) -> Response | None:
        key = key_of(request)
        if key is None:
            return RedirectResponse("/sign-in?next=%2Fpolicy", 303)
        open_pages.add(key)
        PolicyPage(PolicyEditor(apis, key), clock).start()
        return None


class PolicyPage:
    """The page of one reader."""

    def __init__(self, editor: PolicyEditor, clock: ServiceClock) -> None:
        self._editor, self._clock = editor, clock
        self._shown_hash = ""
        ui.add_body_html(f"<script>{_LINE_LINKS}</script>")
        self._header = PageHeader(
            path="/policy",
            skip=("Skip to the policy", "#policy"),
            sections=(("Contents", "#contents"),),
            rate=clock.rate,
        )
        with Node("div", classes="reading"):
            self._contents = Node("nav", classes="contents", id="contents", aria_label="Contents")
            with self._contents:
                for name, anchor in _CONTENTS:
                    Node("a", name, href=f"#{anchor}")
                self._publish_link = Node("a", "Publish a change", href="#publish-title")
            with Node("main", classes="policy sheet", id="policy"):
                self._status = StatusPanel()
                self._findings = FindingsPanel()
                self._text = ui.html("", sanitize=False)  # the template escapes all data
                self._error = Message("error", role="alert")
                self._versions = VersionsPanel(editor, self.draw)
                self._publish = PublishPanel(editor, self.draw)

    def start(self) -> None:
        self.draw()
        ui.timer(READ_SECONDS, self._read)
        ui.timer(REDRAW_SECONDS, self._show_header)

    def draw(self) -> None:
        """Show what has been read, as of now on the service clock."""
        editor, clock, policy = self._editor, self._clock, self._editor.in_force
        self._show_header()
        self._status.show(editor, clock)
        self._findings.show(policy)
        self._error.show_text(policy.document_error)
        self._contents.show(bool(policy.document))
        self._publish_link.show(editor.may_change)
        if policy.document and self._shown_hash != policy.hash:
            self._shown_hash = policy.hash
            view = policy_view(policy.document, policy.files)
            self._text.set_content(_TEMPLATES.get_template("policy.html").render(view=view))
        self._versions.show(clock)
        self._publish.show()

    def _show_header(self) -> None:
        self._header.show(self._clock.now(), text(self._editor.progress or {}, "mode"))

    async def _read(self) -> None:
        await self._editor.refresh()
        self.draw()

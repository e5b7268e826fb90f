"""The header of every page, with the clock and the links between pages; and the pages that are open."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from nicegui import ui
from nicegui.client import Client

from services.console import labels
from services.console.pages.elements import Node

READ_SECONDS: Final = 2.0  # real seconds between two reads of the APIs
REDRAW_SECONDS: Final = 1.0  # real seconds
_HEAD: Final = """
<meta name="description" content="What is due, what just happened, and why.">
<link rel="stylesheet" href="/static/console.css">
"""
_PAGES: Final = (("Today", "/"), ("Policy", "/policy"))


class OpenPages:
    """The open pages with their keys, so that signing out leaves all of them."""

    def __init__(self) -> None:
        self._pages: list[tuple[str, Client]] = []

    def add(self, key: str) -> None:
        """Add the page that is being built."""
        client = ui.context.client
        page = (key, client)
        self._pages.append(page)
        client.on_delete(lambda: self._pages.remove(page))  # pyright: ignore[reportUnknownMemberType]

    def sign_out(self, key: str) -> None:
        """Send every page with this key to the sign-in page."""
        for page_key, client in list(self._pages):
            if page_key == key:
                client.open("/sign-in")  # pyright: ignore[reportUnknownMemberType]


class PageHeader:
    """`path`: that of the page; `skip`: (text, anchor); `sections`: (text, anchor), for narrow screens."""

    def __init__(
        self, *, path: str, skip: tuple[str, str], sections: Sequence[tuple[str, str]], rate: float
    ) -> None:
        ui.add_head_html(_HEAD)
        with ui.context.client.layout, Node("header", classes="masthead") as header:
            Node("a", skip[0], "skip", href=skip[1])
            Node("h1", "Drumbeat", "wordmark")
            with Node("nav", classes="pages", aria_label="Pages"):
                for name, page_path in _PAGES:
                    link = Node("a", name, href=page_path)
                    if page_path == path:
                        link.set_attribute("aria-current", "page")
            with Node("nav", classes="section-links", aria_label="Sections"):
                for name, anchor in sections:
                    Node("a", name, href=anchor)
            with Node("p", classes="clock"):
                self._clock = Node("time")
                Node("span", labels.rate(rate), "rate")
                self._mode = Node("span", classes="rate", role="status")
            with Node("form", method="post", action="/sign-out"):
                Node("button", "Sign out", "secondary-button", type="submit")
        header.move(target_index=0)

    def show(self, now: datetime, mode: str) -> None:
        """`mode`: that of the deployment, "" while it is not known; only one that is not live is shown."""
        self._mode.show_text("" if mode in {"", "live"} else f" · mode {mode}: nothing reaches customers")
        self._clock.show_text(f"{now:%a} {now.day} {now:%b %Y, %H:%M:%S} UTC")
        self._clock.set_attribute("datetime", now.isoformat(timespec="seconds"))

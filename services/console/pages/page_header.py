"""What every page has: the head with the clock and the way between pages, and a list of who has a page open."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from nicegui import ui
from nicegui.client import Client

from services.console import labels
from services.console.pages.elements import Node

_HEAD: Final = """
<meta name="description" content="What is due, what just happened, and why.">
<link rel="stylesheet" href="/static/console.css">
"""
_PAGES: Final = (("Today", "/"), ("Policy", "/policy"))


class Guests:
    """The open pages by key, so that signing out closes them all."""

    def __init__(self) -> None:
        self._pages: list[tuple[str, Client]] = []

    def enter(self, key: str, client: Client) -> None:
        entry = (key, client)
        self._pages.append(entry)
        client.on_delete(lambda: self._pages.remove(entry))  # pyright: ignore[reportUnknownMemberType]

    def leave(self, key: str) -> None:
        for held, client in list(self._pages):
            if held == key:
                client.open("/sign-in")  # pyright: ignore[reportUnknownMemberType]


class Masthead:
    """The head of a page. `here`: the address of the page; `jumps`: (words, anchor) for narrow screens."""

    def __init__(
        self, *, here: str, skip: tuple[str, str], jumps: Sequence[tuple[str, str]], rate: float
    ) -> None:
        ui.add_head_html(_HEAD)
        with ui.context.client.layout, Node("header", classes="masthead") as header:
            Node("a", skip[0], "skip", href=skip[1])
            Node("h1", "Drumbeat", "wordmark")
            with Node("nav", classes="pages", aria_label="Pages"):
                for name, address in _PAGES:
                    link = Node("a", name, href=address)
                    if address == here:
                        link.put("aria-current", "page")
            if jumps:
                with Node("nav", classes="jumps", aria_label="Parts of this page"):
                    for name, anchor in jumps:
                        Node("a", name, href=anchor)
            with Node("p", classes="clock"):
                self._clock = Node("time")
                Node("span", labels.rate(rate), "rate")
            with Node("form", method="post", action="/sign-out"):
                Node("button", "Sign out", "quiet-button", type="submit")
        header.move(target_index=0)

    def show(self, now: datetime) -> None:
        self._clock.say(f"{now:%a} {now.day} {now:%b %Y, %H:%M:%S} UTC")
        self._clock.put("datetime", now.isoformat(timespec="seconds"))

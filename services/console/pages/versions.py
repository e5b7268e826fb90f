"""The versions of the policy, newest first, and the way back to one of them."""

from collections.abc import Callable
from typing import Final

from services.chassis.clock import ServiceClock
from services.console.json_fields import Json, number, text
from services.console.pages.elements import Badge, Keyed, Node
from services.console.pages.policy_status import about
from services.console.policy_editor import Desk

_NOTE: Final = '() => emit(document.getElementById("roll-back-note").value)'
_ASK: Final = """
document.getElementById("roll-back-note").value = "";
document.getElementById("roll-back").showModal();
"""
_DONE: Final = 'document.getElementById("roll-back").close();'
WHY: Final = "Say why: people read it in the list of versions."


class VersionsPanel:
    """`done` is called after a version came back."""

    def __init__(self, desk: Desk, done: Callable[[], None]) -> None:
        self._desk, self._done = desk, done
        self._version = 0
        with Node("section", classes="chapter", aria_labelledby="versions-title") as self._root:
            Node("h3", "Versions", id="versions-title")
            rows = Node("ul", classes="rule-rows")
        self._rows = Keyed[tuple[Json, ServiceClock, bool]](
            rows, lambda: _Version(self._ask), lambda each: str(number(each[0], "version"))
        )
        self._dialog()

    def _dialog(self) -> None:
        with Node("dialog", classes="asking", id="roll-back", aria_labelledby="roll-back-title"):
            self._title = Node("h3", "Roll back?", id="roll-back-title")
            Node("p", "It becomes a version of its own, and every account is decided again.", "why")
            Node("label", "Why", for_="roll-back-note")
            Node("input", id="roll-back-note", type="text", maxlength="2000", autocomplete="off")
            self._trouble = Node("p", classes="trouble", role="alert")
            self._trouble.say("")
            with Node("div", classes="choices"):
                go = Node("button", "Roll back", "strong-button", type="button")
                go.on("click", lambda event: self._go(str(event.args)), js_handler=_NOTE)
                cancel = Node("button", "Cancel", "quiet-button", type="button")
                cancel.on("click", js_handler='(e) => e.target.closest("dialog").close()')

    def show(self, clock: ServiceClock) -> None:
        desk = self._desk
        self._root.show(bool(desk.versions))
        self._rows.show([(each, clock, desk.may_change) for each in desk.versions])

    def _ask(self, version: int) -> None:
        self._version = version
        self._title.say(f"Roll back to version {version}?")
        self._trouble.say("")
        self._root.client.run_javascript(_ASK)

    async def _go(self, note: str) -> None:
        self._trouble.say("" if note.strip() else WHY)
        if not note.strip():
            return
        trouble = await self._desk.roll_back(self._version, note.strip())
        self._trouble.say(trouble)
        if not trouble:
            self._root.client.run_javascript(_DONE)
            self._done()


class _Version:
    def __init__(self, ask: Callable[[int], None]) -> None:
        self._number = 0
        with Node("li", classes="rule-row") as self.root:
            with Node("p", classes="wish-head"):
                self._name = Node("strong")
                self._badge = Badge()
            self._about = Node("p", classes="timing")
            self._note = Node("p", classes="why")
            self._back = Node("button", classes="quiet-button", type="button")
            self._back.on("click", lambda: ask(self._number))

    def show(self, item: tuple[Json, ServiceClock, bool]) -> None:
        version, clock, may_change = item
        held = version.get("in_force") is True
        self._number = number(version, "version")
        self._name.say(f"Version {self._number}")
        self._badge.tell("in force" if held else "", "good")
        self._about.say(about(version, clock))
        self._note.say(text(version, "note"))
        self._back.say(f"Roll back to version {self._number}" if may_change and not held else "")

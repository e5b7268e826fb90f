"""The versions of the policy, newest first, and rolling back to one of them."""

from collections.abc import Callable
from typing import Final

from services.chassis.clock import ServiceClock
from services.console.json_fields import Json, number, text
from services.console.pages.elements import Badge, KeyedList, Message, Node
from services.console.pages.policy_status import version_text
from services.console.policy_editor import PolicyEditor

NOTE_MISSING: Final = "Give a reason: it is shown in the list of versions."
_NOTE: Final = '() => emit(document.getElementById("roll-back-note").value)'
_OPEN_DIALOG: Final = """
document.getElementById("roll-back-note").value = "";
document.getElementById("roll-back").showModal();
"""
_CLOSE_DIALOG: Final = 'document.getElementById("roll-back").close();'


class VersionsPanel:
    """`changed` is called after a roll-back."""

    def __init__(self, editor: PolicyEditor, changed: Callable[[], None]) -> None:
        self._editor, self._changed = editor, changed
        self._version = 0
        with Node("section", classes="chapter", aria_labelledby="versions-title") as self._root:
            Node("h3", "Versions", id="versions-title")
            self._rows = KeyedList[tuple[Json, ServiceClock, bool]](
                Node("ul"), lambda: _VersionRow(self._ask), lambda row: str(number(row[0], "version"))
            )
        with Node("dialog", classes="dialog", id="roll-back", aria_labelledby="roll-back-title"):
            self._title = Node("h3", "Roll back?", id="roll-back-title")
            Node("p", "It becomes a new version, and every account is evaluated again.", "why")
            Node("label", "Reason", for_="roll-back-note")
            Node("input", id="roll-back-note", type="text", maxlength="2000", autocomplete="off")
            self._error = Message("error", role="alert")
            with Node("div", classes="buttons"):
                confirm = Node("button", "Roll back", "primary-button", type="button")
                confirm.on("click", lambda event: self._roll_back(str(event.args)), js_handler=_NOTE)
                cancel = Node("button", "Cancel", "secondary-button", type="button")
                cancel.on("click", js_handler='(e) => e.target.closest("dialog").close()')

    def show(self, clock: ServiceClock) -> None:
        editor = self._editor
        self._root.show(bool(editor.versions))
        self._rows.show([(version, clock, editor.may_change) for version in editor.versions])

    def _ask(self, version: int) -> None:
        self._version = version
        self._title.show_text(f"Roll back to version {version}?")
        self._error.show_text("")
        self._root.client.run_javascript(_OPEN_DIALOG)

    async def _roll_back(self, note: str) -> None:
        if not note.strip():
            self._error.show_text(NOTE_MISSING)
            return
        error = await self._editor.roll_back(self._version, note.strip())
        self._error.show_text(error)
        if not error:
            self._root.client.run_javascript(_CLOSE_DIALOG)
            self._changed()


class _VersionRow:
    def __init__(self, ask: Callable[[int], None]) -> None:
        self._number = 0
        with Node("li", classes="rule-row") as self.root:
            with Node("p", classes="item-head"):
                self._name = Node("strong")
                self._badge = Badge()
            self._about = Node("p", classes="timing")
            self._note = Node("p", classes="why")
            self._button = Node("button", classes="secondary-button", type="button")
            self._button.on("click", lambda: ask(self._number))

    def show(self, item: tuple[Json, ServiceClock, bool]) -> None:
        version, clock, may_change = item
        is_in_force = version.get("in_force") is True
        self._number = number(version, "version")
        self._name.show_text(f"Version {self._number}")
        self._badge.show_word("in force" if is_in_force else "", "good")
        self._about.show_text(version_text(version, clock))
        self._note.show_text(text(version, "note"))
        can_roll_back = may_change and not is_in_force
        self._button.show_text(f"Roll back to version {self._number}" if can_roll_back else "")

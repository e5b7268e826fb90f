"""What is overdue, what is due, and the next fourteen days."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from services.console import labels
from services.console.pages.elements import AccountLink, Badge, KeyedList, Message, Node, Select
from services.console.touchpoints import Board, Day, Touchpoint, deadline_text, due_since

_SHOWN_AT_FIRST: Final = 8
DueItem = tuple[Touchpoint, str, datetime]
"""A touchpoint, the name of its account, and now."""


class DuePanel:
    """The first column."""

    def __init__(self, select: Select) -> None:
        self._is_expanded = False
        with Node("section", classes="panel", id="due", aria_labelledby="due-title"):
            with Node("div", classes="panel-head"):
                Node("h2", "Due and next", id="due-title")
                self._summary = Message("panel-summary", role="status")
            self._error = Message("error", role="alert")
            self._empty = Message("empty")
            self._card_list = Node("ul", classes="cards")
            self._cards = KeyedList[DueItem](self._card_list, lambda: _Card(select), lambda item: item[0].id)
            self._more = Node("button", classes="more", type="button").on("click", self._expand)
            self._days = KeyedList[tuple[Day, list[DueItem]]](
                Node("div", classes="days"), lambda: _DaySection(select), lambda row: str(row[0].on)
            )
            self._beyond = Message("beyond")
        self._more.show_text("")

    def show(self, board: Board | None, error: str, now: datetime, names: Mapping[str, str]) -> None:
        """`board` is None before the first answer; `names` maps account ids."""
        self._error.show_text(error)
        if board is None:
            self._empty.show_text("" if error else "Loading…")
            return
        items = [_due_item(touchpoint, now, names) for touchpoint in (*board.overdue, *board.due)]
        shown = items if self._is_expanded else items[:_SHOWN_AT_FIRST]
        hidden = len(items) - len(shown)
        self._summary.show_text(board.summary)
        self._empty.show_text("" if items else board.empty)
        self._cards.show(shown)
        self._card_list.show(bool(items))
        self._more.show_text(f"Show {hidden} more" if hidden else "")
        self._days.show(
            [(day, [_due_item(item, now, names) for item in day.touchpoints]) for day in board.days]
        )
        self._beyond.show_text(board.beyond if board.days or items else "")

    def _expand(self) -> None:
        self._is_expanded = True


class _Card:
    """A touchpoint that is due or overdue."""

    def __init__(self, select: Select) -> None:
        with Node("li", classes="card") as self.root:
            with Node("div", classes="card-head"):
                self._account = AccountLink(select)
                self._badge = Badge()
            self._title = Node("h3")
            self._deadline = Node("p", classes="timing")
            self._contact = Node("p", classes="contact")
            self._why = Node("p", classes="why")

    def show(self, item: DueItem) -> None:
        touchpoint, account, now = item
        self.root.set_classes(f"card {touchpoint.status}")
        self._account.show_account(touchpoint.account_id, account)
        self._badge.show_word(touchpoint.status, "bad" if touchpoint.status == "overdue" else "due")
        self._title.show_text(touchpoint.title)
        self._deadline.show_text(labels.capitalized(deadline_text(touchpoint, now)))
        self._contact.show_text(f"{touchpoint.contact} · {due_since(touchpoint, now)}")
        self._why.show_text(touchpoint.why)


class _DaySection:
    """A day of the calendar with its planned touchpoints."""

    def __init__(self, select: Select) -> None:
        with Node("section", classes="day") as self.root:
            with Node("h3"):
                self._name = Node("span")
                self._distance = Node("span", classes="distance")
            self._slots = KeyedList[DueItem](Node("ul"), lambda: _Slot(select), lambda item: item[0].id)

    def show(self, item: tuple[Day, list[DueItem]]) -> None:
        day, touchpoints = item
        self._name.show_text(day.name)
        self._distance.show_text(day.distance)
        self._slots.show(touchpoints)


class _Slot:
    """A planned touchpoint on its day."""

    def __init__(self, select: Select) -> None:
        with Node("li", classes="slot") as self.root:
            self._time = Node("time")
            with Node("div"):
                with Node("p", classes="slot-what"):
                    self._title = Node("span", classes="slot-title")
                    self._account = AccountLink(select)
                self._contact = Node("p", classes="contact")

    def show(self, item: DueItem) -> None:
        touchpoint, account, _ = item
        self._time.set_attribute("datetime", touchpoint.due_at.isoformat())
        self._time.show_text(f"{touchpoint.due_at:%H:%M}")
        self._title.show_text(touchpoint.title)
        self._account.show_account(touchpoint.account_id, account)
        self._contact.show_text(touchpoint.contact)


def _due_item(touchpoint: Touchpoint, now: datetime, names: Mapping[str, str]) -> DueItem:
    return touchpoint, names.get(touchpoint.account_id, touchpoint.account_id), now

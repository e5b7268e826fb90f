"""What is overdue, what is due, and the fourteen days after."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.console import labels
from services.console.pages.elements import AccountLink, Badge, Keyed, Node, Select
from services.console.touchpoints import Board, Day, Touchpoint, limit, since

_AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True)
class Shown:
    """A touchpoint with what the moment makes of it."""

    touchpoint: Touchpoint
    account: str
    since: str
    limit: str


class DuePanel:
    """The first column. `show` is called again and again; what did not change stays untouched."""

    def __init__(self, select: Select) -> None:
        self._all = False
        with Node("section", classes="panel due-panel", id="due", aria_labelledby="due-title"):
            with Node("div", classes="panel-head"):
                Node("h2", "Due and next", id="due-title")
                self._summary = Node("p", classes="panel-summary", role="status")
            self._trouble = Node("p", classes="trouble", role="alert")
            self._empty = Node("p", classes="empty")
            waiting = Node("ul", classes="cards")
            self._more = Node("button", classes="more", type="button").on("click", self._show_all)
            days = Node("div", classes="days")
            self._beyond = Node("p", classes="beyond")
        self._waiting = Keyed[Shown](waiting, lambda: _Card(select), _key)
        self._days = Keyed[tuple[Day, list[Shown]]](
            days, lambda: _DaySection(select), lambda each: str(each[0].when)
        )
        self._waiting_list = waiting
        for each in (self._trouble, self._empty, self._more, self._beyond):
            each.say("")

    def show(self, board: Board | None, trouble: str, now: datetime, names: Mapping[str, str]) -> None:
        """`board` is None until there was an answer."""
        self._trouble.say(trouble)
        if board is None:
            self._empty.say("" if trouble else "Reading the calendar…")
            return
        waiting = [_shown(each, now, names) for each in (*board.overdue, *board.due)]
        hidden = 0 if self._all else max(0, len(waiting) - _AT_ONCE)
        self._summary.say(board.summary)
        self._empty.say("" if waiting else board.empty)
        self._waiting.show(waiting[: len(waiting) - hidden])
        self._waiting_list.show(bool(waiting))
        self._more.say(f"Show {hidden} more" if hidden else "")
        self._days.show([(day, [_shown(each, now, names) for each in day.touchpoints]) for day in board.days])
        self._beyond.say(board.beyond if board.days or waiting else "")

    def _show_all(self) -> None:
        self._all = True


class _Card:
    """A touchpoint that waits for somebody."""

    def __init__(self, select: Select) -> None:
        with Node("li", classes="card") as self.root:
            with Node("div", classes="card-head"):
                self._account = AccountLink(select)
                self._badge = Badge()
            self._title = Node("h3")
            self._limit = Node("p", classes="timing")
            self._how = Node("p", classes="how")
            self._why = Node("p", classes="why")

    def show(self, item: Shown) -> None:
        each = item.touchpoint
        self.root.dress(f"card {each.status}")
        self._account.name(each.account_id, item.account)
        self._badge.tell(each.status, "bad" if each.status == "overdue" else "due")
        self._title.say(each.title)
        self._limit.say(item.limit[:1].upper() + item.limit[1:])
        self._how.say(f"{each.how} · {item.since}")
        self._why.say(each.why)


class _DaySection:
    """A day of the calendar and what is planned on it."""

    def __init__(self, select: Select) -> None:
        with Node("section", classes="day") as self.root:
            with Node("h3"):
                self._name = Node("span")
                self._distance = Node("span", classes="distance")
            self._rows = Keyed[Shown](Node("ul", classes="slots"), lambda: _Slot(select), _key)

    def show(self, item: tuple[Day, list[Shown]]) -> None:
        day, touchpoints = item
        self._name.say(day.name)
        self._distance.say(day.distance)
        self._rows.show(touchpoints)


class _Slot:
    """A planned touchpoint on its day."""

    def __init__(self, select: Select) -> None:
        with Node("li", classes="slot") as self.root:
            self._time = Node("time")
            with Node("div"):
                with Node("p", classes="slot-what"):
                    self._title = Node("span", classes="slot-title")
                    self._account = AccountLink(select)
                self._how = Node("p", classes="how")

    def show(self, item: Shown) -> None:
        each = item.touchpoint
        self._time.put("datetime", each.due_at.isoformat())
        self._time.say(labels.clock(each.due_at))
        self._title.say(each.title)
        self._account.name(each.account_id, item.account)
        self._how.say(each.how)


def _key(item: Shown) -> str:
    return item.touchpoint.id


def _shown(each: Touchpoint, now: datetime, names: Mapping[str, str]) -> Shown:
    return Shown(each, names.get(each.account_id, each.account_id), since(each, now), limit(each, now))

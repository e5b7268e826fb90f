"""What just happened, newest first, live."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from services.console import labels
from services.console.activity_feed import Line
from services.console.pages.elements import AccountLink, Badge, Keyed, Node, Select


class HappenedPanel:
    """The last column: a list that grows at its top."""

    def __init__(self, select: Select) -> None:
        with Node("section", classes="panel happened-panel", id="happened", aria_labelledby="happened-title"):
            with Node("div", classes="panel-head"):
                Node("h2", "Just happened", id="happened-title")
            self._trouble = Node("p", classes="trouble", role="alert")
            self._empty = Node("p", classes="empty")
            lines = Node("ol", classes="lines")
        self._trouble.say("")
        self._lines = Keyed[tuple[Line, str, str]](lines, lambda: _Line(select), lambda each: each[0].key)

    def show(
        self, lines: Sequence[Line] | None, trouble: str, now: datetime, names: Mapping[str, str]
    ) -> None:
        """`lines` is None until there was an answer."""
        self._trouble.say(trouble)
        if lines is None:
            self._empty.say("" if trouble else "Listening…")
            return
        self._empty.say(
            "" if lines else "Nothing happened yet. What comes due or is sent appears here by itself."
        )
        self._lines.show(
            [
                (each, labels.relative(each.at, now), names.get(each.account_id, each.account_id))
                for each in lines
            ]
        )


class _Line:
    def __init__(self, select: Select) -> None:
        with Node("li", classes="line") as self.root:
            with Node("div", classes="line-head"):
                self._badge = Badge()
                self._time = Node("time")
            self._what = Node("p", classes="line-what")
            self._account = AccountLink(select)
            self._detail = Node("p", classes="line-detail")

    def show(self, item: tuple[Line, str, str]) -> None:
        line, ago, account = item
        self._badge.tell(line.word, line.tone)
        self._time.put("datetime", line.at.isoformat())
        self._time.put("title", f"{line.at:%Y-%m-%d %H:%M:%S} UTC")
        self._time.say(ago)
        self._what.say(line.what)
        self._account.name(line.account_id, account)
        self._detail.say(line.detail)

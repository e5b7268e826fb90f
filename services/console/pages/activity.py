"""What just happened, newest first, live."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from services.console import labels
from services.console.activity_feed import Activity
from services.console.pages.elements import AccountLink, Badge, KeyedList, Message, Node, Select


class ActivityPanel:
    """The last column: a list that grows at its top."""

    def __init__(self, select: Select) -> None:
        with Node("section", classes="panel", id="activity", aria_labelledby="activity-title"):
            with Node("div", classes="panel-head"):
                Node("h2", "Activity", id="activity-title")
            self._error = Message("error", role="alert")
            self._warning = Message("warning", role="status")
            self._empty = Message("empty")
            self._rows = KeyedList[tuple[Activity, str, str]](
                Node("ol"), lambda: _ActivityRow(select), lambda row: row[0].key
            )

    def show_warning(self, warning: str) -> None:
        self._warning.show_text(warning)

    def show(
        self, activities: Sequence[Activity] | None, error: str, now: datetime, names: Mapping[str, str]
    ) -> None:
        """`activities` is None before the first answer; `names` maps account ids."""
        self._error.show_text(error)
        if activities is None:
            self._empty.show_text("" if error else "Loading…")
            return
        nothing = (
            "Nothing has happened yet. Touchpoints that come due and messages that are sent appear here."
        )
        self._empty.show_text("" if activities else nothing)
        self._rows.show(
            [
                (entry, labels.relative(entry.at, now), names.get(entry.account_id, entry.account_id))
                for entry in activities
            ]
        )


class _ActivityRow:
    def __init__(self, select: Select) -> None:
        with Node("li", classes="activity") as self.root:
            with Node("div", classes="activity-head"):
                self._badge = Badge()
                self._time = Node("time")
            self._what = Node("p", classes="activity-what")
            self._account = AccountLink(select)
            self._detail = Node("p", classes="activity-detail")

    def show(self, item: tuple[Activity, str, str]) -> None:
        activity, age, account = item
        self._badge.show_word(activity.word, activity.tone)
        self._time.set_attribute("datetime", activity.at.isoformat())
        self._time.set_attribute("title", f"{activity.at:%Y-%m-%d %H:%M:%S} UTC")
        self._time.show_text(age)
        self._what.show_text(activity.what)
        self._account.show_account(activity.account_id, account)
        self._detail.show_text(activity.detail)

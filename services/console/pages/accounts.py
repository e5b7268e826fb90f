"""The middle column: find an account, read one."""

from datetime import datetime
from typing import Final

from services.console.account_view import Mark, accounts, decisions, portrait
from services.console.explanations import Inquiry
from services.console.pages.account import AccountSheet, Sheet
from services.console.pages.elements import AccountLink, Badge, Keyed, Node, Select
from services.console.poller import Account, Book, with_age

_TYPED: Final = "(e) => emit(e.target.value)"


class Workspace:
    """Shows the accounts that were found, or the one that is looked at."""

    def __init__(self, select: Select, typed: Select, inquiry: Inquiry) -> None:
        self._inquiry = inquiry
        self._select = select
        self._typed = typed
        with Node("section", classes="panel account-panel", id="account", aria_labelledby="accounts-title"):
            self._title = Node("h2", "Accounts", "panel-title", id="accounts-title")
            self._search()
            self._trouble = Node("p", classes="trouble", role="alert")
            self._empty = Node("p", classes="empty")
            self._list = Node("ul", classes="accounts")
            self._found = Keyed[tuple[str, str, tuple[Mark, ...]]](
                self._list, lambda: _AccountRow(self._choose), lambda each: each[0]
            )
            self._more = Node("p", classes="empty")
            self._sheet = AccountSheet(inquiry)
        for each in (self._trouble, self._empty, self._more):
            each.say("")

    def _search(self) -> None:
        with Node("div", classes="search", role="search"):
            Node("label", "Find an account", "visually-hidden", for_="find")
            self._input = Node(
                "input",
                id="find",
                type="search",
                placeholder="Find an account by name or id",
                autocomplete="off",
            )
            self._input.on(
                "input",
                lambda event: self._typed(str(event.args)),
                js_handler=_TYPED,
                throttle=0.2,
                leading_events=False,
            )
            self._all = Node("a", "All accounts", "all-accounts", href="/")
            self._all.on(
                "click", lambda: self._choose(""), js_handler="(e) => { e.preventDefault(); emit(); }"
            )

    def show(self, book: Book, account: Account | None, now: datetime) -> None:
        looking = account is not None and not book.query
        self._title.show(not looking)
        self._all.show(account is not None or bool(book.query))
        self._list.show(not looking)
        self._sheet.root.show(looking and account is not None and account.document is not None)
        self._more.say("" if looking or not book.more else "There are more. Type a part of the name or id.")
        if looking and account is not None:
            self._one(account, now)
        else:
            self._many(book)

    def _many(self, book: Book) -> None:
        self._trouble.say(book.trouble)
        if book.found is None:
            self._empty.say("" if book.trouble else "Reading the accounts…")
            return
        nothing = (
            "No account is known yet. An account exists from its first event: send one to POST /v1/events of the"
            " rules engine, or a file of them with “drumbeat events post”."
        )
        unmatched = f"No account has “{book.query}” in its name or id."
        self._empty.say("" if book.found else (unmatched if book.query else nothing))
        self._found.show(accounts(book.found))

    def _one(self, account: Account, now: datetime) -> None:
        trouble = account.troubles.get("account", "")
        self._trouble.say(with_age(trouble, account.known_at, now))
        if account.document is None:
            self._empty.say("" if trouble else "Reading the account…")
            return
        self._empty.say("")
        self._sheet.show(
            Sheet(
                portrait=portrait(account.document, account.calendar, now),
                calendar=account.calendar,
                deliveries=account.deliveries,
                decisions=decisions(account.decisions, now),
                absent=self._inquiry.absent(account.document),
                troubles=account.troubles,
                now=now,
            )
        )

    async def _choose(self, account_id: str) -> None:
        """Leave the search and open the account; empty: back to all of them."""
        self._input.client.run_javascript('document.getElementById("find").value = "";')
        await self._select(account_id)
        await self._typed("")


class _AccountRow:
    def __init__(self, select: Select) -> None:
        with Node("li", classes="account-row") as self.root:
            self._link = AccountLink(select)
            self._marks = Keyed[Mark](Node("span", classes="account-marks"), _Word, lambda each: each.label)

    def show(self, item: tuple[str, str, tuple[Mark, ...]]) -> None:
        identity, name, marks = item
        self._link.name(identity, name)
        self._marks.show([each for each in marks if each.label != "CSM"])


class _Word:
    def __init__(self) -> None:
        with Node("span", classes="word") as self.root:
            self._badge = Badge()

    def show(self, item: Mark) -> None:
        self._badge.tell(item.word, item.tone)

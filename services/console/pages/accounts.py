"""The middle column: the list of accounts with a search field, or the account that is open."""

from datetime import datetime
from typing import Final

from services.console.account_view import AccountRow, Property, account_rows
from services.console.explanations import Explanations
from services.console.pages.account import AccountSheet
from services.console.pages.elements import AccountLink, Badge, KeyedList, Message, Node, Select
from services.console.poller import AccountSearch, SelectedAccount, with_age

_INPUT: Final = "(e) => emit(e.target.value)"
_NO_ACCOUNTS: Final = (
    "There are no accounts yet. An account exists from its first event: send one to POST /v1/events of the rules"
    " engine, or a file of events with “drumbeat events post”."
)


class AccountsPanel:
    """`select` opens an account, `search` is called with what is typed."""

    def __init__(self, select: Select, search: Select, explanations: Explanations) -> None:
        self._select, self._search = select, search
        with Node("section", classes="panel account-panel", id="account", aria_labelledby="accounts-title"):
            self._title = Node("h2", "Accounts", "panel-title", id="accounts-title")
            self._search_field()
            self._error = Message("error", role="alert")
            self._empty = Message("empty")
            self._list = Node("ul", classes="accounts")
            self._rows = KeyedList[AccountRow](
                self._list, lambda: _AccountRow(self._open), lambda row: row.id
            )
            self._more = Message("empty")
            self._sheet = AccountSheet(explanations)

    def _search_field(self) -> None:
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
                lambda event: self._search(str(event.args)),
                js_handler=_INPUT,
                throttle=0.2,
                leading_events=False,
            )
            self._all = Node("a", "All accounts", href="/")
            self._all.on("click", lambda: self._open(""), js_handler="(e) => { e.preventDefault(); emit(); }")

    def show(self, accounts: AccountSearch, account: SelectedAccount | None, now: datetime) -> None:
        selected = None if accounts.query else account
        self._title.show(selected is None)
        self._all.show(account is not None or bool(accounts.query))
        self._list.show(selected is None)
        self._sheet.root.show(selected is not None and selected.document is not None)
        has_more = selected is None and accounts.has_more
        self._more.show_text("There are more. Type a part of the name or id." if has_more else "")
        if selected is None:
            self._show_list(accounts)
        else:
            self._show_account(selected, now)

    def _show_list(self, accounts: AccountSearch) -> None:
        self._error.show_text(accounts.error)
        if accounts.matches is None:
            self._empty.show_text("" if accounts.error else "Loading…")
            return
        no_match = f"No account has “{accounts.query}” in its name or id." if accounts.query else _NO_ACCOUNTS
        self._empty.show_text("" if accounts.matches else no_match)
        self._rows.show(account_rows(accounts.matches))

    def _show_account(self, account: SelectedAccount, now: datetime) -> None:
        error = account.errors.get("account", "")
        self._error.show_text(with_age(error, account.read_at, now))
        self._empty.show_text("" if error or account.document is not None else "Loading…")
        if account.document is not None:
            self._sheet.show(account, account.document, now)

    async def _open(self, account_id: str) -> None:
        """Clear the search and open the account; an empty id shows the list."""
        self._input.client.run_javascript('document.getElementById("find").value = "";')
        await self._select(account_id)
        await self._search("")


class _AccountRow:
    def __init__(self, select: Select) -> None:
        with Node("li", classes="account-row") as self.root:
            self._link = AccountLink(select)
            self._properties = KeyedList[Property](
                Node("span", classes="account-properties"), _PropertyBadge, lambda row: row.label
            )

    def show(self, item: AccountRow) -> None:
        self._link.show_account(item.id, item.name)
        self._properties.show([row for row in item.properties if row.label != "CSM"])


class _PropertyBadge:
    def __init__(self) -> None:
        self.root = Badge()

    def show(self, item: Property) -> None:
        self.root.show_word(item.value, item.tone)

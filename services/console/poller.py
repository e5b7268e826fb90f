"""What one page shows of the deployment, read again and again with the key of its reader."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, cast
from urllib.parse import quote

from schemas.times import format_instant
from services.chassis.clock import ServiceClock
from services.console import labels
from services.console.activity_feed import Activity, Delivery, activities, delivery
from services.console.client import Answer, AsyncApiClient, Failure, Query, Service
from services.console.explanations import Explanations
from services.console.json_fields import Json, items, nested, text
from services.console.people import contacts, people
from services.console.touchpoints import Touchpoint, touchpoints

# The first read of changes goes back by the longest of these whose changes fit into one page.
_LOOKBACKS: Final = (timedelta(days=7), timedelta(days=1), timedelta(hours=1), timedelta(minutes=1))
_CALENDAR_SPAN: Final = timedelta(days=90)
_CHANGES_KEPT: Final = 1000
_ACCOUNTS_AT_ONCE: Final = 20
_OPEN: Final = ["due", "overdue"]


@dataclass(slots=True)
class Calendar:
    """Touchpoints that are open or planned. `open_touchpoints`: None until the scheduler has answered."""

    open_touchpoints: list[Touchpoint] | None = None
    planned: list[Touchpoint] = field(default_factory=list[Touchpoint])
    error: str = ""
    read_at: datetime | None = None


@dataclass(slots=True)
class ActivitySource:
    """Changed touchpoints by key, the cursor from which reading goes on, and the newest deliveries.

    `warning`: what the operator has to repair before customers get mail.
    """

    changed: dict[str, Touchpoint] | None = None
    deliveries: list[Delivery] | None = None
    cursor: str | None = None
    since: str = ""
    error: str = ""
    delivery_error: str = ""
    warning: str = ""


@dataclass(slots=True)
class SelectedAccount:
    """The account that is open. `document`: None until the rules engine has answered; `errors`: by source."""

    id: str
    document: Json | None = None
    read_at: datetime | None = None
    calendar: list[Touchpoint] = field(default_factory=list[Touchpoint])
    deliveries: list[Delivery] = field(default_factory=list[Delivery])
    decisions: list[Json] = field(default_factory=list[Json])
    errors: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(slots=True)
class AccountSearch:
    """Accounts that match `query`, and the names of all accounts that were ever listed, by id."""

    query: str = ""
    matches: list[Json] | None = None
    has_more: bool = False
    error: str = ""
    names: dict[str, str] = field(default_factory=dict[str, str])


class Poller:
    """Reads the APIs and keeps their last answers; an error leaves what was read before in place."""

    def __init__(self, apis: AsyncApiClient, key: str, clock: ServiceClock, csm_id: str = "") -> None:
        """`csm_id`: lists have only what is theirs; a search and an account that is opened find everything."""
        self._own: Query = {"csm_id": csm_id} if csm_id else {}
        self._own_accounts: frozenset[str] | None = None
        self._apis = apis
        self._key = key
        self.clock = clock
        self.mode = ""
        self.people: dict[str, str] = {}
        """Names of people of ours and of contacts who were written to, by id."""
        self.calendar = Calendar()
        self.activity = ActivitySource()
        self.accounts = AccountSearch()
        self.selected: SelectedAccount | None = None
        self.explanations = Explanations(apis, key)

    async def refresh(self) -> None:
        """Read everything once, concurrently."""
        await self._read_people()
        await asyncio.gather(
            self._read_calendar(),
            self._read_changes(),
            self._read_deliveries(),
            self._read_mode(),
            self.search(),
            self.read_selected(),
        )

    async def _read_mode(self) -> None:
        answer = await self._get("rules_engine", "/v1/mode", {})
        if not isinstance(answer, Failure):
            self.mode = text(answer, "mode")

    async def _read_people(self) -> None:
        answer = await self._get("notifier", "/v1/people", {"limit": 500})
        if not isinstance(answer, Failure):
            self.people |= {id_: person.name for id_, person in people(items(answer)).items()}

    def select(self, account_id: str) -> None:
        """Open an account; an empty id closes the open one."""
        if account_id != self.selected_id:
            self.selected = SelectedAccount(account_id) if account_id else None

    @property
    def selected_id(self) -> str:
        return self.selected.id if self.selected else ""

    async def search(self) -> None:
        """Read the accounts that match the query."""
        accounts, query = self.accounts, self.accounts.query
        answer = await self._get(
            "rules_engine", "/v1/accounts", {"limit": 100, **({"q": query} if query else self._own)}
        )
        if query != accounts.query:
            return
        accounts.error = _error(answer)
        if not isinstance(answer, Failure):
            accounts.matches = items(answer)
            if self._own and not query:
                self._own_accounts = frozenset(text(account, "id") for account in accounts.matches)
            accounts.has_more = bool(answer.get("next_cursor"))
            accounts.names |= {
                text(account, "id"): text(account, "name") or text(account, "id")
                for account in accounts.matches
            }

    async def read_selected(self) -> None:
        """Read everything about the open account."""
        account = self.selected
        if account is None:
            return
        now = self.clock.now()
        path = f"/v1/accounts/{quote(account.id, safe='')}"
        one: Query = {"account_id": account.id}
        around = {"from": format_instant(now - _CALENDAR_SPAN), "to": format_instant(now + _CALENDAR_SPAN)}
        document, decisions, calendar, waiting, deliveries = await asyncio.gather(
            self._get("rules_engine", path, {}),
            self._get("rules_engine", f"{path}/decisions", {"limit": 8}),
            self._get("scheduler", "/v1/touchpoints", {**one, **around, "limit": 200}),
            self._get("scheduler", "/v1/touchpoints", {**one, "status": _OPEN, "limit": 100}),
            self._get("notifier", "/v1/deliveries", {**one, "limit": 30}),
        )
        account.errors = {
            "account": _error(document),
            "decisions": _error(decisions),
            "calendar": _error(calendar) or _error(waiting),
            "deliveries": _error(deliveries),
        }
        if isinstance(document, Failure) and document.status == 404:
            account.errors = {"account": f"There is no account “{account.id}”."}
        if not isinstance(document, Failure):
            account.document, account.read_at = document, now
            await self.explanations.load_touchpoint_types(text(nested(document, "plan"), "policy"))
        if not isinstance(decisions, Failure):
            account.decisions = items(decisions)
        if not isinstance(calendar, Failure) and not isinstance(waiting, Failure):
            by_id = {item.id: item for item in self._touchpoints([*items(calendar), *items(waiting)])}
            account.calendar = sorted(by_id.values(), key=lambda item: (item.due_at, item.id))
        if not isinstance(deliveries, Failure):
            names = {one.id: one.name for one in contacts(account.document or {})}
            account.deliveries = self._deliveries(items(deliveries), names)

    async def _read_calendar(self) -> None:
        waiting, planned = await asyncio.gather(
            self._get("scheduler", "/v1/touchpoints", {**self._own, "status": _OPEN, "limit": 300}),
            self._get("scheduler", "/v1/touchpoints", {**self._own, "status": "planned", "limit": 150}),
        )
        self.calendar.error = _error(waiting) or _error(planned)
        if not isinstance(waiting, Failure) and not isinstance(planned, Failure):
            self.calendar.open_touchpoints = self._touchpoints(items(waiting))
            self.calendar.planned = self._touchpoints(items(planned))
            self.calendar.read_at = self.clock.now()

    async def _read_changes(self) -> None:
        activity = self.activity
        answer = await (self._first_changes() if activity.changed is None else self._next_changes())
        activity.error = _error(answer)
        if isinstance(answer, Failure):
            return
        activity.cursor = text(answer, "resume_cursor") or text(answer, "next_cursor") or activity.cursor
        new = {f"{item.id}:{item.sequence}:{item.status}": item for item in self._touchpoints(items(answer))}
        activity.changed = dict(list({**(activity.changed or {}), **new}.items())[-_CHANGES_KEPT:])

    async def _first_changes(self) -> Answer:
        answer: Answer = {}
        for lookback in _LOOKBACKS:
            self.activity.since = format_instant(self.clock.now() - lookback)
            answer = await self._next_changes()
            if isinstance(answer, Failure) or answer.get("next_cursor") is None:
                return answer
        return answer

    async def _next_changes(self) -> Answer:
        query: Query = {**self._own, "updated_since": self.activity.since, "limit": 500}
        if self.activity.cursor is not None:
            query["cursor"] = self.activity.cursor
        return await self._get("scheduler", "/v1/touchpoints", query)

    async def _read_deliveries(self) -> None:
        answer, readiness = await asyncio.gather(
            self._get("notifier", "/v1/deliveries", {"limit": 40}), self._get("notifier", "/readyz", {})
        )
        if not isinstance(readiness, Failure):
            self.activity.warning = " ".join(map(str, cast("list[object]", readiness.get("warnings") or [])))
        self.activity.delivery_error = _error(answer)
        if not isinstance(answer, Failure):
            await self._learn_contacts(items(answer))
            self.activity.deliveries = self._deliveries(items(answer))

    async def _learn_contacts(self, deliveries: Sequence[Json]) -> None:
        """Read the names of contacts who were written to, once for each."""
        unknown = {
            text(recipient, "id"): text(item, "account_id")
            for item in deliveries
            if text(recipient := nested(item, "recipient"), "kind") == "contact"
            and text(recipient, "id") not in ("", *self.people)
        }
        accounts = sorted(set(unknown.values()))[:_ACCOUNTS_AT_ONCE]
        paths = [f"/v1/accounts/{quote(account_id, safe='')}" for account_id in accounts]
        answers = await asyncio.gather(*(self._get("rules_engine", path, {}) for path in paths))
        for answer in answers:
            if not isinstance(answer, Failure):
                self.people |= {one.id: one.name for one in contacts(answer)}

    def activities(self, now: datetime) -> tuple[list[Activity] | None, str]:
        """The entries of the activity feed, None before the first answer; and the errors of both sources."""
        source = self.activity
        error = " ".join(filter(None, (source.error, source.delivery_error)))
        if source.changed is None and source.deliveries is None:
            return None, error
        own = self._own_accounts
        deliveries = [item for item in source.deliveries or () if own is None or item.account_id in own]
        return activities((source.changed or {}).values(), deliveries, now), error

    def _touchpoints(self, documents: Sequence[Json]) -> list[Touchpoint]:
        """With the names of their owners."""
        return [
            replace(item, owner_name=item.owner_name or self.people.get(item.csm_id or "", ""))
            for item in touchpoints(documents)
        ]

    def _deliveries(
        self, documents: Sequence[Json], names: Mapping[str, str] | None = None
    ) -> list[Delivery]:
        known = {**self.people, **(names or {})}
        deliveries = (delivery(document, self.clock.at, known) for document in documents)
        return [item for item in deliveries if item is not None]

    async def _get(self, service: Service, path: str, query: Query) -> Answer:
        return await self._apis.get(self._key, service, path, query)


def with_age(error: str, read_at: datetime | None, now: datetime) -> str:
    """The error, and the age of the data that is still shown."""
    if not error or read_at is None:
        return error
    return f"{error} The data shown is from {labels.when(read_at, now)}."


def _error(answer: Answer) -> str:
    return answer.text if isinstance(answer, Failure) else ""

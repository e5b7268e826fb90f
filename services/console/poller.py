"""What one page keeps of the deployment it looks at, asked again and again with the key of its reader."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote

from services.chassis.clock import ServiceClock
from services.console import labels
from services.console.activity_feed import Delivery, Line, delivery, lines
from services.console.calls import Service
from services.console.client import Answer, Apis, Query, Trouble
from services.console.explanations import Inquiry
from services.console.json_fields import Json, items, part, text
from services.console.touchpoints import Touchpoint, touchpoints

# How far back the first look at changes goes: the longest of these whose changes fit into one page.
_LOOKBACKS: Final = (timedelta(days=7), timedelta(days=1), timedelta(hours=1), timedelta(minutes=1))
_QUARTER: Final = timedelta(days=90)
_KEPT: Final = 1000


@dataclass(slots=True)
class Calendar:
    """What waits and what is planned. None until the scheduler answered."""

    waiting: list[Touchpoint] | None = None
    planned: list[Touchpoint] = field(default_factory=list[Touchpoint])
    trouble: str = ""
    known_at: datetime | None = None


@dataclass(slots=True)
class Happened:
    """Changes and deliveries by key, and the place from which changes are read on."""

    changed: dict[str, Touchpoint] | None = None
    deliveries: list[Delivery] | None = None
    cursor: str | None = None
    since: str = ""
    trouble: str = ""
    delivery_trouble: str = ""


@dataclass(slots=True)
class Account:
    """One account. `document` is None until the rules engine answered."""

    id: str
    document: Json | None = None
    known_at: datetime | None = None
    calendar: list[Touchpoint] = field(default_factory=list[Touchpoint])
    deliveries: list[Delivery] = field(default_factory=list[Delivery])
    decisions: list[Json] = field(default_factory=list[Json])
    troubles: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(slots=True)
class Book:
    """Accounts found by what was typed, and the names of all that were ever seen."""

    query: str = ""
    found: list[Json] | None = None
    more: bool = False
    trouble: str = ""
    names: dict[str, str] = field(default_factory=dict[str, str])


class Watch:
    """Asks the APIs and keeps what they said last; a trouble never throws away what was known."""

    def __init__(self, apis: Apis, key: str, clock: ServiceClock) -> None:
        self._apis = apis
        self.key = key
        self.clock = clock
        self.calendar = Calendar()
        self.happened = Happened()
        self.book = Book()
        self.account: Account | None = None
        self.inquiry = Inquiry(apis, key, clock)

    async def refresh(self) -> None:
        """Everything once, side by side."""
        await asyncio.gather(
            self._calendar(), self._changes(), self._deliveries(), self.search(), self.look()
        )

    def open(self, account_id: str) -> None:
        """Look at this account from now on; empty: at none."""
        if account_id != (self.account.id if self.account else ""):
            self.account = Account(account_id) if account_id else None

    async def search(self) -> None:
        """The accounts that match what was typed."""
        asked = self.book.query
        answer = await self._get(
            "rules_engine", "/v1/accounts", {"limit": 100, **({"q": asked} if asked else {})}
        )
        if asked != self.book.query:
            return
        self.book.trouble = _trouble(answer)
        if not isinstance(answer, Trouble):
            self.book.found = items(answer)
            self.book.more = bool(answer.get("next_cursor"))
            self.book.names |= {
                text(each, "id"): text(each, "name") or text(each, "id") for each in items(answer)
            }

    async def look(self) -> None:
        """Everything about the account that is looked at."""
        account = self.account
        if account is None:
            return
        now = self.clock.now()
        place = f"/v1/accounts/{quote(account.id, safe='')}"
        one: Query = {"account_id": account.id}
        around: Query = {**one, "from": _wire(now - _QUARTER), "to": _wire(now + _QUARTER), "limit": 200}
        document, decided, calendar, waiting, sent, _ = await asyncio.gather(
            self._get("rules_engine", place, {}),
            self._get("rules_engine", f"{place}/decisions", {"limit": 8}),
            self._get("scheduler", "/v1/touchpoints", around),
            self._get("scheduler", "/v1/touchpoints", {**one, "status": ["due", "overdue"], "limit": 100}),
            self._get("notifier", "/v1/deliveries", {**one, "limit": 30}),
            self.inquiry.refresh(account.id),
        )
        account.troubles = {
            name: _trouble(answer)
            for name, answer in (
                ("account", document), ("decisions", decided), ("calendar", calendar), ("deliveries", sent)
            )
        }  # fmt: skip
        if isinstance(document, Trouble) and document.status == 404:
            account.troubles = {"account": f"Nothing was heard of an account “{account.id}”."}
        if not isinstance(document, Trouble):
            account.document, account.known_at = document, now
            await self.inquiry.learn_kinds(text(part(document, "plan"), "policy"))
        if not isinstance(decided, Trouble):
            account.decisions = items(decided)
        if not isinstance(calendar, Trouble) and not isinstance(waiting, Trouble):
            both = {each.id: each for each in touchpoints([*items(calendar), *items(waiting)])}
            account.calendar = sorted(both.values(), key=lambda each: (each.due_at, each.id))
        if not isinstance(sent, Trouble):
            account.deliveries = self._messages(items(sent))

    async def _calendar(self) -> None:
        waiting, planned = await asyncio.gather(
            self._get("scheduler", "/v1/touchpoints", {"status": ["due", "overdue"], "limit": 300}),
            self._get("scheduler", "/v1/touchpoints", {"status": "planned", "limit": 150}),
        )
        self.calendar.trouble = _trouble(waiting) or _trouble(planned)
        if not isinstance(waiting, Trouble) and not isinstance(planned, Trouble):
            self.calendar.waiting = touchpoints(items(waiting))
            self.calendar.planned = touchpoints(items(planned))
            self.calendar.known_at = self.clock.now()

    async def _changes(self) -> None:
        happened = self.happened
        answer = await (self._look_back() if happened.changed is None else self._go_on())
        happened.trouble = _trouble(answer)
        if isinstance(answer, Trouble):
            return
        happened.cursor = text(answer, "resume_cursor") or text(answer, "next_cursor") or happened.cursor
        heard = {f"{each.id}:{each.sequence}:{each.status}": each for each in touchpoints(items(answer))}
        kept = {**(happened.changed or {}), **heard}
        happened.changed = dict(list(kept.items())[-_KEPT:])

    async def _look_back(self) -> Answer:
        answer: Answer = {}
        for length in _LOOKBACKS:
            self.happened.since = _wire(self.clock.now() - length)
            answer = await self._go_on()
            if isinstance(answer, Trouble) or answer.get("next_cursor") is None:
                return answer
        return answer

    async def _go_on(self) -> Answer:
        query: Query = {"updated_since": self.happened.since, "limit": 500}
        if self.happened.cursor is not None:
            query["cursor"] = self.happened.cursor
        return await self._get("scheduler", "/v1/touchpoints", query)

    async def _deliveries(self) -> None:
        answer = await self._get("notifier", "/v1/deliveries", {"limit": 40})
        self.happened.delivery_trouble = _trouble(answer)
        if not isinstance(answer, Trouble):
            self.happened.deliveries = self._messages(items(answer))

    def told(self, now: datetime) -> tuple[list[Line] | None, str]:
        """The lines of what happened, and the trouble of either source."""
        happened = self.happened
        trouble = " ".join(each for each in (happened.trouble, happened.delivery_trouble) if each)
        if happened.changed is None and happened.deliveries is None:
            return None, trouble
        return lines((happened.changed or {}).values(), happened.deliveries or (), now), trouble

    def _messages(self, documents: Sequence[Json]) -> list[Delivery]:
        read = [delivery(each, self.clock.at) for each in documents]
        return [each for each in read if each is not None]

    async def _get(self, service: Service, path: str, query: Query) -> Answer:
        return await self._apis.get(self.key, service, path, query)


def with_age(trouble: str, known_at: datetime | None, now: datetime) -> str:
    """The trouble, and from when that is which is shown all the same."""
    if not trouble or known_at is None:
        return trouble
    return f"{trouble} What you see is from {labels.when(known_at, now)}."


def _trouble(answer: Answer) -> str:
    return answer.text if isinstance(answer, Trouble) else ""


def _wire(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

"""Facts that messages need from other services: asked for once for a batch, and only by content that reads them."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from schemas.figures import AccountFigures, FiguresRequest
from schemas.touchpoints import TouchpointData
from services.cadence.content.parse import ContentFile
from services.notifier.application.message_content import names_read
from services.notifier.domain.event import Event

FIGURES = frozenset({"contract", "program", "usage", "milestones", "requests", "conversation"})
"""The first parts of placeholders whose values the rules engine has."""
OTHER_FIGURES = frozenset({"account.arr", "account.segment", "account.stage", "account.health"})
COMING = frozenset({"coming"})
Found = TypeVar("Found")


class NoAnswer(Exception):
    """A service does not answer, or not as it should; the message says which and how."""


@dataclass(frozen=True, slots=True)
class ComingTouchpoint:
    """A touchpoint that comes next. `is_with_customer`: it is not internal work."""

    touchpoint_type: str
    due_at: datetime
    channel: str
    is_with_customer: bool

    @classmethod
    def read_item(cls, row: Mapping[str, Any]) -> "ComingTouchpoint":
        """An item of the scheduler's lists. Raises KeyError, TypeError and ValueError."""
        due_at = datetime.fromisoformat(row["due_at"])
        return cls(str(row["type"]), due_at, str(row["channel"]), row.get("topic") is not None)


class FactsSource(Protocol):
    async def figures(self, requests: Sequence[FiguresRequest]) -> Sequence[AccountFigures]:
        """The figures of each request, in order; without requests nobody is asked. Raises NoAnswer."""
        ...

    async def coming(self, account_ids: Sequence[str]) -> Mapping[str, Sequence[ComingTouchpoint]]:
        """The next touchpoints of each account, in order of time; without accounts nobody is asked. Raises NoAnswer."""
        ...


@dataclass(frozen=True, slots=True)
class MessageFacts:
    """The facts for one message. `figures` and `coming` are None when its content reads none of them.

    `problem`: why facts that the content reads are missing for now.
    """

    figures: AccountFigures | None = None
    coming: Sequence[ComingTouchpoint] | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class FactsWanted:
    """A message, and the content that it is written from. The content decides what is asked for."""

    event: Event
    content: ContentFile

    @property
    def request(self) -> FiguresRequest | None:
        names = names_read(self.content)
        reads = any(name.partition(".")[0] in FIGURES or name in OTHER_FIGURES for name in names)
        if not reads and self.content.program is None:
            return None
        touchpoint = self.event.content
        about = touchpoint.about if isinstance(touchpoint, TouchpointData) else None
        return FiguresRequest.of_valid(
            account_id=touchpoint.account_id, about=about, program_kind=self.content.program
        )

    @property
    def reads_calendar(self) -> bool:
        return any(name.partition(".")[0] in COMING for name in names_read(self.content))


async def gather_facts(wanted: Sequence[FactsWanted], source: FactsSource) -> list[MessageFacts]:
    """The facts for each message, in order. A service that does not answer is the problem of those that need it."""
    requests = {index: request for index, one in enumerate(wanted) if (request := one.request) is not None}
    accounts = sorted({one.event.content.account_id for one in wanted if one.reads_calendar})
    (found, no_figures), (coming, no_calendar) = await asyncio.gather(
        _answer_of(source.figures(list(requests.values()))), _answer_of(source.coming(accounts))
    )
    figures = dict(zip(requests, found or (), strict=False))
    calendar = coming or {}
    return [
        MessageFacts(
            figures=figures.get(index),
            coming=calendar.get(one.event.content.account_id, ()) if one.reads_calendar else None,
            problem=(no_figures if index in requests else None)
            or (no_calendar if one.reads_calendar else None),
        )
        for index, one in enumerate(wanted)
    ]


async def _answer_of(asked: Awaitable[Found]) -> tuple[Found | None, str | None]:
    """The answer, or why there is none."""
    try:
        return await asked, None
    except NoAnswer as problem:
        return None, str(problem)

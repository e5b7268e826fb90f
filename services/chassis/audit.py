"""The audit log of a service: an entry for each change, in the transaction of the change, sent on `audit.entries`.

The rules engine keeps the entries of all services in one chain (`drumbeat audit`).
"""

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

import orjson

from services.chassis.database import Connection, real_now
from services.chassis.ids import fresh
from services.chassis.outbox import Outbox, Outgoing, timestamp

TOPIC: Final = "audit.entries"
TYPE: Final = "drumbeat.audit.recorded.v1"
OURSELVES: Final = "drumbeat"
"""The actor of what no call asked for: a start with other settings, a rule of the service itself."""
LINK: Final = "link"
"""The actor of what the holder of a signed link does."""
_actor: ContextVar[str] = ContextVar("actor", default=OURSELVES)

Document = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Change:
    """What changed. `action`: `noun.verb`; `object`: `kind/id`; `before` and `after`: None where there is none.

    `actor`: None for who made the call that is being answered. `id`: None for a new one.
    """

    action: str
    object: str
    before: Document | None = None
    after: Document | None = None
    detail: str = ""
    actor: str | None = None
    id: str | None = None


def acts_as(actor: str) -> None:
    """The caller of this request, for the entries of its changes; the check of a key and the routes of links say it."""
    _actor.set(actor)


class AuditLog:
    """Writes entries to the outbox of one service."""

    def __init__(self, service: str) -> None:
        self._outbox = Outbox(f"/drumbeat/{service}")
        self._service = service

    async def record(self, connection: Connection, changes: Sequence[Change]) -> None:
        """Append an entry for each change, with the real time of the database, in the caller's transaction."""
        if not changes:
            return
        now = await real_now(connection)
        await self._outbox.append(connection, [self._outgoing(change, now) for change in changes])

    def _outgoing(self, change: Change, now: datetime) -> Outgoing:
        entry_id = change.id or fresh()
        document = {
            "id": entry_id,
            "at": timestamp(now),
            "service": self._service,
            "actor": change.actor or _actor.get(),
            "action": change.action,
            "object": change.object,
            "before": change.before,
            "after": change.after,
            "detail": change.detail[:2000],
        }
        return Outgoing(
            TOPIC,
            self._service,
            entry_id,
            TYPE,
            now,
            orjson.dumps(document, default=_plain, option=orjson.OPT_UTC_Z),
        )


def _plain(value: object) -> object:
    """Sets of names as lists; whatever JSON has no form for, as its text."""
    return sorted(cast("frozenset[str]", value)) if isinstance(value, frozenset) else str(value)

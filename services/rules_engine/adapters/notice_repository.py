"""What customers were told of their cadence, as rows; notices go through the outbox."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from pydantic import TypeAdapter

from schemas.notices import NOTICE_REQUESTED
from services.chassis.database import Connection
from services.chassis.outbox import Outbox, Outgoing
from services.chassis.time_slices import pause_if_long
from services.rules_engine.adapters.account_repository import STORED, stored_account
from services.rules_engine.application.tell_cadence import NoticeClaim
from services.rules_engine.domain.cadence_notice import Cadence, NoticeState, NoticeStep

TOPIC: Final = "account.notices"
CADENCE: Final = TypeAdapter(Cadence)
CLAIM: Final = """
SELECT account_id, told::text, told_count, pending::text, pending_since FROM cadence_notice
WHERE check_at <= $1 AND EXISTS (SELECT FROM epoch WHERE mode = 'live')
ORDER BY check_at, account_id LIMIT $2 FOR UPDATE SKIP LOCKED
"""
ACCOUNTS: Final = f"{STORED} WHERE account_id = ANY($1::text[])"
SAVE: Final = """
UPDATE cadence_notice SET check_at = $2, told = $3::text::jsonb, told_count = $4, pending = $5::text::jsonb,
    pending_since = $6
WHERE account_id = $1
"""
FORGET: Final = "DELETE FROM cadence_notice WHERE account_id = $1"


class NoticeRepository:
    """NoticeQueue on one open and short transaction."""

    def __init__(self, connection: Connection, outbox: Outbox) -> None:
        self._connection = connection
        self._outbox = outbox

    async def pause_if_long(self) -> None:
        await pause_if_long()

    async def claim(self, now: datetime, limit: int) -> Sequence[NoticeClaim]:
        rows = await self._connection.fetch(CLAIM, now, limit)
        stored = await self._connection.fetch(ACCOUNTS, [row[0] for row in rows]) if rows else []
        accounts = {row[0]: stored_account(row) for row in stored}
        return [
            NoticeClaim(
                row[0], accounts.get(row[0]), NoticeState(_read(row[1]), row[2], _read(row[3]), row[4])
            )
            for row in rows
        ]

    async def save(self, account_id: str, step: NoticeStep, now: datetime) -> None:
        if step.notice is not None:
            notice = step.notice
            outgoing = Outgoing(TOPIC, account_id, notice.notice_id, NOTICE_REQUESTED, now, notice.write())
            await self._outbox.append(self._connection, [outgoing])
        if step.state is None:
            await self._connection.execute(FORGET, account_id)
            return
        state = step.state
        await self._connection.execute(
            SAVE, account_id, step.check_at, _write(state.announced), state.announced_count, _write(state.pending),
            state.pending_since,
        )  # fmt: skip


def _read(text: str | None) -> Cadence | None:
    return None if text is None else CADENCE.validate_json(text)


def _write(cadence: Cadence | None) -> str | None:
    return None if cadence is None else CADENCE.dump_json(cadence).decode()

"""Mails as they were written: collected while they are sent, stored with the results of their deliveries.

A mail is stored in the transaction that records its delivery, in one statement for a batch. It is kept ninety
days and erased with the account or the contact.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from services.chassis.database import Connection, Database
from services.notifier.application.ports import ClaimResult, MessageClaim

KEPT: Final = timedelta(days=90)
_MOST_COLLECTED: Final = 5_000
SAVE = """
INSERT INTO written_message (message_id, content)
SELECT DISTINCT ON (1) coalesce(d.message_id, u.id), u.content
FROM unnest($1::uuid[], $2::bytea[]) AS u(id, content) LEFT JOIN delivery d ON d.id = u.id ORDER BY 1
ON CONFLICT (message_id) DO UPDATE SET content = excluded.content, written_at = clock_timestamp()
"""
PRUNE = """
DELETE FROM written_message WHERE message_id IN (
    SELECT message_id FROM written_message WHERE written_at < $1 LIMIT 5000)
"""
# A mail may name people of its account, so the mails about an account go with each of its contacts.
ERASE_OF_CONTACTS = """
DELETE FROM written_message WHERE message_id IN (
    SELECT message_id FROM delivery WHERE recipient_kind = 'contact' AND recipient_id = ANY($1::text[])
    UNION ALL SELECT d.message_id FROM contact c JOIN delivery d ON d.account_id = c.account_id
    WHERE c.contact_id = ANY($1::text[]))
"""
ERASE_OF_ACCOUNT = """
DELETE FROM written_message WHERE message_id IN (SELECT message_id FROM delivery WHERE account_id = $1)
"""


class WrittenMails:
    """The mails that are being sent, by delivery or message. One whose delivery is never recorded is dropped."""

    def __init__(self) -> None:
        self._by_id: dict[str, bytes] = {}

    def add(self, mail_id: str, content: bytes) -> None:
        """`mail_id`: of its delivery, or the message id of the deliveries it carries; `content`: the whole message."""
        while len(self._by_id) >= _MOST_COLLECTED:
            del self._by_id[next(iter(self._by_id))]
        self._by_id[mail_id] = content

    async def save(self, connection: Connection, results: Sequence[ClaimResult]) -> None:
        """Store the mails of these results."""
        carried = {result.claim.message_id for result in results if isinstance(result.claim, MessageClaim)}
        ids = sorted(({result.delivery.id for result in results} | carried) & self._by_id.keys())
        if ids:
            await connection.execute(SAVE, ids, [self._by_id[identity] for identity in ids])
        for identity in ids:
            del self._by_id[identity]


async def prune_written(database: Database, before: datetime) -> int:
    """Delete a batch of the mails that were written before then (real time); returns how many are gone."""
    return int((await database.pool.execute(PRUNE, before)).split()[-1])

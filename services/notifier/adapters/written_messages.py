"""Mails as they were written: collected while they are sent, stored with the results of their deliveries.

A mail is stored in the transaction that records its delivery, in one statement for a batch. It is kept as long as the
settings say and erased with the account or the contact; one that was on its way at that moment is not stored.
"""

from collections.abc import Sequence
from typing import Final

from services.chassis.database import Connection
from services.notifier.application.ports import ClaimResult

_MOST_COLLECTED: Final = 5_000
SAVE = "INSERT INTO written_message (message_id, content) SELECT * FROM unnest($1::uuid[], $2::bytea[])"
# What is tried again is stored once.
REPLACE = "DELETE FROM written_message WHERE message_id = ANY($1::uuid[])"
# A mail may name people of its account, so the mails about an account go with each of its contacts.
ERASE_OF_CONTACTS = """
DELETE FROM written_message WHERE message_id IN (
    SELECT message_id FROM delivery WHERE recipient_kind = 'contact' AND recipient_id = ANY($1::text[])
    UNION ALL SELECT q.message_id FROM delivery_queue q
    WHERE q.recipient_kind = 'contact' AND q.recipient_id = ANY($1::text[])
    UNION ALL SELECT q.message_id FROM contact c JOIN delivery_queue q ON q.account_id = c.account_id
    WHERE c.contact_id = ANY($1::text[])
    UNION ALL SELECT d.message_id FROM contact c JOIN delivery d ON d.account_id = c.account_id
    WHERE c.contact_id = ANY($1::text[]))
"""
ERASE_OF_ACCOUNT = """
DELETE FROM written_message WHERE message_id IN (
    SELECT message_id FROM delivery WHERE account_id = $1
    UNION ALL SELECT message_id FROM delivery_queue WHERE account_id = $1)
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
        """Store the mails of these recorded results."""
        mails = self._mails_of(results)
        repeated = [result.claim.message_id for result in results if result.claim.delivery.attempts]
        if repeated and mails:
            await connection.execute(REPLACE, repeated)
        if mails:
            await connection.execute(SAVE, list(mails), [self._by_id[mail_id] for mail_id in mails.values()])

    def forget(self, results: Sequence[ClaimResult]) -> None:
        """Drop the mails of these results, once they are stored."""
        for mail_id in self._mails_of(results).values():
            del self._by_id[mail_id]

    def _mails_of(self, results: Sequence[ClaimResult]) -> dict[str, str]:
        """The ids of collected mails by the message id under which they are stored."""
        return {
            result.claim.message_id: mail_id
            for result in results
            for mail_id in (result.delivery.id, result.claim.message_id)
            if mail_id in self._by_id
        }

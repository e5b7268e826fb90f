"""Which delivery presents a program to a contact, between its writing and its completion.

A contact gets an announced program once, also where two replicas write it at the same moment: whose row it is sends.
"""

from collections.abc import Sequence

from services.chassis.database import Connection
from services.notifier.application.ports import ClaimResult
from services.notifier.application.sending import ProgramUse
from services.notifier.domain.delivery import AttemptOutcome, RecipientKind

# Of deliveries that ended without a sender: withdrawn, erased, or older than their events.
REMOVE_STALE = """
DELETE FROM program_reservation r USING unnest($1::text[], $2::text[]) AS u(contact_id, program_id)
WHERE r.contact_id = u.contact_id AND r.program_id = u.program_id
    AND NOT EXISTS (SELECT FROM delivery_queue q WHERE q.delivery_id = r.delivery_id)
"""
# Waits for whoever adds or deletes the same row in an open transaction. In one order, so that no two wait for each other.
RESERVE = """
INSERT INTO program_reservation (contact_id, program_id, delivery_id)
SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[]) ON CONFLICT DO NOTHING
"""
# In a statement of its own: it reads what was completed while the one before waited.
RESERVED = """
SELECT r.delivery_id::text FROM program_reservation r WHERE r.delivery_id = ANY($1::uuid[]) AND NOT EXISTS (
    SELECT FROM presented_program p WHERE p.contact_id = r.contact_id AND p.program_id = r.program_id)
"""
RELEASE = "DELETE FROM program_reservation WHERE delivery_id = ANY($1::uuid[])"


async def reserve(connection: Connection, uses: Sequence[ProgramUse]) -> set[str]:
    """The deliveries that nobody else presents the program with, or did."""
    rows = sorted((use.contact_id, use.program_id, use.delivery_id) for use in uses)
    contact_ids, program_ids, delivery_ids = (list(column) for column in zip(*rows, strict=True))
    await connection.execute(REMOVE_STALE, contact_ids, program_ids)
    await connection.execute(RESERVE, contact_ids, program_ids, delivery_ids)
    return {row[0] for row in await connection.fetch(RESERVED, delivery_ids)}


async def release(connection: Connection, results: Sequence[ClaimResult]) -> None:
    """End the reservations of completed claims, but not where the message may have arrived and is sent again."""
    over = [
        result.delivery.id
        for result in results
        if result.delivery.recipient.kind is RecipientKind.CONTACT and not _may_have_arrived(result)
    ]
    if over:
        await connection.execute(RELEASE, over)


def _may_have_arrived(result: ClaimResult) -> bool:
    is_ambiguous = result.attempt is not None and result.attempt.outcome is AttemptOutcome.AMBIGUOUS
    return is_ambiguous and not result.delivery.state.is_final

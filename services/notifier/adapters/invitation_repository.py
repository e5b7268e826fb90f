"""What calendars have: the latest invitation of each reader to a touchpoint, and which go before others."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from services.chassis.database import Connection
from services.notifier.application.ports import ClaimResult, MessageClaim
from services.notifier.domain.delivery import CALENDAR, Recipient, RecipientKind, State
from services.notifier.domain.event import Event
from services.notifier.domain.inbound_decision import InvitationAnswer
from services.notifier.domain.invitation import Invitation, Queue

INVITED_TYPES = """
SELECT kind ->> 'touchpoint_type', kind ->> 'channel' FROM catalogue
CROSS JOIN LATERAL jsonb_array_elements(body::jsonb -> 'touchpoint_types') AS kind
WHERE (kind ->> 'invites')::boolean
"""
# What was begun or is in doubt may be in the calendar; its times are not known. $2: claimed here. $3: real time.
KNOWN = """
SELECT touchpoint_id, recipient_kind, recipient_id, sequence, starts_at, ends_at, organizer_id, false AS is_under_way
FROM invitation WHERE touchpoint_id = ANY($1) AND NOT is_cancelled
UNION ALL
SELECT touchpoint_id, recipient_kind, recipient_id, 0, NULL, NULL, NULL, coalesce(lease_until >= $3, false)
FROM delivery_queue q WHERE touchpoint_id = ANY($1) AND channel = 'calendar' AND recipient_id IS NOT NULL
    AND delivery_id <> ALL($2::uuid[]) AND (ambiguous OR is_begun OR lease_until >= $3)
UNION ALL
SELECT touchpoint_id, recipient_kind, recipient_id, 0, NULL, NULL, NULL, false
FROM delivery d WHERE touchpoint_id = ANY($1) AND channel = 'calendar' AND recipient_id IS NOT NULL
    AND state NOT IN ('pending', 'sent') AND ambiguous AND NOT EXISTS (
        SELECT FROM invitation i WHERE (i.touchpoint_id, i.recipient_kind, i.recipient_id)
            = (d.touchpoint_id, d.recipient_kind, d.recipient_id))
"""
RANKS = """
SELECT q.delivery_id::text, (
    SELECT count(*) FROM delivery_queue o WHERE o.channel = 'calendar' AND o.recipient_id = q.recipient_id
        AND o.recipient_kind = q.recipient_kind AND (o.deadline, o.delivery_id) < (q.deadline, q.delivery_id)
) FROM delivery_queue q WHERE q.delivery_id = ANY($1::uuid[])
"""
SENT_AT = """
SELECT recipient_kind, recipient_id, invited_at FROM invitation WHERE recipient_id = ANY($1) AND invited_at >= $2
"""
# A later mail may be recorded before an earlier one.
SAVE = """
INSERT INTO invitation AS i (touchpoint_id, recipient_kind, recipient_id, account_id, sequence, starts_at, ends_at,
    organizer_id, is_cancelled, invited_at)
SELECT *, $10 FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::timestamptz[],
    $7::timestamptz[], $8::text[], $9::boolean[])
ON CONFLICT (touchpoint_id, recipient_kind, recipient_id) DO UPDATE SET sequence = excluded.sequence,
    starts_at = excluded.starts_at, ends_at = excluded.ends_at, organizer_id = excluded.organizer_id,
    is_cancelled = excluded.is_cancelled,
    invited_at = CASE WHEN i.is_cancelled THEN excluded.invited_at ELSE i.invited_at END
WHERE i.sequence <= excluded.sequence
"""
# Of two answers at one moment the second one knows the first.
LOCK_ANSWERS = "SELECT pg_advisory_xact_lock(hashtextextended('answers to ' || $1, 0))"
# An answer to an earlier version does not replace one to a later version.
ANSWERED = """
UPDATE invitation SET answer = $4, answered_sequence = $5
WHERE (touchpoint_id, recipient_kind, recipient_id) = ($1, $2, $3) AND coalesce(answered_sequence <= $5, true)
"""
# Who has not been sent an invitation yet may come.
DECLINED_BY_ALL = """
SELECT coalesce(bool_and(coalesce(answer = 'declined' AND answered_sequence >= sequence, false)), false)
    AND NOT EXISTS (SELECT FROM delivery_queue
        WHERE touchpoint_id = $1 AND channel = 'calendar' AND recipient_kind = 'contact')
FROM invitation WHERE touchpoint_id = $1 AND recipient_kind = 'contact' AND NOT is_cancelled
"""
LONGEST_DAY: Final = timedelta(hours=36)
"""From the start of a day anywhere until its end."""


async def load_invited_types(connection: Connection) -> dict[str, str]:
    """The touchpoint types of the policy in force that are put into calendars, with their channel."""
    return {str(row[0]): str(row[1]) for row in await connection.fetch(INVITED_TYPES)}


async def load_invitations(
    connection: Connection, events: Sequence[Event], real: datetime, but: Collection[str] = ()
) -> Mapping[str, Mapping[Recipient, Invitation]]:
    """Who has what these events are about in their calendar, by touchpoint. `but`: deliveries that are not looked at."""
    ids = {event.content.touchpoint_id for event in events if event.concerns_calendars}
    known: defaultdict[str, dict[Recipient, Invitation]] = defaultdict(dict)
    for row in await connection.fetch(KNOWN, sorted(filter(None, ids)), list(but), real) if ids else ():
        recipient = Recipient(RecipientKind(row[1]), row[2])
        before, found = known[row[0]].get(recipient), Invitation(*row[3:8])
        if before is not None:
            # Another mail may have reached the reader: what the calendar shows is not known.
            is_under_way = before.is_under_way or found.is_under_way
            found = Invitation(max(before.sequence, found.sequence), is_under_way=is_under_way)
        known[row[0]][recipient] = found
    return known


async def save_answer(
    connection: Connection, reader: tuple[str, str, str | None], answer: InvitationAnswer
) -> None:
    """Store what a reader answered. `reader`: touchpoint, kind and id of the recipient."""
    await connection.execute(LOCK_ANSWERS, reader[0])
    await connection.execute(ANSWERED, *reader, answer.answer, answer.sequence)


async def is_declined_by_all(connection: Connection, touchpoint_id: str) -> bool:
    """Whether every contact who is invited to a touchpoint has declined the newest version of the invitation."""
    return bool(await connection.fetchval(DECLINED_BY_ALL, touchpoint_id))


async def load_queues(
    connection: Connection, claims: Sequence[MessageClaim], now: datetime
) -> Mapping[str, Queue]:
    """The first invitations that go before those of these claims, by delivery. `now`: service time."""
    claimed = {
        claim.delivery.id: claim.delivery.recipient for claim in claims if claim.delivery.channel == CALENDAR
    }
    if not claimed:
        return {}
    readers = sorted({recipient.id for recipient in claimed.values() if recipient.id})
    sent_at: defaultdict[Recipient, list[datetime]] = defaultdict(list)
    for row in await connection.fetch(SENT_AT, readers, now - LONGEST_DAY):
        sent_at[Recipient(RecipientKind(row[0]), row[1])].append(row[2])
    ranks = await connection.fetch(RANKS, list(claimed))
    return {row[0]: Queue(row[1], tuple(sent_at[claimed[row[0]]])) for row in ranks}


async def save_invitations(connection: Connection, results: Sequence[ClaimResult], at: datetime) -> None:
    """Store what the calendars of readers have by these mails that were sent. `at`: service time."""
    rows = [
        (result.claim.event.content, result.delivery.recipient, result.calendar)
        for result in results
        if result.calendar is not None and result.delivery.state is State.SENT
    ]
    # Of two mails about one touchpoint to one reader the later one: a statement changes a row once.
    latest = {
        (content.touchpoint_id, recipient.kind, recipient.id): (content, change)
        for content, recipient, change in sorted(rows, key=lambda row: row[2].sequence)
    }
    if not latest:
        return
    await connection.execute(
        SAVE,
        [key[0] for key in latest],
        [key[1] for key in latest],
        [key[2] for key in latest],
        [content.account_id for content, _ in latest.values()],
        [change.sequence for _, change in latest.values()],
        [change.starts_at for _, change in latest.values()],
        [change.ends_at for _, change in latest.values()],
        [change.organizer_id for _, change in latest.values()],
        [change.is_cancelled for _, change in latest.values()],
        at,
    )

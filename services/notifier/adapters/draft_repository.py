"""Drafts as rows, within the transactions that record, withdraw and send messages.

A draft and what its deliveries wait for change in one transaction. Whoever decides on a draft writes the draft first and
wakes its deliveries then; whoever records a delivery that waits looks at the draft once more, so that no wake-up is lost.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from schemas.ids import derived_id
from services.chassis.database import Connection
from services.notifier.application.ports import ClaimResult, Now
from services.notifier.domain.approval import (
    Approval,
    Approver,
    DraftedMessage,
    DraftState,
    MessageHandling,
    RenderedMessage,
    StoredDraft,
)
from services.notifier.domain.decision import Reason
from services.notifier.domain.event import Event

MAIL_GATHERS: Final = timedelta(seconds=2)
"""Real time in which the recipients of a draft are gathered before somebody is asked."""
HANDLINGS = """
SELECT kind ->> 'touchpoint_type', coalesce((kind ->> 'approve')::boolean, false), (kind ->> 'approve_hours')::int,
    kind ->> 'hand_off'
FROM catalogue CROSS JOIN LATERAL jsonb_array_elements(body::jsonb -> 'touchpoint_types') AS kind
WHERE (kind ->> 'approve')::boolean OR kind ->> 'hand_off' IS NOT NULL
"""
DRAFT_FIELDS = """
d.id::text, d.touchpoint_id, d.sequence, d.channel, d.language, d.content, d.facts::text, d.written_at, d.state,
d.approve_until, d.approver, coalesce(d.reason, ''), d.csm_id, d.version"""
DRAFTS = f"SELECT {DRAFT_FIELDS} FROM draft d WHERE d.touchpoint_id = ANY($1) ORDER BY d.seq"
RECIPIENTS = """
SELECT r.draft_id::text, r.delivery_id::text, subject, preheader, html, text FROM draft_recipient r
WHERE r.draft_id = ANY($1::uuid[]) ORDER BY r.contact_id, r.delivery_id
"""
ADD = """
INSERT INTO draft (id, touchpoint_id, sequence, touchpoint_type, account_id, channel, language, csm_id, approver, content,
    facts, event_id, event_type, event_at, event_data, written_at, approve_until, mail_at)
VALUES ($1, $2, $3, $4, coalesce((SELECT stays FROM account_alias WHERE ended = $5), $5), $6, $7, $8, $9, $10,
    $11::text::jsonb, $12, $13, $14, $15, $16, $17, $18)
ON CONFLICT DO NOTHING
"""
# A message that was rendered before somebody edited the draft is rendered once more.
ADD_RECIPIENT = """
INSERT INTO draft_recipient (delivery_id, draft_id, contact_id, subject, preheader, html, text)
SELECT $1, id, $3, $4, $5, $6, $7 FROM draft WHERE id = $2 AND version = $8 FOR SHARE
ON CONFLICT (delivery_id) DO NOTHING
"""
WAKE_DECIDED = """
UPDATE delivery_queue q SET next_at = $2 WHERE q.delivery_id = ANY($1::uuid[]) AND NOT EXISTS (
    SELECT FROM draft_recipient r JOIN draft d ON d.id = r.draft_id
    WHERE r.delivery_id = q.delivery_id AND d.state = 'pending')
"""
EXPIRE = """
UPDATE draft d SET state = 'expired', reason = u.reason, finished_at = $3, mail_at = $4, mail_attempts = 0
FROM unnest($1::uuid[], $2::text[]) AS u(delivery_id, reason) JOIN draft_recipient r USING (delivery_id)
WHERE d.id = r.draft_id AND d.state = 'pending'
"""
# Nobody is left who would get it.
CLOSE = """
UPDATE draft d SET state = 'withdrawn', reason = u.reason, finished_at = $3, mail_at = NULL
FROM unnest($1::uuid[], $2::text[]) AS u(delivery_id, reason) JOIN draft_recipient r USING (delivery_id)
WHERE d.id = r.draft_id AND d.state = 'pending' AND NOT EXISTS (
    SELECT FROM draft_recipient o JOIN delivery_queue q ON q.delivery_id = o.delivery_id WHERE o.draft_id = d.id)
"""
WITHDRAW = """
UPDATE draft d SET state = 'withdrawn', reason = u.reason, finished_at = $4, mail_at = NULL
FROM unnest($1::text[], $2::bigint[], $3::text[]) AS u(touchpoint_id, sequence, reason)
WHERE d.touchpoint_id = u.touchpoint_id AND d.sequence < u.sequence AND d.state = 'pending'
"""
# What somebody wrote into a draft may name a contact of the account: it goes, and its other recipients get a new one.
_EDITED_OF_CONTACTS = """
SELECT d.id FROM draft d JOIN contact c ON c.account_id = d.account_id
WHERE c.contact_id = ANY($1::text[]) AND d.version > 1"""
ERASE_DRAFTS_OF_CONTACTS: Final = (
    f"""
    UPDATE delivery_queue q SET next_at = clock_timestamp() FROM draft_recipient r
    WHERE q.delivery_id = r.delivery_id AND r.draft_id IN ({_EDITED_OF_CONTACTS})
    """,
    f"DELETE FROM draft WHERE id IN ({_EDITED_OF_CONTACTS})",
    """
    WITH gone AS (
        DELETE FROM draft_recipient WHERE contact_id = ANY($1::text[]) RETURNING draft_id, delivery_id
    )
    DELETE FROM draft d USING gone g WHERE d.id = g.draft_id AND NOT EXISTS (
        SELECT FROM draft_recipient r WHERE r.draft_id = d.id AND r.contact_id <> ALL($1::text[]))
    """,
)


async def load_handlings(connection: Connection) -> dict[str, MessageHandling]:
    """The touchpoint types of the policy in force whose messages are approved or handed off first."""
    rows = await connection.fetch(HANDLINGS)
    return {str(row[0]): MessageHandling(row[1], row[2], row[3]) for row in rows}


async def load_drafts(connection: Connection, events: Sequence[Event]) -> Mapping[str, Sequence[StoredDraft]]:
    """The drafts about the touchpoints of these events, by touchpoint."""
    ids = {event.content.touchpoint_id for event in events}
    rows = await connection.fetch(DRAFTS, sorted(filter(None, ids)))
    recipients = await load_recipients(connection, [row[0] for row in rows])
    drafts: defaultdict[str, list[StoredDraft]] = defaultdict(list)
    for row in rows:
        drafts[row[1]].append(read_draft(row, recipients.get(row[0], {})))
    return drafts


async def load_recipients(
    connection: Connection, draft_ids: Sequence[str]
) -> Mapping[str, Mapping[str, RenderedMessage]]:
    """The messages of these drafts by draft and delivery."""
    found: defaultdict[str, dict[str, RenderedMessage]] = defaultdict(dict)
    if not draft_ids:
        return found
    for row in await connection.fetch(RECIPIENTS, list(draft_ids)):
        found[row[0]][row[1]] = RenderedMessage(*row[2:6])
    return found


def read_draft(row: Any, recipients: Mapping[str, RenderedMessage]) -> StoredDraft:
    """The draft of a row that begins with `DRAFT_FIELDS`."""
    return StoredDraft(
        id=row[0],
        touchpoint_id=row[1],
        sequence=row[2],
        channel=row[3],
        language=row[4],
        content=row[5],
        facts=row[6].encode(),
        written_at=row[7],
        approval=Approval(DraftState(row[8]), row[9], row[10], row[11]),
        approver=Approver(row[12], row[10]),
        version=row[13],
        recipients=recipients,
    )


async def save_drafts(connection: Connection, results: Sequence[ClaimResult], now: Now) -> None:
    """Record the drafts of these recorded results, and wake what waits for a draft that was decided on meanwhile."""
    for result in results:
        if result.draft is not None:
            await _add(connection, result, result.draft, now)
    waiting = [
        result.delivery.id
        for result in results
        if not result.delivery.state.is_final and (result.delivery.reason or "").startswith(Reason.APPROVAL)
    ]
    if waiting:
        await connection.execute(WAKE_DECIDED, waiting, now.real)
    await _close(connection, results, now)


async def _add(connection: Connection, result: ClaimResult, draft: DraftedMessage, now: Now) -> None:
    event, channel = result.claim.event, result.delivery.channel
    content = event.content
    draft_id = derived_id(
        "draft", content.touchpoint_id or "", str(content.sequence), channel, draft.language
    )
    await connection.execute(
        ADD,
        draft_id,
        content.touchpoint_id,
        content.sequence,
        content.touchpoint_type,
        content.account_id,
        channel,
        draft.language,
        draft.approver.csm_id,
        draft.approver.name,
        draft.content,
        draft.facts.decode(),
        event.id,
        event.type,
        event.time,
        event.data,
        draft.written_at,
        draft.approve_until,
        now.real + MAIL_GATHERS,
    )
    rendered = draft.rendered
    texts = (rendered.subject, rendered.preheader, rendered.html, rendered.text)
    contact_id = result.delivery.recipient.id
    await connection.execute(ADD_RECIPIENT, result.delivery.id, draft_id, contact_id, *texts, draft.version)


async def _close(connection: Connection, results: Sequence[ClaimResult], now: Now) -> None:
    """End the drafts whose time is over, and those that nobody is left for."""
    ended = [(result.delivery.id, result.delivery.reason or "") for result in results if _is_unsent(result)]
    late = [(id_, reason) for id_, reason in ended if reason.startswith(Reason.NOT_APPROVED)]
    if late:
        await connection.execute(EXPIRE, *_columns(late), now.service, now.real)
    if ended:
        await connection.execute(CLOSE, *_columns(ended), now.service)


def _is_unsent(result: ClaimResult) -> bool:
    return result.delivery.state.is_final and result.attempt is None and not result.replacements


def _columns(rows: Collection[tuple[str, str]]) -> tuple[list[str], list[str]]:
    return [id_ for id_, _ in rows], [reason for _, reason in rows]


async def withdraw_drafts(
    connection: Connection, reasons: Mapping[str, str], sequences: Sequence[int], at: datetime
) -> None:
    """Withdraw the drafts about these touchpoints that are older than these sequences. `at`: service time."""
    await connection.execute(WITHDRAW, list(reasons), list(sequences), list(reasons.values()), at)

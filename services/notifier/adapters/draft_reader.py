"""Drafts outside the queue: for their API, the pages on which people decide, and the mails that ask them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from services.chassis.audit import AuditLog, Change
from services.chassis.clock import ServiceClock
from services.chassis.database import Connection, Database, real_now
from services.notifier.adapters import content_repository
from services.notifier.adapters.directory_repository import load_directory
from services.notifier.adapters.draft_repository import DRAFT_FIELDS, load_recipients, read_draft
from services.notifier.adapters.people_repository import load_person
from services.notifier.application.decide_drafts import DraftDecision, DraftFilter, DraftItem, OpenDraft
from services.notifier.application.draft_mail import SENDING, DraftMail
from services.notifier.domain.addresses import AddressKey
from services.notifier.domain.approval import DraftState, RenderedMessage
from services.notifier.domain.event import parse_event

AUDIT: Final = AuditLog("notifier")
_ITEM: Final = f"""
SELECT {DRAFT_FIELDS}, d.touchpoint_type, d.account_id, d.actor, d.finished_at, d.created_at, d.seq,
    d.reason AS own_reason,
    coalesce((SELECT subject FROM draft_recipient r WHERE r.draft_id = d.id ORDER BY contact_id LIMIT 1), '') AS subject,
    ARRAY(SELECT contact_id FROM draft_recipient r WHERE r.draft_id = d.id ORDER BY contact_id) AS contact_ids,
    d.event_id, d.event_type, d.event_at, d.event_data
FROM draft d
"""
_WANTED: Final = """
($1::text IS NULL OR d.account_id = $1) AND ($2::text IS NULL OR d.csm_id = $2) AND ($3::text IS NULL OR d.state = $3)
"""
PAGE: Final = f"{_ITEM} WHERE {_WANTED} AND d.seq < $4 ORDER BY d.seq DESC LIMIT $5"
COUNT: Final = f"SELECT count(*) FROM draft d WHERE {_WANTED}"
ONE: Final = f"{_ITEM} WHERE d.id = $1"
CONTACTS: Final = "SELECT delivery_id::text, contact_id FROM draft_recipient WHERE draft_id = $1"
EDIT: Final = """
UPDATE draft SET content = $2, version = version + 1 WHERE id = $1 AND version = $3 AND state = 'pending' RETURNING id
"""
EDIT_RECIPIENTS: Final = """
UPDATE draft_recipient r SET subject = u.subject, preheader = u.preheader, html = u.html, text = u.text
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[]) AS u(delivery_id, subject, preheader, html, text)
WHERE r.delivery_id = u.delivery_id
"""
DECIDE: Final = """
UPDATE draft SET state = $2, actor = $3, reason = $4, finished_at = $5, mail_at = NULL
WHERE id = $1 AND state = 'pending' AND approve_until > $5 AND ($6::int IS NULL OR version = $6) RETURNING version
"""
WAKE: Final = """
UPDATE delivery_queue q SET next_at = $2 FROM draft_recipient r WHERE r.draft_id = $1 AND q.delivery_id = r.delivery_id
"""
CLAIM_MAILS: Final = """
WITH due AS (
    SELECT id FROM draft WHERE mail_at <= $1 ORDER BY mail_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
UPDATE draft d SET mail_at = $3, mail_attempts = mail_attempts + 1 FROM due WHERE d.id = due.id RETURNING d.id::text
"""
# One that ended meanwhile has another mail.
END_MAIL: Final = "UPDATE draft SET mail_at = $2 WHERE id = ANY($1::uuid[]) AND state = $3"


class DraftRepository:
    """Implements the ports `Drafts` and `DraftMails`; each call is its own transaction."""

    def __init__(self, database: Database, clock: ServiceClock, addresses: AddressKey) -> None:
        self._database, self._clock, self._addresses = database, clock, addresses

    async def page(self, wanted: DraftFilter, *, before: int, limit: int) -> Sequence[DraftItem]:
        values = (wanted.account_id, wanted.csm_id, wanted.state)
        return [_item(row) for row in await self._database.pool.fetch(PAGE, *values, before, limit)]

    async def count_pending(self, wanted: DraftFilter) -> int:
        values = (wanted.account_id, wanted.csm_id, DraftState.PENDING)
        return int(await self._database.pool.fetchval(COUNT, *values))

    async def find(self, draft_id: str) -> OpenDraft | None:
        async with self._database.transaction() as connection:
            return await self._load(connection, draft_id)

    async def _load(self, connection: Connection, draft_id: str) -> OpenDraft | None:
        row = await connection.fetchrow(ONE, draft_id)
        if row is None:
            return None
        recipients = await load_recipients(connection, [draft_id])
        event = parse_event(row["event_id"], row["event_type"], row["event_at"], row["event_data"])
        directory = await load_directory(connection, self._addresses, [event])
        contents = await content_repository.load_contents(connection, [event.content.touchpoint_type])
        contacts = {pair[0]: pair[1] for pair in await connection.fetch(CONTACTS, draft_id)}
        stored = read_draft(row, recipients.get(draft_id, {}))
        return OpenDraft(_item(row), stored, event, replace(directory, contents=contents), contacts)

    async def save_edit(
        self, draft: OpenDraft, content: str, rendered: Mapping[str, RenderedMessage], version: int
    ) -> bool:
        async with self._database.transaction() as connection:
            if await connection.fetchval(EDIT, draft.item.id, content, version) is None:
                return False
            messages = list(rendered.values())
            await connection.execute(
                EDIT_RECIPIENTS,
                list(rendered),
                [message.subject for message in messages],
                [message.preheader for message in messages],
                [message.html for message in messages],
                [message.text for message in messages],
            )
            before, after = {"version": version}, {"version": version + 1}
            await AUDIT.record(connection, [_change("edited", draft.item.id, before, after)])
        return True

    async def decide(self, draft_id: str, decision: DraftDecision) -> bool:
        async with self._database.transaction() as connection:
            real = await real_now(connection)
            person = await load_person(connection, decision.actor_id) if decision.actor_id else None
            name = (person.name or person.csm_id) if person else decision.actor_id
            reason = ": ".join(filter(None, (name, decision.reason)))
            at = self._clock.at(real)
            fields = (decision.state, decision.actor_id, reason or None, at, decision.version)
            version = await connection.fetchval(DECIDE, draft_id, *fields)
            if version is None:
                return False
            await connection.execute(WAKE, draft_id, real)
            after = {"version": version, "actor_id": decision.actor_id, "reason": decision.reason or None}
            await AUDIT.record(connection, [_change(decision.state, draft_id, None, after)])
        return True

    async def claim_mails(self, limit: int) -> tuple[Sequence[DraftMail], datetime]:
        async with self._database.transaction() as connection:
            now = await real_now(connection)
            rows = await connection.fetch(CLAIM_MAILS, now, limit, now + SENDING)
            found = [await self._load(connection, row[0]) for row in rows]
            attempts = await self._attempts(connection, [row[0] for row in rows])
            mails = [DraftMail(draft, attempts[draft.item.id]) for draft in found if draft is not None]
        return mails, now

    async def _attempts(self, connection: Connection, ids: Sequence[str]) -> Mapping[str, int]:
        rows = await connection.fetch(
            "SELECT id::text, mail_attempts FROM draft WHERE id = ANY($1::uuid[])", ids
        )
        return {row[0]: row[1] for row in rows}

    async def end_mails(self, mails: Sequence[DraftMail], next_at: datetime | None) -> None:
        async with self._database.transaction() as connection:
            for state in sorted({mail.draft.item.state for mail in mails}):
                ids = [mail.draft.item.id for mail in mails if mail.draft.item.state == state]
                await connection.execute(END_MAIL, ids, next_at, state)


def _change(
    verb: str, draft_id: str, before: Mapping[str, object] | None, after: Mapping[str, object] | None
) -> Change:
    return Change(f"draft.{verb}", f"draft/{draft_id}", before, after)


def _item(row: Any) -> DraftItem:
    return DraftItem(
        id=row[0],
        touchpoint_id=row["touchpoint_id"],
        touchpoint_type=row["touchpoint_type"],
        account_id=row["account_id"],
        channel=row["channel"],
        language=row["language"],
        state=DraftState(row["state"]),
        reason=row["own_reason"],
        csm_id=row["csm_id"],
        approver=row["approver"],
        actor=row["actor"],
        version=row["version"],
        subject=row["subject"],
        contact_ids=list(row["contact_ids"]),
        written_at=row["written_at"],
        approve_until=row["approve_until"],
        finished_at=row["finished_at"],
        created_at=row["created_at"],
        seq=row["seq"],
    )

"""What the calendar stores that names one contact: the reasons and the notes of touchpoints."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from schemas.ids import derived_id
from schemas.retention import RetentionRule, rule_of
from services.chassis.audit import AuditLog, Change
from services.chassis.database import Connection, Database, real_now
from services.chassis.dead_letters import letter_document, letters_about
from services.chassis.relay import Relay
from services.chassis.settings import Retention
from services.scheduler.adapters.rows import NAMES, read_stored
from services.scheduler.adapters.touchpoint_lists import ENTRY, WITH_CONTENT
from services.scheduler.application.export_contact import ContactTouchpoints
from services.scheduler.application.read_touchpoints import TouchpointEntry

CALENDARS: Final = """
SELECT account_id FROM account_calendar WHERE account_id IN (
    SELECT coalesce(a.stays, w.account_id) FROM unnest($1::text[]) AS w (account_id)
    LEFT JOIN account_alias a ON a.ended = w.account_id)
"""
_ALL: Final = f"""
SELECT {ENTRY} FROM (
    SELECT {", ".join(NAMES)} FROM touchpoint WHERE account_id = ANY($1::text[])
    UNION ALL SELECT {", ".join(NAMES)} FROM archived_touchpoint WHERE account_id = ANY($1::text[])
) t {WITH_CONTENT}
"""
# What has no topic is internal work.
PLANNED: Final = f"""{_ALL}
WHERE t.status IN ('planned', 'due', 'overdue') AND coalesce(t.face, r.face) ->> 'topic' IS NOT NULL
ORDER BY t.due_at, t.id
"""
NAMING: Final = f"""{_ALL}
WHERE strpos(coalesce(t.face, r.face)::text, $2) > 0
    OR strpos(concat_ws(' ', t.outcome_notes, t.move_reason, t.verdict), $3) > 0
ORDER BY t.due_at, t.id
"""
AUDIT: Final = AuditLog("scheduler")


class PostgresContactExport:
    """Implements the port `ContactExport`. One transaction, so that all parts are of one moment."""

    def __init__(self, database: Database, relay: Relay, retention: Retention) -> None:
        self._database, self._relay, self._retention = database, relay, retention

    async def export(self, contact_id: str, account_ids: Sequence[str]) -> ContactTouchpoints | None:
        async with self._database.transaction() as connection:
            accounts = [row[0] for row in await connection.fetch(CALENDARS, list(account_ids))]
            if not accounts:
                return None
            text = orjson.dumps(contact_id)[1:-1].decode()
            data = ContactTouchpoints(
                exported_at=await real_now(connection),
                planned=[_entry(row) for row in await connection.fetch(PLANNED, accounts)],
                naming=[_entry(row) for row in await connection.fetch(NAMING, accounts, text, contact_id)],
                dead_letters=await _letters(connection, contact_id),
                retention=retention_rules(self._retention),
            )
            person = f"contact/{derived_id('contact', contact_id)}"
            await AUDIT.record(connection, [Change("contact.exported", person)])
        self._relay.wake()
        return data


def retention_rules(retention: Retention) -> list[RetentionRule]:
    """How long each kind of what the export shows is kept."""
    return [
        RetentionRule(what="touchpoints that are planned or due", ends="when they are settled or cancelled"),
        rule_of("touchpoints_days", retention.touchpoints_days, "touchpoints that are settled or cancelled"),
        rule_of("dead_letters_days", retention.dead_letters_days, "dead letters"),
    ]


async def _letters(connection: Connection, contact_id: str) -> list[Mapping[str, object]]:
    return [
        letter_document(letter)
        async for letters in letters_about(connection, {contact_id})
        for letter in letters
    ]


def _entry(row: Any) -> TouchpointEntry:
    stored = read_stored(row)
    return TouchpointEntry(stored.touchpoint, stored.content, row["changed_at"], row["change"])

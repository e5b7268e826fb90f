"""Entries of the audit log for what events change of accounts, contacts and CSMs: the names of fields, never values."""

from collections.abc import Sequence
from typing import Final

from schemas.ids import derived_id
from services.chassis.audit import AuditLog, Change
from services.chassis.database import Connection
from services.chassis.dead_letters import Record
from services.rules_engine.application.read_audit import person_object
from services.rules_engine.domain.account import ChangedDescription
from services.rules_engine.domain.event_actor import actor_of

AUDIT: Final = AuditLog("rules_engine")


async def audit_descriptions(connection: Connection, changes: Sequence[ChangedDescription]) -> None:
    """One entry for each event that changed something, in the caller's transaction."""
    await AUDIT.record(connection, [_entry(change) for change in changes])


def _entry(change: ChangedDescription) -> Change:
    event, record = change.incoming.event, change.incoming.record
    source = event.provenance.source
    after: dict[str, object] = {"fields": list(change.fields)}
    account = person_object("account", event.account_id)
    match event.type:
        case "account.described":
            object_ = account
        case "csm.described":
            object_ = f"csm/{event.account_id}"
        case _:
            object_ = person_object("contact", str(event.fields["contact_id"]))
            after["account"] = account
    # Two contents under one id of an event are two changes.
    entry_id = derived_id("audit", source, event.provenance.id, event.provenance.hash)
    actor = actor_of(record.headers if isinstance(record, Record) else (), source)
    return Change(event.type, object_, None, after, f"an event of {source}", actor, entry_id)

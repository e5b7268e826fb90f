"""Entries of the audit log for events that change consent, pause outreach or merge accounts by hand, whoever sent them.

What describes an account, a contact or a CSM has an entry of the fields that it changed, once it is applied.
"""

from collections.abc import Sequence
from typing import Final

from schemas.envelope import Envelope
from schemas.facts import OutreachPaused, PreferenceChanged
from schemas.ids import derived_id
from schemas.merges import AccountMerged
from services.cadence.account.described import DESCRIBING
from services.chassis.audit import Change
from services.chassis.dead_letters import Record
from services.chassis.keys import ApiKey
from services.chassis.record_signatures import EVENT_SIGNATURE, is_signed_event, sign_event
from services.rules_engine.application.read_audit import person_object
from services.rules_engine.domain.event_actor import ACTOR_HEADER, actor_of

_PAUSES: Final = frozenset({"outreach.paused", "outreach.resumed"})
AUDITED: Final = frozenset(
    f"drumbeat.{name}.v1" for name in ("account.merged", "preference.changed", *_PAUSES)
)
NAMED: Final = AUDITED | {f"drumbeat.{name}.v1" for name in (*DESCRIBING, "csm.described")}
"""Types of events whose entries name the key that sent them."""
_OWN_SOURCES: Final = "/drumbeat/"
"""What a service of ours sends is in the log already, with the one who did it."""


def signed_headers(
    secret: bytes, topic: str, envelope: Envelope, headers: Sequence[tuple[str, bytes]], key: ApiKey
) -> list[tuple[str, bytes]]:
    """The headers of an event that came over HTTP with this key: with its name, signed, where there will be an entry."""
    if envelope.type not in NAMED:
        return [*headers]
    named = [*headers, (ACTOR_HEADER, key.key_id.encode("ascii", "replace"))]
    return [*named, sign_event(secret, topic, envelope.subject, named, envelope.data)]


def without_claims(secrets: Sequence[bytes], record: Record, type_: str) -> Record:
    """The record without what it says of its sender, unless a service of this deployment has signed it."""
    claims = {ACTOR_HEADER, EVENT_SIGNATURE}
    if type_ not in NAMED or claims.isdisjoint(name for name, _ in record.headers):
        return record
    if is_signed_event(secrets, record):
        return record
    return record._replace(headers=tuple(header for header in record.headers if header[0] not in claims))


def change_of(envelope: Envelope, headers: Sequence[tuple[str, bytes]]) -> Change | None:
    """The entry for an event with these headers, which are believed; None for one that needs none.

    An event that is repeated has the same entry.
    """
    if envelope.type not in AUDITED or _is_own(envelope, headers):
        return None
    entry_id = derived_id("audit", envelope.source, envelope.id)
    action = envelope.type.removeprefix("drumbeat.").removesuffix(".v1")
    if action == "account.merged":
        merged = AccountMerged.read(envelope.data)
        object_, after = person_object("account", envelope.subject), _merged(merged)
    elif action in _PAUSES:
        paused = OutreachPaused.read(envelope.data)
        object_, after = _paused_object(envelope.subject, paused), {"until": paused.until}
    else:
        changed = PreferenceChanged.read(envelope.data)
        object_, after = person_object("contact", changed.contact_id), _preference(changed)
    detail = f"an event of {envelope.source}"
    return Change(action, object_, None, after, detail, actor_of(headers, envelope.source), entry_id)


def _is_own(envelope: Envelope, headers: Sequence[tuple[str, bytes]]) -> bool:
    """Whether a service of ours sent it: whoever writes to Kafka can give it such a source."""
    return envelope.source.startswith(_OWN_SOURCES) and any(name == EVENT_SIGNATURE for name, _ in headers)


def _merged(merged: AccountMerged) -> dict[str, object]:
    return {"from": person_object("account", merged.from_)}


def _paused_object(account_id: str, paused: OutreachPaused) -> str:
    if paused.contact_id is None:
        return person_object("account", account_id)
    return person_object("contact", paused.contact_id)


def _preference(changed: PreferenceChanged) -> dict[str, object]:
    names = ("topic", "channel", "frequency", "opted_in")
    return {name: getattr(changed, name) for name in names if name in changed.model_fields_set}

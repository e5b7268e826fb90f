"""Entries of the audit log for events that change consent or merge accounts by hand, whoever sent them."""

from collections.abc import Sequence
from typing import Final

from schemas.envelope import Envelope
from schemas.facts import PreferenceChanged
from schemas.ids import derived_id
from schemas.merges import AccountMerged
from services.chassis.audit import Change
from services.chassis.keys import ApiKey
from services.rules_engine.application.read_audit import person_object

ACTOR_HEADER: Final = "drumbeat_actor"
"""Kafka header of an event that came over HTTP: the id of the key."""
AUDITED: Final = frozenset({"drumbeat.account.merged.v1", "drumbeat.preference.changed.v1"})
_OWN_SOURCES: Final = "/drumbeat/"
"""What a service of ours sends is in the log already, with the one who did it."""


def actor_headers(envelope: Envelope, key: ApiKey) -> list[tuple[str, bytes]]:
    """The header of an event that came over HTTP with this key; empty for one that needs no entry."""
    return [(ACTOR_HEADER, key.key_id.encode("ascii", "replace"))] if envelope.type in AUDITED else []


def change_of(envelope: Envelope, headers: Sequence[tuple[str, bytes]]) -> Change | None:
    """The entry for an event; None for one that needs none. An event that is repeated has the same entry."""
    if envelope.type not in AUDITED or envelope.source.startswith(_OWN_SOURCES):
        return None
    actor = next((value.decode("ascii", "replace") for name, value in headers if name == ACTOR_HEADER), "")
    entry_id = derived_id("audit", envelope.source, envelope.id)
    action = envelope.type.removeprefix("drumbeat.").removesuffix(".v1")
    if action == "account.merged":
        merged = AccountMerged.read(envelope.data)
        object_, after = person_object("account", envelope.subject), _merged(merged)
    else:
        changed = PreferenceChanged.read(envelope.data)
        object_, after = person_object("contact", changed.contact_id), _preference(changed)
    detail = f"event {envelope.id} of {envelope.source}"
    return Change(
        action, object_, None, after, detail, actor[:200] or f"source {envelope.source}"[:200], entry_id
    )


def _merged(merged: AccountMerged) -> dict[str, object]:
    return {"from": person_object("account", merged.from_)}


def _preference(changed: PreferenceChanged) -> dict[str, object]:
    names = ("topic", "channel", "frequency", "opted_in")
    return {name: getattr(changed, name) for name in names if name in changed.model_fields_set}

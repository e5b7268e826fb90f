"""Where a contact is: in the account that described it last.

Another account that described the contact before keeps what it was told out of sight, so that a later description, or
an earlier one that arrives late, brings the contact back whole. All of them know all descriptions of the contact.
"""

from services.cadence.account.erasure import erased_key
from services.cadence.account.merging import merge_fields
from services.cadence.account.stamps import Stamp, StampedFields, stamp_of, when
from services.cadence.account.state import AwayContact, FactEvent, Facts


def described_contact(event: FactEvent) -> tuple[str, Stamp] | None:
    """The contact that the event places in its account, with its stamp; None when it places nobody."""
    contact_id = event.fields.get("contact_id")
    if event.type != "contact.described" or not isinstance(contact_id, str):
        return None
    return contact_id, stamp_of(event.provenance)


def descriptions_of(facts: Facts, contact_id: str) -> StampedFields:
    """What the descriptions of a contact say, whether it is here or away; leaving concerns one account only."""
    away = facts.away.get(contact_id)
    stored = facts.contacts.get(contact_id, {}) if away is None else away.fields
    described = {stamp: {k: v for k, v in fields.items() if k != "left"} for stamp, fields in stored.items()}
    return {stamp: fields for stamp, fields in described.items() if fields}


def place_contact(facts: Facts, contact_id: str, descriptions: StampedFields, *, is_home: bool) -> bool:
    """Show or hide a contact that several accounts described, and add all descriptions; whether anything changed."""
    before = contact_id in facts.contacts
    stored = facts.contacts.pop(contact_id, None)
    away = facts.away.pop(contact_id, None) or AwayContact(stored or {}, facts.joined.pop(contact_id, None))
    erased = facts.erased.get(erased_key(contact_id), -1)
    changed = before is not is_home
    for stamp, fields in descriptions.items():
        if when(stamp) > erased:
            own = away.fields.get(stamp, {})  # whether somebody left is told of this account only
            changed |= merge_fields(away.fields, stamp, {**own, **fields})[0]
    if not is_home:
        facts.away[contact_id] = away
        return changed
    facts.contacts[contact_id] = away.fields
    if away.joined is not None:
        facts.joined[contact_id] = away.joined
    return changed

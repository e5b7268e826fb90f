"""Erase a contact from the facts, for good: what was told of the contact until then is ignored whenever it arrives."""

from schemas.ids import derived_id
from services.cadence.account.merging import LAST
from services.cadence.account.stamps import Entries, Stamp, when
from services.cadence.account.state import FactEvent, Facts

_ABOUT_CONTACT = frozenset({"contact.described", "contact.left"})
"""Names of the dated entries that say something of a contact; others only name who answered or was met."""
_IGNORED = _ABOUT_CONTACT | {"preference.changed", "outreach.paused", "outreach.resumed"}


def erased_key(contact_id: str) -> str:
    """What stands for a contact that was erased: a digest of its id."""
    return derived_id("contact", contact_id)


def is_known(facts: Facts, contact_id: str) -> bool:
    """Whether anything is stored of a contact."""
    return bool(_stamps(facts, contact_id))


def erase_contact(facts: Facts, contact_id: str, at: int) -> None:
    """Erase a contact, and ignore from now on what was told by `at` (microseconds) or is stored: later facts start anew.

    What the contact answered still counts for the account, without a name.
    """
    key = erased_key(contact_id)
    facts.erased[key] = max(at, facts.erased.get(key, at), *map(when, _stamps(facts, contact_id)))
    facts.joined.pop(contact_id, None)
    facts.contacts.pop(contact_id, None)
    facts.pauses.pop(contact_id, None)
    for preference in _preferences(facts, contact_id):
        del facts.preferences[preference]
    for name, entries in facts.entries.items():
        for stamp in _entries(entries, contact_id):
            if name in _ABOUT_CONTACT:
                del entries[stamp]
            else:
                del entries[stamp]["contact_id"]
    # As if it had never been told: a kind without entries is not stored.
    facts.entries = {name: entries for name, entries in facts.entries.items() if entries}


def _stamps(facts: Facts, contact_id: str) -> list[Stamp]:
    """The stamps of everything that is stored of a contact."""
    stamps = [*facts.contacts.get(contact_id, ()), *facts.pauses.get(contact_id, ())]
    for preference in _preferences(facts, contact_id):
        stamps += facts.preferences[preference]
    for entries in facts.entries.values():
        stamps += [str(entries[stamp].get(LAST, stamp)) for stamp in _entries(entries, contact_id)]
    return stamps


def _preferences(facts: Facts, contact_id: str) -> list[str]:
    return [key for key in facts.preferences if key.split("\n")[0] == contact_id]


def _entries(entries: Entries, contact_id: str) -> list[Stamp]:
    return [stamp for stamp, fields in entries.items() if fields.get("contact_id") == contact_id]


def without_erased(facts: Facts, event: FactEvent, at: int) -> FactEvent:
    """The event as it may be applied: without an erased contact when it was told before the erasure."""
    contact_id = event.fields.get("contact_id")
    if not isinstance(contact_id, str) or at > facts.erased.get(erased_key(contact_id), -1):
        return event
    if event.type in _IGNORED:
        return event._replace(type="", fields={})
    return event._replace(
        fields={name: value for name, value in event.fields.items() if name != "contact_id"}
    )

"""Erase a contact from the facts, for good: what was told of the contact until then is ignored whenever it arrives."""

from collections.abc import Iterable, Mapping

from schemas.ids import derived_id
from services.cadence.account.merging import LAST
from services.cadence.account.retention import NOTES
from services.cadence.account.stamps import Entries, Stamp, StampedFields, when
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

    What the contact answered still counts for the account, without a name. Notes of conversations go whole, whoever was
    met: their words may be about the contact.
    """
    key = erased_key(contact_id)
    facts.erased[key] = max(at, facts.erased.get(key, at), *map(when, _stamps(facts, contact_id)))
    _drop(facts, contact_id, facts.erased[key])
    _drop_notes(facts, facts.erased[key])


def drop_erased(facts: Facts, erased: Mapping[str, int]) -> None:
    """Drop what was told of contacts by the time another account of the same customer erased them."""
    for contact_id in _contact_ids(facts) if erased else ():
        at = erased.get(erased_key(contact_id))
        if at is not None:
            _drop(facts, contact_id, at)
    if erased:
        _drop_notes(facts, max(erased.values()))


def _drop(facts: Facts, contact_id: str, at: int) -> None:
    """Drop what was told of a contact by `at`; who answered or was met loses the name."""
    _drop_entries(facts, contact_id, at)
    _drop_person(facts, contact_id, at)
    _drop_stamped(facts.pauses, contact_id, at)
    for preference in _preferences(facts, contact_id):
        _drop_stamped(facts.preferences, preference, at)


def _drop_notes(facts: Facts, at: int) -> None:
    """Drop the notes that were told by `at`."""
    notes = facts.entries.pop(NOTES, {})
    kept = {stamp: fields for stamp, fields in notes.items() if when(stamp) > at}
    if kept:
        facts.entries[NOTES] = kept


def _drop_person(facts: Facts, contact_id: str, at: int) -> None:
    """Who was described after `at`, even without a new field, or left then, stays."""
    described, left = (
        _entries(facts.entries.get(kind, {}), contact_id) for kind in ("contact.described", "contact.left")
    )
    contact, away = facts.contacts.get(contact_id), facts.away.get(contact_id)
    if contact is not None and not _keep_later(contact, at) and not described and not left:
        del facts.contacts[contact_id]
    joined = _joined_after(at, facts.joined.pop(contact_id, None), described or contact or ())
    if joined is not None:
        facts.joined[contact_id] = joined
    if away is None:
        return
    if not _keep_later(away.fields, at) and not described:
        del facts.away[contact_id]
    away.joined = _joined_after(at, away.joined, described or away.fields)


def _joined_after(at: int, joined: Stamp | None, later: Iterable[Stamp]) -> Stamp | None:
    return joined if joined is None or when(joined) > at else min(later, default=None)


def _drop_entries(facts: Facts, contact_id: str, at: int) -> None:
    for name, entries in facts.entries.items():
        for stamp in [stamp for stamp in _entries(entries, contact_id) if when(stamp) <= at]:
            fields = entries.pop(stamp)
            last = str(fields.get(LAST, stamp))
            if when(last) > at:  # told again since: that telling stands
                del fields[LAST]
                entries[last] = dict(fields)
            if name not in _ABOUT_CONTACT:
                del fields["contact_id"]
                entries[stamp] = fields
    # As if it had never been told: a kind without entries is not stored.
    facts.entries = {
        name: dict(sorted(entries.items())) for name, entries in facts.entries.items() if entries
    }


def _drop_stamped(stored: dict[str, StampedFields], key: str, at: int) -> None:
    if key in stored and not _keep_later(stored[key], at):
        del stored[key]


def _keep_later(stamped: StampedFields, at: int) -> bool:
    """Whether anything is left that was told after `at`."""
    for stamp in [stamp for stamp in stamped if when(stamp) <= at]:
        del stamped[stamp]
    return bool(stamped)


def _contact_ids(facts: Facts) -> set[str]:
    named = (fields.get("contact_id") for entries in facts.entries.values() for fields in entries.values())
    preferred = (key.split("\n")[0] for key in facts.preferences)
    answered = (key for key in named if isinstance(key, str))
    return {*facts.contacts, *facts.away, *facts.pauses, *preferred, *answered}


def _stamps(facts: Facts, contact_id: str) -> list[Stamp]:
    """The stamps of everything that is stored of a contact."""
    stamps = [*facts.contacts.get(contact_id, ()), *facts.pauses.get(contact_id, ())]
    if contact_id in facts.away:
        stamps += facts.away[contact_id].fields
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
    """The event as it may be applied: without an erased contact, and notes, when it was told before the erasure."""
    if "notes" in event.fields and at <= max(facts.erased.values(), default=-1):
        event = event._replace(
            fields={name: value for name, value in event.fields.items() if name != "notes"}
        )
    contact_id = event.fields.get("contact_id")
    if not isinstance(contact_id, str) or at > facts.erased.get(erased_key(contact_id), -1):
        return event
    if event.type in _IGNORED:
        return event._replace(type="", fields={})
    return event._replace(
        fields={name: value for name, value in event.fields.items() if name != "contact_id"}
    )

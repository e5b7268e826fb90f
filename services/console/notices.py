"""What a page reports after a form: fixed sentences, chosen by the address it returns to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_SENTENCES: Final[Mapping[str, str]] = {
    "done": "Done.",
    "missed": "Marked as not reached.",
    "moved": "Moved.",
    "handed_over": "Handed over.",
    "skipped": "Skipped.",
    "claimed": "Yours now.",
    "assigned": "Assigned.",
    "undone": "Undone.",
    "saved": "Saved.",
    "approved": "Approved: it goes as soon as the customer may be written to.",
    "rejected": "Not approved: nothing is sent.",
    "resent": "A new delivery is on its way.",
    "test_sent": "The test mail is on its way.",
    "imported": "Imported: what the rows say appears within seconds.",
    "sample_sent": "The sample book is on its way: its accounts appear within seconds.",
    "sample_erased": "The sample book is being erased.",
    "published": "Published: the new version is in force.",
    "calendar_set": "Their calendar is read within a minute, and its busy time kept free.",
    "calendar_forgotten": "Their calendar is forgotten: its busy time does not count any more.",
    "user_added": "Added: they can sign in now.",
    "user_changed": "Changed.",
    "password_changed": "Your password is changed. Your other sessions have ended.",
    "session_ended": "The session has ended.",
    "rolled_back": "Rolled back: the earlier version is in force.",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """`error`: what a service answered; `undo`: (touchpoint, version) while the act can be undone."""

    text: str
    error: str = ""
    undo: tuple[str, str] | None = None


def notice_of(query: Mapping[str, str]) -> Notice | None:
    """The notice in an address; None without one. An unknown name is no notice."""
    error = query.get("failed", "")[:500]
    sentence = _SENTENCES.get(query.get("did", ""), "")
    if not sentence and not error:
        return None
    undo = query.get("undo", ""), query.get("version", "")
    return Notice(sentence, error, undo if all(undo) and undo[1].isascii() and undo[1].isdigit() else None)

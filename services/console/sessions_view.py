"""The sessions as rows of a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.console.json_fields import Json, instant, text

_BROWSERS: Final = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True)
class SessionRow:
    """`key`: the name of the key that signed in, else its id; `client`: browser and system."""

    session_id: str
    key: str
    client: str
    began_at: datetime | None
    expires_at: datetime | None
    is_own: bool


def session_rows(sessions: Sequence[Json], own_id: str) -> list[SessionRow]:
    """The newest first, the reader's own before the others."""
    rows = [
        SessionRow(
            text(each, "session_id"),
            text(each, "key_name") or text(each, "key_id"),
            client_name(text(each, "client")),
            instant(each, "began_at"),
            instant(each, "expires_at"),
            text(each, "session_id") == own_id,
        )
        for each in sessions
    ]
    return sorted(rows, key=lambda row: (not row.is_own, -(row.began_at.timestamp() if row.began_at else 0)))


def client_name(user_agent: str) -> str:
    """`Firefox on Linux` from a User-Agent (RFC 9110, 10.1.5); its own first words when it is no browser known here."""
    browser = next((name for sign, name in _BROWSERS if sign in user_agent), "")
    system = next((name for sign, name in _SYSTEMS if sign in user_agent), "")
    if not browser:
        return user_agent[:60] or "unknown"
    return f"{browser} on {system}" if system else browser

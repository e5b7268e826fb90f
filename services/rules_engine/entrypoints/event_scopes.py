"""Which scope of an API key an event needs: what it says of accounts and people, of consent, or anything else."""

from collections.abc import Mapping
from typing import Final

from schemas.events import FACTS, OUTCOMES
from services.chassis.keys import ApiKey, Scope

_DIRECTORY: Final = frozenset(
    f"drumbeat.{kind}.v1"
    for kind in (
        "account.described",
        "account.merged",
        "contact.described",
        "contact.left",
        "csm.described",
    )
)
_CONSENT: Final = frozenset(
    f"drumbeat.{kind}.v1" for kind in ("preference.changed", "outreach.paused", "outreach.resumed")
)


def _scopes(event_type: str) -> tuple[Scope, ...]:
    if event_type in _DIRECTORY:
        return ("directory",)
    if event_type in _CONSENT:
        return ("consent",)
    # What became of a touchpoint or a message is also told by whoever may act on it.
    return ("signals", "act") if event_type in OUTCOMES else ("signals",)


EVENT_SCOPES: Final[Mapping[str, tuple[Scope, ...]]] = {name: _scopes(name) for name in (*FACTS, *OUTCOMES)}
"""Event type -> the scopes of which one suffices."""


def missing_scope(event_type: str, key: ApiKey) -> str | None:
    """Why this key may not send an event of this type; None: it may."""
    needed = EVENT_SCOPES[event_type]
    if not key.grants().isdisjoint(needed):
        return None
    return f"the key {key.key_id} does not have the scope {' or '.join(map(repr, needed))}, which {event_type} needs"

"""The token of a link with which a person of ours acts: one touchpoint and one person, signed with HMAC-SHA256."""

import base64
import binascii
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, cast

SIGNATURE_BYTES: Final = 20
LASTS: Final = timedelta(days=30)
"""Real time for which a link works, if its touchpoint is not settled before."""


class ActionTokenRejected(Exception):
    """The token is incomplete or was not signed here."""


class ActionTokenExpired(Exception):
    """The token was signed here, too long ago."""


@dataclass(frozen=True, slots=True)
class ActionToken:
    """`person_id` None: the mailbox of the deployment. `issued_at` is real time, in whole seconds."""

    touchpoint_id: str
    person_id: str | None
    issued_at: datetime


def make_action_token(key: bytes, token: ActionToken) -> str:
    """URL-safe; the same for the same touchpoint, person and moment."""
    fields = [token.touchpoint_id, token.person_id, int(token.issued_at.timestamp())]
    payload = json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(_sign(key, payload) + payload).decode().rstrip("=")


def read_action_token(key: bytes, text: str, *, now: datetime) -> ActionToken:
    """The token at this real moment. Raises ActionTokenRejected and ActionTokenExpired."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as problem:
        raise ActionTokenRejected from problem
    signature, payload = raw[:SIGNATURE_BYTES], raw[SIGNATURE_BYTES:]
    if not hmac.compare_digest(signature, _sign(key, payload)):
        raise ActionTokenRejected
    touchpoint_id, person_id, seconds = cast("tuple[str, str | None, int]", json.loads(payload))
    issued_at = datetime.fromtimestamp(seconds, UTC)
    if now > issued_at + LASTS:
        raise ActionTokenExpired
    return ActionToken(touchpoint_id, person_id, issued_at)


def action_links(base_url: str, key: bytes) -> Callable[[str | None, str | None, datetime], str]:
    """Makes the address at which a person (None: the mailbox) acts on a touchpoint, in a mail of this real moment.

    That of a test, which is about no touchpoint (None), leads to the page that says that a link does not work.
    """

    def action_url(touchpoint_id: str | None, person_id: str | None, at: datetime) -> str:
        if touchpoint_id is None:
            return f"{base_url}/a/test"
        return f"{base_url}/a/{make_action_token(key, ActionToken(touchpoint_id, person_id, at))}"

    return action_url


def make_undo(key: bytes, token: str, version: int) -> str:
    """What takes back the act that left the touchpoint of this link at this version: nobody else's act."""
    signature = hmac.digest(key, f"undo:{version}:{token}".encode(), "sha256")[:SIGNATURE_BYTES]
    return f"{version}.{signature.hex()}"


def read_undo(key: bytes, token: str, text: str) -> int:
    """The version. Raises ActionTokenRejected."""
    version = text.partition(".")[0]
    is_number = version.isascii() and version.isdigit() and len(version) < 12
    if not is_number or not hmac.compare_digest(text.encode(), make_undo(key, token, int(version)).encode()):
        raise ActionTokenRejected
    return int(version)


def _sign(key: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, b"action:" + payload, "sha256")[:SIGNATURE_BYTES]

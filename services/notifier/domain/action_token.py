"""The token of a link with which a person of ours acts: one touchpoint and one person. Nothing can be read from it."""

import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, cast

from services.notifier.domain.link_token import (
    LinkKeys,
    TokenRejected,
    make_link_token,
    read_base64,
    read_link_token,
    refuse_expired,
)

PURPOSE: Final = "action"
SIGNATURE_BYTES: Final = 20
LASTS: Final = timedelta(days=30)
"""Real time for which a link works, if its touchpoint is not settled before."""


@dataclass(frozen=True, slots=True)
class ActionToken:
    """`person_id` None: the mailbox of the deployment. `issued_at` is real time, in whole seconds."""

    touchpoint_id: str
    person_id: str | None
    issued_at: datetime


def make_action_token(keys: LinkKeys, token: ActionToken) -> str:
    """URL-safe; the same for the same touchpoint, person and moment."""
    return make_link_token(keys, PURPOSE, [token.touchpoint_id, token.person_id], token.issued_at)


def read_action_token(keys: LinkKeys, text: str, *, now: datetime) -> ActionToken:
    """The token at this real moment. Raises TokenRejected and TokenExpired."""
    try:
        (touchpoint_id, person_id), issued_at = read_link_token(keys, PURPOSE, text)
        token = ActionToken(touchpoint_id or "", person_id, issued_at)
    except TokenRejected:
        token = _read_earlier(keys, text)
    refuse_expired(token.issued_at, now, LASTS)
    return token


def action_links(base_url: str, keys: LinkKeys) -> Callable[[str | None, str | None, datetime], str]:
    """Makes the address at which a person (None: the mailbox) acts on a touchpoint, in a mail of this real moment.

    That of a test, which is about no touchpoint (None), leads to the page that says that a link does not work.
    """

    def action_url(touchpoint_id: str | None, person_id: str | None, at: datetime) -> str:
        if touchpoint_id is None:
            return f"{base_url}/a/test"
        return f"{base_url}/a/{make_action_token(keys, ActionToken(touchpoint_id, person_id, at))}"

    return action_url


def make_undo(keys: LinkKeys, token: str, version: int) -> str:
    """What takes back the act that left the touchpoint of this link at this version: nobody else's act."""
    return _undo(keys.keys[keys.current], token, version)


def read_undo(keys: LinkKeys, token: str, text: str) -> int:
    """The version. Raises TokenRejected."""
    version = text.partition(".")[0]
    if not (version.isascii() and version.isdigit() and len(version) < 12):
        raise TokenRejected
    expected = (_undo(key, token, int(version)) for key in keys.keys.values())
    if not any(hmac.compare_digest(text.encode(), one.encode()) for one in expected):
        raise TokenRejected
    return int(version)


def _undo(key: bytes, token: str, version: int) -> str:
    signature = hmac.digest(key, f"undo:{version}:{token}".encode(), "sha256")[:SIGNATURE_BYTES]
    return f"{version}.{signature.hex()}"


def _read_earlier(keys: LinkKeys, text: str) -> ActionToken:
    """The signature, an HMAC-SHA256 over the fields, and the fields as JSON."""
    raw, key = read_base64(text), keys.earlier
    signature, payload = raw[:SIGNATURE_BYTES], raw[SIGNATURE_BYTES:]
    if key is None or not hmac.compare_digest(signature, _sign_earlier(key, payload)):
        raise TokenRejected
    touchpoint_id, person_id, seconds = cast("tuple[str, str | None, int]", json.loads(payload))
    return ActionToken(touchpoint_id, person_id, datetime.fromtimestamp(seconds, UTC))


def _sign_earlier(key: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, b"action:" + payload, "sha256")[:SIGNATURE_BYTES]

"""The token of an unsubscribe link: contact and topic, signed with HMAC-SHA256. It needs no other key."""

import base64
import binascii
import hmac
import json
from typing import cast

SIGNATURE_BYTES = 20


class TokenRejected(Exception):
    """The token is incomplete or was not signed here; the text is for the reader of the page."""


def make_token(key: bytes, contact_id: str, topic: str | None) -> str:
    """URL-safe; the same for the same contact and topic, so that links in old mail keep working."""
    payload = json.dumps([contact_id, topic], separators=(",", ":"), ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(_sign(key, payload) + payload).decode().rstrip("=")


def read_token(key: bytes, token: str) -> tuple[str, str | None]:
    """(contact id, topic or None for all topics). Raises TokenRejected."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as problem:
        raise TokenRejected("The link is incomplete.") from problem
    signature, payload = raw[:SIGNATURE_BYTES], raw[SIGNATURE_BYTES:]
    if not hmac.compare_digest(signature, _sign(key, payload)):
        raise TokenRejected("The link is not valid.")
    contact_id, topic = cast("tuple[str, str | None]", json.loads(payload))
    return contact_id, topic


def _sign(key: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, b"unsubscribe:" + payload, "sha256")[:SIGNATURE_BYTES]

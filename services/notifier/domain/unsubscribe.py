"""The proof in an unsubscribe link: who is leaving which topic, signed, without a word about the person."""

import base64
import binascii
import hmac
import json
from typing import cast

TAG_BYTES = 20


class TokenRejected(Exception):
    """The link was not made here, or was cut short on its way."""


def token(secret: bytes, contact_id: str, topic: str | None) -> str:
    """URL-safe; the same for the same contact and topic, so that old mails keep working."""
    payload = json.dumps([contact_id, topic], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_tag(secret, payload) + payload).decode().rstrip("=")


def opened(secret: bytes, text: str) -> tuple[str, str | None]:
    """(contact id, topic or None for all), or `TokenRejected`."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as problem:
        raise TokenRejected("This link is not complete.") from problem
    tag, payload = raw[:TAG_BYTES], raw[TAG_BYTES:]
    if not hmac.compare_digest(tag, _tag(secret, payload)):
        raise TokenRejected("This link was not made here.")
    contact_id, topic = cast("tuple[str, str | None]", json.loads(payload))
    return contact_id, topic


def _tag(secret: bytes, payload: bytes) -> bytes:
    return hmac.digest(secret, b"unsubscribe:" + payload, "sha256")[:TAG_BYTES]

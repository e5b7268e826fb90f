"""The token of an unsubscribe link: contact and topic. It needs no other key, and nothing can be read from it."""

import hmac
import json
from datetime import datetime
from typing import cast

from services.notifier.domain.link_token import (
    CUSTOMER_LINKS_LAST,
    LinkKeys,
    TokenRejected,
    make_link_token,
    read_base64,
    read_link_token,
    refuse_expired,
    start_of_day,
)

PURPOSE = "unsubscribe"
SIGNATURE_BYTES = 20


def make_token(keys: LinkKeys, contact_id: str, topic: str | None, at: datetime) -> str:
    """The same for a contact and a topic (None: all topics) on the day of this real moment."""
    return make_link_token(keys, PURPOSE, [contact_id, topic], start_of_day(at))


def read_token(keys: LinkKeys, token: str, *, now: datetime) -> tuple[str, str | None]:
    """(contact id, topic or None for all topics). Raises TokenRejected, and TokenExpired at this real moment."""
    try:
        (contact_id, topic), made_at = read_link_token(keys, PURPOSE, token)
    except TokenRejected:
        return _read_earlier(keys, token)
    refuse_expired(made_at, now, CUSTOMER_LINKS_LAST)
    return contact_id or "", topic


def _read_earlier(keys: LinkKeys, token: str) -> tuple[str, str | None]:
    """The signature, an HMAC-SHA256 over the fields, and the fields as JSON."""
    raw, key = read_base64(token), keys.earlier
    signature, payload = raw[:SIGNATURE_BYTES], raw[SIGNATURE_BYTES:]
    if key is None or not hmac.compare_digest(signature, _sign_earlier(key, payload)):
        raise TokenRejected
    contact_id, topic = cast("tuple[str, str | None]", json.loads(payload))
    return contact_id, topic


def _sign_earlier(key: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, b"unsubscribe:" + payload, "sha256")[:SIGNATURE_BYTES]

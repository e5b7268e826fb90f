"""The token of an unsubscribe link: contact and topics. It needs no other key, and nothing can be read from it."""

import hmac
import json
from collections.abc import Sequence
from datetime import datetime
from typing import cast

from schemas.vocabulary import Topic
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


def make_token(keys: LinkKeys, contact_id: str, topics: Sequence[Topic], at: datetime) -> str:
    """The same for a contact and topics (none: all topics) on the day of this real moment."""
    return make_link_token(keys, PURPOSE, [contact_id, *(topics or [None])], start_of_day(at))


def read_token(keys: LinkKeys, token: str, *, now: datetime) -> tuple[str, Sequence[Topic]]:
    """(contact id, topics, none for all topics). Raises TokenRejected, and TokenExpired at this real moment."""
    try:
        (contact_id, *topics), made_at = read_link_token(keys, PURPOSE, token)
    except TokenRejected:
        return _read_earlier(keys, token)
    refuse_expired(made_at, now, CUSTOMER_LINKS_LAST)
    return contact_id or "", cast("list[Topic]", [topic for topic in topics if topic is not None])


def _read_earlier(keys: LinkKeys, token: str) -> tuple[str, Sequence[Topic]]:
    """The signature, an HMAC-SHA256 over the fields, and the fields as JSON."""
    raw, key = read_base64(token), keys.earlier
    signature, payload = raw[:SIGNATURE_BYTES], raw[SIGNATURE_BYTES:]
    if key is None or not hmac.compare_digest(signature, _sign_earlier(key, payload)):
        raise TokenRejected
    contact_id, topic = cast("tuple[str, Topic | None]", json.loads(payload))
    return contact_id, [] if topic is None else [topic]


def _sign_earlier(key: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, b"unsubscribe:" + payload, "sha256")[:SIGNATURE_BYTES]

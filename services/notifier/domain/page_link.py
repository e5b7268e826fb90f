"""The token of the link to a contact's own page. Who has it reads no id from it, and nobody can make another one."""

import hmac
from datetime import datetime
from hashlib import shake_256

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

PURPOSE = "page"
TAG_BYTES = 20


def make_page_token(keys: LinkKeys, contact_id: str, at: datetime) -> str:
    """The same for a contact on the day of this real moment."""
    return make_link_token(keys, PURPOSE, [contact_id], start_of_day(at))


def read_page_token(keys: LinkKeys, token: str, *, now: datetime) -> str:
    """The contact id. Raises TokenRejected, and TokenExpired at this real moment."""
    try:
        (contact_id, *_), made_at = read_link_token(keys, PURPOSE, token)
    except TokenRejected:
        return _read_earlier(keys, token)
    refuse_expired(made_at, now, CUSTOMER_LINKS_LAST)
    return contact_id or ""


def _read_earlier(keys: LinkKeys, token: str) -> str:
    """A tag, an HMAC-SHA256 over the id, and the id under a mask of SHAKE256 with the tag as its input."""
    raw, key = read_base64(token), keys.earlier
    if key is None:
        raise TokenRejected
    tag, masked = raw[:TAG_BYTES], raw[TAG_BYTES:]
    mask = shake_256(hmac.digest(key, b"page mask:" + tag, "sha256")).digest(len(masked))
    payload = bytes(a ^ b for a, b in zip(masked, mask, strict=True))
    expected = hmac.digest(key, b"page:" + payload, "sha256")[:TAG_BYTES]
    if not payload or not hmac.compare_digest(tag, expected):
        raise TokenRejected
    return payload.decode()

"""The token of the link to a contact's own page. Who has it reads no id from it, and nobody can make another one."""

import base64
import binascii
import hmac
from hashlib import shake_256

from services.notifier.domain.unsubscribe import TokenRejected

TAG_BYTES = 20


def make_page_token(key: bytes, contact_id: str) -> str:
    """URL-safe; the same for the same contact, so that links in old mail keep working.

    The tag authenticates the id and is the synthetic initialisation vector under which it is masked, as in RFC 5297; the
    tag is an HMAC-SHA256, the mask SHAKE256.
    """
    payload = contact_id.encode()
    tag = _tag(key, payload)
    return base64.urlsafe_b64encode(tag + _masked(key, tag, payload)).decode().rstrip("=")


def read_page_token(key: bytes, token: str) -> str:
    """The contact id. Raises TokenRejected."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as problem:
        raise TokenRejected("The link is incomplete.") from problem
    tag, payload = raw[:TAG_BYTES], _masked(key, raw[:TAG_BYTES], raw[TAG_BYTES:])
    if not payload or not hmac.compare_digest(tag, _tag(key, payload)):
        raise TokenRejected("The link is not valid.")
    return payload.decode()


def _tag(key: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, b"page:" + payload, "sha256")[:TAG_BYTES]


def _masked(key: bytes, tag: bytes, payload: bytes) -> bytes:
    mask = shake_256(hmac.digest(key, b"page mask:" + tag, "sha256")).digest(len(payload))
    return bytes(a ^ b for a, b in zip(payload, mask, strict=True))

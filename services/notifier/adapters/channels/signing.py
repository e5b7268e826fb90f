"""Signatures of Standard Webhooks 1.0.0: HMAC-SHA256 over id, second and body, one for each valid key."""

import base64
import binascii
import hashlib
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Protocol

PREFIX = "whsec_"
BLOCK_BYTES = 64
INNER, OUTER = bytes(byte ^ 0x36 for byte in range(256)), bytes(byte ^ 0x5C for byte in range(256))


class Hash(Protocol):
    """A hash that was begun, of `hashlib`."""

    def copy(self) -> "Hash": ...

    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


def format_secret(secret: bytes) -> str:
    """The text form of a secret."""
    return PREFIX + base64.b64encode(secret).decode()


def sign_headers(webhook_id: str, at: datetime, body: bytes, secrets: Iterable[bytes]) -> dict[str, str]:
    """The three headers of one attempt at this real moment. The id must not contain a dot."""
    second = str(int(at.timestamp()))
    signed = b"%b.%b.%b" % (webhook_id.encode(), second.encode(), body)
    signatures = ["v1," + _sign(secret, signed) for secret in secrets]
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": second,
        "webhook-signature": " ".join(signatures),
    }


def _sign(secret: bytes, signed: bytes) -> str:
    keyed_inner, keyed_outer = _keyed(secret)
    inner, outer = keyed_inner.copy(), keyed_outer.copy()
    inner.update(signed)
    outer.update(inner.digest())
    return binascii.b2a_base64(outer.digest(), newline=False).decode()


@lru_cache(maxsize=4096)
def _keyed(secret: bytes) -> tuple[Hash, Hash]:
    """The inner and the outer hash of HMAC (RFC 2104) with the key of an endpoint, begun once for all its webhooks."""
    key = secret if len(secret) <= BLOCK_BYTES else hashlib.sha256(secret).digest()
    padded = key.ljust(BLOCK_BYTES, b"\0")
    return hashlib.sha256(padded.translate(INNER)), hashlib.sha256(padded.translate(OUTER))

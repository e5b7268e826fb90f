"""Signatures of Standard Webhooks 1.0.0: HMAC-SHA256 over id, second and body, one for each valid key."""

import base64
import binascii
import hmac
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

PREFIX = "whsec_"


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
    keyed = _keyed(secret).copy()
    keyed.update(signed)
    return binascii.b2a_base64(keyed.digest(), newline=False).decode()


@lru_cache(maxsize=4096)
def _keyed(secret: bytes) -> hmac.HMAC:
    """The key of an endpoint, hashed once for all its webhooks."""
    return hmac.new(secret, digestmod="sha256")

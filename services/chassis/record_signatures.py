"""Signatures of Kafka records that only a service of this deployment may write: keys, and entries of the audit log.

HMAC-SHA256 (RFC 2104) under the first line of the secrets key file, which every service of the deployment has. A further
line is accepted too, while the key is rotated.
"""

import hmac
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from services.chassis.dead_letters import Record

SIGNATURE: Final = "signature"
"""The header: `v1,<fingerprint of the secret>,<HMAC>`, both in hex."""


def _fingerprint(secret: bytes) -> str:
    """Which secret it is, for people; tells nothing about it."""
    return hmac.new(secret, b"drumbeat key fingerprint", sha256).hexdigest()[:12]


def sign_record(secret: bytes, topic: str, key: str, value: bytes) -> tuple[str, bytes]:
    """The header for a record of this topic with this key and value."""
    signed = hmac.new(secret, f"{topic}\0{key}\0".encode() + value, sha256).hexdigest()
    return SIGNATURE, f"v1,{_fingerprint(secret)},{signed}".encode()


def find_forgery(secrets: Sequence[bytes], record: Record) -> str | None:
    """Why a record must not be believed; None for one that was signed under one of the secrets."""
    signature = next((value for name, value in record.headers if name == SIGNATURE), None)
    if signature is None:
        return "it is not signed"
    key, value = (record.key or b"").decode(errors="replace"), record.value or b""
    if any(
        hmac.compare_digest(signature, sign_record(secret, record.topic, key, value)[1]) for secret in secrets
    ):
        return None
    used = signature.decode(errors="replace").split(",")
    if len(used) == 3 and used[1] not in {_fingerprint(secret) for secret in secrets}:
        return (
            "it is signed under another secrets key: give this service the same DRUMBEAT_SECRETS_KEY_FILE as the"
            " service that wrote it, then restart both"
        )
    return "its signature is not right"

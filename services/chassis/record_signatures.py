"""Signatures of Kafka records that say something which only a service of this deployment may say.

Keys and entries of the audit log have to be signed; an event is signed that names the key it came with, or that a
service of ours sends about a person.

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

EVENT_SIGNATURE: Final = "drumbeat_signature"
_SIGNED_PREFIXES: Final = (b"ce_", b"drumbeat_")
"""Of headers that an event has from its sender; traces and brokers add others."""


def _fingerprint(secret: bytes) -> str:
    """Which secret it is, for people; tells nothing about it."""
    return hmac.new(secret, b"drumbeat key fingerprint", sha256).hexdigest()[:12]


def sign_record(secret: bytes, topic: str, key: str, value: bytes) -> tuple[str, bytes]:
    """The header for a record of this topic with this key and value."""
    signed = hmac.new(secret, f"{topic}\0{key}\0".encode() + value, sha256).hexdigest()
    return SIGNATURE, f"v1,{_fingerprint(secret)},{signed}".encode()


def sign_event(
    secret: bytes, topic: str, key: str, headers: Sequence[tuple[str, bytes]], value: bytes
) -> tuple[str, bytes]:
    """The header for an event with these others: it proves which event it is, and who sent it."""
    signed = hmac.new(secret, digestmod=sha256)
    parts = [(name.encode(errors="replace"), content or b"") for name, content in headers]
    for name, content in sorted(parts):
        if name.startswith(_SIGNED_PREFIXES) and name != EVENT_SIGNATURE.encode():
            signed.update(b"%d:%s%d:%s" % (len(name), name, len(content), content))
    signed.update(f"{topic}\0{key}\0".encode() + value)
    return EVENT_SIGNATURE, f"v1,{_fingerprint(secret)},{signed.hexdigest()}".encode()


def is_signed_event(secrets: Sequence[bytes], record: Record) -> bool:
    """Whether `sign_event` made a header of the record under one of the secrets."""
    signature = next((value for name, value in record.headers if name == EVENT_SIGNATURE), None)
    if signature is None:
        return False
    key, value = (record.key or b"").decode(errors="replace"), record.value or b""
    return any(
        hmac.compare_digest(signature, sign_event(secret, record.topic, key, record.headers, value)[1])
        for secret in secrets
    )


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

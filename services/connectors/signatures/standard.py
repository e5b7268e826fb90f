"""Standard Webhooks 1.0.0: `v1` (HMAC-SHA256) and `v1a` (Ed25519) over `<id>.<timestamp>.<body>`.

Senders that use Svix name the three headers `svix-*`. Source: the specification of Standard Webhooks.
"""

import base64
import binascii
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from services.connectors.signatures.request import MISMATCH, Proof, SignedRequest, is_any, mac, missing, stale

NAMES: Final = ("webhook", "svix")
SECRET, PUBLIC_KEY = "whsec_", "whpk_"


def check_standard(request: SignedRequest, proof: Proof, now: datetime) -> str | None:
    """See `Verify`. Any signature of the list may match."""
    prefix = _prefix(request)
    names = [f"{prefix}-{part}" for part in ("id", "timestamp", "signature")]
    message_id, stamp, shown = (request.headers.get(name) for name in names)
    if not message_id or not stamp or not shown:
        return missing(next(name for name in names if not request.headers.get(name)))
    if problem := stale(stamp, now):
        return problem
    signed = f"{message_id}.{stamp}.".encode("utf-8", "replace") + request.body
    keys = [key for secret in proof.secrets if (key := _key(secret)) is not None]
    expected = [f"v1,{base64.b64encode(mac(key, signed)).decode()}" for key in keys]
    is_genuine = is_any(shown.split(), expected) or _is_signed(shown, signed, proof)
    return None if is_genuine else MISMATCH


def message_id(request: SignedRequest) -> str | None:
    """The id of a genuine message, which all attempts to deliver it have."""
    return request.headers.get(f"{_prefix(request)}-id")


def _prefix(request: SignedRequest) -> str:
    return next((name for name in NAMES if f"{name}-id" in request.headers), NAMES[0])


def _key(secret: str) -> bytes | None:
    """The bytes of a shared secret: base64 behind `whsec_`, a text without that as it is; None of a public key."""
    if secret.startswith(PUBLIC_KEY):
        return None
    encoded = secret.removeprefix(SECRET)
    try:
        return base64.b64decode(encoded, validate=True) if encoded != secret else secret.encode()
    except (binascii.Error, ValueError):
        return secret.encode()


def describe_bad_secret(secret: str) -> str | None:
    """Why a secret proves nothing, None for one that does."""
    if secret.startswith(PUBLIC_KEY):
        try:
            Ed25519PublicKey.from_public_bytes(
                base64.b64decode(secret.removeprefix(PUBLIC_KEY), validate=True)
            )
        except (binascii.Error, ValueError):
            return f"is no public key of Ed25519: behind {PUBLIC_KEY} it needs 32 bytes in base64"
        return None
    return None if _key(secret) else f"is empty behind {SECRET}"


def _is_signed(shown: str, signed: bytes, proof: Proof) -> bool:
    """Whether one of the `v1a` signatures is of one of the public keys."""
    for key in _public_keys(proof):
        for signature in shown.split():
            version, _, encoded = signature.partition(",")
            try:
                if version == "v1a":
                    key.verify(base64.b64decode(encoded, validate=True), signed)
                    return True
            except (InvalidSignature, binascii.Error, ValueError):
                continue
    return False


def _public_keys(proof: Proof) -> Iterator[Ed25519PublicKey]:
    for secret in proof.secrets:
        if secret.startswith(PUBLIC_KEY):
            yield Ed25519PublicKey.from_public_bytes(base64.b64decode(secret.removeprefix(PUBLIC_KEY)))

"""A request that is to be verified, and what every scheme needs: constant-time comparison, and how old it may be."""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

TOLERANCE_SECONDS: Final = 300
"""How far a signed moment may be from now, in both directions: what Stripe, HubSpot and Standard Webhooks document."""
Algorithm = Literal["sha1", "sha256", "sha512"]
Encoding = Literal["hex", "base64"]
MISMATCH: Final = (
    "The signature does not match: the body was changed on its way, or the secret is another one."
)


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """`url`: the public address that the sender was given, with the query that was sent. Header names in lower case."""

    body: bytes
    headers: Mapping[str, str]
    method: str = "POST"
    url: str = ""
    query: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a source is configured with: the secrets in force, newest first, and the options of its scheme."""

    secrets: tuple[str, ...] = field(repr=False)
    organization_id: str | None = None
    header: str = "x-signature"
    algorithm: Algorithm = "sha256"
    encoding: Encoding = "hex"
    prefix: str = ""
    signed: str = "{body}"
    timestamp_header: str | None = None
    timestamp_form: Literal["seconds", "milliseconds"] = "seconds"


Verify = Callable[[SignedRequest, Proof, datetime], str | None]
"""Why a request is refused, given the real time; None: it is genuine and fresh."""


def missing(header: str) -> str:
    return f"The header {header} is missing."


def mac(secret: bytes, message: bytes, algorithm: Algorithm = "sha256") -> bytes:
    """The HMAC (RFC 2104) of the message."""
    return hmac.new(secret, message, getattr(hashlib, algorithm)).digest()


def is_any(shown: Iterable[str], expected: Iterable[str]) -> bool:
    """Whether one of the texts is one of those expected; each pair is compared in constant time."""
    wanted = [text.encode() for text in expected]
    pairs = [(text.encode("utf-8", "replace"), other) for text in shown for other in wanted]
    results = [hmac.compare_digest(text, other) for text, other in pairs]
    return any(results)


def stale(stamp: str, now: datetime, *, per_second: int = 1) -> str | None:
    """Why the moment in a header is refused; None: it is near enough. `per_second`: 1,000 for milliseconds."""
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 16):
        return "The timestamp of the signature is no Unix time."
    age = now.timestamp() - int(stamp) / per_second
    if abs(age) <= TOLERANCE_SECONDS:
        return None
    where = "old" if age > 0 else "ahead of the clock here"
    return f"The signature is {abs(age):,.0f} seconds {where}; at most {TOLERANCE_SECONDS} are taken."

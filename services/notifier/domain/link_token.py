"""Tokens of the links in messages: encrypted, so that nobody reads or makes one, with an age and the version of a key.

A token is `<version>-<text>`: the text is the URL-safe base64 of AES-SIV (RFC 5297) over the fields as JSON, with the
purpose and the version as associated data. AES-SIV needs no random number: the same fields give the same token, so that
a message that is tried again has the same links.
"""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import shake_256
from typing import Final, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

EARLIER: Final = 0
"""The version of the key of tokens that earlier releases made: signed, with no version and no age in them."""
CUSTOMER_LINKS_LAST: Final = timedelta(days=400)
"""Real time for which the links of a customer's message work."""
MOST_LENGTH: Final = 2_000


class TokenRejected(Exception):
    """The token is incomplete, was not made here, or its key is not kept any more."""


class TokenExpired(TokenRejected):
    """The token was made here, too long ago."""


@dataclass(slots=True)
class LinkKeys:
    """The keys by version. `current`: that of new links. Replaced in place when the keys are rotated."""

    keys: Mapping[int, bytes] = field(default_factory=dict[int, bytes], repr=False)
    current: int = 1

    def use(self, other: "LinkKeys") -> None:
        """Use these keys from now on."""
        self.keys, self.current = other.keys, other.current

    @property
    def earlier(self) -> bytes | None:
        """The key of tokens of earlier releases, while it is kept."""
        return self.keys.get(EARLIER)


def make_link_token(keys: LinkKeys, purpose: str, fields: Sequence[str | None], at: datetime) -> str:
    """A token made at this real moment; URL-safe."""
    payload = json.dumps([int(at.timestamp()), *fields], separators=(",", ":"), ensure_ascii=False)
    version = keys.current
    sealed = _cipher(keys.keys[version]).encrypt(payload.encode(), _associated(purpose, str(version)))
    return f"{version}-{base64.urlsafe_b64encode(sealed).decode().rstrip('=')}"


def read_link_token(keys: LinkKeys, purpose: str, text: str) -> tuple[Sequence[str | None], datetime]:
    """The fields, and the real moment of making. Raises TokenRejected."""
    number, _, sealed = text.partition("-")
    if len(text) > MOST_LENGTH or not (number.isascii() and number.isdigit() and len(number) < 10):
        raise TokenRejected
    version = int(number)
    key = keys.keys.get(version) if version != EARLIER else None
    if key is None:
        raise TokenRejected
    try:
        payload = _cipher(key).decrypt(read_base64(sealed), _associated(purpose, number))
    except (InvalidTag, ValueError) as problem:
        raise TokenRejected from problem
    seconds, *fields = cast("list[str | None]", json.loads(payload))
    return fields, datetime.fromtimestamp(int(seconds or 0), UTC)


def read_base64(text: str) -> bytes:
    """Of URL-safe base64 without its final signs. Raises TokenRejected.

    Only the text that encodes these bytes counts (RFC 4648, 3.5): a decoder ignores the last bits of other texts.
    """
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as problem:
        raise TokenRejected from problem
    if base64.urlsafe_b64encode(raw).decode().rstrip("=") != text:
        raise TokenRejected
    return raw


def start_of_day(moment: datetime) -> datetime:
    """Links of a customer's messages of one day are the same."""
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def refuse_expired(made_at: datetime, now: datetime, lasts: timedelta) -> None:
    """Raises TokenExpired."""
    if now > made_at + lasts:
        raise TokenExpired


def _associated(purpose: str, version: str) -> list[bytes]:
    return [purpose.encode(), version.encode()]


@lru_cache(maxsize=64)
def _cipher(key: bytes) -> AESSIV:
    return AESSIV(shake_256(b"links of messages:" + key).digest(64))

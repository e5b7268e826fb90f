"""Ids: derived from causes, so that repeating an action gives the same id."""

import json
from hashlib import blake2b
from uuid import UUID, uuid4


def digest(*parts: str) -> bytes:
    """Sixteen bytes for these parts in this order: BLAKE2b (RFC 7693) over their compact JSON array."""
    return blake2b(json.dumps(parts, separators=(",", ":")).encode(), digest_size=16).digest()


def derived(*parts: str) -> str:
    """The id that follows from these causes: their digest in the text form of a UUID."""
    return str(UUID(bytes=digest(*parts)))


def fresh() -> str:
    return str(uuid4())

"""Ids: derived from causes, so that doing anything twice is doing it once."""

import json
from hashlib import blake2b
from uuid import UUID, uuid4


def digest(*parts: str) -> bytes:
    """Sixteen bytes that stand for these parts, in this order (BLAKE2b over their JSON array)."""
    return blake2b(json.dumps(parts, separators=(",", ":")).encode(), digest_size=16).digest()


def derived(*parts: str) -> str:
    """The id that these causes lead to, in the text form of a UUID."""
    return str(UUID(bytes=digest(*parts)))


def fresh() -> str:
    return str(uuid4())

"""Ids derived from causes, so that doing anything twice is doing it once: the one derivation of every service."""

from hashlib import blake2b
from json import JSONEncoder

_encode = JSONEncoder(separators=(",", ":")).encode


def digest(*parts: str) -> bytes:
    """Sixteen bytes that stand for these parts in this order: BLAKE2b-128 over their JSON array (RFC 7693)."""
    return blake2b(_encode(parts).encode(), digest_size=16).digest()


def derived_id(*parts: str) -> str:
    """The digest in the text form of a UUID (RFC 9562)."""
    text = digest(*parts).hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

"""Large documents are stored compressed (zstd, RFC 8878): states and plans are JSON that repeats itself.

A state with forty days of usage takes 3.5 kB instead of 16, in some 35 microseconds, and fits into its row: PostgreSQL
otherwise writes it out of line, whole, with every event.
"""

import threading
from typing import Final

import zstandard

LEAST_BYTES: Final = 2_000
"""Smaller documents are stored as they are."""
LARGEST_BYTES: Final = 64 << 20
"""What a damaged header may claim at most."""
LEVEL: Final = 1
_MAGIC: Final = zstandard.FRAME_HEADER  # no JSON document begins with it


class Damaged(ValueError):
    """Not what was packed."""


class _Codec(threading.local):
    """A context of zstd each way, which is used again and must not be shared by threads."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=LEVEL)
        self.decompressor = zstandard.ZstdDecompressor()


_CODEC: Final = _Codec()


def packed(document: bytes) -> bytes:
    """A JSON document as it is stored; equal documents give equal bytes within one version of the library."""
    return document if len(document) < LEAST_BYTES else _CODEC.compressor.compress(document)


def unpacked(stored: bytes) -> bytes:
    """The document. Raises `Damaged`."""
    if not stored.startswith(_MAGIC):
        return stored
    try:
        if not 0 <= zstandard.frame_content_size(stored) <= LARGEST_BYTES:
            raise Damaged("the compressed document has no possible size")
        return _CODEC.decompressor.decompress(stored)
    except zstandard.ZstdError as damage:
        raise Damaged(f"the compressed document is damaged ({damage})") from damage

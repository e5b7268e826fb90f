"""Decompression in bounded memory: gzip members (RFC 1952) and zstd frames (RFC 8878), one after the other."""

import zlib
from collections.abc import Callable
from typing import Final, Protocol

import zstandard

PIECE: Final = 256  # compressed bytes at a time: what they expand to (zstd: up to 8 MB) is in memory at once
LARGEST_WINDOW: Final = 8 << 20  # bytes of a zstd window, as RFC 9659 bounds it for HTTP


class BrokenCompression(ValueError):
    """Bytes that are not of the compression that they are said to have; the message says what is wrong."""


class _Stream(Protocol):
    """One gzip member or zstd frame being read."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


class Inflater:
    """Decompresses members or frames one after the other, as in concatenated files."""

    def __init__(self, begin: Callable[[], _Stream]) -> None:
        self._begin = begin
        self._stream: _Stream | None = None

    def inflate(self, piece: bytes) -> bytes:
        """What a piece expands to; it should have at most `PIECE` bytes. Raises BrokenCompression."""
        found: list[bytes] = []
        try:
            while piece:
                if self._stream is None:
                    self._stream = self._begin()
                found.append(self._stream.decompress(piece))
                if not self._stream.eof:
                    break
                piece, self._stream = self._stream.unused_data, None
        except (zlib.error, zstandard.ZstdError) as problem:
            raise BrokenCompression(str(problem)) from problem
        return b"".join(found)

    def ended(self) -> bool:
        """Whether the compressed bytes may end here: not within a member or a frame."""
        return self._stream is None


def gzip_inflater() -> Inflater:
    return Inflater(lambda: zlib.decompressobj(wbits=31))


def zstd_inflater() -> Inflater:
    """Frames with a window beyond `LARGEST_WINDOW` are broken: they would need that much memory."""
    return Inflater(zstandard.ZstdDecompressor(max_window_size=LARGEST_WINDOW).decompressobj)

"""NDJSON request bodies: decompressed within a limit and split into lines; only the current line is in memory."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable
from typing import Final, Protocol

import zstandard
from starlette.requests import Request

from services.chassis.problems import Problem

LARGEST_STREAM: Final = 64 << 20  # bytes, decompressed
LARGEST_LINE: Final = 512 << 10
LARGEST_WINDOW: Final = 8 << 20  # bytes of a zstd window, as RFC 9659 bounds it for HTTP
PIECE: Final = 256  # compressed bytes at a time: what they expand to (zstd: up to 8 MB) is in memory at once


class _Stream(Protocol):
    """One gzip member or zstd frame being read."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


class Inflater(Protocol):
    """Decompresses a Content-Encoding."""

    def pieces(self, chunk: bytes) -> list[bytes]:
        """The chunk in pieces small enough to be inflated at once."""
        ...

    def inflate(self, piece: bytes) -> bytes: ...

    def ended(self) -> bool:
        """Whether the body may end here."""
        ...


class _Plain:
    def pieces(self, chunk: bytes) -> list[bytes]:
        return [chunk]

    def inflate(self, piece: bytes) -> bytes:
        return piece

    def ended(self) -> bool:
        return True


class _Compressed:
    """Members or frames one after the other, as in concatenated files."""

    def __init__(self, begin: Callable[[], _Stream]) -> None:
        self._begin = begin
        self._stream: _Stream | None = None

    def pieces(self, chunk: bytes) -> list[bytes]:
        return [chunk[start : start + PIECE] for start in range(0, len(chunk), PIECE)]

    def inflate(self, piece: bytes) -> bytes:
        found: list[bytes] = []
        while piece:
            if self._stream is None:
                self._stream = self._begin()
            found.append(self._stream.decompress(piece))
            if not self._stream.eof:
                break
            piece, self._stream = self._stream.unused_data, None
        return b"".join(found)

    def ended(self) -> bool:
        return self._stream is None


def _inflater(encoding: str) -> Inflater:
    match encoding:
        case "" | "identity":
            return _Plain()
        case "gzip" | "x-gzip":
            return _Compressed(lambda: zlib.decompressobj(wbits=31))
        case "zstd":
            decompressor = zstandard.ZstdDecompressor(max_window_size=LARGEST_WINDOW)
            return _Compressed(decompressor.decompressobj)
        case _:
            raise Problem(415, f"Content-Encoding {encoding!r} is not read here. Send gzip, zstd or none.")


async def lines_of(request: Request) -> AsyncIterator[bytes]:
    """The non-empty lines of the body; 413 beyond the limits, 400 for a broken or torn encoding."""
    rest = b""
    async for piece in _inflated_body(request):
        *lines, rest = (rest + piece).split(b"\n")
        if len(rest) > LARGEST_LINE:
            raise Problem(413, f"A line is longer than {LARGEST_LINE} bytes. One event takes one line.")
        for line in lines:
            if line.strip():
                yield line
    if rest.strip():
        yield rest


async def _inflated_body(request: Request) -> AsyncIterator[bytes]:
    inflater = _inflater(request.headers.get("content-encoding", "").strip().lower())
    total = 0
    async for chunk in request.stream():
        for packed in inflater.pieces(chunk):
            piece = _inflated(inflater, packed)
            total += len(piece)
            if total > LARGEST_STREAM:
                raise Problem(413, f"The stream is larger than {LARGEST_STREAM} bytes. Send it in parts.")
            yield piece
            await asyncio.sleep(0)  # a small chunk may expand to millions of lines; let other tasks run
    if not inflater.ended():
        raise Problem(400, "The body ends in the middle of its Content-Encoding. Send it whole.")


def _inflated(inflater: Inflater, piece: bytes) -> bytes:
    try:
        return inflater.inflate(piece)
    except (zlib.error, zstandard.ZstdError) as problem:
        raise Problem(400, f"The body is not what Content-Encoding says: {problem}") from problem

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


class _Inflater:
    """Decompresses members or frames one after the other, as in concatenated files."""

    def __init__(self, begin: Callable[[], _Stream]) -> None:
        self._begin = begin
        self._stream: _Stream | None = None

    def inflate(self, piece: bytes) -> bytes:
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
            raise Problem(400, f"The body is not what Content-Encoding says: {problem}") from problem
        return b"".join(found)

    def ended(self) -> bool:
        """Whether the body may end here."""
        return self._stream is None


def _inflater(encoding: str) -> _Inflater | None:
    """None: the body is not compressed."""
    match encoding:
        case "" | "identity":
            return None
        case "gzip" | "x-gzip":
            return _Inflater(lambda: zlib.decompressobj(wbits=31))
        case "zstd":
            decompressor = zstandard.ZstdDecompressor(max_window_size=LARGEST_WINDOW)
            return _Inflater(decompressor.decompressobj)
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
        size = PIECE if inflater is not None else max(1, len(chunk))
        for start in range(0, len(chunk), size):
            piece = chunk[start : start + size]
            if inflater is not None:
                piece = inflater.inflate(piece)
            total += len(piece)
            if total > LARGEST_STREAM:
                raise Problem(413, f"The stream is larger than {LARGEST_STREAM} bytes. Send it in parts.")
            yield piece
            await asyncio.sleep(0)  # a small chunk may expand to millions of lines; let other tasks run
    if inflater is not None and not inflater.ended():
        raise Problem(400, "The body ends in the middle of its Content-Encoding. Send it whole.")

"""NDJSON request bodies: decompressed within a limit and split into lines; only the current line is in memory."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from starlette.requests import Request

from services.chassis.compression import PIECE, BrokenCompression, Inflater, gzip_inflater, zstd_inflater
from services.chassis.problems import Problem

LARGEST_STREAM: Final = 64 << 20  # bytes, decompressed
LARGEST_LINE: Final = 512 << 10


def _inflater(encoding: str) -> Inflater | None:
    """None: the body is not compressed."""
    match encoding:
        case "" | "identity":
            return None
        case "gzip" | "x-gzip":
            return gzip_inflater()
        case "zstd":
            return zstd_inflater()
        case _:
            raise Problem(415, f"Content-Encoding {encoding!r} is not read here. Send gzip, zstd or none.")


async def lines_of(request: Request) -> AsyncIterator[bytes]:
    """The non-empty lines of the body; 413 beyond the limits, 400 for a broken or torn encoding."""
    rest = bytearray()  # grows by small pieces: to copy it for each would take quadratic time
    async for piece in _inflated_body(request):
        rest += piece
        if b"\n" in piece:
            *lines, last = bytes(rest).split(b"\n")
            rest = bytearray(last)
            for line in lines:
                if line.strip():
                    yield line
        if len(rest) > LARGEST_LINE:
            raise Problem(413, f"A line is longer than {LARGEST_LINE} bytes. One event takes one line.")
    if rest.strip():
        yield bytes(rest)


async def _inflated_body(request: Request) -> AsyncIterator[bytes]:
    inflater = _inflater(request.headers.get("content-encoding", "").strip().lower())
    total = 0
    async for chunk in request.stream():
        size = PIECE if inflater is not None else max(1, len(chunk))
        for start in range(0, len(chunk), size):
            piece = chunk[start : start + size]
            if inflater is not None:
                piece = _inflate(inflater, piece)
            total += len(piece)
            if total > LARGEST_STREAM:
                raise Problem(413, f"The stream is larger than {LARGEST_STREAM} bytes. Send it in parts.")
            yield piece
            await asyncio.sleep(0)  # a small chunk may expand to millions of lines; let other tasks run
    if inflater is not None and not inflater.ended():
        raise Problem(400, "The body ends in the middle of its Content-Encoding. Send it whole.")


def _inflate(inflater: Inflater, piece: bytes) -> bytes:
    try:
        return inflater.inflate(piece)
    except BrokenCompression as broken:
        raise Problem(400, f"The body is not what Content-Encoding says: {broken}") from broken

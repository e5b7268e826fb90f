"""NDJSON as it streams in: decompressed within a limit, cut into lines, nothing held but the line at hand."""

import zlib
from collections.abc import AsyncIterator
from typing import Final, Protocol

import zstandard
from starlette.requests import Request

from services.chassis.problems import Problem

LARGEST_STREAM: Final = 64 << 20  # bytes, decompressed
LARGEST_LINE: Final = 512 << 10


class Inflater(Protocol):
    def decompress(self, data: bytes, /) -> bytes: ...


class _Plain:
    def decompress(self, data: bytes, /) -> bytes:
        return data


def _inflater(encoding: str) -> Inflater:
    match encoding:
        case "" | "identity":
            return _Plain()
        case "gzip":
            return zlib.decompressobj(wbits=31)
        case "zstd":
            return zstandard.ZstdDecompressor().decompressobj()
        case _:
            raise Problem(415, f"Content-Encoding {encoding!r} is not read here. Send gzip, zstd or none.")


async def lines_of(request: Request) -> AsyncIterator[bytes]:
    """The non-empty lines of the body; 413 beyond the limits, 400 for a broken encoding."""
    inflater = _inflater(request.headers.get("content-encoding", "").strip().lower())
    total, rest = 0, b""
    async for chunk in request.stream():
        for start in range(0, len(chunk), 4096):
            piece = _inflated(inflater, chunk[start : start + 4096])
            total += len(piece)
            if total > LARGEST_STREAM:
                raise Problem(413, f"The stream is larger than {LARGEST_STREAM} bytes. Send it in parts.")
            *lines, rest = (rest + piece).split(b"\n")
            if len(rest) > LARGEST_LINE:
                raise Problem(413, f"A line is longer than {LARGEST_LINE} bytes. One event takes one line.")
            for line in lines:
                if line.strip():
                    yield line
    if rest.strip():
        yield rest


def _inflated(inflater: Inflater, piece: bytes) -> bytes:
    try:
        return inflater.decompress(piece)
    except (zlib.error, zstandard.ZstdError) as problem:
        raise Problem(400, f"The body is not what Content-Encoding says: {problem}") from problem

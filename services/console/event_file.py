"""A file of events as it is read: piece by piece, decompressed when it is gzip or zstd, never whole in memory."""

import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final

import typer

from services.chassis.compression import PIECE, BrokenCompression, Inflater, gzip_inflater, zstd_inflater
from services.console.event_batches import event_batches
from services.console.not_events import NotEvents

STANDARD_INPUT: Final = "-"
_BLOCK_BYTES: Final = 64 << 10
_GZIP: Final = b"\x1f\x8b"  # RFC 1952, section 2.3.1
_ZSTD: Final = b"\x28\xb5\x2f\xfd"  # RFC 8878, section 3.1.1


class EventFile:
    """`name`: a path, or `-` for standard input."""

    def __init__(self, name: str) -> None:
        self.name = name

    def can_be_read_once_only(self) -> bool:
        """Whether it is standard input or another pipe."""
        return self.name == STANDARD_INPUT or Path(self.name).is_fifo()

    def blocks(self) -> Iterator[bytes]:
        """The content, decompressed. Raises NotEvents where the compression is broken or ends too early."""
        with self._open() as stream:
            packed = stream.read(_BLOCK_BYTES)
            inflater = _inflater(packed)
            while packed:
                yield from _expand(packed, inflater)
                packed = stream.read(_BLOCK_BYTES)
        if inflater is not None and not inflater.ended():
            raise NotEvents(
                "ends in the middle of its compression: the file is not whole. Write or copy it again"
            )

    @contextmanager
    def _open(self) -> Generator[BinaryIO]:
        if self.name == STANDARD_INPUT:
            yield sys.stdin.buffer
            return
        with Path(self.name).open("rb") as file:
            yield file


class Survey:
    """What a first reading finds: how many events and requests, and `digest`, the SHA-256 of the content.

    Raises NotEvents when the file cannot be sent whole, before anything is sent.
    """

    def __init__(self, file: EventFile) -> None:
        digest = sha256()

        def hashed() -> Iterator[bytes]:
            for block in file.blocks():
                digest.update(block)
                yield block

        self.events = self.requests = 0
        for batch in event_batches(hashed()):
            self.events += batch.count
            self.requests += 1
        self.digest = digest.hexdigest()


def open_event_file(name: str) -> EventFile:
    """The value of an argument that names a file of events."""
    file = EventFile(name)
    if not file.can_be_read_once_only():
        try:
            with Path(name).open("rb"):
                pass
        except OSError as error:
            raise typer.BadParameter(f"{name} cannot be read ({error.strerror})") from error
    return file


def _inflater(begin: bytes) -> Inflater | None:
    if begin.startswith(_GZIP):
        return gzip_inflater()
    return zstd_inflater() if begin.startswith(_ZSTD) else None


def _expand(packed: bytes, inflater: Inflater | None) -> Iterator[bytes]:
    """Blocks of no less than `_BLOCK_BYTES`, but for the last."""
    if inflater is None:
        yield packed
        return
    block = bytearray()
    try:
        for start in range(0, len(packed), PIECE):
            block += inflater.inflate(packed[start : start + PIECE])
            if len(block) >= _BLOCK_BYTES:
                yield bytes(block)
                block.clear()
    except BrokenCompression as broken:
        raise NotEvents(f"cannot be decompressed: {broken}") from broken
    if block:
        yield bytes(block)

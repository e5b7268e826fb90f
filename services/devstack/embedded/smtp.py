"""The mail sink: an SMTP server that accepts every mail and stores it as `<time>-<id>.eml` instead of delivering it."""

import argparse
import asyncio
import signal
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from services.chassis.clock import real_now
from services.chassis.ids import fresh

_LARGEST_MAIL = 10 * 1024 * 1024  # bytes


class Sink:
    """The handler that aiosmtpd calls for every mail; it answers 250 once the file is complete."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        await asyncio.to_thread(self._store, f"{real_now():%Y%m%dT%H%M%S.%f}-{fresh()[:8]}", content)
        return "250 2.0.0 kept, not delivered"

    def _store(self, name: str, content: bytes) -> None:
        new = self._folder / f"{name}.new"
        new.write_bytes(content)
        new.rename(self._folder / f"{name}.eml")


async def serve(port: int, folder: Path) -> None:
    """Accept mail until SIGTERM or SIGINT."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    sink = Sink(folder)
    server = await loop.create_server(
        lambda: SMTP(sink, data_size_limit=_LARGEST_MAIL, enable_SMTPUTF8=True, hostname="drumbeat.local"),
        "127.0.0.1",
        port,
    )
    async with server:
        await stopping.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(serve(options.port, options.folder))


if __name__ == "__main__":
    main()

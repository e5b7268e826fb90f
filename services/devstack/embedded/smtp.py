"""The mail sink: an SMTP server that accepts everything and delivers nothing, `python -m ...embedded.smtp`.

Each mail is two files, `<id>.eml` as received and `<id>.json` with what a list shows; the console reads them.
"""

import argparse
import asyncio
import json
import signal
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from services.chassis.clock import real_now
from services.chassis.ids import fresh

_MOST_BYTES = 10 * 1024 * 1024


def listing(message: Message, *, sender: str, recipients: list[str], at: str) -> dict[str, object]:
    """What a list of mails shows of this one; `recipients` are those of the envelope."""
    return {
        "at": at,
        "from": sender,
        "to": recipients,
        "subject": str(make_header(decode_header(str(message.get("Subject", ""))))),
        "message_id": str(message.get("Message-ID", "")),
    }


class Sink:
    """The handler aiosmtpd calls for every mail; answers 250 only once both files are in place."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        now = real_now()
        name = f"{now:%Y%m%dT%H%M%S.%f}-{fresh()[:8]}"
        shown = listing(
            message_from_bytes(content),
            sender=str(envelope.mail_from),
            recipients=[str(each) for each in envelope.rcpt_tos],
            at=now.isoformat().replace("+00:00", "Z"),
        )
        await asyncio.to_thread(self._store, name, content, shown)
        return "250 2.0.0 kept, not delivered"

    def _store(self, name: str, content: bytes, shown: dict[str, object]) -> None:
        (self._folder / f"{name}.eml").write_bytes(content)
        made = self._folder / f"{name}.json.new"
        made.write_text(json.dumps({"id": name, **shown}))
        made.rename(self._folder / f"{name}.json")


def mails(folder: Path, limit: int = 50) -> list[dict[str, object]]:
    """The newest mails of a sink's folder, newest first, as `listing` describes them."""
    newest = sorted(folder.glob("*.json"), reverse=True)[:limit]
    return [json.loads(path.read_bytes()) for path in newest]


async def serve(host: str, port: int, folder: Path) -> None:
    """Accept mail until SIGTERM or SIGINT."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stopping.set)
    sink = Sink(folder)
    server = await loop.create_server(
        lambda: SMTP(sink, data_size_limit=_MOST_BYTES, enable_SMTPUTF8=True, hostname="drumbeat.local"),
        host,
        port,
    )
    async with server:
        await stopping.wait()


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--host", default="127.0.0.1")
    words.add_argument("--port", type=int, required=True)
    words.add_argument("--folder", type=Path, required=True)
    chosen = words.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(serve(chosen.host, chosen.port, chosen.folder))


if __name__ == "__main__":
    main()

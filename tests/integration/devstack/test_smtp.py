"""The mail sink accepts every mail and stores it as a file."""

import asyncio
import sys
from pathlib import Path

import aiosmtplib
import pytest

from services.devstack.embedded.ports import free_port
from services.devstack.supervisor.child import Child
from tests.conftest import PATIENCE

pytestmark = pytest.mark.integration


async def test_a_mail_is_stored_as_it_was_received(tmp_path: Path) -> None:
    port, folder = free_port(), tmp_path / "mail"
    command = [
        sys.executable,
        "-m",
        "services.devstack.embedded.smtp",
        "--port",
        str(port),
        "--folder",
        str(folder),
    ]
    sink = Child("sink", command, env={}, log=tmp_path / "log")
    sink.start()
    try:
        await send(port, b"Subject: Hello\r\nMessage-ID: <1@x>\r\n\r\nBody\r\n")
        (stored,) = folder.iterdir()
        assert stored.suffix == ".eml"
        assert stored.read_bytes() == b"Subject: Hello\r\nMessage-ID: <1@x>\r\n\r\nBody\r\n"
    finally:
        await sink.stop(5)


async def send(port: int, message: bytes) -> None:
    async with asyncio.timeout(20 * PATIENCE):
        while True:
            try:
                await aiosmtplib.send(
                    message,
                    sender="drumbeat@localhost",
                    recipients=["ann@example.com"],
                    hostname="127.0.0.1",
                    port=port,
                    start_tls=False,
                )
            except aiosmtplib.SMTPConnectError:
                await asyncio.sleep(0.1)
                continue
            return

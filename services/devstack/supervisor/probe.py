"""A GET over HTTP in a few lines: the supervisor asks for readiness without importing a client library."""

import asyncio


async def status_of(host: str, port: int, path: str, *, seconds: float = 2.0) -> int | None:
    """The status code of a GET, or None when nothing answers in time."""
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                request = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
                writer.write(request.encode())
                first = await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return None
    words = first.split()
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else None

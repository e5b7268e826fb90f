"""The file with the API key with which the command line calls the services. What it contains is never quoted."""

from pathlib import Path


class KeyFileUnusable(Exception):
    """There is no key in the file; the message says what to do."""


def read_key(path: Path) -> str:
    """The API key of a file. Raises KeyFileUnusable."""
    try:
        key = path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError as error:
        raise KeyFileUnusable(
            f"No API key can be read at {path} ({error.strerror}). Start `drumbeat run` with this data directory, or "
            f"name a key file in DRUMBEAT_API_KEY_FILE."
        ) from error
    if not key or " " in key or not key.isascii() or not key.isprintable():
        raise KeyFileUnusable(
            f"{path} is not a key file: it has to contain one API key of the form db_<id>_<secret> and nothing else. "
            f"Name such a file in DRUMBEAT_API_KEY_FILE."
        )
    return key

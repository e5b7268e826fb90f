"""The user's cache: what is downloaded or prepared once and used by every run and test on this machine."""

import fcntl
import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


def cache_folder() -> Path:
    """`~/.cache/drumbeat`, created if need be; below the temporary folder when the home cannot be written."""
    home = Path.home() / ".cache" / "drumbeat"
    fallback = Path(tempfile.gettempdir()) / f"drumbeat-cache-{os.getuid()}"
    for folder in (home, fallback):
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o755)
        except OSError:
            continue
        if os.access(folder, os.W_OK) and folder.stat().st_uid == os.getuid():
            return folder
    return Path(tempfile.mkdtemp(prefix="drumbeat-cache-"))


@contextmanager
def one_at_a_time(folder: Path, name: str) -> Generator[None]:
    """Take a lock between processes, so that concurrent first starts do not disturb each other."""
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield

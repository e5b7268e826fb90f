"""The user's cache: what is fetched or prepared once and used by every run and test on this machine."""

import fcntl
import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


def cache_folder() -> Path:
    """`~/.cache/drumbeat`, made if need be; below the temporary folder where a home cannot be written."""
    home = Path.home() / ".cache" / "drumbeat"
    spare = Path(tempfile.gettempdir()) / f"drumbeat-cache-{os.getuid()}"
    for folder in (home, spare):
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o755)
        except OSError:
            continue
        if os.access(folder, os.W_OK) and folder.stat().st_uid == os.getuid():
            return folder
    return Path(tempfile.mkdtemp(prefix="drumbeat-cache-"))


@contextmanager
def one_at_a_time(folder: Path, name: str) -> Generator[None]:
    """Hold a lock other processes honour: first starts side by side must not disturb each other."""
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield

"""The data directory: who holds it, what it remembers, and the first API key."""

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Self, cast

from services.chassis.keys import new_secret
from services.chassis.settings import ADDRESSES_FILE
from services.devstack.embedded.failures import AlreadyRunning, FolderUnusable


class DataFolder:
    """A data directory held by one supervisor at a time; the lock goes with the process, however it ends."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock: int | None = None

    def hold(self) -> Self:
        """Make the folder and take its lock; `FolderUnusable` or `AlreadyRunning` say why not."""
        try:
            self._make()
            lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as denied:
            raise FolderUnusable(
                f"The data directory {self.path} cannot be written ({denied.strerror}): make it writable, or "
                f"set DRUMBEAT_DATA_DIR to another folder."
            ) from denied
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(lock, 20, 0).decode(errors="replace").strip() or "unknown"
            os.close(lock)
            raise AlreadyRunning(
                f"Drumbeat already runs on the data directory {self.path} (process {holder}): use that one, "
                f"stop it, or set DRUMBEAT_DATA_DIR to another folder."
            ) from None
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        self._lock = lock
        return self

    def _make(self) -> None:
        """Folders made here may be walked through, for PostgreSQL's user; what lies in them is closed."""
        missing = [each for each in (self.path, *self.path.parents) if not each.exists()]
        self.path.mkdir(parents=True, exist_ok=True)
        for made in missing:
            made.chmod(0o755)

    def remembered(self) -> dict[str, object]:
        """What an earlier run left in `addresses.json`; empty at the first."""
        try:
            found: object = json.loads((self.path / ADDRESSES_FILE).read_bytes())
        except (OSError, ValueError):
            return {}
        return cast("dict[str, object]", found) if isinstance(found, dict) else {}

    def remember(self, values: Mapping[str, object]) -> None:
        """Replace `addresses.json` in one step."""
        path = self.path / ADDRESSES_FILE
        made = path.with_suffix(".new")
        made.write_text(json.dumps(values, indent=2) + "\n")
        made.rename(path)

    def first_key(self, path: Path) -> str:
        """The full-scope key in `path` (0600), made at the first start."""
        try:
            held = path.read_text().strip()
        except FileNotFoundError:
            held = ""
        except OSError as denied:
            raise FolderUnusable(f"The API key file {path} cannot be read ({denied.strerror}).") from denied
        if held:
            return held
        _, key = new_secret()
        made = path.with_name(f"{path.name}.new")
        made.unlink(missing_ok=True)
        with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"{key}\n")
        made.rename(path)
        return key

    @property
    def log_folder(self) -> Path:
        return self.path / "logs"

    @property
    def mail_folder(self) -> Path:
        return self.path / "mail"

    @property
    def sample_marker(self) -> Path:
        return self.path / "sample-fed"

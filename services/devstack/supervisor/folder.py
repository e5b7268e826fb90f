"""The data directory: its lock, the addresses and clock it remembers, and the first API key."""

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Self, cast

from services.chassis.addresses_file import ADDRESSES_FILE
from services.chassis.key_files import create_api_key
from services.devstack.embedded.failures import CannotRun


class DataFolder:
    """A data directory that one supervisor at a time uses; its lock ends with the process, however that ends."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.log_folder = self.path / "logs"
        self.mail_folder = self.path / "mail"
        self.sample_marker = self.path / "sample-fed"

    def lock(self) -> Self:
        """Create the folder and lock it until this process ends. Raises `CannotRun`."""
        try:
            self._create()
            lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o644)  # never closed
        except OSError as denied:
            raise CannotRun(
                f"The data directory {self.path} cannot be written ({denied.strerror}): make it writable, or "
                f"set DRUMBEAT_DATA_DIR to another folder."
            ) from denied
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(lock, 20, 0).decode(errors="replace").strip() or "unknown"
            os.close(lock)
            raise CannotRun(
                f"Drumbeat already runs on the data directory {self.path} (process {holder}): use that one, "
                f"stop it, or set DRUMBEAT_DATA_DIR to another folder."
            ) from None
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        return self

    def _create(self) -> None:
        """Other users, such as PostgreSQL's, may enter the folders that are created here, but not their content."""
        missing = [folder for folder in (self.path, *self.path.parents) if not folder.exists()]
        self.path.mkdir(parents=True, exist_ok=True)
        for folder in missing:
            folder.chmod(0o755)

    def remembered(self) -> dict[str, object]:
        """What an earlier run wrote to `addresses.json`; empty at the first run."""
        try:
            document: object = json.loads((self.path / ADDRESSES_FILE).read_bytes())
        except (OSError, ValueError):
            return {}
        return cast("dict[str, object]", document) if isinstance(document, dict) else {}

    def remember(self, values: Mapping[str, object]) -> None:
        """Replace `addresses.json` atomically."""
        path = self.path / ADDRESSES_FILE
        new = path.with_suffix(".new")
        new.write_text(json.dumps(values, indent=2) + "\n")
        new.rename(path)

    def create_key(self, path: Path) -> None:
        """Write a new full-scope key to `path` (mode 0600) unless it contains one. Raises `CannotRun`."""
        try:
            create_api_key(path)
        except OSError as denied:
            raise CannotRun(
                f"The API key file {path} cannot be read or written ({denied.strerror})."
            ) from denied

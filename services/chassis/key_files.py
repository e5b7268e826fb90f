"""The key files of a deployment: made once, and handed to every replica."""

import os
from pathlib import Path
from typing import Final

from services.chassis.keys import KeyFileUnreadable, first_key, new_secret, read_or_create_secrets

API_KEY: Final = "api-key"
SECRETS: Final = ("secrets-key", "address-key")


def create_key_files(folder: Path) -> list[Path]:
    """Create `api-key`, `secrets-key` and `address-key` (0600) where they are missing; the paths of the new ones.

    Those that exist stay, and are checked. Raises `KeyFileUnreadable`.
    """
    api_key, *others = paths = [folder / name for name in (API_KEY, *SECRETS)]
    missing = [path for path in paths if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        create_api_key(api_key)
    except OSError as problem:
        raise KeyFileUnreadable(
            f"The key file {api_key} cannot be written ({problem.strerror})."
        ) from problem
    first_key(api_key)
    for path in others:
        read_or_create_secrets(path)
    return missing


def create_api_key(path: Path) -> None:
    """Write a new full-scope key (0600) unless the file has content. Raises OSError."""
    if path.exists() and path.read_text(encoding="utf-8", errors="replace").strip():
        return
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{new_secret()[1]}\n")
    new.rename(path)

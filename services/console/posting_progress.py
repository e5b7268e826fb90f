"""How far a file of events was sent, stored beside the file, so that an interrupted run can go on."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

from services.console.json_fields import Json, items, number, text
from services.console.refusal_groups import RefusalGroups

SUFFIX: Final = ".progress"


@dataclass(slots=True)
class Posted:
    """`sent`: how many events from the beginning of the file were answered, each of them."""

    sent: int = 0
    accepted: int = 0
    refusals: RefusalGroups = field(default_factory=RefusalGroups)


class ProgressFile:
    """`<file>.progress`: about one content of the file and one server; with another, sending begins at the start.

    Without a `digest` of the content, as of standard input, there is none, nor in a folder that cannot be written: then
    nothing can be resumed.
    """

    def __init__(self, name: str, digest: str | None, server: str) -> None:
        self.path = None if digest is None else Path(f"{name}{SUFFIX}")
        self._identity: Json = {"sha256": digest, "server": server}

    def read(self) -> Posted | None:
        """What an interrupted run has sent; None when there is none of this file and this server."""
        try:
            found: object = json.loads(self.path.read_bytes()) if self.path is not None else None
        except (OSError, ValueError):
            return None
        document = cast("Json", found) if isinstance(found, dict) else {}
        if any(text(document, name) != value for name, value in self._identity.items()):
            return None
        refusals = RefusalGroups(items(document, "refusals"))
        return Posted(number(document, "sent"), number(document, "accepted"), refusals)

    def write(self, posted: Posted) -> None:
        """Replace it atomically; written after each request that was answered."""
        if self.path is None:
            return
        counts: Json = {"sent": posted.sent, "accepted": posted.accepted}
        document = {**self._identity, **counts, "refusals": posted.refusals.documents()}
        new = self.path.with_name(f"{self.path.name}.new")
        try:
            new.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
            new.replace(self.path)
        except OSError:
            self.path = None

    def remove(self) -> None:
        if self.path is not None:
            self.path.unlink(missing_ok=True)

"""Read the audit log: what may be asked for, and what verifying it says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from schemas.ids import derived_id


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """None means any. `actor` and `action` are the beginnings of them: a key's id finds its sessions too."""

    actor: str | None = None
    action: str | None = None
    objects: Sequence[str] | None = None
    from_: datetime | None = None
    to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verification:
    """`entries` from number `first` to `last` were followed; `head`: the hash of the last, in hex, to be kept elsewhere.

    `problem`: what is wrong with the first entry that does not fit; None when all fit.
    """

    entries: int
    first: int
    last: int
    head: str
    problem: str | None


class Audit(Protocol):
    """The audit log of all services."""

    async def search(self, wanted: AuditFilter, *, before: int, limit: int) -> list[dict[str, object]]:
        """Newest first, those with a number below `before`."""
        ...

    async def verify(self, head: tuple[int, bytes] | None) -> Verification:
        """`head`: number and hash of an entry that somebody noted earlier; it has to be there with that hash."""
        ...


def person_object(kind: str, name: str) -> str:
    """How an account or a contact stands in the log, which outlives its erasure: by the derived id."""
    return f"{kind}/{derived_id(kind, name)}"


def objects_named(name: str) -> list[str]:
    """The objects that a search for `kind/id` means: as it stands, and as a person or an account is recorded."""
    kind, _, identity = name.partition("/")
    return [name, person_object(kind, identity)] if identity else [name]

"""Publish policies: the versions of a deployment, what may be asked about them, and what may go wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

Files = Mapping[str, str]
"""The text of a policy by file name."""
Finding = Mapping[str, object]
"""A warning of the linter about a valid policy: never a reason to refuse it."""
Origin = Literal["file", "api", "rollback"]


class Mistake(NamedTuple):
    """An error in a policy and its place; line and column count from 1. `where`: rule and key, "" when unknown."""

    file: str
    line: int
    column: int
    where: str
    message: str

    def __str__(self) -> str:
        """Without a place when it is about all files together."""
        return f"{self.file}:{self.line}:{self.column}: {self.message}" if self.file else self.message


class InvalidPolicy(Exception):
    """The files are no valid policy; `mistakes` lists every error."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = tuple(mistakes)


class StalePolicy(Exception):
    """Another policy came into force since the caller read it; `in_force` is its hash."""

    def __init__(self, in_force: str, version: int) -> None:
        super().__init__(
            f"The policy in force is version {version} ({in_force}), not the one this is based on. Look at what"
            " changed, then publish on top of it."
        )
        self.in_force = in_force
        self.version = version


class NoSuchVersion(Exception):
    """There is no policy version of this number."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A valid policy: its hash, the number of its rules, and the findings of the linter."""

    hash: str
    rules: int
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyDraft:
    """Files that are to become the policy in force. `name` None: the name of the version before."""

    files: Files
    author: str | None = None
    note: str = ""
    name: str | None = None
    based_on: str | None = None
    """Hash of the policy in force that the author started from; None: not checked."""


@dataclass(frozen=True, slots=True)
class PolicyInForce:
    """The policy in force now. `changed`: this call put it in force."""

    version: int
    hash: str
    generation: int
    mode: str
    changed: bool = False


class Policies(Protocol):
    """The versions of the policy."""

    async def versions(self, *, before: int, limit: int) -> list[dict[str, object]]:
        """Newest first, those with a number below `before`."""
        ...

    async def policy(self, policy_hash: str) -> dict[str, object] | None:
        """Files and versions of one policy."""
        ...

    async def document(self, policy_hash: str) -> dict[str, object] | None:
        """One policy, section by section. Raises `InvalidPolicy` when it can no longer be read."""
        ...

    async def in_force(self) -> PolicyInForce: ...

    async def check(self, files: Files) -> Checked:
        """Raises `InvalidPolicy`."""
        ...

    async def publish(self, draft: PolicyDraft) -> PolicyInForce:
        """Put files in force. Raises `InvalidPolicy`, `StalePolicy`."""
        ...

    async def roll_back(self, number: int, *, author: str | None, note: str) -> PolicyInForce:
        """Put an earlier version in force again. Raises `NoSuchVersion`, `InvalidPolicy`."""
        ...

    async def progress(self) -> dict[str, object]:
        """How many accounts are evaluated under the policy in force."""
        ...

    async def author(self, key_id: str) -> str:
        """The name of the owner of an API key, or its id."""
        ...


class Programs(Protocol):
    """Programs announced to many accounts."""

    async def programs(self, *, before: tuple[datetime, str] | None, limit: int) -> list[dict[str, object]]:
        """Newest first, those after `before` (moment and id of the last one seen)."""
        ...

"""Publish policies: what may be asked for, what may be read about versions, and what may go wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Protocol

from pydantic import BaseModel, ConfigDict, Field

from schemas.base import Name, Text

FILES_AT_MOST = 2_200
_PLAIN = r"[^/\\\x00-\x1f\x7f]+"
_CONTENT = r"content/[A-Za-z0-9-]{1,40}/(owner/)?[a-z][a-z0-9_]{0,63}\.md"
FileName = Annotated[str, Field(min_length=1, max_length=200, pattern=f"^({_PLAIN}|{_CONTENT})$")]
TextOfFiles = Annotated[
    dict[FileName, str],
    Field(
        min_length=1,
        max_length=FILES_AT_MOST,
        description=(
            "the text of each file, by its name: at most 200 in YAML, and content files such as"
            " `content/en/value_report.md`"
        ),
    ),
]


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Files(Closed):
    """The files of a policy."""

    files: TextOfFiles


class Compared(Files):
    """A policy to compare with the one in force."""

    days: int = Field(default=90, ge=1, le=3_650, description="how far ahead touchpoints are counted")


class SimulationWanted(Closed):
    """A simulation of the whole book."""

    files: TextOfFiles | None = Field(default=None, description="absent: the policy in force")
    days: int = Field(default=365, ge=1, le=731, description="how many days")
    hire: int = Field(default=0, ge=0, le=1_000, description="with so many more people in the fullest pool")
    seed: int = Field(default=0, ge=0, le=2**62, description="which accounts they take")
    schedule: bool = Field(default=False, description="with every touchpoint of every account")


class Publication(Files):
    """A policy to put in force."""

    author: Name | None = Field(default=None, description="absent: the owner of the API key")
    note: Text = Field(default="", description="why; people read it in the list of versions")
    name: Name | None = Field(default=None, description="absent: the name of the version before")
    based_on: str | None = Field(
        default=None,
        max_length=200,
        description="hash of the policy you looked at; 409 when it is not in force",
    )
    force: bool = Field(
        default=False, description="although tests of the policy (`*_test.yaml`) fail; needs a note"
    )


class Rollback(Closed):
    """An earlier version to put in force again, as a new version."""

    version: int = Field(ge=1, le=2**62)
    author: Name | None = None
    note: Text = ""


class StalePolicy(Exception):
    """Another policy came into force since the caller read it; `in_force` is its hash."""

    def __init__(self, in_force: str, version: int) -> None:
        super().__init__(
            f"The policy in force is version {version} ({in_force}), not the one this is based on. Look at what"
            " changed, then publish on top of it."
        )
        self.in_force = in_force
        self.version = version


@dataclass(frozen=True, slots=True)
class TestReport:
    """What the tests among the files of a policy found: how many ran, those that failed, or why none could be read."""

    __test__ = False  # of policies, not of pytest

    run: int
    failed: Sequence[Mapping[str, object]] = ()
    mistakes: Sequence[str] = ()

    @property
    def summary(self) -> str:
        """What is wrong, empty when nothing is."""
        if self.mistakes:
            return "its tests cannot be read"
        return f"{len(self.failed)} of {self.run} tests of the policy fail" if self.failed else ""


class TestsFailed(Exception):
    """Tests of the policy that was to be published fail; nothing was changed."""

    __test__ = False

    def __init__(self, report: TestReport) -> None:
        super().__init__(
            f"{report.summary}. Correct the policy or its tests, or publish with `force` and a `note` that says why."
        )
        self.report = report


class SchedulerAway(Exception):
    """The scheduler does not answer, so that there is no calendar to begin with; the message says how it failed."""


class NoteMissing(Exception):
    """A publication was forced without a reason."""

    def __init__(self) -> None:
        super().__init__("force: needs a `note` that says why; people read it in the list of versions.")


class Policies(Protocol):
    """The versions of the policy. Files that are no valid policy raise the library's `PolicyRefused`."""

    async def versions(self, *, before: int, limit: int) -> list[dict[str, object]]:
        """Newest first, those with a number below `before`."""
        ...

    async def policy(self, policy_hash: str) -> dict[str, object]:
        """Files and versions of one policy. Raises `NotFound`."""
        ...

    async def document(self, policy_hash: str) -> bytes:
        """One policy, section by section, as JSON. Raises `NotFound`; `PolicyRefused` when it can no longer be read."""
        ...

    async def in_force(self) -> dict[str, object]:
        """The policy in force, with the text of its files."""
        ...

    async def check(self, files: Mapping[str, str]) -> dict[str, object]:
        """The hash of a valid policy, the number of its rules, and what the linter warns of."""
        ...

    async def publish(self, wanted: Publication, key_id: str) -> dict[str, object]:
        """Put files in force; `changed`: they were not before. Raises `StalePolicy`, `TestsFailed`, `NoteMissing`."""
        ...

    async def roll_back(self, wanted: Rollback, key_id: str) -> dict[str, object]:
        """Put an earlier version in force again. Raises `NotFound`."""
        ...

    async def progress(self) -> dict[str, object]:
        """How many accounts are evaluated under the policy in force."""
        ...

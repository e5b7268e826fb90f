"""The state of the policy page: the policy in force, its versions, the progress of evaluation, and a draft."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import quote

from services.console.client import Answer, AsyncApiClient, Failure
from services.console.json_fields import Json, items, nested, number, text, texts

TESTS_FAIL: Final = (
    "Tests of the policy fail. Correct the policy or its tests, or tick the box to publish it all the same."
)
MAX_DRAFT_CHARACTERS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The rules engine's result for a draft. `files` are those it checked; `error`: why there is no result.

    `failures`: of tests among the files, once it was published in vain.
    """

    files: Mapping[str, str]
    hash: str = ""
    errors: tuple[Json, ...] = ()
    findings: tuple[Json, ...] = ()
    difference: Json = field(default_factory=dict[str, object])
    error: str = ""
    failures: tuple[Json, ...] = ()

    @property
    def is_valid(self) -> bool:
        return bool(self.hash) and not self.error


@dataclass(slots=True)
class Draft:
    """The files to publish, as a change of the policy whose hash is `based_on`."""

    files: dict[str, str] = field(default_factory=dict[str, str])
    based_on: str = ""
    result: CheckResult | None = None

    @property
    def tests_fail(self) -> bool:
        return self.result is not None and bool(self.result.failures)


@dataclass(slots=True)
class PolicyInForce:
    """The policy in force. `policy`: None until the rules engine has answered.

    `findings` of the linter are there as soon as the rules engine has them (`has_findings`).
    """

    policy: Json | None = None
    document: Json = field(default_factory=dict[str, object])
    findings: tuple[Json, ...] = ()
    error: str = ""
    document_error: str = ""

    @property
    def has_findings(self) -> bool:
        return "findings" in (self.policy or {})

    @property
    def hash(self) -> str:
        return text(self.policy or {}, "hash")

    @property
    def version(self) -> int:
        return number(self.policy or {}, "version")

    @property
    def files(self) -> dict[str, str]:
        files = nested(self.policy or {}, "files")
        return {name: source for name, source in files.items() if isinstance(source, str)}


def _file_name(path: str) -> str:
    """The name in a policy folder: a content file keeps its path from `content/` on, others have no folder."""
    parts = [part for part in path.strip().replace("\\", "/").split("/") if part]
    if "content" in parts[:-1]:
        return "/".join(parts[parts.index("content") :])
    return parts[-1] if parts else ""


class PolicyEditor:
    """Calls the rules engine with the key of one reader; an error leaves what was read before in place."""

    def __init__(self, apis: AsyncApiClient, key: str) -> None:
        self._apis = apis
        self._key = key
        self.in_force = PolicyInForce()
        self.versions: list[Json] = []
        self.progress: Json = {}
        self.may_change = False
        self.draft = Draft()

    async def refresh(self) -> None:
        """Read the progress of evaluation, and the policy when another version is in force."""
        progress = await self._get("progress")
        if isinstance(progress, Failure):
            self.in_force.error = progress.text
            return
        self.in_force.error = ""
        self.progress = progress
        current = self.in_force.hash, self.in_force.version
        if (
            text(progress, "policy"),
            number(progress, "version"),
        ) != current or not self.in_force.has_findings:
            await self._load()

    async def _load(self) -> None:
        policy, versions, session = await asyncio.gather(
            self._get("current"),
            self._apis.get(self._key, "rules_engine", "/v1/policies", {"limit": 50}),
            self._apis.get(self._key, "rules_engine", "/v1/sessions/current"),
        )
        self.may_change = not isinstance(session, Failure) and "policy" in texts(session, "scopes")
        if not isinstance(versions, Failure):
            self.versions = items(versions)
        if isinstance(policy, Failure):
            self.in_force.error = policy.text
            return
        loaded = PolicyInForce(policy=policy)
        loaded.findings = tuple(items(policy, "findings"))
        document = await self._get(f"{quote(loaded.hash, safe='')}/document")
        if isinstance(document, Failure):
            loaded.document_error = document.text
        else:
            loaded.document = document
        self.in_force = loaded

    def add_file(self, path: str, source: str) -> str:
        """Put a file into the draft, under the last part of its path. Returns an error message or an empty text."""
        name = _file_name(path)
        is_content = name.startswith("content/")
        if not name.endswith(".md" if is_content else ".yaml"):
            return f"“{name}” is not a policy file: its name must end in .yaml, or be content/<language>/<type>.md."
        if not self.draft.files:
            self.draft = Draft(dict(self.in_force.files), self.in_force.hash)
        if sum(map(len, self.draft.files.values())) + len(source) > MAX_DRAFT_CHARACTERS:
            return (
                f"“{name}” is too large: all files of a policy have at most {MAX_DRAFT_CHARACTERS:,} bytes."
            )
        self.draft.files[name] = source
        self.draft.result = None
        return ""

    def remove_file(self, name: str) -> None:
        self.draft.files.pop(name, None)
        self.draft.result = None

    def discard(self) -> None:
        self.draft = Draft()

    async def check(self) -> None:
        """Have the draft validated, linted and compared with the policy it is based on."""
        draft = self.draft
        draft.result = await self._check(dict(draft.files), draft.based_on)

    async def publish(self, note: str, *, force: bool = False) -> str:
        """Put the checked draft in force. Returns an error message or an empty text.

        `force`: although tests among its files fail; without it the result of the draft lists the failures.
        """
        result = self.draft.result
        if result is None or not result.is_valid or result.files != self.draft.files:
            return "Check the files first."
        body: Json = {"files": dict(result.files), "note": note, "based_on": self.draft.based_on}
        body |= {"force": True} if force else {}
        answer = await self._apis.send("PUT", self._key, "rules_engine", "/v1/policies/current", body)
        if isinstance(answer, Failure) and "tests" in answer.document:
            self.draft.result = replace(result, failures=tuple(items(answer.document, "errors")))
            return TESTS_FAIL
        return await self._finish(answer)

    async def roll_back(self, version: int, note: str) -> str:
        """Put an earlier version in force. Returns an error message or an empty text."""
        return await self._finish(await self._post("rollback", {"version": version, "note": note}))

    async def _finish(self, answer: Answer) -> str:
        if isinstance(answer, Failure):
            return answer.text
        self.discard()
        await self.refresh()
        return ""

    async def _check(self, files: dict[str, str], based_on: str) -> CheckResult:
        answer = await self._post("validate", {"files": files})
        if isinstance(answer, Failure):
            errors = tuple(items(answer.document, "errors"))
            return CheckResult(files, errors=errors, error="" if errors else answer.text)
        policy_hash = text(answer, "hash")
        difference: Json = {}
        if based_on and policy_hash != based_on:
            compared = await self._post("diff", {"files": files})
            difference = {"error": compared.text} if isinstance(compared, Failure) else compared
        return CheckResult(files, policy_hash, (), tuple(items(answer, "findings")), difference)

    async def _get(self, path: str) -> Answer:
        return await self._apis.get(self._key, "rules_engine", f"/v1/policies/{path}")

    async def _post(self, path: str, body: Json) -> Answer:
        return await self._apis.send("POST", self._key, "rules_engine", f"/v1/policies/{path}", body)

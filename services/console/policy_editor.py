"""What the policy page knows: the policy in force and its versions, how far accounts followed, and a draft."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from services.console.client import Answer, Apis, Trouble
from services.console.json_fields import Json, items, part, text

LARGEST: Final = 1_000_000  # signs of all files of a draft together


@dataclass(frozen=True, slots=True)
class Checked:
    """What the rules engine says of a draft. `files` are those it looked at."""

    files: Mapping[str, str]
    hash: str = ""
    errors: tuple[Json, ...] = ()
    findings: tuple[Json, ...] = ()
    difference: Json = field(default_factory=dict[str, object])
    trouble: str = ""

    @property
    def sound(self) -> bool:
        return bool(self.hash) and not self.trouble


@dataclass(slots=True)
class Draft:
    """Files that are to become the policy, on top of the one whose hash is `based_on`."""

    files: dict[str, str] = field(default_factory=dict[str, str])
    based_on: str = ""
    checked: Checked | None = None


@dataclass(slots=True)
class InForce:
    """The policy in force. `policy` is None until the rules engine answered."""

    policy: Json | None = None
    document: Json = field(default_factory=dict[str, object])
    findings: tuple[Json, ...] = ()
    trouble: str = ""
    document_trouble: str = ""

    @property
    def hash(self) -> str:
        return text(self.policy or {}, "hash")

    @property
    def files(self) -> dict[str, str]:
        found = part(self.policy or {}, "files")
        return {name: said for name, said in found.items() if isinstance(said, str)}


class Desk:
    """Asks the rules engine with the key of one reader; a trouble never throws away what was known."""

    def __init__(self, apis: Apis, key: str) -> None:
        self._apis = apis
        self._key = key
        self.in_force = InForce()
        self.versions: list[Json] = []
        self.progress: Json = {}
        self.may_change = False
        self.draft = Draft()

    async def refresh(self) -> None:
        """How far accounts have followed, and whatever changed since the last look."""
        progress = await self._get("progress")
        if isinstance(progress, Trouble):
            self.in_force.trouble = progress.text
            return
        self.in_force.trouble = ""
        self.progress = progress
        known = self.in_force.policy or {}
        if (text(progress, "policy"), progress.get("version")) != (self.in_force.hash, known.get("version")):
            await self._load()

    async def _load(self) -> None:
        current, versions, keys = await asyncio.gather(
            self._get("current"),
            self._apis.get(self._key, "rules_engine", "/v1/policies", {"limit": 50}),
            self._apis.get(self._key, "rules_engine", "/v1/keys"),
        )
        self.may_change = not isinstance(keys, Trouble)
        if not isinstance(versions, Trouble):
            self.versions = items(versions)
        if isinstance(current, Trouble):
            self.in_force.trouble = current.text
            return
        held = InForce(policy=current)
        document, checked = await asyncio.gather(
            self._get(f"{quote(held.hash, safe='')}/document"), self._findings(held)
        )
        if isinstance(document, Trouble):
            held.document_trouble = document.text
        else:
            held.document = document
        held.findings = checked
        self.in_force = held

    async def _findings(self, held: InForce) -> tuple[Json, ...]:
        """Those that came with the policy; else those of checking its files."""
        if "findings" in (held.policy or {}):
            return tuple(items(held.policy or {}, "findings"))
        return (await self._check(held.files, "")).findings

    def begin(self, name: str, said: str) -> str:
        """Put a file into the draft. Returns why not, or nothing."""
        name = name.strip().rpartition("/")[2].rpartition("\\")[2]
        if not name.endswith(".yaml"):
            return f"“{name}” is no policy file: its name ends in .yaml."
        if name.endswith("_test.yaml"):
            return f"“{name}” holds tests of a policy; it is not published."
        if not self.draft.files:
            self.draft = Draft(dict(self.in_force.files), self.in_force.hash)
        if sum(map(len, self.draft.files.values())) + len(said) > LARGEST:
            return f"“{name}” does not fit: a policy has at most {LARGEST:,} bytes."
        self.draft.files[name] = said
        self.draft.checked = None
        return ""

    def leave_out(self, name: str) -> None:
        self.draft.files.pop(name, None)
        self.draft.checked = None

    def discard(self) -> None:
        self.draft = Draft()

    async def check(self) -> None:
        """Ask what is wrong with the draft, and what it would change."""
        draft = self.draft
        draft.checked = await self._check(dict(draft.files), draft.based_on)

    async def publish(self, note: str) -> str:
        """Put the draft in force. Returns why not, or nothing."""
        checked = self.draft.checked
        if checked is None or not checked.sound or checked.files != self.draft.files:
            return "Check the files first."
        answer = await self._apis.put(
            self._key,
            "rules_engine",
            "/v1/policies/current",
            {"files": dict(checked.files), "note": note, "based_on": self.draft.based_on},
        )
        return await self._changed(answer)

    async def roll_back(self, version: int, note: str) -> str:
        """Put an earlier version in force. Returns why not, or nothing."""
        answer = await self._apis.post(
            self._key, "rules_engine", "/v1/policies/rollback", {"version": version, "note": note}
        )
        return await self._changed(answer)

    async def _changed(self, answer: Answer) -> str:
        if isinstance(answer, Trouble):
            return answer.text
        self.discard()
        await self.refresh()
        return ""

    async def _check(self, files: dict[str, str], based_on: str) -> Checked:
        answer = await self._apis.post(
            self._key, "rules_engine", "/v1/policies/validate", {"files": dict(files)}
        )
        if isinstance(answer, Trouble):
            errors = tuple(items(answer.document, "errors"))
            return Checked(files, errors=errors, trouble="" if errors else answer.text)
        found = text(answer, "hash")
        difference = await self._difference(files) if based_on and found != based_on else {}
        return Checked(files, found, (), tuple(items(answer, "findings")), difference)

    async def _difference(self, files: dict[str, str]) -> Json:
        answer = await self._apis.post(self._key, "rules_engine", "/v1/policies/diff", {"files": dict(files)})
        if not isinstance(answer, Trouble):
            return answer
        # A rules engine of before it could compare is no trouble.
        return {} if answer.status in (404, 405) else {"trouble": answer.text}

    async def _get(self, place: str) -> Answer:
        return await self._apis.get(self._key, "rules_engine", f"/v1/policies/{place}")

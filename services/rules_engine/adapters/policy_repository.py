"""The versions of the policy: list, check, put in force, roll back, and how far accounts have followed."""

import asyncio
import contextlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import orjson

from services.cadence.policy import Policy
from services.cadence.policy.document import policy_document
from services.cadence.policy.load import PolicyRefused
from services.chassis.database import INFRASTRUCTURE, Connection
from services.rules_engine.adapters.active_policy import ActivePolicy
from services.rules_engine.adapters.configuration_repository import (
    LOCK,
    Configuration,
    ConfigurationRepository,
    Offer,
    current,
    put_in_force,
)
from services.rules_engine.adapters.progress_queries import measure
from services.rules_engine.application.publish_policy import (
    Checked,
    Files,
    Finding,
    InvalidPolicy,
    Mistake,
    NoSuchVersion,
    PolicyDraft,
    PolicyInForce,
    StalePolicy,
)

Lint = Callable[[Policy], Sequence[Finding]]

VERSIONS = """
SELECT v.number, v.hash, v.name, v.author, v.note, v.origin, v.published_at, v.number = e.version
FROM policy_version AS v CROSS JOIN epoch AS e WHERE v.number < $1 ORDER BY v.number DESC LIMIT $2
"""
VERSIONS_OF = """
SELECT v.number, v.hash, v.name, v.author, v.note, v.origin, v.published_at, v.number = e.version
FROM policy_version AS v CROSS JOIN epoch AS e WHERE v.hash = $1 ORDER BY v.number DESC LIMIT 500
"""
POLICY = """
SELECT p.hash, p.name, p.files::text, p.loaded_at, p.hash = e.policy_hash
FROM policy AS p CROSS JOIN epoch AS e WHERE p.hash = $1
"""
VERSION = """
SELECT v.hash, v.name, p.files::text FROM policy_version AS v JOIN policy AS p USING (hash) WHERE v.number = $1
"""
NAME = "SELECT name FROM policy_version WHERE number = $1"
KEY = "SELECT name FROM api_key WHERE key_id = $1"
_PLACED = re.compile(r"(?P<file>.+?):(?P<line>\d+):(?P<column>\d+): (?P<message>.*)", re.DOTALL)
_WHERE = re.compile(r"([a-z][\w.\[\]/-]*): (.*)", re.DOTALL)


class PolicyRepository:
    """The `Policies` port. `lint` warns about likely mistakes in a valid policy; None: no linter."""

    def __init__(
        self,
        configurations: ConfigurationRepository,
        active_policy: ActivePolicy,
        load_policy: Callable[[Mapping[str, str]], Policy],
        lint: Lint | None = None,
    ) -> None:
        self._configurations = configurations
        self._database = configurations.database
        self._active_policy = active_policy
        self._load_policy = load_policy
        self._lint = lint
        self._linting = asyncio.Lock()
        self._documents: dict[str, dict[str, object]] = {}  # only the last one

    async def versions(self, *, before: int, limit: int) -> list[dict[str, object]]:
        return [_version(row) for row in await self._database.pool.fetch(VERSIONS, before, limit)]

    async def policy(self, policy_hash: str) -> dict[str, object] | None:
        row = await self._database.pool.fetchrow(POLICY, policy_hash)
        if row is None:
            return None
        versions = await self._database.pool.fetch(VERSIONS_OF, policy_hash)
        return {
            "hash": row[0],
            "name": row[1],
            "files": orjson.loads(row[2]),
            "loaded_at": row[3],
            "in_force": row[4],
            "versions": [_version(each) for each in versions],
        }

    async def document(self, policy_hash: str) -> dict[str, object] | None:
        cached = self._documents.get(policy_hash)
        if cached is not None:
            return cached
        row = await self._database.pool.fetchrow(POLICY, policy_hash)
        if row is None:
            return None
        policy = await self._load(cast("dict[str, str]", orjson.loads(row[2])))
        document: dict[str, object] = {"hash": policy_hash, **policy_document(policy.content)}
        self._documents = {policy_hash: document}
        return document

    async def in_force(self) -> PolicyInForce:
        return _in_force(await self._configurations.current())

    async def check(self, files: Files) -> Checked:
        policy = await self._load(files)
        if self._lint is None:
            return Checked(policy.hash, len(policy.rules))
        # One at a time: it takes a processor for seconds, and anybody who may read may ask for it.
        async with self._linting:
            findings = await asyncio.to_thread(self._lint, policy)
        return Checked(policy.hash, len(policy.rules), tuple(findings))

    async def publish(self, draft: PolicyDraft) -> PolicyInForce:
        policy = await self._load(draft.files)
        async with self._database.transaction() as connection:
            await connection.execute(LOCK)
            in_force = await current(connection)
            if draft.based_on is not None and draft.based_on != in_force.policy_hash:
                raise StalePolicy(in_force.policy_hash, in_force.version)
            name = draft.name or cast("str", await connection.fetchval(NAME, in_force.version))
            offer = Offer(policy.hash, name, draft.files, draft.author, draft.note)
            published = await _put(connection, in_force, offer)
        await self._load_published()
        return published

    async def roll_back(self, number: int, *, author: str | None, note: str) -> PolicyInForce:
        row = await self._database.pool.fetchrow(VERSION, number)
        if row is None:
            raise NoSuchVersion(f"There is no policy version {number}.")
        files = cast("dict[str, str]", orjson.loads(row[2]))
        await self._load(files)
        async with self._database.transaction() as connection:
            await connection.execute(LOCK)
            offer = Offer(
                row[0], row[1], files, author, note or f"rolled back to version {number}", "rollback"
            )
            published = await _put(connection, await current(connection), offer)
        await self._load_published()
        return published

    async def _load_published(self) -> None:
        """Load it at once on this replica. It is published whatever happens here; every replica checks each second."""
        with contextlib.suppress(*INFRASTRUCTURE):
            await self._active_policy.refresh()

    async def progress(self) -> dict[str, object]:
        configuration = await self._configurations.current()
        progress = await measure(self._database, configuration.generation)
        return {
            "epoch": configuration.generation,
            "policy": configuration.policy_hash,
            "version": configuration.version,
            "mode": configuration.mode,
            **progress,
        }

    async def author(self, key_id: str) -> str:
        return cast("str | None", await self._database.pool.fetchval(KEY, key_id)) or key_id

    async def _load(self, files: Files) -> Policy:
        """Load in a thread: a large policy must not block the event loop."""
        try:
            return await asyncio.to_thread(self._load_policy, files)
        except PolicyRefused as refused:
            raise InvalidPolicy([mistake(each) for each in refused.errors]) from refused


async def _put(connection: Connection, in_force: Configuration, offer: Offer) -> PolicyInForce:
    if offer.hash == in_force.policy_hash:
        return _in_force(in_force)
    await put_in_force(connection, offer)
    return _in_force(await current(connection), changed=True)


def _in_force(configuration: Configuration, *, changed: bool = False) -> PolicyInForce:
    return PolicyInForce(
        configuration.version,
        configuration.policy_hash,
        configuration.generation,
        configuration.mode,
        changed,
    )


def _version(row: Any) -> dict[str, object]:
    names = ("version", "hash", "name", "author", "note", "origin", "published_at", "in_force")
    return dict(zip(names, row, strict=True))


def mistake(error: str) -> Mistake:
    """`file:line:column: where: what` taken apart."""
    placed = _PLACED.fullmatch(error)
    if placed is None:
        return Mistake("", 1, 1, "", error)
    message = placed["message"]
    where = _WHERE.fullmatch(message)
    place = (placed["file"], int(placed["line"]), int(placed["column"]))
    return Mistake(*place, where[1], where[2]) if where else Mistake(*place, "", message)

"""The versions of the policy: list, check, put in force, roll back, and how far accounts have followed."""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import cast

import orjson

from services.cadence.policy.load import PolicyRefused, load_policy_texts
from services.chassis.compute_budget import ComputeBudget
from services.chassis.database import INFRASTRUCTURE, Connection
from services.chassis.keys import key_of_session
from services.chassis.worker_process import WorkerBusy, WorkerProcess
from services.rules_engine.adapters import policy_jobs
from services.rules_engine.adapters.active_policy import ActivePolicy
from services.rules_engine.adapters.configuration_repository import (
    LOCK,
    Configuration,
    ConfigurationRepository,
    Offer,
    current,
    keep_tests,
    put_in_force,
    record_policy,
)
from services.rules_engine.adapters.policy_documents import PolicyDocuments
from services.rules_engine.adapters.progress_queries import measure
from services.rules_engine.application.publish_policy import (
    NoteMissing,
    Publication,
    Rollback,
    StalePolicy,
    TestReport,
    TestsFailed,
)
from services.rules_engine.application.queries import NotFound

LISTED = """
SELECT v.number AS version, v.hash, v.name, v.author, v.note, v.origin, v.published_at,
       v.number = e.version AS in_force
FROM policy_version AS v CROSS JOIN epoch AS e
"""
VERSIONS = f"{LISTED} WHERE v.number < $1 ORDER BY v.number DESC LIMIT $2"
VERSIONS_OF = f"{LISTED} WHERE v.hash = $1 ORDER BY v.number DESC LIMIT 500"
POLICY = """
SELECT p.hash, p.name, p.files::text, p.loaded_at, p.hash = e.policy_hash AS in_force
FROM policy AS p CROSS JOIN epoch AS e WHERE p.hash = $1
"""
VERSION = """
SELECT v.hash, v.name, p.files::text FROM policy_version AS v JOIN policy AS p USING (hash) WHERE v.number = $1
"""
NAME = "SELECT name FROM policy_version WHERE number = $1"
KEY = "SELECT name FROM api_key WHERE key_id = $1"
LINT_SECONDS = 0.5  # real seconds that a reader of the policy in force waits for its findings


class PolicyRepository:
    """The `Policies` port. What a caller sends is read in the worker process first, where it can hold nobody up."""

    def __init__(
        self,
        configurations: ConfigurationRepository,
        active_policy: ActivePolicy,
        worker: WorkerProcess,
        budget: ComputeBudget,
    ) -> None:
        self._configurations = configurations
        self._database = configurations.database
        self._active_policy = active_policy
        self._worker = worker
        self._documents = PolicyDocuments(configurations, budget)
        self._linted: tuple[str, asyncio.Task[dict[str, object]]] | None = None

    async def versions(self, *, before: int, limit: int) -> list[dict[str, object]]:
        return [dict(row) for row in await self._database.pool.fetch(VERSIONS, before, limit)]

    async def policy(self, policy_hash: str) -> dict[str, object]:
        row = await self._database.pool.fetchrow(POLICY, policy_hash)
        if row is None:
            raise NotFound(f"There is no policy {policy_hash!r}.")
        versions = [dict(each) for each in await self._database.pool.fetch(VERSIONS_OF, policy_hash)]
        return {**row, "files": orjson.loads(row["files"]), "versions": versions}

    async def document(self, policy_hash: str) -> bytes:
        return await self._documents.read(policy_hash)

    async def in_force(self) -> dict[str, object]:
        configuration = await self._configurations.current()
        document = {**await self.policy(configuration.policy_hash), **_in_force(configuration)}
        return {**document, **await self._findings(document)}

    async def check(self, files: Mapping[str, str]) -> dict[str, object]:
        return await self._worker.run(policy_jobs.check, files)

    async def _findings(self, document: Mapping[str, object]) -> dict[str, object]:
        """`findings` of the policy in force, linted once; nothing while that goes on or when it cannot be done."""
        policy_hash, files = str(document["hash"]), cast("dict[str, str]", document["files"])
        if self._linted is None or self._linted[0] != policy_hash:
            work = self._worker.run(policy_jobs.check, files, is_stored=True)
            self._linted = policy_hash, asyncio.create_task(work)
        task = self._linted[1]
        await asyncio.wait([task], timeout=LINT_SECONDS)
        if not task.done():
            return {}
        if task.cancelled() or isinstance(task.exception(), WorkerBusy):
            self._linted = None  # the next reader asks again
            return {}
        if task.exception() is not None:
            return {}
        return {"findings": task.result()["findings"]}

    async def publish(self, wanted: Publication, key_id: str) -> dict[str, object]:
        report = await self._test(wanted)
        policy = await asyncio.to_thread(load_policy_texts, wanted.files)
        note = f"{wanted.note} (published although {report.summary})" if report.summary else wanted.note
        author = wanted.author or await self._owner(key_id)
        async with self._database.transaction() as connection:
            await connection.execute(LOCK)
            before = await current(connection)
            if wanted.based_on is not None and wanted.based_on != before.policy_hash:
                raise StalePolicy(before.policy_hash, before.version)
            name = wanted.name or cast("str", await connection.fetchval(NAME, before.version))
            offer = Offer(policy.hash, name, wanted.files, author, note)
            published = await _put(connection, before, offer)
        await self._load_published()
        return {**published, "tests": {"run": report.run, "failed": len(report.failed)}}

    async def _test(self, wanted: Publication) -> TestReport:
        """Raises `PolicyRefused`, and `TestsFailed` or `NoteMissing` unless failures are accepted with a reason."""
        if wanted.force and not wanted.note.strip():
            raise NoteMissing
        report = await self._worker.run(policy_jobs.test, wanted.files)
        if report.mistakes and not wanted.force:
            raise PolicyRefused(report.mistakes)
        if report.failed and not wanted.force:
            raise TestsFailed(report)
        return report

    async def roll_back(self, wanted: Rollback, key_id: str) -> dict[str, object]:
        row = await self._database.pool.fetchrow(VERSION, wanted.version)
        if row is None:
            raise NotFound(f"There is no policy version {wanted.version}.")
        files = cast("dict[str, str]", orjson.loads(row["files"]))
        await asyncio.to_thread(load_policy_texts, files, is_stored=True)
        author = wanted.author or await self._owner(key_id)
        note = wanted.note or f"rolled back to version {wanted.version}"
        async with self._database.transaction() as connection:
            await connection.execute(LOCK)
            offer = Offer(row["hash"], row["name"], files, author, note, "rollback")
            published = await _put(connection, await current(connection), offer)
        await self._load_published()
        return published

    async def _owner(self, key_id: str) -> str:
        """The name of the owner of an API key, or its id; of a session, those of the key that signed in."""
        key_id = key_of_session(key_id) or key_id
        return cast("str | None", await self._database.pool.fetchval(KEY, key_id)) or key_id

    async def _load_published(self) -> None:
        """Load it at once on this replica. It is published whatever happens here; every replica checks each second."""
        with contextlib.suppress(*INFRASTRUCTURE):
            await self._active_policy.refresh()

    async def progress(self) -> dict[str, object]:
        configuration = await self._configurations.current()
        context = self._active_policy.context()
        rates = context.portfolio.rates
        return {
            "epoch": configuration.generation,
            "policy": configuration.policy_hash,
            "version": configuration.version,
            "mode": configuration.mode,
            "currency": context.policy.content.currency,
            "rates": {"date": rates.on, "base": rates.base, "rates": dict(rates.worth)} if rates.on else None,
            **await measure(self._database, configuration.generation),
        }


async def _put(connection: Connection, before: Configuration, offer: Offer) -> dict[str, object]:
    changed = offer.hash != before.policy_hash
    if changed:
        await put_in_force(connection, offer)
        await record_policy(connection, before, offer)
    else:
        await keep_tests(connection, before, offer)
    return {**_in_force(await current(connection)), "changed": changed}


def _in_force(configuration: Configuration) -> dict[str, object]:
    return {
        "version": configuration.version,
        "hash": configuration.policy_hash,
        "epoch": configuration.generation,
        "mode": configuration.mode,
    }

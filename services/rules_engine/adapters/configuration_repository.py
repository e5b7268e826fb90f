"""The configuration: under which policy, mode and portfolio accounts are evaluated now, the same for every replica."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Literal, cast

import orjson

from services.cadence.policy import Policy
from services.cadence.policy.load import is_test, load_policy_texts
from services.chassis.audit import AuditLog, Change
from services.chassis.compute_budget import ComputeBudget
from services.chassis.database import Connection, Database
from services.rules_engine.application.queries import NotFound

AUDIT = AuditLog("rules_engine")
MOST_FILES = 200  # of changed files that an entry of the audit log names
MOST_CACHED = 4  # compiled policies: rolling back is quick, and nothing grows
FILES = "SELECT files::text FROM policy WHERE hash = $1"
CURRENT = "SELECT number, policy_hash, mode, version FROM epoch"
# Publishing is rare and happens one at a time; readers are not blocked.
LOCK = "LOCK TABLE policy_version IN SHARE ROW EXCLUSIVE MODE"
KEEP = "INSERT INTO policy (hash, name, files) VALUES ($1, $2, $3::text::jsonb) ON CONFLICT DO NOTHING"
SET_FILES = "UPDATE policy SET files = $2::text::jsonb WHERE hash = $1"
NUMBER = """
INSERT INTO policy_version (number, hash, name, author, note, origin)
SELECT coalesce(max(number), 0) + 1, $1, $2, $3, $4, $5 FROM policy_version RETURNING number
"""
BEGIN = "INSERT INTO epoch (number, policy_hash, mode, mode_setting, version) VALUES (1, $1, $2, $2, $3)"
# The same policy under a new number decides nothing anew.
RAISE = "UPDATE epoch SET number = number + (policy_hash <> $1)::int, policy_hash = $1, version = $2"
LAST_FILE = """
SELECT v.hash, p.files::text FROM policy_version AS v JOIN policy AS p USING (hash)
WHERE v.origin = 'file' ORDER BY v.number DESC LIMIT 1
"""
# Whether a policy was published since the last one that came from files, and whether it ever was in force.
PUBLISHED = """
SELECT coalesce(bool_or(number > (SELECT coalesce(max(number), 0) FROM policy_version WHERE origin = 'file')), false),
       count(*) > 0
FROM policy_version WHERE hash = $1
"""
ORIGIN = "SELECT v.origin, v.author FROM policy_version AS v WHERE v.number = $1"
OFFERED = """
INSERT INTO policy_offer (owner, fingerprint) VALUES ($1, $2)
ON CONFLICT (owner) DO UPDATE SET fingerprint = excluded.fingerprint
"""


@dataclass(frozen=True, slots=True)
class Configuration:
    """`generation` grows with every change of policy, mode or portfolio; `version` is the policy version in force."""

    generation: int
    policy_hash: str
    mode: str
    version: int


@dataclass(frozen=True, slots=True)
class Offer:
    """A valid policy that may come into force."""

    hash: str
    name: str
    files: Mapping[str, str]
    author: str | None = None
    note: str = ""
    origin: Literal["file", "api", "rollback"] = "api"


@dataclass(frozen=True, slots=True)
class Source:
    """Which replica, by host and port, read which files at start-up; `shipped`: no setting named them."""

    owner: str
    shipped: bool
    path: str = ""


@dataclass(frozen=True, slots=True)
class FilesResult:
    """What became of files that differ from what was in force: that version, where it came from, and by whom."""

    came_into_force: bool
    version: int
    origin: str
    author: str | None


class ConfigurationRepository:
    """Reads and advances the configuration, and keeps the policies last used."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._policies: dict[str, Policy] = {}

    async def open(self, offer: Offer, mode: str, source: Source) -> FilesResult | None:
        """At start-up of a replica: its files come into force when somebody edited them, its mode at the first start.

        Returns what became of files that differ from what was in force; None when they do not differ.
        """
        async with self.database.transaction() as connection:
            await connection.execute(LOCK)
            before, result = await find(connection), None
            if before is None:
                await _keep(connection, offer)
                version = await _number(connection, offer)
                await connection.execute(BEGIN, offer.hash, mode, version)
                await record_policy(connection, None, offer)
            elif before.policy_hash != offer.hash:
                is_edit = await _is_edit(connection, offer, source, before)
                result = FilesResult(is_edit, before.version, *await _origin(connection, before))
                if is_edit:
                    await put_in_force(connection, offer)
                    await record_policy(connection, before, offer)
            elif (await _origin(connection, before))[0] == "file":
                await keep_tests(connection, before, offer)
            await connection.execute(OFFERED, source.owner, fingerprint(offer.files))
        return result

    async def would_accept(self, offer: Offer, source: Source) -> bool:
        """Whether `open` would put another policy in force."""
        async with self.database.transaction() as connection:
            before = await find(connection)
            if before is None or before.policy_hash == offer.hash:
                return before is None
            return await _is_edit(connection, offer, source, before)

    async def generation(self) -> int:
        """Read once a second by every replica."""
        return cast("int", await self.database.pool.fetchval("SELECT number FROM epoch"))

    async def current(self) -> Configuration:
        async with self.database.transaction() as connection:
            return await current(connection)

    async def policy(self, policy_hash: str, budget: ComputeBudget | None = None) -> Policy:
        """A stored policy. Raises `NotFound`, and `PolicyRefused` when it can no longer be read.

        `budget`: charged when it has to be compiled; then raises `ComputeBudgetSpent` too.
        """
        if policy_hash not in self._policies:
            files = await self.database.pool.fetchval(FILES, policy_hash)
            if files is None:
                raise NotFound(f"There is no policy {policy_hash!r}.")
            load = load_policy_texts if budget is None else budget.timed(load_policy_texts)
            policy = await asyncio.to_thread(load, orjson.loads(files), is_stored=True)
            # Another version may hash differently; decisions name the policy as it was published.
            self.keep(replace(policy, hash=policy_hash))
        return self._policies[policy_hash]

    def keep(self, policy: Policy) -> None:
        """Keep a compiled policy at hand: to compile one takes a tenth of a second."""
        self._policies[policy.hash] = policy
        while len(self._policies) > MOST_CACHED:
            self._policies.pop(next(iter(self._policies)))


async def find(connection: Connection) -> Configuration | None:
    row = await connection.fetchrow(CURRENT)
    return None if row is None else Configuration(*row)


async def current(connection: Connection) -> Configuration:
    found = await find(connection)
    if found is None:
        raise LookupError("no policy is in force yet")
    return found


async def put_in_force(connection: Connection, offer: Offer) -> None:
    """A new version, in force from the moment the transaction is committed."""
    await _keep(connection, offer)
    await connection.execute(RAISE, offer.hash, await _number(connection, offer))


async def record_policy(connection: Connection, before: Configuration | None, offer: Offer) -> None:
    """The entry of the audit log for an offer that has just come into force, with the names of the files that changed."""
    after = await current(connection)
    stored = None if before is None else await connection.fetchval(FILES, before.policy_hash)
    former = cast("dict[str, str]", orjson.loads(stored or "{}"))
    changed = sorted(name for name in {*former, *offer.files} if former.get(name) != offer.files.get(name))
    change = Change(
        "policy.rolled_back" if offer.origin == "rollback" else "policy.published",
        f"policy/{after.version}",
        before=None if before is None else {"version": before.version, "hash": before.policy_hash},
        after={
            "version": after.version,
            "hash": after.policy_hash,
            "name": offer.name,
            "author": offer.author,
            "origin": offer.origin,
            "files": changed[:MOST_FILES],
        },
        detail=offer.note,
    )
    await AUDIT.record(connection, [change])


def fingerprint(files: Mapping[str, str]) -> str:
    """A digest of the files that decide; tests do not."""
    rules = {name: text for name, text in files.items() if not is_test(name)}
    return sha256(orjson.dumps(rules, option=orjson.OPT_SORT_KEYS)).hexdigest()


async def keep_tests(connection: Connection, in_force: Configuration, offer: Offer) -> None:
    """Store the tests of an offer whose policy is in force already; the audit log says which files changed."""
    changed = await _keep(connection, offer)
    if changed:
        after = {
            "hash": offer.hash,
            "author": offer.author,
            "origin": offer.origin,
            "files": changed[:MOST_FILES],
        }
        change = Change("policy.tests_changed", f"policy/{in_force.version}", after=after, detail=offer.note)
        await AUDIT.record(connection, [change])


async def _keep(connection: Connection, offer: Offer) -> list[str]:
    """Store the files. Of a policy that is stored already only the tests are replaced, unless the offer has none.

    Returns the names of those that changed.
    """
    await connection.execute(KEEP, offer.hash, offer.name, orjson.dumps(offer.files).decode())
    files = cast("dict[str, str]", orjson.loads(await connection.fetchval(FILES, offer.hash)))
    former = {name: files.pop(name) for name in [*files] if is_test(name)}
    tests = {name: text for name, text in offer.files.items() if is_test(name)}
    changed = sorted(name for name in {*former, *tests} if former.get(name) != tests.get(name))
    if not tests or not changed:
        return []
    await connection.execute(SET_FILES, offer.hash, orjson.dumps({**files, **tests}).decode())
    return changed


async def _number(connection: Connection, offer: Offer) -> int:
    values = (offer.hash, offer.name, offer.author, offer.note, offer.origin)
    return cast("int", await connection.fetchval(NUMBER, *values))


async def _is_edit(connection: Connection, offer: Offer, source: Source, before: Configuration) -> bool:
    """Whether somebody edited the files since they last came into force.

    A replica that restarts with the same files undoes nothing that was published meanwhile; nor do files whose policy was
    the last one that came from files, or that was published since: what replaced it is newer. A replica that is new here
    brings back no older policy over a published one. Texts are compared too: another version of Drumbeat may hash them
    differently.
    """
    former = await connection.fetchval("SELECT fingerprint FROM policy_offer WHERE owner = $1", source.owner)
    if former == fingerprint(offer.files):
        return False
    last = await connection.fetchrow(LAST_FILE)
    if last is not None and (last[0] == offer.hash or _plain_names(orjson.loads(last[1])) == _rules(offer)):
        return False
    is_newer_than_files, was_in_force = cast(
        "tuple[bool, bool]", await connection.fetchrow(PUBLISHED, offer.hash)
    )
    comes_from_files = (await _origin(connection, before))[0] == "file"
    if is_newer_than_files or (former is None and was_in_force and not comes_from_files):
        return False
    return not source.shipped or comes_from_files


async def _origin(connection: Connection, configuration: Configuration) -> tuple[str, str | None]:
    """Where the version in force comes from, and who published it."""
    row = await connection.fetchrow(ORIGIN, configuration.version)
    return ("file", None) if row is None else (row[0], row[1])


def _rules(offer: Offer) -> dict[str, str]:
    """The files without tests: what decides."""
    return {name: text for name, text in offer.files.items() if not is_test(name)}


def _plain_names(files: dict[str, str]) -> dict[str, str]:
    """The files without tests; the first versions were stored under whole paths."""
    return {name.rpartition("/")[2]: text for name, text in files.items() if not is_test(name)}

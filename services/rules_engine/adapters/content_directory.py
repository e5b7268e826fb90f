"""Publishes on `directory.content` the content files in force: each change once, whichever replica comes first."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from schemas.directory import CONTENT_DIRECTORY, ContentRecord
from services.cadence.policy.contents import ContentText, contents_in_force
from services.cadence.policy.load import shipped_contents
from services.chassis.clock import ServiceClock
from services.chassis.database import Connection, Database, real_now
from services.chassis.outbox import Outbox, Outgoing
from services.rules_engine.domain.account import EvaluationContext

TOPIC: Final = "directory.content"
# One replica at a time compares and writes; readers are not blocked.
LOCK = "LOCK TABLE content_record IN SHARE ROW EXCLUSIVE MODE"
PUBLISHED = "SELECT key, fingerprint, version FROM content_record"
KEEP = """
INSERT INTO content_record (key, fingerprint, version)
SELECT key, fingerprint, $3 FROM unnest($1::text[], $2::bytea[]) AS changed(key, fingerprint)
ON CONFLICT (key) DO UPDATE SET fingerprint = excluded.fingerprint, version = excluded.version
"""


@dataclass(slots=True)
class ContentDirectory:
    """Publishes what differs from what was published: at a start (a newer Drumbeat ships other texts) and per policy."""

    database: Database
    outbox: Outbox
    clock: ServiceClock
    context: Callable[[], EvaluationContext]
    published: str | None = None

    async def publish(self) -> None:
        """Append records for files that are new or changed, and tombstones for those that are gone."""
        policy = self.context().policy
        if policy.hash == self.published:
            return
        contents = {
            name.key: item for name, item in contents_in_force(policy.content, shipped_contents()).items()
        }
        async with self.database.transaction() as connection:
            await connection.execute(LOCK)
            stored = await connection.fetch(PUBLISHED)
            before = {row["key"]: row["fingerprint"] for row in stored}
            version = 1 + max((row["version"] for row in stored), default=0)
            changed = content_changes(contents, before)
            if changed:
                await self._append(
                    connection, {key: contents.get(key) for key in changed}, policy.hash, version
                )
                await connection.execute(KEEP, list(changed), list(changed.values()), version)
        self.published = policy.hash

    async def _append(
        self,
        connection: Connection,
        changed: Mapping[str, ContentText | None],
        policy_hash: str,
        version: int,
    ) -> None:
        now = self.clock.at(await real_now(connection))
        rows = [
            Outgoing(
                TOPIC,
                key,
                f"{key}:{version}",
                CONTENT_DIRECTORY,
                now,
                None if item is None else content_record(item, policy_hash, version).write(),
            )
            for key, item in changed.items()
        ]
        await self.outbox.append(connection, rows)


def content_changes(
    contents: Mapping[str, ContentText], before: Mapping[str, bytes | None]
) -> dict[str, bytes | None]:
    """Key -> fingerprint of what is to be published, in order of key; None: a tombstone for what is gone."""
    prints = {key: sha256(item.text.encode()).digest() for key, item in contents.items()}
    gone: dict[str, bytes | None] = {
        key: None for key, fingerprint in before.items() if fingerprint is not None and key not in prints
    }
    new = {key: fingerprint for key, fingerprint in prints.items() if before.get(key) != fingerprint}
    return dict(sorted((gone | new).items()))


def content_record(item: ContentText, policy_hash: str, version: int) -> ContentRecord:
    """The record of `directory.content`."""
    return ContentRecord.of_valid(
        language=item.name.language,
        touchpoint_type=item.name.touchpoint_type,
        reader=item.name.reader,
        text=item.text,
        policy=policy_hash,
        version=version,
    )

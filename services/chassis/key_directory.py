"""A service's table of API keys: written from the topic `directory.keys`, read into memory every second.

Whoever may write to Kafka must not be able to make a key: a record without the signature of the rules engine is refused.
"""

from collections.abc import Sequence

import structlog

from services.chassis.database import Connection, Database
from services.chassis.dead_letters import Record
from services.chassis.keys import ApiKey, KeyRing
from services.chassis.loops import Loop
from services.chassis.outages import OUTAGES
from services.chassis.record_signatures import find_forgery
from services.chassis.telemetry import METRICS

log = structlog.get_logger(__name__)

UPSERT = """
INSERT INTO api_key (key_id, sha256, scopes, expires_at, revoked, version) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (key_id) DO UPDATE SET sha256 = excluded.sha256, scopes = excluded.scopes,
    expires_at = excluded.expires_at, revoked = excluded.revoked, version = excluded.version
WHERE api_key.version < excluded.version
"""
ALL = "SELECT key_id, sha256, scopes, expires_at, revoked, version FROM api_key"
REFRESH_SECONDS = 1.0  # real time


def signed_records(secrets: Sequence[bytes], records: Sequence[Record]) -> list[Record]:
    """The records that say something and are signed; the others are refused, counted and logged, each batch once.

    A key is revoked, never deleted: a tombstone says nothing.
    """
    valued = [record for record in records if record.value is not None]
    forged = [
        (record, problem) for record in valued if (problem := find_forgery(secrets, record)) is not None
    ]
    if forged:
        METRICS.key_records_refused.inc(len(forged))
        first, problem = forged[0]
        log.error(
            "keys.record_refused",
            records=len(forged),
            first=f"{first.topic}/{first.partition}@{first.offset}",
            problem=problem,
        )
    refused = {id(record) for record, _ in forged}
    return [record for record in valued if id(record) not in refused]


async def keep_keys(connection: Connection, keys: Sequence[ApiKey]) -> None:
    """Store keys; an older version of a stored key changes nothing."""
    for key in sorted(keys, key=lambda key: key.key_id):
        await connection.execute(
            UPSERT, key.key_id, key.sha256, sorted(key.scopes), key.expires_at, key.revoked, key.version
        )


def key_loop(database: Database, keys: KeyRing) -> Loop:
    """A loop that copies the table into the key ring of this replica."""

    async def refresh() -> None:
        for row in await database.pool.fetch(ALL):
            keys.learn(ApiKey(row[0], row[1], frozenset(row[2]), row[3], row[4], row[5]))
        OUTAGES.works("requests")  # which need the same database

    return Loop("keys", interval=REFRESH_SECONDS, run_once=refresh)

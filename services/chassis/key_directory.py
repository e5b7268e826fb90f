"""A service's table of API keys: written from the topic `directory.keys`, read into memory every second.

Whoever may write to Kafka must not be able to make a key. So the rules engine signs each record, with HMAC-SHA256 (RFC
2104) under the first line of the secrets key file, which every service of the deployment has; others are refused. A
further line is accepted too, while the key is rotated.
"""

import hmac
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

import structlog

from services.chassis.database import Connection, Database
from services.chassis.dead_letters import Record
from services.chassis.keys import ApiKey, KeyRing
from services.chassis.loops import Loop
from services.chassis.outages import OUTAGES
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
SIGNATURE: Final = "signature"
"""The header: `v1,<fingerprint of the secret>,<HMAC>`, both in hex."""


def _fingerprint(secret: bytes) -> str:
    """Which secret it is, for people; tells nothing about it."""
    return hmac.new(secret, b"drumbeat key fingerprint", sha256).hexdigest()[:12]


def sign_record(secret: bytes, key: str, value: bytes) -> tuple[str, bytes]:
    """The header for a record of `directory.keys` with this key and value."""
    signed = hmac.new(secret, b"directory.keys\0" + key.encode() + b"\0" + value, sha256).hexdigest()
    return SIGNATURE, f"v1,{_fingerprint(secret)},{signed}".encode()


def find_forgery(secrets: Sequence[bytes], record: Record) -> str | None:
    """Why a record must not be believed; None for one that the rules engine signed under one of the secrets."""
    signature = next((value for name, value in record.headers if name == SIGNATURE), None)
    if signature is None:
        return "it is not signed"
    key, value = (record.key or b"").decode(errors="replace"), record.value or b""
    if any(hmac.compare_digest(signature, sign_record(secret, key, value)[1]) for secret in secrets):
        return None
    used = signature.decode(errors="replace").split(",")
    if len(used) == 3 and used[1] not in {_fingerprint(secret) for secret in secrets}:
        return (
            "it is signed under another secrets key: give this service the same DRUMBEAT_SECRETS_KEY_FILE as the"
            " rules engine, then restart both"
        )
    return "its signature is not right"


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

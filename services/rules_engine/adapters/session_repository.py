"""Sessions: a key or a sign-in is exchanged for a token of some hours, which every service checks like a key.

The token travels as a record of `directory.keys` under an id of its own, so a session ends everywhere by revoking it.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, cast

from services.chassis.audit import AuditLog, Change
from services.chassis.database import Connection, Database, real_now
from services.chassis.keys import ApiKey, digest, new_session
from services.chassis.relay import Relay
from services.rules_engine.adapters.key_records import KeyRecords, revoked
from services.rules_engine.application.queries import NotFound
from services.rules_engine.application.sign_in import SignInRefused
from services.rules_engine.domain.roles import SCOPES_OF_ROLE, Role

AUDIT = AuditLog("rules_engine")
BEGIN = "INSERT INTO session (session_id, key_id, key_sha256, client, expires_at) VALUES ($1, $2, $3, $4, $5)"
IS_REVOKED = "SELECT revoked FROM api_key WHERE key_id = $1 FOR SHARE"
ENTER = """
UPDATE console_user SET last_used_at = greatest(last_used_at, clock_timestamp())
WHERE user_id = $1 AND disabled_at IS NULL RETURNING role
"""
LIVE = "ended_at IS NULL AND expires_at > clock_timestamp()"
LISTED = """
SELECT session_id, s.key_id, coalesce(u.name, k.name) AS key_name, u.user_id, u.login, u.email, u.role, client, began_at,
    s.expires_at
FROM session AS s LEFT JOIN api_key AS k ON k.key_id = s.key_id LEFT JOIN console_user AS u ON u.user_id = s.key_id
WHERE s.ended_at IS NULL AND s.expires_at > clock_timestamp()
"""
END = f"UPDATE session SET ended_at = $1 WHERE {LIVE}"
# A session of the first key ends when the key's file has another key; every other key has a row.
ORPHANS = f"""
SELECT session_id FROM session AS s WHERE {LIVE} AND NOT (key_id = $1 AND key_sha256 = $2)
    AND NOT EXISTS (SELECT FROM api_key AS k WHERE k.key_id = s.key_id AND NOT k.revoked)
    AND NOT EXISTS (SELECT FROM console_user AS u WHERE u.user_id = s.key_id AND u.disabled_at IS NULL)
"""


class SessionRepository:
    """The `Sessions` port. `learn` puts a key into the ring of this replica at once."""

    def __init__(
        self,
        database: Database,
        records: KeyRecords,
        relay: Relay,
        lifetime: timedelta,
        learn: Callable[[ApiKey], None],
    ) -> None:
        self._database = database
        self._records = records
        self._relay = relay
        self._lifetime = lifetime
        self._learn = learn

    async def begin(self, key: ApiKey, client: str) -> dict[str, object]:
        async with self._database.transaction() as connection:
            if await connection.fetchval(IS_REVOKED, key.key_id):
                raise NotFound(f"There is no valid key {key.key_id!r}.")
            begun = await self._begin(connection, key, client)
        return self._publish(*begun)

    async def begin_for_user(self, user_id: str, client: str, method: str) -> dict[str, object]:
        async with self._database.transaction() as connection:
            role = cast("Role | None", await connection.fetchval(ENTER, user_id))
            if role is None:
                raise SignInRefused("This user is disabled. Ask an admin.")
            holder = ApiKey(user_id, "", SCOPES_OF_ROLE[role])
            begun = await self._begin(connection, holder, client, {"by": method, "role": role})
        return self._publish(*begun)

    async def _begin(
        self,
        connection: Connection,
        key: ApiKey,
        client: str,
        more: Mapping[str, object] = MappingProxyType({}),
    ) -> tuple[ApiKey, str, str]:
        session_id, token = new_session(key.key_id)
        now = await real_now(connection)
        expires_at = min(filter(None, (now + self._lifetime, key.expires_at)))
        version = int(now.timestamp() * 1000)
        session = ApiKey(session_id, digest(token), key.scopes, expires_at, version=version)
        await connection.execute(BEGIN, session_id, key.key_id, key.sha256, client, expires_at)
        await self._records.publish(connection, session)
        after = {"key_id": key.key_id, "expires_at": expires_at, **more}
        change = Change(
            "session.began", f"session/{session_id}", None, after, actor=session_id if more else None
        )
        await AUDIT.record(connection, [change])
        return session, token, key.key_id

    def _publish(self, session: ApiKey, token: str, key_id: str) -> dict[str, object]:
        self._learn(session)
        self._relay.wake()
        return {
            "token": token,
            "session_id": session.key_id,
            "key_id": key_id,
            "scopes": sorted(session.grants()),
            "expires_at": session.expires_at,
        }

    async def find(self, session_id: str) -> dict[str, object] | None:
        row = await self._database.pool.fetchrow(f"{LISTED} AND session_id = $1", session_id)
        return None if row is None else _item(row)

    async def all(self, key_id: str | None, *, after: str, limit: int) -> list[dict[str, object]]:
        rows = await self._database.pool.fetch(
            f"{LISTED} AND ($1::text IS NULL OR s.key_id = $1) AND session_id > $2 ORDER BY session_id LIMIT $3",
            key_id,
            after,
            limit,
        )
        return [_item(row) for row in rows]

    async def end(self, session_id: str, key_id: str | None) -> None:
        async with self._database.transaction() as connection:
            rows = await connection.fetch(
                f"{END} AND session_id = $2 AND ($3::text IS NULL OR key_id = $3) RETURNING session_id",
                await real_now(connection),
                session_id,
                key_id,
            )
            if not rows:
                raise NotFound(f"There is no session {session_id!r}.")
            await self._revoke(connection, rows)
        self._relay.wake()

    async def end_of_key(
        self, connection: Connection, key_id: str, *, kept: str = "", beyond: datetime | None = None
    ) -> int:
        """End the sessions of a key or a user in the caller's transaction, but for `kept`; returns how many.

        `beyond`: only those that would last longer than until then.
        """
        now = await real_now(connection)
        rows = await connection.fetch(
            f"{END} AND key_id = $2 AND session_id <> $3 AND ($4::timestamptz IS NULL OR expires_at > $4)"
            " RETURNING session_id",
            now,
            key_id,
            kept,
            beyond,
        )
        await self._revoke(connection, rows)
        return len(rows)

    async def end_orphans(self, first_key: ApiKey) -> None:
        """End the sessions of a first key that was replaced in its file."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch(ORPHANS, first_key.key_id, first_key.sha256)
            ids = [row["session_id"] for row in rows]
            now = await real_now(connection)
            await connection.execute(f"{END} AND session_id = ANY($2)", now, ids)
            await self._revoke(connection, rows)
        self._relay.wake()

    async def _revoke(self, connection: Connection, rows: list[Any]) -> None:
        for row in rows:
            key = await self._records.lock(connection, row["session_id"])
            if key is not None:
                await self._records.publish(connection, revoked(key, await real_now(connection)))
        await AUDIT.record(
            connection, [Change("session.ended", f"session/{row['session_id']}") for row in rows]
        )


def _item(row: Any) -> dict[str, object]:
    """With `user` in place of its columns: null for a session of a key."""
    fields = dict(row)
    user = {name: fields.pop(name) for name in ("user_id", "login", "email", "role")}
    shown = {**user, "name": fields["key_name"]} if user["user_id"] is not None else None
    return {**fields, "user": shown}

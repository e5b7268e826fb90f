"""Users in the engine's database. What they may do changes with their sessions, in one transaction."""

import secrets
from collections.abc import Mapping
from typing import Any

import asyncpg

from services.chassis.audit import AuditLog, Change
from services.chassis.database import Connection, Database
from services.chassis.relay import Relay
from services.rules_engine.adapters.session_repository import SessionRepository
from services.rules_engine.application.manage_users import UserConflict, UserItem
from services.rules_engine.application.queries import NotFound
from services.rules_engine.application.sign_in import Credentials
from services.rules_engine.domain.roles import Role
from services.rules_engine.domain.user import NewUser

AUDIT = AuditLog("rules_engine")
FIELDS = """
user_id, login, name, email, role, disabled_at IS NOT NULL AS is_disabled, password_hash IS NOT NULL AS has_password,
issuer, created_at, last_used_at
"""
ADD = f"""
INSERT INTO console_user (user_id, login, name, email, role, password_hash) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING RETURNING {FIELDS}
"""
FIND = f"SELECT {FIELDS} FROM console_user WHERE user_id = $1 OR login = $1"
LOCK = f"{FIND} FOR UPDATE"
PAGE = f"SELECT {FIELDS} FROM console_user WHERE login > $1 ORDER BY login LIMIT $2"
SET_ROLE = f"UPDATE console_user SET role = $2 WHERE user_id = $1 RETURNING {FIELDS}"
SET_DISABLED = f"""
UPDATE console_user SET disabled_at = CASE WHEN $2 THEN coalesce(disabled_at, clock_timestamp()) END
WHERE user_id = $1 RETURNING {FIELDS}
"""
SET_PASSWORD = f"UPDATE console_user SET password_hash = $2 WHERE user_id = $1 RETURNING {FIELDS}"
CREDENTIALS = """
SELECT user_id, password_hash FROM console_user WHERE (login = $1 OR email = $1) AND disabled_at IS NULL
ORDER BY login = $1 DESC LIMIT 1
"""
RENEW = "UPDATE console_user SET password_hash = $3 WHERE user_id = $1 AND password_hash = $2"


class UserRepository:
    """The ports `Users` and `CredentialStore`."""

    def __init__(self, database: Database, sessions: SessionRepository, relay: Relay) -> None:
        self._database = database
        self._sessions = sessions
        self._relay = relay

    async def add(self, wanted: NewUser, password_hash: str | None) -> UserItem:
        async with self._database.transaction() as connection:
            user = await insert_user(connection, wanted, password_hash)
        self._relay.wake()
        return user

    async def find(self, name: str) -> UserItem:
        return _item(await self._database.pool.fetchrow(FIND, name), name)

    async def page(self, *, after: str, limit: int) -> list[UserItem]:
        return [UserItem(**row) for row in await self._database.pool.fetch(PAGE, after, limit)]

    async def set_role(self, name: str, role: Role) -> UserItem:
        async with self._database.transaction() as connection:
            user = await lock_user(connection, name)
            if user.role != role:
                user = await change_role(connection, self._sessions, user, role)
        self._relay.wake()
        return user

    async def set_disabled(self, name: str, *, is_disabled: bool) -> UserItem:
        async with self._database.transaction() as connection:
            before = await lock_user(connection, name)
            if before.is_disabled == is_disabled:
                return before
            user = _item(await connection.fetchrow(SET_DISABLED, before.user_id, is_disabled), name)
            ended = await self._sessions.end_of_key(connection, user.user_id) if is_disabled else 0
            action = "user.disabled" if is_disabled else "user.enabled"
            await _record(connection, action, user, detail=f"sessions ended: {ended}" if is_disabled else "")
        self._relay.wake()
        return user

    async def delete(self, name: str) -> None:
        async with self._database.transaction() as connection:
            user = await lock_user(connection, name)
            ended = await self._sessions.end_of_key(connection, user.user_id)
            await connection.execute("DELETE FROM console_user WHERE user_id = $1", user.user_id)
            await _record(connection, "user.erased", user, detail=f"sessions ended: {ended}")
        self._relay.wake()

    async def set_password(self, name: str, password_hash: str, *, kept_session: str = "") -> UserItem:
        async with self._database.transaction() as connection:
            before = await lock_user(connection, name)
            user = _item(await connection.fetchrow(SET_PASSWORD, before.user_id, password_hash), name)
            ended = await self._sessions.end_of_key(connection, user.user_id, kept=kept_session)
            await _record(connection, "user.password_set", user, detail=f"sessions ended: {ended}")
        self._relay.wake()
        return user

    async def password_hash(self, name: str) -> str | None:
        return await self._database.pool.fetchval(
            "SELECT password_hash FROM console_user WHERE user_id = $1", name
        )

    async def has_passwords(self) -> bool:
        """Whether anybody signs in with a password."""
        return await self._database.pool.fetchval(
            "SELECT EXISTS (SELECT FROM console_user WHERE password_hash IS NOT NULL AND disabled_at IS NULL)"
        )

    async def credentials(self, login: str) -> Credentials | None:
        row = await self._database.pool.fetchrow(CREDENTIALS, login)
        return None if row is None else Credentials(row[0], row[1])

    async def renew_hash(self, user_id: str, former: str, renewed: str) -> None:
        await self._database.pool.execute(RENEW, user_id, former, renewed)


async def insert_user(connection: Connection, wanted: NewUser, password_hash: str | None) -> UserItem:
    """A new user, with its entry in the audit log. Raises UserConflict."""
    user_id = f"u{secrets.token_hex(4)}"
    values = (user_id, wanted.login, wanted.name, wanted.email, wanted.role, password_hash)
    row = await connection.fetchrow(ADD, *values)
    if row is None:
        raise UserConflict(
            f"There is a user with the login {wanted.login} or the address {wanted.email} already."
        )
    user = UserItem(**row)
    # No name and no address: the log outlives both.
    await _record(connection, "user.added", user, after={"role": user.role, "password": user.has_password})
    return user


async def lock_user(connection: Connection, name: str) -> UserItem:
    """Raises NotFound."""
    return _item(await connection.fetchrow(LOCK, name), name)


async def change_role(
    connection: Connection, sessions: SessionRepository, user: UserItem, role: Role, detail: str = ""
) -> UserItem:
    """Give a locked user another role and end their sessions, which have the scopes of the former one."""
    changed = _item(await connection.fetchrow(SET_ROLE, user.user_id, role), user.user_id)
    await sessions.end_of_key(connection, user.user_id)
    await _record(
        connection, "user.role_changed", user, before={"role": user.role}, after={"role": role}, detail=detail
    )
    return changed


async def _record(
    connection: Connection,
    action: str,
    user: UserItem,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    detail: str = "",
) -> None:
    await AUDIT.record(connection, [Change(action, f"user/{user.user_id}", before, after, detail)])


def _item(row: "asyncpg.Record | Any", name: str) -> UserItem:
    if row is None:
        raise NotFound(f"There is no user {name!r}.")
    return UserItem(**row)

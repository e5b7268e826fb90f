"""Who of our users somebody is whom the provider has signed in: found, linked by the verified address, or made."""

from services.chassis.audit import AuditLog, Change
from services.chassis.database import Connection, Database
from services.chassis.relay import Relay
from services.rules_engine.adapters.session_repository import SessionRepository
from services.rules_engine.adapters.user_repository import change_role, insert_user, lock_user
from services.rules_engine.application.manage_users import UserConflict, UserItem
from services.rules_engine.application.sign_in import SignInRefused
from services.rules_engine.domain.provider_identity import Identity
from services.rules_engine.domain.roles import Role
from services.rules_engine.domain.user import NewUser

AUDIT = AuditLog("rules_engine")
PROVIDER = "the identity provider"
BY_SUBJECT = "SELECT user_id FROM console_user WHERE issuer = $1 AND subject = $2 FOR UPDATE"
BY_EMAIL = "SELECT user_id, subject, issuer FROM console_user WHERE email = $1 FOR UPDATE"
LINK = "UPDATE console_user SET issuer = $2, subject = $3 WHERE user_id = $1"
RENAME = """
UPDATE console_user AS u SET name = coalesce(nullif($2, ''), name),
    email = CASE WHEN EXISTS (SELECT FROM console_user AS o WHERE o.email = $3 AND o.user_id <> u.user_id)
        THEN email ELSE $3 END
WHERE user_id = $1
"""


class IdentityRepository:
    """The port `IdentityStore`."""

    def __init__(self, database: Database, sessions: SessionRepository, relay: Relay) -> None:
        self._database = database
        self._sessions = sessions
        self._relay = relay

    async def admit(self, identity: Identity, default_role: Role | None) -> str:
        async with self._database.transaction() as connection:
            user = await _known(connection, identity) or await _make(connection, identity, default_role)
            if user.is_disabled:
                raise SignInRefused("This user is disabled. Ask an admin.")
            if identity.role is not None and identity.role != user.role:
                detail = f"as {PROVIDER} says"
                await change_role(connection, self._sessions, user, identity.role, detail)
            await connection.execute(RENAME, user.user_id, identity.name, identity.email)
        self._relay.wake()
        return user.user_id


async def _known(connection: Connection, identity: Identity) -> UserItem | None:
    """Whoever was linked before, else the user with this address, who is linked now. Raises SignInRefused."""
    user_id = await connection.fetchval(BY_SUBJECT, identity.issuer, identity.subject)
    if user_id is not None:
        return await lock_user(connection, user_id)
    row = await connection.fetchrow(BY_EMAIL, identity.email)
    if row is None:
        return None
    if row["issuer"] == identity.issuer:
        raise SignInRefused(
            f"Another account of your identity provider has the address {identity.email} here. Ask an admin."
        )
    await connection.execute(LINK, row["user_id"], identity.issuer, identity.subject)
    after = {"issuer": identity.issuer}
    change = Change("user.linked", f"user/{row['user_id']}", None, after, f"by {PROVIDER}", row["user_id"])
    await AUDIT.record(connection, [change])
    return await lock_user(connection, row["user_id"])


async def _make(connection: Connection, identity: Identity, default_role: Role | None) -> UserItem:
    role = identity.role or default_role
    if role is None:
        raise SignInRefused(
            f"There is no user with the address {identity.email} here. Ask an admin to add one."
        )
    wanted = NewUser(identity.email, identity.name or identity.email, identity.email, role)
    try:
        user = await insert_user(connection, wanted, None)
    except UserConflict as conflict:
        raise SignInRefused(f"{conflict} Ask an admin.") from conflict
    await connection.execute(LINK, user.user_id, identity.issuer, identity.subject)
    return user

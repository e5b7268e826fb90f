"""Users of the console as admins manage them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.rules_engine.domain.roles import Role
from services.rules_engine.domain.user import NewUser


class UserConflict(Exception):
    """Another user has this login or address; the message says which."""


@dataclass(frozen=True, slots=True)
class UserItem:
    """A user. `issuer`: the provider at which they sign in; `last_used_at`: real time, to the minute."""

    user_id: str
    login: str
    name: str
    email: str | None
    role: Role
    is_disabled: bool
    has_password: bool
    issuer: str | None
    created_at: datetime
    last_used_at: datetime | None


class Users(Protocol):
    """`name` is the id or the login of a user; what does not exist raises NotFound."""

    async def add(self, wanted: NewUser, password_hash: str | None) -> UserItem:
        """Raises UserConflict."""
        ...

    async def find(self, name: str) -> UserItem: ...

    async def page(self, *, after: str, limit: int) -> list[UserItem]:
        """In the order of logins, those after this one."""
        ...

    async def set_role(self, name: str, role: Role) -> UserItem:
        """Their sessions end: the next one has the scopes of the new role."""
        ...

    async def delete(self, name: str) -> None:
        """Erase the user. Raises `NotFound`."""
        ...

    async def set_disabled(self, name: str, *, is_disabled: bool) -> UserItem:
        """Disabled, they cannot sign in, and their sessions end."""
        ...

    async def set_password(self, name: str, password_hash: str, *, kept_session: str = "") -> UserItem:
        """Their sessions end but for `kept_session`."""
        ...

    async def password_hash(self, name: str) -> str | None: ...

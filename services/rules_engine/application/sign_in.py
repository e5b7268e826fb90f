"""Sign in with a name and a password: attempts are throttled, and an unknown name takes as long as a known one."""

from dataclasses import dataclass
from typing import Final, Protocol

from services.rules_engine.domain.user import UserRefused, normalized_login, normalized_password

WRONG: Final = "This name and password do not belong together, or the user is disabled."


class SignInRefused(Exception):
    """Nobody is signed in; the message says why, for the person who tried."""


class TooManyAttempts(Exception):
    """Too many attempts for this name, or at once. `retry_after`: real seconds until the next one."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Credentials:
    """`password_hash` is None for somebody who signs in at the provider only."""

    user_id: str
    password_hash: str | None


class PasswordHashes(Protocol):
    """Hashes of passwords, computed aside from the event loop, few at a time."""

    def check_room(self) -> None:
        """Raises TooManyAttempts when too many wait."""
        ...

    async def matches(self, password_hash: str | None, password: str) -> bool:
        """False without a hash, after the same work."""
        ...

    async def hash(self, password: str) -> str: ...

    def is_outdated(self, password_hash: str) -> bool:
        """Whether it was made with other parameters than those of this version."""
        ...


class Attempts(Protocol):
    async def count(self, login: str) -> int:
        """Count an attempt before it is made. 0: it may be made; else the real seconds to wait, and it is not counted."""
        ...

    async def forget(self, login: str) -> None: ...


class CredentialStore(Protocol):
    async def credentials(self, login: str) -> Credentials | None:
        """Of a user who is not disabled."""
        ...

    async def renew_hash(self, user_id: str, former: str, renewed: str) -> None:
        """Replace the hash, unless the password was changed meanwhile."""
        ...


async def check_credentials(
    typed_login: str, typed_password: str, users: CredentialStore, attempts: Attempts, hashes: PasswordHashes
) -> str:
    """The id of the user. Raises SignInRefused and TooManyAttempts."""
    hashes.check_room()
    try:
        login = normalized_login(typed_login)
    except UserRefused:  # nobody has such a name: it is treated like any other
        login = typed_login
    seconds = await attempts.count(login)
    if seconds:
        raise TooManyAttempts(
            f"Too many attempts for this name. Try again in {_span(seconds)}; an admin can set a new password.",
            seconds,
        )
    found = await users.credentials(login)
    password = normalized_password(typed_password)
    stored = found.password_hash if found else None
    if not await hashes.matches(stored, password) or found is None or stored is None:
        raise SignInRefused(WRONG)
    await attempts.forget(login)
    if hashes.is_outdated(stored):
        await users.renew_hash(found.user_id, stored, await hashes.hash(password))
    return found.user_id


def _span(seconds: int) -> str:
    if seconds >= 120:
        return f"{-(-seconds // 60)} minutes"
    return f"{seconds} seconds" if seconds > 1 else "a second"

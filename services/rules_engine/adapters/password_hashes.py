"""Password hashes: Argon2id in threads, few at a time.

Parameters: the second recommended option of RFC 9106, section 4 (3 passes, 64 MiB, 4 lanes), which is above the least
that the OWASP Password Storage Cheat Sheet names (19 MiB, 2 passes, 1 lane).
"""

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

from argon2 import PasswordHasher, profiles
from argon2.exceptions import InvalidHashError, VerificationError

from services.rules_engine.application.sign_in import TooManyAttempts

T = TypeVar("T")

MOST_AT_ONCE: Final = 2
"""Each takes 64 MiB and some 100 ms of a processor."""
MOST_WAITING: Final = 16
BUSY_SECONDS: Final = 2


class Argon2Hashes:
    """The port `PasswordHashes`. `most_waiting` more than those at work are taken; others are asked to come back."""

    def __init__(self, most_waiting: int = MOST_WAITING) -> None:
        self._hasher = PasswordHasher.from_parameters(profiles.RFC_9106_LOW_MEMORY)
        self._slots = asyncio.Semaphore(MOST_AT_ONCE)
        self._most, self._taken = MOST_AT_ONCE + most_waiting, 0
        self._no_password = ""

    def check_room(self) -> None:
        if self._taken >= self._most:
            raise TooManyAttempts("Too many people sign in at this moment. Try again.", BUSY_SECONDS)

    async def matches(self, password_hash: str | None, password: str) -> bool:
        if password_hash is None:
            # A hash of something else: who measures the time does not learn which names exist.
            self._no_password = self._no_password or await self.hash("nobody has this password")
            await self._run(self._verify, self._no_password, password)
            return False
        return await self._run(self._verify, password_hash, password)

    async def hash(self, password: str) -> str:
        return await self._run(self._hasher.hash, password)

    def is_outdated(self, password_hash: str) -> bool:
        return self._hasher.check_needs_rehash(password_hash)

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[..., T], *arguments: str) -> T:
        self._taken += 1
        try:
            async with self._slots:
                return await asyncio.to_thread(work, *arguments)
        finally:
            self._taken -= 1

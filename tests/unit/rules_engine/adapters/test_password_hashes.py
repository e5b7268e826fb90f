"""Password hashes: Argon2id with the parameters of RFC 9106, the same work for nobody, and a bound on work at once."""

import asyncio

import pytest
from argon2 import PasswordHasher

from services.rules_engine.adapters.password_hashes import MOST_AT_ONCE, Argon2Hashes
from services.rules_engine.application.sign_in import TooManyAttempts

PASSWORD = "seven green herons wade"


async def test_a_hash_matches_its_password_alone_and_names_its_parameters() -> None:
    hashes = Argon2Hashes()
    stored = await hashes.hash(PASSWORD)
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert await hashes.matches(stored, PASSWORD)
    assert not await hashes.matches(stored, f"{PASSWORD} ")
    assert not await hashes.matches("no hash", PASSWORD)
    assert stored != await hashes.hash(PASSWORD), "each has a salt of its own"
    assert not hashes.is_outdated(stored)
    assert hashes.is_outdated(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD))


async def test_nobody_has_the_same_work_done_and_never_a_match(monkeypatch: pytest.MonkeyPatch) -> None:
    verified: list[str] = []
    verify = PasswordHasher.verify

    def noted(self: PasswordHasher, hash_: str, password: str) -> bool:
        verified.append(hash_)
        return verify(self, hash_, password)

    monkeypatch.setattr(PasswordHasher, "verify", noted)
    hashes = Argon2Hashes()
    assert not await hashes.matches(None, PASSWORD)
    assert not await hashes.matches(None, "nobody has this password")
    assert [hash_[:30] for hash_ in verified] == ["$argon2id$v=19$m=65536,t=3,p=4"] * 2


async def test_more_than_a_few_at_once_are_asked_to_come_back() -> None:
    hashes = Argon2Hashes(most_waiting=1)
    work = [asyncio.create_task(hashes.hash(PASSWORD)) for _ in range(MOST_AT_ONCE + 1)]
    await asyncio.sleep(0)
    with pytest.raises(TooManyAttempts) as refused:
        hashes.check_room()
    assert refused.value.retry_after >= 1
    await asyncio.gather(*work)
    hashes.check_room()

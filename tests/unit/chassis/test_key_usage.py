"""Uses of keys: noted in memory, the session for its key or user, the first key never."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.chassis.keys import ApiKey, KeyRing, first_key, new_secret

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


def test_a_session_counts_for_its_key_or_user_and_the_latest_use_stays() -> None:
    ring = KeyRing()
    for key_id in ("0123abcd", "0123abcd~1122", "u0123abcd~3344"):
        ring.note_use(ApiKey(key_id, "", frozenset()), NOW)
    ring.note_use(ApiKey("0123abcd", "", frozenset()), NOW + timedelta(seconds=5))
    assert ring.used == {"0123abcd": NOW + timedelta(seconds=5), "u0123abcd": NOW}


def test_the_first_key_is_listed_nowhere(tmp_path: Path) -> None:
    (tmp_path / "api-key").write_text(new_secret()[1])
    ring = KeyRing()
    ring.note_use(first_key(tmp_path / "api-key"), NOW)
    assert ring.used == {}


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        (
            ApiKey("0123abcd", "", frozenset(), NOW),
            "The key 0123abcd expired at 2026-03-02 10:00 UTC. Ask for a new one.",
        ),
        (ApiKey("0123abcd", "", frozenset(), revoked=True), "The key 0123abcd was revoked."),
        (
            ApiKey("0123abcd~11", "", frozenset(), NOW),
            "The session 0123abcd~11 expired at 2026-03-02 10:00 UTC. Sign in again.",
        ),
        (ApiKey("u0123abcd~11", "", frozenset(), revoked=True), "The session u0123abcd~11 was ended."),
        (ApiKey("0123abcd", "", frozenset()), ""),
    ],
)
def test_a_refusal_says_what_became_of_the_key(key: ApiKey, sentence: str) -> None:
    assert key.refusal(NOW) == sentence

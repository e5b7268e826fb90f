"""API keys: found by id, checked by digest, limited by scope and time."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest

from services.chassis.keys import (
    ApiKey,
    KeyFileUnreadable,
    KeyRing,
    Scope,
    digest,
    first_key,
    key_id_of,
    new_secret,
    read_or_create_secret,
)

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


def key(*scopes: str, version: int = 1, revoked: bool = False, expires_at: datetime | None = None) -> ApiKey:
    return ApiKey("0a1b2c3d", digest("db_0a1b2c3d_secret"), frozenset(scopes), expires_at, revoked, version)


def test_a_key_is_found_only_by_its_whole_text() -> None:
    ring = KeyRing()
    ring.learn(key("read"))
    assert ring.find("db_0a1b2c3d_secret") is not None
    for wrong in (
        "",
        "db",
        "db_0a1b2c3d_",
        "db_0a1b2c3d_secrets",
        "0a1b2c3d",
        "xx_0a1b2c3d_secret",
        "db_ü_ü",
    ):
        assert ring.find(wrong) is None


def test_new_keys_differ_and_contain_their_id() -> None:
    made = [new_secret() for _ in range(50)]
    assert len({secret for _, secret in made}) == 50
    assert all(key_id_of(secret) == key_id and len(secret) > 50 for key_id, secret in made)


@pytest.mark.parametrize("scope", get_args(Scope))
def test_a_key_allows_its_scopes_and_admin_allows_all(scope: str) -> None:
    for other in get_args(Scope):
        assert key(scope).allows(other, NOW) is (scope in (other, "admin"))
    assert not key().allows("read", NOW)


def test_a_stored_key_of_the_former_scope_events_sends_every_fact_and_no_more() -> None:
    former = key("events")
    allowed = {scope for scope in get_args(Scope) if former.allows(scope, NOW)}
    assert allowed == {"signals", "directory", "consent"}


def test_a_key_ends_when_it_expires_or_is_revoked() -> None:
    assert key("read", expires_at=NOW + timedelta(seconds=1)).allows("read", NOW)
    assert not key("read", expires_at=NOW).allows("read", NOW)
    assert not key("admin", revoked=True).allows("read", NOW)


def test_an_older_version_of_a_key_changes_nothing() -> None:
    ring = KeyRing()
    ring.learn(key("read", version=5, revoked=True))
    ring.learn(key("read", version=4))
    assert ring.keys["0a1b2c3d"].revoked
    ring.learn(key("read", version=6))
    assert not ring.keys["0a1b2c3d"].revoked


def test_the_first_key_comes_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "api-key"
    path.write_text("db_0a1b2c3d_secret\n")
    first = first_key(path)
    assert first.allows("admin", NOW)
    assert first.sha256 == digest("db_0a1b2c3d_secret")


@pytest.mark.parametrize("content", [b"", b"\n", b"secret", b"db_", b"db__x", b"\xff\xfe\x00"])
def test_the_error_names_a_file_without_a_key(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "api-key"
    path.write_bytes(content)
    with pytest.raises(KeyFileUnreadable, match="api-key"):
        first_key(path)


def test_the_error_names_a_missing_file_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(KeyFileUnreadable, match=r"nowhere.*DRUMBEAT_API_KEY_FILE"):
        first_key(tmp_path / "nowhere")


def test_a_secret_is_created_once_for_its_owner_alone_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "address-key"

    secret = read_or_create_secret(path)

    assert len(secret) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_or_create_secret(path) == secret
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("content", ["", "no key", "abcd", "zz" * 32])
def test_a_file_that_has_no_secret_is_refused_and_left_as_it_is(tmp_path: Path, content: str) -> None:
    path = tmp_path / "address-key"
    path.write_text(content)

    with pytest.raises(KeyFileUnreadable, match="is not a key"):
        read_or_create_secret(path)
    assert path.read_text() == content


def test_a_secret_that_was_used_before_is_not_made_again(tmp_path: Path) -> None:
    with pytest.raises(KeyFileUnreadable, match="Put back the file"):
        read_or_create_secret(tmp_path / "address-key", must_exist=True)

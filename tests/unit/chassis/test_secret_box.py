"""Secrets at rest: sealed under a key, bound to their row, opened under earlier keys too."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.keys import KeyFileUnreadable, read_or_create_secrets
from services.chassis.secret_box import SecretBox, SecretUnreadable

OLD, NEW = b"o" * 32, b"n" * 32


@given(secret=st.binary(min_size=1, max_size=100), about=st.text(max_size=40).map(repr))
def test_what_was_sealed_opens_as_it_was_and_is_not_in_what_is_stored(secret: bytes, about: str) -> None:
    box = SecretBox([OLD])
    sealed = box.seal(secret, about)

    assert box.open(sealed, about) == secret
    assert sealed != box.seal(secret, about)
    assert len(secret) < 8 or secret not in sealed


def test_a_sealed_secret_opens_only_for_what_it_is_about_and_under_its_key() -> None:
    sealed = SecretBox([OLD]).seal(b"secret", "one")

    with pytest.raises(SecretUnreadable, match="another row"):
        SecretBox([OLD]).open(sealed, "two")
    with pytest.raises(SecretUnreadable, match="another row"):
        SecretBox([OLD]).open(sealed[:-1] + bytes([sealed[-1] ^ 1]), "one")
    with pytest.raises(SecretUnreadable, match="another key"):
        SecretBox([NEW]).open(sealed, "one")


def test_after_a_rotation_earlier_secrets_open_and_are_known_as_earlier() -> None:
    sealed = SecretBox([OLD]).seal(b"secret", "one")
    rotated = SecretBox([NEW, OLD])

    assert rotated.open(sealed, "one") == b"secret"
    assert not rotated.is_current(sealed)
    assert rotated.is_current(rotated.seal(b"secret", "one"))
    assert SecretBox([NEW]).open(rotated.seal(b"secret", "one"), "one") == b"secret"


def test_what_an_earlier_release_stored_opens_as_it_is() -> None:
    assert SecretBox([NEW]).open(b"p" * 32, "one") == b"p" * 32
    assert not SecretBox([NEW]).is_current(b"p" * 32)


def test_a_row_that_is_read_again_and_again_is_decrypted_once() -> None:
    box = SecretBox([OLD])
    sealed = box.seal(b"secret", "one")

    for _ in range(100):
        box.open(sealed, "one")

    assert box.open.cache_info().misses == 1


def test_a_key_file_has_its_key_first_and_earlier_ones_on_further_lines(tmp_path: Path) -> None:
    path = tmp_path / "secrets-key"
    (first,) = read_or_create_secrets(path)
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text(f"{NEW.hex()}\n{first.hex()}\n")

    assert read_or_create_secrets(path) == (NEW, first)


@pytest.mark.parametrize("text", ["", "\n", "00ff", "not a key", f"{NEW.hex()}\n00ff"])
def test_a_file_that_is_no_key_is_refused_with_its_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "secrets-key"
    path.write_text(text)

    with pytest.raises(KeyFileUnreadable, match="secrets-key is not a key"):
        read_or_create_secrets(path)

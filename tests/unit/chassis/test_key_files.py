"""The key files of a deployment."""

from pathlib import Path

import pytest

from services.chassis.key_files import create_key_files
from services.chassis.keys import KeyFileUnreadable, first_key, read_or_create_secrets
from tests.unit.console.drumbeat import drumbeat

NAMES = ["api-key", "secrets-key", "address-key"]


def test_they_are_created_once_for_their_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    new = create_key_files(folder)
    contents = [path.read_bytes() for path in new]

    assert [path.name for path in new] == NAMES
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert first_key(new[0]).allows
    assert len(set(contents)) == 3
    assert create_key_files(folder) == []
    assert [path.read_bytes() for path in new] == contents


def test_only_what_is_missing_is_created(tmp_path: Path) -> None:
    create_key_files(tmp_path)
    secret = read_or_create_secrets(tmp_path / "secrets-key")
    (tmp_path / "address-key").unlink()

    assert [path.name for path in create_key_files(tmp_path)] == ["address-key"]
    assert read_or_create_secrets(tmp_path / "secrets-key") == secret


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_is_no_key_is_refused_and_kept(tmp_path: Path, name: str) -> None:
    create_key_files(tmp_path)
    (tmp_path / name).write_text("no key\n")

    with pytest.raises(KeyFileUnreadable, match=name):
        create_key_files(tmp_path)
    assert (tmp_path / name).read_text() == "no key\n"


def test_the_command_says_what_it_created_and_no_secret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, again = (drumbeat(capsys, "keys", "files", tmp_path) for _ in range(2))
    secrets = [(tmp_path / name).read_text().strip() for name in NAMES]
    (tmp_path / "api-key").write_text("no key\n")
    refused = drumbeat(capsys, "keys", "files", tmp_path)

    assert (first.code, again.code, refused.code) == (0, 0, 1)
    assert first.out.count("created") == 3
    assert not [secret for secret in secrets if secret in first.out + again.out]
    assert "all key files are there" in again.out
    assert "api-key" in refused.error_text

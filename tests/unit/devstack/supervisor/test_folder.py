"""The data directory: one user at a time, remembered addresses, its own API key."""

import re
from pathlib import Path

import pytest

from services.devstack.embedded.failures import CannotRun
from services.devstack.supervisor.folder import DataFolder


def test_the_error_of_a_second_run_on_the_same_folder_names_the_process_of_the_first(tmp_path: Path) -> None:
    locked = DataFolder(tmp_path).lock()
    with pytest.raises(CannotRun, match=r"already runs on .* \(process \d+\)"):
        DataFolder(tmp_path).lock()
    assert locked.path == tmp_path


def test_the_error_about_a_folder_that_cannot_be_created_names_it_and_the_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotRun, match=r"file/data.*cannot be written.*DRUMBEAT_DATA_DIR"):
        DataFolder(tmp_path / "file" / "data").lock()


def test_other_users_may_enter_the_folders_that_are_created(tmp_path: Path) -> None:
    DataFolder(tmp_path / "a" / "b").lock()
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o755


def test_remembered_values_are_read_back_and_an_invalid_file_counts_as_empty(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    assert folder.remembered() == {}
    folder.remember({"ports": {"kafka": 1}})
    assert folder.remembered() == {"ports": {"kafka": 1}}
    (tmp_path / "addresses.json").write_text("[1")
    assert folder.remembered() == {}


def test_the_first_key_is_created_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    folder, path = DataFolder(tmp_path), tmp_path / "api-key"
    folder.create_key(path)
    key = path.read_text()
    assert re.fullmatch(r"db_[0-9a-f]{8}_[A-Za-z0-9_-]{43}\n", key)
    assert path.stat().st_mode & 0o777 == 0o600
    folder.create_key(path)
    assert path.read_text() == key

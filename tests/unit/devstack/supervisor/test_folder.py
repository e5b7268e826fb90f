"""The data directory: one holder, a remembered address, a key of its own."""

import re
from pathlib import Path

import pytest

from services.devstack.embedded.failures import AlreadyRunning, FolderUnusable
from services.devstack.supervisor.folder import DataFolder


def test_a_second_run_on_the_same_folder_is_refused_with_the_holder(tmp_path: Path) -> None:
    held = DataFolder(tmp_path).hold()
    with pytest.raises(AlreadyRunning, match=r"already runs on .* \(process \d+\)"):
        DataFolder(tmp_path).hold()
    assert held.path == tmp_path


def test_a_folder_that_cannot_be_made_is_named_with_the_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderUnusable, match=r"file/data.*cannot be written.*DRUMBEAT_DATA_DIR"):
        DataFolder(tmp_path / "file" / "data").hold()


def test_folders_made_for_it_can_be_walked_through(tmp_path: Path) -> None:
    DataFolder(tmp_path / "a" / "b").hold()
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o755


def test_what_is_remembered_is_read_back_and_nonsense_counts_as_nothing(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    assert folder.remembered() == {}
    folder.remember({"ports": {"kafka": 1}})
    assert folder.remembered() == {"ports": {"kafka": 1}}
    (tmp_path / "addresses.json").write_text("[1")
    assert folder.remembered() == {}


def test_the_first_key_is_made_once_and_closed_to_others(tmp_path: Path) -> None:
    folder, path = DataFolder(tmp_path), tmp_path / "api-key"
    key = folder.first_key(path)
    assert re.fullmatch(r"db_[0-9a-f]{8}_[A-Za-z0-9_-]{43}", key)
    assert path.stat().st_mode & 0o777 == 0o600
    assert folder.first_key(path) == key

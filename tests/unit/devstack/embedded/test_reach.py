"""Folders that PostgreSQL's user cannot enter are replaced by copies in an open folder."""

import os
import shutil
from collections.abc import Generator
from pathlib import Path

import pytest

from services.devstack.embedded.failures import CannotRun
from services.devstack.embedded.processes import RunAs, scratch
from services.devstack.embedded.reach import reachable_cluster, reachable_tools

MYSELF = RunAs("myself", os.getuid(), os.getgid())
STRANGER = RunAs("stranger", 54_321, 54_321)


@pytest.fixture
def top() -> Generator[Path]:
    made = scratch()
    yield made
    shutil.rmtree(made)


@pytest.fixture
def closed(top: Path) -> Path:
    folder = top / "closed"
    (folder / "pg" / "18" / "bin").mkdir(parents=True)
    (folder / "pg" / "18" / "bin" / "postgres").write_text("#!")
    (folder / "pg.libs").mkdir()
    (folder / "pg.libs" / "libpq.so").write_text("")
    folder.chmod(0o700)
    return folder


def test_folders_that_the_user_can_enter_are_used_directly(top: Path, closed: Path) -> None:
    assert reachable_tools(closed / "pg" / "18" / "bin", MYSELF, top / "open") == closed / "pg" / "18" / "bin"
    assert reachable_cluster(closed / "data", None, top / "open") == closed / "data"


def test_tools_that_the_user_cannot_reach_are_copied_once(top: Path, closed: Path) -> None:
    copy = reachable_tools(closed / "pg" / "18" / "bin", STRANGER, top / "open")
    assert (copy / "postgres").read_text() == "#!"
    assert copy.parents[3] == top / "open"
    assert (copy.parents[2] / "pg.libs" / "libpq.so").exists()
    assert reachable_tools(closed / "pg" / "18" / "bin", STRANGER, top / "open") == copy


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives folders away")
def test_a_cluster_that_the_user_cannot_reach_is_stored_elsewhere_and_found_again(
    top: Path, closed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = reachable_cluster(closed / "data", STRANGER, top / "open")
    assert first.parent == top / "open"
    assert first.stat().st_uid == STRANGER.uid
    assert reachable_cluster(closed / "data", STRANGER, top / "open") == first
    (line,) = capsys.readouterr().out.splitlines()
    assert f"cannot enter {closed}" in line


def test_the_error_names_the_closed_folder_when_no_open_one_can_be_created(top: Path, closed: Path) -> None:
    (top / "file").write_text("")
    with pytest.raises(CannotRun, match=rf"cannot enter {closed}.*DRUMBEAT_DATABASE__URL"):
        reachable_tools(closed / "pg" / "18" / "bin", STRANGER, top / "file" / "open")

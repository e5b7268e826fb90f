"""`drumbeat content check` and the page about content."""

import json
from pathlib import Path

import pytest

from services.cadence.content.front_matter import KEYS
from services.cadence.content.placeholders import PLACEHOLDERS
from tests.unit.cadence.policy_texts import FULL
from tests.unit.console.drumbeat import drumbeat

Capture = pytest.CaptureFixture[str]
WRONG = "---\nsubject: x\n---\nHi {{ csm.nam }}.\n\nText.\n"


def test_the_shipped_content_has_no_mistake(capsys: Capture) -> None:
    result = drumbeat(capsys, "content", "check")
    assert (result.code, result.err) == (0, "")
    assert result.out.endswith("275 content files, no mistake\n")


def test_every_mistake_of_a_policy_folder_is_reported_with_its_place(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "p.yaml").write_text(FULL.replace("survey", "news"))
    file = tmp_path / "content" / "de" / "check_in.md"
    file.parent.mkdir(parents=True)
    file.write_text(WRONG)
    result = drumbeat(capsys, "content", "check", tmp_path)
    assert result.code == 1
    assert [line.partition(": ")[0] for line in result.err.splitlines()] == [
        f"{file}:4:4",
        f"{tmp_path}/p.yaml:24:1",
    ]
    assert "did you mean 'csm.name'?" in result.err
    told = json.loads(drumbeat(capsys, "content", "check", tmp_path, "--json").out)
    assert (told["valid"], told["files"]) == (False, 1)
    assert [(each["file"], each["line"], each["column"]) for each in told["errors"]] == [
        (str(file), 4, 4),
        (f"{tmp_path}/p.yaml", 24, 1),
    ]


def test_one_file_and_a_folder_of_content_can_be_checked(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "content" / "en" / "my_own_type.md"
    file.parent.mkdir(parents=True)
    file.write_text(WRONG.replace("csm.nam ", "csm.name "))
    assert drumbeat(capsys, "content", "check", file).code == 0
    result = drumbeat(capsys, "content", "check", tmp_path)
    assert (result.code, "no touchpoint type 'my_own_type'" in result.err) == (1, True)


def test_a_path_that_is_not_there_is_wrong_use(tmp_path: Path, capsys: Capture) -> None:
    assert drumbeat(capsys, "content", "check", tmp_path / "nowhere").code == 2


def test_a_folder_that_is_no_policy_is_refused(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "p.yaml").write_text("nothing")
    assert drumbeat(capsys, "content", "check", tmp_path).code == 1


def test_the_page_has_every_key_and_every_placeholder_and_is_that_of_the_repository(capsys: Capture) -> None:
    page = drumbeat(capsys, "content", "reference").out
    assert [name for name in (*KEYS, *PLACEHOLDERS) if f"| `{name}` |" not in page] == []
    assert page == Path("docs/content.md").read_text()

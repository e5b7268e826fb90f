"""Whether generated files are up to date is checked for all of them, and generating them writes what differs."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from services.devstack import generated_files
from services.devstack.generated_files import ROOT, find_stale, main


@pytest.fixture(scope="module")
def files() -> Mapping[str, bytes]:
    return generated_files.generated_files()


def test_the_files_of_the_repository_are_up_to_date(files: Mapping[str, bytes]) -> None:
    assert find_stale(ROOT, files) == [], "run `make generate` and commit what it writes"


def test_every_page_that_names_its_generator_is_among_them(files: Mapping[str, bytes]) -> None:
    heads = {f"docs/{page.name}": page.read_text()[:1000] for page in (ROOT / "docs").glob("*.md")}
    named = {path for path, head in heads.items() if "`make generate`" in head}
    assert {"docs/policy.md", "docs/events.md"} <= named <= files.keys()


def test_missing_changed_and_obsolete_files_are_named_and_written(
    files: Mapping[str, bytes],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(generated_files, "generated_files", lambda: files)
    assert main([], tmp_path) == 0
    assert main(["--check"], tmp_path) == 0
    capsys.readouterr()
    (tmp_path / "docs/policy.md").write_text("old")
    (tmp_path / "schemas/generated/openapi/console.json").unlink()
    (tmp_path / "schemas/generated/jsonschema/drumbeat.gone.v1.json").write_text("{}")

    assert main(["--check"], tmp_path) == 1
    output = capsys.readouterr().out
    assert re.findall(r"stale: (\S+)", output) == [
        "docs/policy.md",
        "schemas/generated/jsonschema/drumbeat.gone.v1.json",
        "schemas/generated/openapi/console.json",
    ]
    assert "make generate" in output

    assert main([], tmp_path) == 0
    assert find_stale(tmp_path, files) == []

"""The notebook cell of the library's README runs and prints a plan with its reasons."""

import re
from pathlib import Path

import pytest

import services.cadence

README = Path(services.cadence.__file__).with_name("README.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    (only,) = re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    return only


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
def test_the_notebook_cell_has_five_lines_and_prints_the_plan_with_its_reasons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "events.json").write_text(block("json"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    cell = block("python")

    exec(compile(cell, "README.md", "exec"), {})  # noqa: S102 - the cell is what the test is about

    assert len(cell.splitlines()) == 5
    lines = [line.split(" ", 3) for line in capsys.readouterr().out.splitlines()]
    reasons = {touchpoint_type: reason for _, touchpoint_type, _, reason in lines}
    assert {account_id for account_id, *_ in lines} == {"northwind"}
    assert {"business_review", "check_in", "risk_action_plan", "renewal_proposal"} <= reasons.keys()
    assert "2026-06-01" in reasons["renewal_proposal"]
    assert all(reasons.values())


def test_the_table_of_rooms_names_every_package_and_module_of_the_library() -> None:
    folder = Path(services.cadence.__file__).parent
    rooms = {
        path.stem for path in folder.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }

    assert set(re.findall(r"^\| `(\w+)` \|", README, re.MULTILINE)) == rooms - {"__init__"}

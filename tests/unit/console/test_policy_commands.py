"""`drumbeat policy test` prints what failed and returns 0, 1 or 2."""

import json
from pathlib import Path

import pytest

from services.console import policy_commands as cli
from tests.unit.cadence.policy_texts import CASE, SMALL


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "p.yaml").write_text(SMALL)
    (tmp_path / "good_test.yaml").write_text(CASE)
    return tmp_path


def test_the_test_command_returns_0_1_or_2(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.policy(["test", str(folder)]) == 0
    assert capsys.readouterr().out == "1 test passed\n"
    assert cli.policy(["test", str(folder / "p.yaml"), "--only", "X20"]) == 0
    assert cli.policy(["test", str(folder), "--only", "no such"]) == 2
    assert cli.policy(["test"]) == 2
    assert cli.policy(["tst", str(folder)]) == 2
    capsys.readouterr()
    bad = folder / "bad_test.yaml"
    bad.write_text("tests:\n  - test: Weekly\n    account: {}\n    expect: {rhythms: {check_in: 7d}}\n")
    assert cli.policy(["test", str(bad)]) == 1
    output = capsys.readouterr().out
    assert output.startswith(f"{bad}:2: Weekly\n")
    assert output.endswith("1 of 1 test failed\n")
    assert cli.policy(["test", str(folder), "--json"]) == 1
    assert [outcome["passed"] for outcome in json.loads(capsys.readouterr().out)] == [False, True]
    bad.write_text("tests:\n  - test: Weekly\n    acount: {}\n")
    assert cli.policy(["test", str(folder)]) == 1
    assert "bad_test.yaml:3:5: test: unknown key 'acount'" in capsys.readouterr().err

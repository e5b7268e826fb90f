"""`drumbeat policy check`, `test` and `publish` on files."""

import json
from pathlib import Path

import pytest

from services.cadence.policy.load import SHIPPED, policy_texts
from tests.unit.cadence.events import shipped_text
from tests.unit.cadence.policy_defects import DEFECTS, planted
from tests.unit.console.drumbeat import drumbeat

Capture = pytest.CaptureFixture[str]
TEXTS = {Path(file).name: text for file, text in policy_texts(SHIPPED).items()}
PASSING = """
tests:
  - test: A large account
    shows: [X20]
    account: {arr: 250_000}
    expect: {segment: enterprise}
"""
FAILING = "tests:\n  - test: Small\n    account: {arr: 10}\n    expect: {segment: enterprise}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "p.yaml").write_text(shipped_text())
    (tmp_path / "good_test.yaml").write_text(PASSING)
    return tmp_path


def test_check_accepts_the_shipped_policy(capsys: Capture) -> None:
    result = drumbeat(capsys, "policy", "check", SHIPPED)
    assert (result.code, result.err) == (0, "")
    assert ": valid; " in result.out


@pytest.mark.parametrize("page", ["schema", "reference", "requirements"])
def test_the_pages_about_policies_are_those_of_the_repository(page: str, capsys: Capture) -> None:
    files = {"schema": "schemas/generated/policy.schema.json", "reference": "docs/policy.md"}
    committed = Path(__file__).parents[3] / files.get(page, "docs/requirements.md")

    result = drumbeat(capsys, "policy", page)

    assert (result.code, result.err) == (0, "")
    assert result.out == committed.read_text()


def test_check_prints_warnings_and_ends_with_1(tmp_path: Path, capsys: Capture) -> None:
    for file, text in planted(DEFECTS[0], TEXTS).items():
        (tmp_path / file).write_text(text)
    result = drumbeat(capsys, "policy", "check", tmp_path)
    assert result.code == 1
    assert "20-rhythms.yaml:" in result.err
    assert "below-minimum: monthly-word: " in result.err
    assert "valid, with 2 warnings about likely mistakes; " in result.out

    document = json.loads(drumbeat(capsys, "policy", "check", tmp_path, "--json").out)
    assert document["valid"] is True
    assert {finding["kind"] for finding in document["findings"]} == {"below-minimum"}


def test_check_prints_every_error_with_its_position(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(shipped_text().replace("segment: enterprise", "segment: enterprize"))
    result = drumbeat(capsys, "policy", "check", file)
    assert result.code == 1
    assert result.err.startswith(f"{file}:")

    result = drumbeat(capsys, "policy", "check", file, "--json")
    assert result.code == 1
    assert json.loads(result.out)["valid"] is False


def test_the_tests_beside_a_policy_are_run(folder: Path, capsys: Capture) -> None:
    result = drumbeat(capsys, "policy", "test", folder)
    assert (result.code, result.out) == (0, "1 test passed\n")


def test_only_the_tests_with_a_text_or_a_requirement_are_run(folder: Path, capsys: Capture) -> None:
    assert drumbeat(capsys, "policy", "test", folder / "p.yaml", "--only", "X20").code == 0
    result = drumbeat(capsys, "policy", "test", folder, "--only", "no such")
    assert result.code == 2
    assert "no tests in" in result.error_text


def test_a_failed_test_is_printed_with_its_position(folder: Path, capsys: Capture) -> None:
    bad = folder / "bad_test.yaml"
    bad.write_text(FAILING)
    result = drumbeat(capsys, "policy", "test", bad)
    assert result.code == 1
    assert result.out.startswith(f"{bad}:2: Small\n")
    assert result.out.endswith("1 of 1 test failed\n")

    result = drumbeat(capsys, "policy", "test", folder, "--json")
    assert result.code == 1
    outcomes = json.loads(result.out)
    assert [outcome["passed"] for outcome in outcomes] == [False, True]
    assert outcomes[0]["failures"][0]["line"] == 4


def test_an_error_in_a_file_of_tests_is_printed_with_its_position(folder: Path, capsys: Capture) -> None:
    (folder / "bad_test.yaml").write_text("tests:\n  - test: Weekly\n    acount: {}\n")
    result = drumbeat(capsys, "policy", "test", folder)
    assert result.code == 1
    assert "bad_test.yaml:3:5: test: unknown key 'acount'" in result.err


def test_a_folder_without_a_policy_is_not_published(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "mine_test.yaml").write_text("tests: []")
    (tmp_path / ".draft.yaml").write_text("health: {}")
    result = drumbeat(capsys, "policy", "publish", tmp_path)
    assert result.code == 2
    assert "no *.yaml file" in result.error_text


@pytest.mark.parametrize(("name", "problem"), [("b.yml", "rename it"), ("b.yaml", "cannot be read")])
def test_a_policy_file_that_cannot_be_published_is_named(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, name: str, problem: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text("health: {}")
    Path(name).write_bytes(b"\xff")
    result = drumbeat(capsys, "policy", "publish", ".")
    assert result.code == 2
    assert name in result.error_text
    assert problem in result.error_text

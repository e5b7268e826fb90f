"""`python -m services.cadence.pages` prints a page by its name."""

import json

import pytest

from services.cadence.pages import __main__ as pages
from services.cadence.pages.reference import policy_reference
from services.cadence.policy.json_schema import policy_schema


def test_a_page_is_printed_by_its_name(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["pages", "reference"])
    assert pages.main() == 0
    assert capsys.readouterr().out == policy_reference()

    monkeypatch.setattr("sys.argv", ["pages", "schema"])
    assert pages.main() == 0
    assert json.loads(capsys.readouterr().out) == policy_schema()


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["schema", "reference"]])
def test_wrong_use_prints_the_names_and_returns_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["pages", *arguments])

    assert pages.main() == 2
    assert "schema|reference|requirements" in capsys.readouterr().err

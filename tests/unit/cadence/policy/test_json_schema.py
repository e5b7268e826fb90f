"""The JSON Schema that editors use, the reference page, and the command that prints them."""

import json
from collections.abc import Callable
from typing import cast

import jsonschema_rs
import pytest
import yaml

from services.cadence.features.registry import EVENT_FEATURES, FEATURES
from services.cadence.pages import __main__ as pages
from services.cadence.pages.reference import policy_reference
from services.cadence.policy.forms import FORMS
from services.cadence.policy.grammar import SECTIONS
from services.cadence.policy.json_schema import policy_schema
from services.cadence.policy.load import SHIPPED, policy_texts
from tests.unit.cadence.policy_texts import FULL


class Editor(yaml.SafeLoader):
    """YAML as editors read it (1.2): only `true` and `false` are truths, and `on` is a key like any other."""


_PLAIN = {"tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp"}
_RESOLVERS = cast("dict[str, list[tuple[str, object]]]", yaml.SafeLoader.yaml_implicit_resolvers)
Editor.yaml_implicit_resolvers = {
    sign: [each for each in found if each[0] not in _PLAIN] for sign, found in _RESOLVERS.items()
}


def truth(loader: yaml.SafeLoader, node: yaml.Node) -> object:
    del loader
    return {"true": True, "false": False}.get(str(node.value), node.value)


Editor.add_constructor("tag:yaml.org,2002:str", truth)


def wrong(text: str) -> list[str]:
    """What an editor marks, as paths into the file."""
    document: object = yaml.load(text, Editor)  # noqa: S506 - a SafeLoader
    validator = jsonschema_rs.Draft202012Validator(json.loads(policy_schema()))
    return ["/".join(map(str, error.instance_path)) for error in validator.iter_errors(document)]


def test_the_schema_accepts_the_shipped_policy_and_every_section() -> None:
    for text in policy_texts(SHIPPED).values():
        assert [stamp for stamp in wrong(text) if stamp] == []
    assert wrong(FULL) == []


def test_the_shipped_policy_names_its_schema() -> None:
    for text in policy_texts(SHIPPED).values():
        make_event, _, path = text.splitlines()[0].partition("=")

        assert make_event == "# yaml-language-server: $schema"
        assert json.loads((SHIPPED / path).read_text(encoding="utf-8"))["title"] == "Drumbeat policy"


@pytest.mark.parametrize(
    ("old", "new", "marked"),
    [
        ("    because: Health", "    becuase: Health", "rhythms/1"),
        ("limits:\n", "limit:\n", ""),
        ("    aim: share_insight\n", "", "touchpoints/report"),
        ("aim: share_insight", "aim: share_insights", "touchpoints/report/aim"),
        ("every: 30d", "every: monthly", "minimum/0/every"),
        ("      growth: 14d", "      grwth: 14d", "rhythms/0/every"),
        ("within: 7d..90d", "within: 7d-90d", "rhythms/0/within"),
        ("denser: 2", "denser: 4", "adjustments/0/denser"),
        ("denser: 2", "because: So", "adjustments/0"),
        ("day: 3", "day: 0", "sequences/0/steps/1/day"),
        ("from: 12-20", "from: Dec 20", "blackouts/0/from"),
        ("on: health.scored", "on: health.score", "triggers/0/on"),
        ("ladder: [7d, 14d, 30d, 90d]", "ladder: 7d", "feedback/ladder"),
    ],
)
def test_the_schema_marks_what_is_mistyped(old: str, new: str, marked: str) -> None:
    assert old in FULL

    assert marked in wrong(FULL.replace(old, new, 1).replace("    because: So\n    because", "    because"))


def test_the_reference_names_every_key_and_every_word() -> None:
    page = policy_reference()

    for section in SECTIONS:
        assert f"| `{section.name}` |" in page
    for form in FORMS.values():
        part = page[page.index(f"### `{form.name}`\n") :]
        assert [key.name for key in form.keys if f"| `{key.name}` |" not in part] == []
    own = {name for words in EVENT_FEATURES.values() for name in words}
    format_expression = {name for name in FEATURES if not name.startswith("days_since_")} | own
    assert [name for name in sorted(format_expression) if f"| `{name}` |" not in page] == []
    assert "{" not in page.replace("{onboarding: 7d, growth: 30d}", "").replace("{word}", "").replace(
        "{nps_score}", ""
    )


@pytest.mark.parametrize(("page", "text"), [("schema", policy_schema), ("reference", policy_reference)])
def test_a_page_is_printed_by_its_name(
    page: str, text: Callable[[], str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["pages", page])
    assert pages.main() == 0
    assert capsys.readouterr().out == text()
    monkeypatch.setattr("sys.argv", ["pages", "nonsense"])
    assert pages.main() == 2

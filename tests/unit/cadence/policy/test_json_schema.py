"""The JSON Schema that editors use accepts and refuses what the loader does."""

import json
from typing import cast

import jsonschema_rs
import pytest
import yaml

from services.cadence.policy.json_schema import policy_schema
from services.cadence.policy.load import SHIPPED, PolicyRefused, policy_texts, read_content
from tests.unit.cadence.policy_texts import FULL


class Editor(yaml.SafeLoader):
    """YAML as editors read it (1.2): only `true` and `false` are truths, and `on` is a key like any other."""


_PLAIN = {"tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp"}
_RESOLVERS = cast("dict[str, list[tuple[str, object]]]", yaml.SafeLoader.yaml_implicit_resolvers)
Editor.yaml_implicit_resolvers = {
    sign: [resolver for resolver in resolvers if resolver[0] not in _PLAIN]
    for sign, resolvers in _RESOLVERS.items()
}


def truth(loader: yaml.SafeLoader, node: yaml.Node) -> object:
    del loader
    return {"true": True, "false": False}.get(str(node.value), node.value)


Editor.add_constructor("tag:yaml.org,2002:str", truth)


def wrong(text: str) -> list[str]:
    """What an editor marks, as paths into the file."""
    document: object = yaml.load(text, Editor)  # noqa: S506 - a SafeLoader
    validator = jsonschema_rs.Draft202012Validator(policy_schema())
    return ["/".join(map(str, error.instance_path)) for error in validator.iter_errors(document)]


def test_the_schema_accepts_the_shipped_policy_and_every_section() -> None:
    for text in policy_texts(SHIPPED).values():
        assert wrong(text) == []
    assert wrong(FULL) == []


def test_the_shipped_policy_names_its_schema() -> None:
    for text in policy_texts(SHIPPED).values():
        comment, _, path = text.splitlines()[0].partition("=")

        assert comment == "# yaml-language-server: $schema"
        assert json.loads((SHIPPED / path).read_text(encoding="utf-8"))["title"] == "Drumbeat policy"


@pytest.mark.parametrize(
    ("old", "new", "marked"),
    [
        ("    because: Health", "    becuase: Health", "rhythms/1"),
        ("limits:\n", "limit:\n", ""),
        ("    aim: share_insight\n", "", "touchpoints/survey"),
        ("aim: share_insight", "aim: share_insights", "touchpoints/survey/aim"),
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


def test_every_key_is_described() -> None:
    schema = policy_schema()
    mappings = [schema, *schema["$defs"].values()]

    assert [
        key for mapping in mappings for key, part in mapping["properties"].items() if not part["description"]
    ] == []
    assert sum(len(mapping["properties"]) for mapping in mappings) > 120


ACCEPTED = (
    ("segment: enterprise\n    every", "segment: [enterprise, mid_market]\n    every"),
    ("    agenda: Root cause\n", "    agenda: [Root cause, Next steps]\n"),
    ("every: 30d", "every: {growth: 30d}"),
    ("day: 3", "day: [3, 4]"),
    ("never_skip: true", "never_skip: false"),
    ("when: true", 'when: "true"'),
    ("at: -60d", "at: 0d"),
    ("minutes: 45", "minutes: 600"),
    ("never_skip: true", "remind: [2d, 4h]\n    invite: false"),
)
REFUSED = (
    ("segment: enterprise\n    every", "segment: []\n    every"),
    ("every: 30d", "every: {}"),
    ("every: 30d", "every: [30d]"),
    ("day: [1, 2, 5]", "day: [1, 2, 2]"),
    ("stage: [growth, onboarding]", "stage: [growth, growth]"),
    ("never_skip: true", "never_skip: yes"),
    ("never_skip: true", "remind: []"),
    ("minutes: 45", "minutes: 601"),
    ("minutes: 45", "minutes: 4.5"),
    ("at: -60d", "at: 60"),
    ("because: Nobody is there.", "because: [Nobody]"),
    ("because: Nobody is there.", 'because: ""'),
    ("cap: 2 per 365d", "cap: 2 in 365d"),
    ("ladder: [7d, 14d, 30d, 90d]", "ladder: []"),
    ("  survey:\n", "  Survey:\n"),
    ("denser: 2", "rarer: 2\n    denser: 2"),
    ("      rarer: 1\n", ""),
    ("red_below: 40", "red_below: 400"),
    ("topic: account", "topic: accounts"),
)


@pytest.mark.parametrize(("old", "new"), ACCEPTED)
def test_the_schema_and_the_loader_accept_the_same(old: str, new: str) -> None:
    assert old in FULL
    text = FULL.replace(old, new, 1)

    assert wrong(text) == []
    assert read_content({"p.yaml": text})


@pytest.mark.parametrize(("old", "new"), REFUSED)
def test_the_schema_and_the_loader_refuse_the_same(old: str, new: str) -> None:
    assert old in FULL
    text = FULL.replace(old, new, 1)

    assert wrong(text) != []
    with pytest.raises(PolicyRefused):
        read_content({"p.yaml": text})

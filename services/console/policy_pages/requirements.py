"""The page that leads from each requirement of a cadence policy to the rules that meet it and the tests that show it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import yaml

from services.cadence.policy import Location, Policy
from services.cadence.policy.load import SHIPPED, load_policy
from services.cadence.testing.load import read_tests, texts_of_tests
from services.cadence.testing.runner import Outcome, run

_REQUIREMENTS = Path(__file__).with_name("requirements.yaml")
_FOLDER = "../services/cadence/policy/shipped"
_HEAD = """\
# What the shipped policy does, by requirement

Made by `make generate` from [the policy](../services/cadence/policy/shipped) and its tests: a rule is named where a
passing test expects it. `drumbeat policy test services/cadence/policy/shipped --only S24` runs the tests of one number.

| number | requirement | rules | shown by |
|---|---|---|---|
"""
_TAIL = """
## Shown elsewhere

| number | requirement | why |
|---|---|---|
"""


def read_requirements() -> dict[str, dict[str, str]]:
    """`requirements`: every one by number; `elsewhere`: why no test of the shipped policy shows some of them."""
    loaded: object = yaml.safe_load(_REQUIREMENTS.read_text(encoding="utf-8"))
    return cast("dict[str, dict[str, str]]", loaded)


def shipped_requirements() -> str:
    """The page of the shipped policy."""
    policy = load_policy(SHIPPED)
    cases = read_tests(texts_of_tests(SHIPPED), policy)
    return requirements_page(policy, [run(policy, case) for case in cases])


def requirements_page(policy: Policy, outcomes: Sequence[Outcome]) -> str:
    """The page as Markdown; only tests that pass count."""
    shown: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        for number in outcome.case.shows if not outcome.failures else ():
            shown.setdefault(number, []).append(outcome)
    places, sections = _places(policy), read_requirements()
    texts = sections["requirements"]
    rows = [_row(number, text, shown[number], places) for number, text in texts.items() if number in shown]
    others = [f"| {number} | {texts[number]} | {why} |\n" for number, why in sections["elsewhere"].items()]
    return _HEAD + "".join(rows) + _TAIL + "".join(others)


def _row(number: str, text: str, outcomes: Sequence[Outcome], places: Mapping[str, Location]) -> str:
    names = sorted({rule for outcome in outcomes for rule in outcome.rules})
    rules = ", ".join(_link(name, places[name]) for name in names if name in places)
    tests = ", ".join(_link(outcome.case.name, outcome.case.place) for outcome in outcomes)
    return f"| {number} | {text} | {rules or 'no rule asks for one'} | {tests} |\n"


def _link(text: str, place: Location) -> str:
    name = Path(place.file).name
    return f"[{text}]({_FOLDER}/{name}#L{place.line})"


def _places(policy: Policy) -> dict[str, Location]:
    """Of each rule by its name, and of each segment and stage by `segment/enterprise`; of several the first."""
    content = policy.content
    places = {rule.rule: rule.place for rule in (*policy.rules, *content.limits)}
    for kind, options in (("segment", content.segments), ("stage", content.stages)):
        for index, (name, _) in enumerate(options):
            places.setdefault(f"{kind}/{name}", content.places[f"{kind}/{index}"])
    return places

"""The page that leads from each thing asked of a cadence policy to the rules that do it and the tests that show it."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import cast

import yaml

from services.cadence.policy import Location, Policy
from services.cadence.testing.runner import Outcome

_TEMPLATE = Path(__file__).with_name("requirements.yaml")
_FOLDER = "../services/cadence/policy/shipped"
_HEAD = """\
# What the shipped policy does, by requirement

Made by `make generate` from [the policy](../services/cadence/policy/shipped) and its tests; a rule is named where a test
that passes expects what it asks for. `drumbeat policy test services/cadence/policy/shipped --only S24` runs the tests of
one number.

| number | asked | rules | shown by |
|---|---|---|---|
"""
_TAIL = """
## Shown elsewhere

| number | asked | why |
|---|---|---|
"""


def asked() -> Mapping[str, str]:
    """Everything asked, by number."""
    return _read()["asked"]


def elsewhere() -> Mapping[str, str]:
    """What no test of the shipped policy can show, each with why."""
    return _read()["elsewhere"]


def requirements_page(policy: Policy, outcomes: Sequence[Outcome]) -> str:
    """The page as Markdown; only what passes counts."""
    shown: dict[str, list[Outcome]] = {}
    for each in outcomes:
        for number in each.case.shows if not each.failures else ():
            shown.setdefault(number, []).append(each)
    places = _places(policy)
    rows = [_row(number, text, shown[number], places) for number, text in asked().items() if number in shown]
    others = [f"| {number} | {asked()[number]} | {why} |\n" for number, why in elsewhere().items()]
    return _HEAD + "".join(rows) + _TAIL + "".join(others)


def _read() -> dict[str, dict[str, str]]:
    loaded: object = yaml.safe_load(_TEMPLATE.read_text(encoding="utf-8"))
    return cast("dict[str, dict[str, str]]", loaded)


def _row(number: str, text: str, found: Sequence[Outcome], places: Mapping[str, Location]) -> str:
    names = sorted({rule for each in found for rule in each.rules})
    rules = [_link(name, places[name]) for name in names if name in places]
    tests = [_link(each.case.name, each.case.place) for each in found]
    return f"| {number} | {text} | {_several(rules) or 'none may ask'} | {_several(tests)} |\n"


def _several(links: Iterable[str]) -> str:
    return ", ".join(links)


def _link(text: str, place: Location) -> str:
    name = Path(place.file).name
    return f"[{text}]({_FOLDER}/{name}#L{place.line})"


def _places(policy: Policy) -> dict[str, Location]:
    """Where each rule stands, and each segment and stage by `segment/enterprise`: of several the first."""
    content = policy.content
    found = {rule.rule: rule.place for rule in (*policy.rules, *content.limits)}
    for part, options in (("segment", content.segments), ("stage", content.stages)):
        for index, (name, _) in enumerate(options):
            place = content.places.get(f"{part}/{index}")
            if place is not None:
                found.setdefault(f"{part}/{name}", place)
    return found

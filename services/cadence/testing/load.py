"""Policy test files (`*_test.yaml`): each test is an account, what was told of it, and the plan expected of it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import yaml

from services.cadence.account import FactEvent
from services.cadence.policy import Policy
from services.cadence.policy.load import is_test
from services.cadence.policy.yaml_source import Enough, Ledger, PolicyRefused, Sheet, shown
from services.cadence.portfolio import Portfolio
from services.cadence.testing.events import (
    read_account,
    read_contacts,
    read_facts,
    read_programs,
)
from services.cadence.testing.expectations import read_expected
from services.cadence.testing.runner import Case, Phase
from services.cadence.testing.values import Desk, Translate, scalar

_TEST = ("test", "shows", "now", "account", "contacts", "programs", "percentiles", "facts", "expect", "then")
_LATER = ("at", "facts", "expect")
_NUMBER = re.compile(r"[A-Z][0-9]{1,3}")
_CUT_OFFS = 99


def texts_of_tests(path: Path) -> dict[str, str]:
    """File name -> text of the tests at a path: a test file, or all of a folder; of a policy file, those beside it.

    Raises `PolicyRefused` when one cannot be read.
    """
    folder = path if path.is_dir() else path.parent
    files = [path] if is_test(path.name) else sorted(folder.glob("*_test.yaml"))
    texts: dict[str, str] = {}
    for file in files:
        try:
            texts[str(file)] = file.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise PolicyRefused([f"{file}: cannot be read: {error}"]) from error
    return texts


def policy_beside(path: Path) -> Path:
    """The policy that the tests at a path are about: their folder, unless the path is a policy file itself."""
    return path.parent if is_test(path.name) else path


def read_tests(texts: Mapping[str, str], policy: Policy, translate: Translate) -> tuple[Case, ...]:
    """The tests of these files, in order. Raises `PolicyRefused` with every mistake and its place."""
    ledger = Ledger()
    cases: list[Case] = []
    try:
        for file, text in sorted(texts.items()):
            cases += _file(Desk(Sheet(file, text, ledger), policy, translate))
    except Enough:
        ledger.mistakes.add(("\U0010ffff", 0, 0, "there may be more mistakes; these come first"))
    if ledger.mistakes:
        raise PolicyRefused(
            f"{file}:{line}:{column}: {told}" if line else told
            for file, line, column, told in sorted(ledger.mistakes)
        )
    return tuple(cases)


def _file(desk: Desk) -> Iterator[Case]:
    root = desk.sheet.compose()
    if root is None:
        return
    found = desk.form(root, "", ("now", "tests"), ("tests",))
    if "now" in found:
        desk = replace(desk, now=desk.moment(found["now"], "now"))
    for node in desk.sheet.items(found["tests"], "tests") if "tests" in found else ():
        case = _case(desk, node)
        if case is not None:
            yield case


def _case(desk: Desk, node: yaml.Node) -> Case | None:
    found = desk.form(node, "test", _TEST, ("test", "account"))
    if "test" not in found or "account" not in found:
        return None
    if "expect" not in found and "then" not in found:
        desk.sheet.fault(node, "test", "nothing is expected: say `expect`, or `then` with later moments")
    if "now" in found:
        desk = replace(desk, now=desk.moment(found["now"], "test.now"))
    programs = tuple(read_programs(desk, found["programs"])) if "programs" in found else ()
    cut_offs = _percentiles(desk, found["percentiles"]) if "percentiles" in found else ()
    return Case(
        name=desk.sheet.text(found["test"], "test"),
        shows=tuple(_shows(desk, found["shows"])) if "shows" in found else (),
        place=desk.place(found["test"]),
        portfolio=Portfolio(0, cut_offs, programs),
        phases=(_first(desk, found), *(_later(desk, found["then"]) if "then" in found else ())),
    )


def _shows(desk: Desk, node: yaml.Node) -> Iterator[str]:
    for each in desk.sheet.items(node, "shows"):
        number = desk.sheet.text(each, "shows")
        if number and not _NUMBER.fullmatch(number):
            desk.sheet.fault(each, "shows", f"{shown(number)} is no number of a requirement, such as S24")
        yield number


def _first(desk: Desk, found: Mapping[str, yaml.Node]) -> Phase:
    events: list[FactEvent] = [*read_account(desk, found["account"])]
    if "contacts" in found:
        events += read_contacts(desk, found["contacts"])
    return _phase(desk, found, desk.now, events)


def _later(desk: Desk, node: yaml.Node) -> Iterator[Phase]:
    before = desk.now
    for each in desk.sheet.items(node, "then"):
        found = desk.form(each, "then", _LATER, ("at", "expect"))
        if "at" not in found:
            continue
        at = desk.moment(found["at"], "then.at")
        if at < before:
            desk.sheet.fault(found["at"], "then.at", "this lies before the moment above it")
        before = max(before, at)
        yield _phase(desk, found, before, [])


def _phase(desk: Desk, found: Mapping[str, yaml.Node], at: datetime, events: list[FactEvent]) -> Phase:
    if "facts" in found:
        events += read_facts(desk, found["facts"], at)
    expected = tuple(read_expected(desk, found["expect"])) if "expect" in found else ()
    return Phase(at, tuple(events), expected)


def _percentiles(desk: Desk, node: yaml.Node) -> tuple[float, ...]:
    """Cut-offs of revenue at some percents; between two the lower one stands."""
    known: dict[int, float] = {}
    for name, (key, value) in desk.sheet.pairs(node, "percentiles").items():
        cut_off = scalar(value)
        percent = int(name) if name.isdecimal() else 0
        if 1 <= percent <= _CUT_OFFS and isinstance(cut_off, int | float) and cut_off is not True:
            known[percent] = float(cut_off)
        else:
            desk.sheet.fault(
                key, "percentiles", "percents 1 to 99 with their revenue are expected: {80: 100_000}"
            )
    found: list[float] = []
    for percent in range(1, _CUT_OFFS + 1):
        found.append(known.get(percent, found[-1] if found else 0.0))
    if found != sorted(found):
        desk.sheet.fault(node, "percentiles", "revenue rises with the percent")
    return tuple(found)

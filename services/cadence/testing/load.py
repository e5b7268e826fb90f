"""Load policy test files (`*_test.yaml`): each test is an account, its events, and the plan expected of them."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from services.cadence.policy import Policy
from services.cadence.policy.errors import Mistakes
from services.cadence.policy.errors import Path as KeyPath
from services.cadence.policy.load import is_test, policy_texts, read_texts
from services.cadence.policy.parse import Part, parse_file, parts
from services.cadence.policy.yaml_source import read_yaml
from services.cadence.portfolio import Portfolio
from services.cadence.testing.case_schema import NOW, CaseFile, Expect, json_scalar
from services.cadence.testing.events import EventReader, moment_at
from services.cadence.testing.runner import Case, Expected, Phase


def texts_of_tests(path: Path) -> dict[str, str]:
    """File name -> text of the tests at a path: a test file, or all of a folder; of a policy file, those beside it.

    Raises `PolicyRefused` when one cannot be read.
    """
    folder = path if path.is_dir() else path.parent
    return read_texts([path] if is_test(path.name) else sorted(folder.glob("*_test.yaml")))


def policy_and_tests(path: Path) -> dict[str, str]:
    """Path -> text of a policy file or folder, its content and its tests: one version. Raises `PolicyRefused`."""
    return {**policy_texts(path), **texts_of_tests(path)}


def policy_beside(path: Path) -> Path:
    """The policy that the tests at a path are for: their folder, unless the path is a policy file itself."""
    return path.parent if is_test(path.name) else path


def read_tests(texts: Mapping[str, str], policy: Policy) -> tuple[Case, ...]:
    """The tests of these files, in order. Raises `PolicyRefused` with every mistake and its place."""
    mistakes, cases = Mistakes(), list[Case]()
    for name, text in sorted(texts.items()):
        file = read_yaml(name, text, mistakes, json_scalar)
        if file and (spec := parse_file(file, CaseFile, policy)):
            now = moment_at(spec.now or NOW, NOW)
            cases += [_case(part, now) for part in parts([(file, (), spec)], "tests")]
    mistakes.raise_any()
    return tuple(cases)


def _case(part: Part, now: datetime) -> Case:
    file, path, case = part
    reader = EventReader(file, moment_at(case.now, now) if case.now is not None else now)
    programs = [reader.program(program, place) for _, place, program in parts([part], "programs")]
    return Case(
        name=case.test,
        shows=tuple(case.shows or ()),
        place=file.place((*path, "test")),
        portfolio=Portfolio(0, _cut_offs(case.percentiles or {}), tuple(programs)),
        phases=tuple(_phases(reader, part)),
    )


def _cut_offs(revenues: Mapping[int, float]) -> tuple[float, ...]:
    """For each of 1 to 99 percent the revenue of the nearest percent at or below it; nothing if none is given."""
    cut_offs = [(0, 0.0), *sorted(revenues.items())]
    percents = range(1, 100) if revenues else ()
    return tuple(max(entry for entry in cut_offs if entry[0] <= percent)[1] for percent in percents)


def _phases(reader: EventReader, case: Part) -> Iterator[Phase]:
    """The phase of the case itself, with account and contacts among its events, and those of `then`."""
    _, path, spec = case
    events = [*reader.account(spec.account, (*path, "account"))]
    for _, place, contact in parts([case], "contacts"):
        events += reader.contact(contact, place)
    at = reader.now
    for moment in (case, *parts([case], "then")):
        _, path, spec = moment
        before, at = at, moment_at(spec.at, reader.now)
        if at < before:
            reader.file.add_mistake((*path, "at"), "this is before the moment above it")
            at = before
        for _, place, fact in parts([moment], "facts"):
            events += reader.fact(fact, place, at)
        expected = _expected(reader, spec.expect, (*path, "expect")) if spec.expect else ()
        yield Phase(at, tuple(events), tuple(expected))
        events.clear()


def _expected(reader: EventReader, expect: Expect, path: KeyPath) -> Iterator[Expected]:
    file = reader.file
    for part in type(expect).model_fields:
        value: str | list[str] | dict[str, Any] | None = getattr(expect, part)
        if isinstance(value, str):
            yield Expected(part, "", {"is": value}, value, file.place((*path, part)))
        for index, name in enumerate(value if isinstance(value, list) else ()):
            yield Expected(part, name, {}, "", file.place((*path, part, index)))
        for name, item in value.items() if isinstance(value, dict) else ():
            at = (*path, part, name)
            node = file.nodes[at][1]
            pairs = node.value if isinstance(node, yaml.MappingNode) else ()
            written = ", ".join(f"{key.value} {wanted.value}" for key, wanted in pairs) or str(node.value)
            yield Expected(part, name, _wanted(item, reader.now), written, file.place(at, on_key=True))


def _wanted(item: object, now: datetime) -> Mapping[str, object]:
    """Attributes and their values; of what is absent, its count; of a text or a cause, itself as `is`."""
    if isinstance(item, bool):
        return {} if item else {"count": 0}
    wanted = (
        item.model_dump(exclude_unset=True, by_alias=True) if isinstance(item, BaseModel) else {"is": item}
    )
    is_moment = (timedelta, datetime)
    return {
        key: moment_at(value, now) if isinstance(value, is_moment) else value for key, value in wanted.items()
    }

"""What two parts must write alike is written in one place: instants, CloudEvents headers, ids from causes.

The chassis never imports `schemas`, so each of the three has one place in either of them; their own tests hold
them to the same texts.
"""

import ast
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.times import format_instant
from services.chassis.outbox import timestamp
from tests.unit.architecture.sources import MODULES, functions_of, name_of, tree_of


def writes_instants(tree: ast.AST) -> bool:
    """Whether RFC 3339 with `Z` is written: by `isoformat` with a changed end, or by a format that ends with Z."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Call(func=ast.Attribute(attr="isoformat")), attr="replace")
            ):
                return True
            case ast.Subscript(value=ast.Call(func=ast.Attribute(attr="isoformat")), slice=ast.Slice()):
                return True
            case ast.Constant(value=str(text)) if "%SZ" in text or "%fZ" in text:
                return True
            case _:
                continue
    return False


def names_cloudevents_headers(tree: ast.AST) -> bool:
    """Whether the name of a CloudEvents header of the Kafka binding (`ce_id`, …) occurs in a text."""
    header = re.compile(r"\bce_(specversion|id|source|type|subject|time)\b")
    return any(
        isinstance(node, ast.Constant) and isinstance(node.value, str) and header.search(node.value)
        for node in ast.walk(tree)
    )


def derives_ids(tree: ast.AST) -> bool:
    """Whether a function writes a BLAKE2b digest as a UUID."""
    for function in functions_of(tree):
        names = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
        names |= {node.attr for node in ast.walk(function) if isinstance(node, ast.Attribute)}
        dashed = any(
            isinstance(node, ast.JoinedStr)
            and sum(isinstance(v, ast.Constant) and v.value == "-" for v in node.values) == 4
            for node in ast.walk(function)
        )
        if "blake2b" in names and (dashed or "UUID" in names):
            return True
    return False


WRITERS: Mapping[Callable[[ast.AST], bool], frozenset[str]] = {
    writes_instants: frozenset({"schemas/times.py", "services/chassis/outbox.py"}),
    names_cloudevents_headers: frozenset(
        {
            "schemas/envelope.py",
            "services/chassis/outbox.py",
            "schemas/asyncapi.py",  # describes them
            "services/rules_engine/entrypoints/kafka_consumer.py",  # reads one to skip records cheaply
            "services/chassis/record_groups.py",  # reads one to find the trace of an event
        }
    ),
    derives_ids: frozenset({"schemas/ids.py"}),
}


@pytest.mark.parametrize("is_written", WRITERS, ids=lambda check: check.__name__)
def test_only_the_named_modules_write_it(is_written: Callable[[ast.AST], bool]) -> None:
    others = [
        path for path in MODULES if name_of(path) not in WRITERS[is_written] and is_written(tree_of(path))
    ]
    assert not others, "\n".join(map(name_of, others))


@pytest.mark.parametrize(
    ("is_written", "source"),
    [
        (writes_instants, "m.isoformat().replace('+00:00', 'Z')"),
        (writes_instants, "m.isoformat()[:-6] + 'Z'"),
        (writes_instants, "f'{m:%Y-%m-%dT%H:%M:%SZ}'"),
        (writes_instants, "m.strftime('%Y-%m-%dT%H:%M:%S.%fZ')"),
        (names_cloudevents_headers, "[('ce_id', b'1')]"),
        (names_cloudevents_headers, "f'ce_type={x}'"),
        (derives_ids, "def f(x): return UUID(bytes=blake2b(x).digest())"),
        (
            derives_ids,
            "def f(x):\n    d = blake2b(x).hexdigest()\n    return f'{d[:8]}-{d[8:12]}-{d[12:16]}-{d[16:20]}-{d[20:]}'",
        ),
    ],
)
def test_a_second_writer_is_found(is_written: Callable[[ast.AST], bool], source: str) -> None:
    assert is_written(ast.parse(source))


@pytest.mark.parametrize(
    ("is_written", "source"),
    [
        (writes_instants, "day.isoformat()"),
        (writes_instants, "f'{m:%Y-%m-%d %H:%M}'"),
        (names_cloudevents_headers, "instance_id = 'source'"),
        (derives_ids, "def f(x): return blake2b(x, digest_size=8).hexdigest()"),
        (derives_ids, "def f(x): return UUID(x)"),
    ],
)
def test_other_code_is_allowed(is_written: Callable[[ast.AST], bool], source: str) -> None:
    assert not is_written(ast.parse(source))


@given(st.datetimes(min_value=datetime(1970, 1, 2), timezones=st.just(UTC)), st.integers(-14, 14))  # noqa: DTZ001
def test_both_writers_of_instants_write_the_same(moment: datetime, hours: int) -> None:
    elsewhere = moment.astimezone(timezone(timedelta(hours=hours))) if moment.year < 9999 else moment
    assert timestamp(elsewhere) == format_instant(moment)

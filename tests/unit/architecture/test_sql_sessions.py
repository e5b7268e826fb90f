"""No statement outlives its transaction: sessions go back to the pool as they are (`services.chassis.database`)."""

import ast
import re

import pytest

from tests.unit.architecture.sources import MODULES, name_of, report, tree_of

OUTLIVES = re.compile(
    r"(?:^|;)\s*(?:SET\s+(?!LOCAL\b)\w+\s*(?:=|TO\b)|LISTEN\s|PREPARE\s|CREATE\s+TEMP)"
    r"|\bpg_(?:try_)?advisory_lock(?:_shared)?\("
)
OWN_CONNECTION = {"services/chassis/migrations.py"}
"""Modules whose connections are their own: they close them."""


def test_no_statement_changes_its_session() -> None:
    problems = {
        name_of(path): [
            f"line {node.lineno}: {node.value.strip()[:100]!r} outlives its transaction; make it LOCAL"
            for node in ast.walk(tree_of(path))
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and OUTLIVES.search(node.value)
        ]
        for path in MODULES
        if name_of(path) not in OWN_CONNECTION
    }
    problems = {path: found for path, found in problems.items() if found}

    assert not problems, report(problems)


@pytest.mark.parametrize(
    "sql",
    [
        "SET jit = off",
        "SELECT 1; SET jit TO off",
        "SELECT pg_advisory_lock(1)",
        "SELECT pg_try_advisory_lock($1)",
        "LISTEN changes",
        "CREATE TEMP TABLE t (id int)",
    ],
)
def test_the_check_finds_what_it_is_for(sql: str) -> None:
    assert OUTLIVES.search(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SET LOCAL jit = off; SET LOCAL lock_timeout = '1s'",
        "UPDATE t SET a = 1",
        "SELECT pg_advisory_xact_lock(1)",
    ],
)
def test_what_ends_with_the_transaction_is_allowed(sql: str) -> None:
    assert not OUTLIVES.search(sql)

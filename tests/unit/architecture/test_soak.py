"""`make soak` really runs at its sizes: the settings of the environment are removed before tests, this one is not (C)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SIZES = """
import tests.conftest
from hypothesis import settings
from tests.unit.cadence import test_resyncs
from tests.unit.cadence.explanation import test_foundation
from tests.integration.rules_engine import test_order
from tests.unit.calendar import test_promises_of_random_weeks as weeks
from tests.unit.calendar import test_reconciliation_of_account_years as years
from tests.unit.calendar.levelling import test_conflicts
print(settings().max_examples, test_resyncs.SOAK, test_foundation.ACCOUNTS, test_order.ACCOUNTS, test_conflicts.BOOKS,
    weeks.WEEKS, years.ACCOUNT_YEARS)
"""


@pytest.mark.parametrize(
    ("soak", "sizes"),
    [({"DRUMBEAT_SOAK": "1"}, "500 True 300 2000 500 10000 10000"), ({}, "50 False 100 300 100 150 24")],
)
def test_the_sizes_of_a_soak_are_those_that_its_tests_read(soak: dict[str, str], sizes: str) -> None:
    inherited = {name: value for name, value in os.environ.items() if name not in {"DRUMBEAT_SOAK", "CI"}}
    ended = subprocess.run(
        [sys.executable, "-c", SIZES],
        cwd=ROOT,
        env={**inherited, **soak, "PYTHONPATH": str(ROOT), "DRUMBEAT_MODE": "removed"},
        capture_output=True,
        text=True,
        timeout=200,
        check=True,
    )
    assert ended.stdout.split("\n")[-2] == sizes


def test_make_soak_sets_it() -> None:
    shown = subprocess.run(
        ["make", "-n", "soak"], cwd=ROOT, capture_output=True, text=True, timeout=200, check=True
    )
    (line,) = [line for line in shown.stdout.splitlines() if "test_foundation.py" in line]
    assert line.startswith("DRUMBEAT_SOAK=1 ")

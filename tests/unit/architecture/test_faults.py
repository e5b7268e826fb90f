"""`make faults` runs the tests of the faults of the machine that issue 11 lists, wherever they lie."""

import re
import shlex
import subprocess

from tests.unit.architecture.sources import ROOT, TESTS, name_of

FAULT = re.compile(r"\bA(?:[24678]|13 ?\(?[a-e]\)?)(?!\w)")


def test_make_faults_runs_every_test_that_names_one_of_its_items() -> None:
    shown = subprocess.run(
        ["make", "-n", "faults"], cwd=ROOT, capture_output=True, text=True, timeout=50, check=True
    )
    (line,) = [line for line in shown.stdout.splitlines() if " tests/faults " in line]
    assert line.startswith("DRUMBEAT_SOAK=1 ")
    run = [word for word in shlex.split(line) if word.startswith("tests/")]
    assert [name for name in run if not (ROOT / name).exists()] == []
    named = [
        name_of(path)
        for path in TESTS
        if path.name.startswith("test_") and FAULT.search(path.read_text(encoding="utf-8"))
    ]
    assert len(named) > 10
    assert [name for name in named if not name.startswith(tuple(run))] == []

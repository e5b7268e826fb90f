"""Unit tests mirror the tree: tests/unit/PATH/test_X.py and test_X_ASPECT.py test PATH/X.py, or the package PATH/X."""

from pathlib import Path

import pytest

from tests.unit.architecture.sources import ROOT, TESTS, name_of

UNIT = ROOT / "tests" / "unit"
EXCEPTIONS = (
    "tests/unit/architecture/",  # the repository as a whole
    "tests/unit/benchmarks/",  # code of tests/benchmarks
    "tests/unit/faults/",  # code of tests/faults
    "tests/unit/test_documents.py",  # README and docs
    "tests/unit/test_deploy.py",  # deploy/
    "tests/unit/test_alerts.py",
    "tests/unit/test_dashboards.py",
    "tests/unit/test_scaling.py",  # docs/scaling.md
    "tests/unit/cadence/test_resyncs.py",
    "tests/unit/cadence/test_frozen_plans.py",  # the library as a whole, and its README
    "tests/unit/cadence/test_library.py",
    "tests/unit/cadence/test_readme.py",
)
MIRRORED = [
    path
    for path in TESTS
    if path.is_relative_to(UNIT)
    and path.name.startswith("test_")
    and not name_of(path).startswith(EXCEPTIONS)
]


def is_mirrored(test: Path, root: Path) -> bool:
    """Whether the module of a test file exists. `test` is relative to tests/unit."""
    folder = root / test.parent if test.parts[0] == "schemas" else root / "services" / test.parent
    words = test.stem.removeprefix("test_").split("_")
    names = ["_".join(words[:count]) for count in range(1, len(words) + 1)]
    in_folder = any((folder / name).with_suffix(".py").exists() or (folder / name).is_dir() for name in names)
    return in_folder or (folder.name in names and folder.is_dir())  # a package in its own folder


def test_every_test_file_lies_where_its_module_lies() -> None:
    others = [name_of(path) for path in MIRRORED if not is_mirrored(path.relative_to(UNIT), ROOT)]
    assert not others, "\n".join(others)


@pytest.mark.parametrize(
    ("test", "is_right"),
    [
        ("chassis/test_web.py", True),
        ("chassis/test_web_paging.py", True),
        ("schemas/test_times.py", True),
        ("cadence/test_lint.py", True),
        ("cadence/lint/test_lint_speed.py", True),
        ("chassis/test_webs.py", False),
        ("test_web.py", False),
        ("devstack/test_web.py", False),
    ],
)
def test_a_file_in_another_place_is_found(test: str, *, is_right: bool) -> None:
    assert is_mirrored(Path(test), ROOT) is is_right

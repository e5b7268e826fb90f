"""The house keeps its own law: what no import contract can say."""

import ast
import re
import sys
from pathlib import Path

import grimp
import pytest

from schemas.topics import TOPICS
from services.chassis.faults import POINTS
from services.chassis.migrations import DATABASES, history

ROOT = Path(__file__).resolve().parents[3]
MODULES = sorted(path for room in ("services", "schemas") for path in (ROOT / room).rglob("*.py"))
GRAPH = grimp.build_graph("services", "schemas", include_external_packages=True)
CORE = sorted(m for m in GRAPH.modules if m.split(".")[2:3] in (["domain"], ["application"]))


@pytest.mark.parametrize("module", CORE)
def test_the_core_imports_the_standard_library_and_the_shared_libraries_only(module: str) -> None:
    home = ".".join(module.split(".")[:2])
    strangers = {
        name
        for name in GRAPH.find_modules_directly_imported_by(module)
        if not name.startswith((home, "services.cadence", "schemas"))
        and name.split(".")[0] not in sys.stdlib_module_names
    }
    assert strangers <= {"pydantic"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_why_it_exists_and_stays_small(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    assert ast.get_docstring(tree), "no module docstring"
    assert len(source.splitlines()) <= 300
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            # A function that only registers routes is as long as its routes.
            nested = sum(
                (each.end_lineno or 0) - each.lineno + 1
                for each in ast.walk(node)
                if each is not node and isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
            )
            assert length - nested <= 40, f"{node.name} has {length} lines"


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_every_topic_is_written_and_read(topic: object) -> None:
    assert topic.writers  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    assert topic.readers  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


@pytest.mark.parametrize("point", POINTS)
def test_every_fault_point_is_passed_somewhere(point: str) -> None:
    assert any(f'fault("{point}")' in path.read_text(encoding="utf-8") for path in MODULES)


@pytest.mark.parametrize("service", [*DATABASES])
def test_a_history_has_one_head(service: str) -> None:
    assert len(history(service).get_heads()) == 1


def test_no_address_of_a_registry_stands_in_a_lock() -> None:
    locks = [*ROOT.glob("requirements*.txt"), *ROOT.glob("services/devstack/embedded/*.lock")]
    assert len(locks) == 3
    for lock in locks:
        assert not re.search(r"https?://|--index-url|--find-links", lock.read_text(encoding="utf-8"))

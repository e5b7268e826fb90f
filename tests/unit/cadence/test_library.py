"""The library is pure: importing all of it starts nothing and loads no service, Kafka, SQL or HTTP."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import services.cadence

FOLDER = Path(services.cadence.__file__).parent
ROOT = FOLDER.parents[1]
FORBIDDEN = {
    "aiokafka",
    "aiohttp",
    "asyncpg",
    "fastapi",
    "httpx",
    "prometheus_client",
    "services.chassis",
    "sqlalchemy",
    "starlette",
    "structlog",
    "uvicorn",
}
IMPORT_EVERYTHING = """
import importlib, json, pkgutil, sys, threading
import services.cadence
for module in pkgutil.walk_packages(services.cadence.__path__, "services.cadence."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
threads = [thread.name for thread in threading.enumerate()]
print(json.dumps({"modules": sorted(sys.modules), "threads": threads}))
"""


def import_everything(folder: Path) -> dict[str, list[str]]:
    """The modules and threads of a fresh interpreter that has imported the whole library, run in `folder`."""
    command = [sys.executable, "-W", "error", "-c", IMPORT_EVERYTHING]
    result = subprocess.run(
        command, env={"PYTHONPATH": str(ROOT)}, cwd=folder, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
    return json.loads(result.stdout)


def test_importing_the_library_starts_nothing_and_loads_no_service(tmp_path: Path) -> None:
    loaded = import_everything(tmp_path)

    modules = set(loaded["modules"])
    ours = {
        "services.cadence" + "".join(f".{part}" for part in path.relative_to(FOLDER).with_suffix("").parts)
        for path in FOLDER.rglob("*.py")
        if path.name not in {"__init__.py", "__main__.py"}
    }
    assert ours <= modules
    assert FORBIDDEN.isdisjoint(modules)
    assert loaded["threads"] == ["MainThread"]
    assert list(tmp_path.iterdir()) == []


def reads_environment(node: ast.AST) -> bool:
    match node:
        case ast.Import():
            return any(name.name.split(".")[0] == "os" for name in node.names)
        case ast.ImportFrom():
            return node.module == "os"
        case ast.Attribute():
            return node.attr in {"environ", "environb", "getenv"}
        case _:
            return False


def test_no_source_of_the_library_reads_the_environment() -> None:
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in FOLDER.rglob("*.py")}

    assert [str(path) for path, tree in trees.items() if any(map(reads_environment, ast.walk(tree)))] == []
    assert reads_environment(ast.parse("import os").body[0])

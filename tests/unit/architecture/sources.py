"""The source files that the tests of this folder read."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

Function = ast.FunctionDef | ast.AsyncFunctionDef
ROOT = Path(__file__).resolve().parents[3]
MODULES = sorted(path for folder in ("services", "schemas") for path in (ROOT / folder).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))


@cache
def tree_of(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def name_of(path: Path) -> str:
    """The path of a file inside the repository."""
    return str(path.relative_to(ROOT))


def functions_of(tree: ast.AST) -> Iterator[Function]:
    """Every function and method, also nested ones."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def report(problems: Mapping[str, Sequence[str]]) -> str:
    """The message of a failed test: every file with its problems, a line for each."""
    return "".join(f"\n{path}: {problem}" for path, found in problems.items() for problem in found)

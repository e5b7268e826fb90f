"""Time zones have one source: `schemas.zones`, in one pinned release. SQL reckons in UTC (row 50 of the faults)."""

import ast
import re

from tests.unit.architecture.sources import MODULES, ROOT, name_of, report, tree_of

LIBRARIES = {"zoneinfo", "tzdata", "dateutil", "pytz", "tzlocal", "pendulum", "arrow"}
ZONE_OF_SQL = re.compile(
    r"at\s+time\s+zone\s+(?!'utc')|\bset\s+(?:local\s+|session\s+)?time\s*zone\b|\btimezone\s*\(|\bmake_timestamptz\b",
    re.IGNORECASE,
)
SQL = re.compile(r"\b(select|update|insert|delete|create|alter)\b", re.IGNORECASE)
ALLOWED = {
    "schemas/zones.py": {"zoneinfo", "tzdata"},
    "schemas/recurrence_dates.py": {"dateutil"},
    "services/chassis/web.py": {"tzdata"},
}  # the second takes dates of rules, without zones; the third shows the release


def imports_of(tree: ast.AST) -> set[str]:
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in names}


def test_only_one_module_reads_the_time_zone_database() -> None:
    found = {name_of(path): sorted(imports_of(tree_of(path)) & LIBRARIES) for path in MODULES}
    problems = {path: names for path, names in found.items() if set(names) - ALLOWED.get(path, set())}
    assert not problems, report(problems)


def test_sql_reckons_with_no_zone_but_utc() -> None:
    """PostgreSQL has a copy of the database of its own; as no statement asks it, the two cannot disagree."""
    migrations = sorted((ROOT / "migrations").rglob("*.py"))
    texts = [
        (name_of(path), node.value)
        for path in (*MODULES, *migrations)
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.search(node.value)
    ]
    assert texts
    problems = {path: [text.strip()[:200]] for path, text in texts if ZONE_OF_SQL.search(text)}
    assert not problems, report(problems)


def test_every_session_of_the_database_is_in_utc() -> None:
    assert '"timezone": "UTC"' in (ROOT / "services" / "chassis" / "database.py").read_text(encoding="utf-8")

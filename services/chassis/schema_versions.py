"""Which schema a service's database has, and which one the code needs.

A migration with `expands = True` only adds what code of the revision before does without: that code goes on beside the
new one, and may also start again. The table `schema_compatible` has the revisions whose code works on the schema.

Read from the files of the migrations themselves, without Alembic: importing it takes a fifth of a service's start.
"""

import re
from pathlib import Path
from typing import Final, NamedTuple

from services.chassis.database import Database
from services.chassis.settings import CannotStart

DATABASES: Final = {
    "rules_engine": "drumbeat_rules",
    "scheduler": "drumbeat_scheduler",
    "notifier": "drumbeat_notifier",
}
FOLDER: Final = Path(__file__).resolve().parents[2] / "migrations"
_REVISION: Final = re.compile(r'^(revision|down_revision) = "(\w+)"$', re.MULTILINE)
_EXPANDS: Final = re.compile(r"^expands = True$", re.MULTILINE)
COMPATIBLE: Final = "schema_compatible"
_IS_COMPATIBLE: Final = f"SELECT EXISTS (SELECT 1 FROM {COMPATIBLE} WHERE revision = $1)"


class CannotMigrate(CannotStart):
    """The databases cannot be created or upgraded; the message says why and what to do."""


class SchemaMismatch(CannotMigrate):
    """A database's schema is older or newer than the code; the message says which and what to do."""


class Revisions(NamedTuple):
    """The schemas that the code knows, the last of them, and those whose code works on the last."""

    known: frozenset[str]
    head: str
    compatible: tuple[str, ...]


def read_revisions(service: str) -> Revisions:
    """Raises ValueError when the migrations of the service have not exactly one end."""
    before: dict[str, str | None] = {}
    expanding: set[str] = set()
    for path in (FOLDER / service).glob("*.py"):
        text = path.read_text("utf-8")
        names = dict(_REVISION.findall(text))
        if "revision" in names:
            before[names["revision"]] = names.get("down_revision")
            expanding |= {names["revision"]} if _EXPANDS.search(text) else set()
    (head,) = before.keys() - before.values()
    compatible = [head]
    while compatible[-1] in expanding and (earlier := before[compatible[-1]]) is not None:
        compatible.append(earlier)
    return Revisions(frozenset(before), head, tuple(compatible))


def refuse_newer(service: str, stored: str | None) -> None:
    """Raise `SchemaMismatch` when a newer version of Drumbeat made the database's schema."""
    if stored is not None and stored not in read_revisions(service).known:
        raise SchemaMismatch(
            f"The database {DATABASES[service]} is at schema {stored}, which this version of Drumbeat does not have:"
            " a newer one made it. Run that version, or restore a backup from before the upgrade."
        )


async def check_schema(database: Database, service: str) -> None:
    """Raise `SchemaMismatch` unless the database's schema is that of the code, or a newer one that the code works on."""
    name, revisions = DATABASES[service], read_revisions(service)
    if await database.pool.fetchval("SELECT to_regclass('alembic_version')") is None:
        raise SchemaMismatch(f"The database {name} has no schema yet. Run `drumbeat migrate`.")
    stored = await database.pool.fetchval("SELECT version_num FROM alembic_version")
    is_newer = stored is not None and stored not in revisions.known
    if stored == revisions.head or (is_newer and await _works_on_newer(database, revisions.head)):
        return
    refuse_newer(service, stored)
    raise SchemaMismatch(
        f"The database {name} is at schema {stored}, the code needs {revisions.head}. Run `drumbeat migrate`."
    )


async def _works_on_newer(database: Database, head: str) -> bool:
    """Whether whoever made the schema says that code of this revision works on it."""
    if await database.pool.fetchval("SELECT to_regclass($1)", COMPATIBLE) is None:
        return False
    return bool(await database.pool.fetchval(_IS_COMPATIBLE, head))

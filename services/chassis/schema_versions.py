"""Which schema a service's database has, and which one the code needs.

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


class CannotMigrate(CannotStart):
    """The databases cannot be created or upgraded; the message says why and what to do."""


class SchemaMismatch(CannotMigrate):
    """A database's schema is older or newer than the code; the message says which and what to do."""


class Revisions(NamedTuple):
    """The schemas that the code knows, and the last of them."""

    known: frozenset[str]
    head: str


def read_revisions(service: str) -> Revisions:
    """Raises ValueError when the migrations of the service have not exactly one end."""
    found = [_REVISION.findall(path.read_text("utf-8")) for path in (FOLDER / service).glob("*.py")]
    known = {value for pairs in found for name, value in pairs if name == "revision"}
    (head,) = known - {value for pairs in found for name, value in pairs if name == "down_revision"}
    return Revisions(frozenset(known), head)


def refuse_newer(service: str, stored: str | None) -> None:
    """Raise `SchemaMismatch` when a newer version of Drumbeat made the database's schema."""
    if stored is not None and stored not in read_revisions(service).known:
        raise SchemaMismatch(
            f"The database {DATABASES[service]} is at schema {stored}, which this version of Drumbeat does not have:"
            " a newer one made it. Run that version, or restore a backup from before the upgrade."
        )


async def check_schema(database: Database, service: str) -> None:
    """Raise `SchemaMismatch` unless the database's schema is that of the code."""
    name, head = DATABASES[service], read_revisions(service).head
    if await database.pool.fetchval("SELECT to_regclass('alembic_version')") is None:
        raise SchemaMismatch(f"The database {name} has no schema yet. Run `drumbeat migrate`.")
    stored = await database.pool.fetchval("SELECT version_num FROM alembic_version")
    if stored != head:
        refuse_newer(service, stored)
        raise SchemaMismatch(
            f"The database {name} is at schema {stored}, the code needs {head}. Run `drumbeat migrate`."
        )

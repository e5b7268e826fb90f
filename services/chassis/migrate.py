"""`python -m services.chassis.migrate`: create and upgrade the databases without starting anything."""

import asyncio
import sys

from services.chassis.database import without_password
from services.chassis.migrations import migrate
from services.chassis.schema_versions import CannotMigrate
from services.chassis.settings import load_settings, run_or_explain


def main() -> None:
    """Returns when every schema is that of the code."""
    url = load_settings().database_url()
    asyncio.run(migrate(url))
    sys.stdout.write(f"The databases on {without_password(url)} are up to date.\n")


def run_command() -> int:
    """The exit code: 3 when the server cannot be reached, otherwise as of `run_or_explain`."""
    unreachable: list[CannotMigrate] = []

    def migrate_or_remember() -> None:
        try:
            main()
        except CannotMigrate as reason:
            unreachable.extend([reason] if isinstance(reason.__cause__, OSError) else [])
            raise

    code = run_or_explain(migrate_or_remember)
    return 3 if unreachable else code


if __name__ == "__main__":
    sys.exit(run_command())

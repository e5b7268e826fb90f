"""`python -m services.chassis.migrate`: create and upgrade the databases without starting anything."""

import asyncio
import sys

from services.chassis.database import without_password
from services.chassis.migrations import migrate
from services.chassis.settings import load_settings, run_or_explain


def main() -> None:
    """Returns when every schema is that of the code."""
    url = load_settings().database_url()
    asyncio.run(migrate(url))
    sys.stdout.write(f"The databases on {without_password(url)} are up to date.\n")


if __name__ == "__main__":
    sys.exit(run_or_explain(main))

"""`python -m services.chassis.migrate`: create and upgrade the databases without starting anything."""

import asyncio
import sys

from services.chassis.database import without_password
from services.chassis.migrations import CannotMigrate, migrate
from services.chassis.settings import SettingsRejected, load_settings


def main() -> int:
    """Exit code 0 when every schema is that of the code, 1 with one sentence otherwise, 2 for invalid settings."""
    try:
        url = load_settings().database_url()
        asyncio.run(migrate(url))
    except (SettingsRejected, CannotMigrate) as reason:
        sys.stderr.write(f"drumbeat: {reason}\n")
        return 2 if isinstance(reason, SettingsRejected) else 1
    sys.stdout.write(f"The databases on {without_password(url)} are up to date.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

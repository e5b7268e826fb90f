"""`python -m services.devstack.supervisor.migrate`: the schemas, brought up to date without starting anything."""

import asyncio
import sys

from services.chassis.settings import SettingsRejected, load_settings
from services.devstack.embedded.failures import CannotRun
from services.devstack.supervisor.stack import migrate_schema, without_password


def main() -> int:
    """Exit code 0 when every schema is the code's, 1 with one sentence when not, 2 on wrong settings."""
    try:
        url = load_settings().database_url()
        asyncio.run(migrate_schema(url))
    except SettingsRejected as wrong:
        sys.stderr.write(f"drumbeat: {wrong}\n")
        return 2
    except CannotRun as reason:
        sys.stderr.write(f"drumbeat: {reason}\n")
        return 1
    sys.stdout.write(f"The databases on {without_password(url)} are up to date.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

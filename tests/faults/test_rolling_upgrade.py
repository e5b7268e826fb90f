"""Issue 16.2: the version before and this one side by side on one schema, each reading what the other writes."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.faults.conftest import MONDAY_MORNING, OpenStack
from tests.faults.stories import LEADS_TO, with_people
from tests.stack import ROOT, SERVICES, until

pytestmark = [pytest.mark.integration, pytest.mark.long, pytest.mark.timeout(900)]

CODE = ("services", "schemas", "migrations", "tests", "pyproject.toml")
OWNERS = "SELECT count(DISTINCT owner) FROM consumer_lease WHERE leased_until > clock_timestamp()"


def version_before(folder: Path) -> Path:
    """The code of the commit before this one; where there is no history, a copy of this one's."""
    archive = subprocess.run(
        ["git", "-C", str(ROOT), "archive", "HEAD~1", *CODE], capture_output=True, check=False
    )
    if archive.returncode == 0:
        subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)
    else:
        for name in CODE:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, folder / name)
    return folder


async def test_two_versions_share_the_work_and_take_over_from_each_other(
    open_stack: OpenStack, tmp_path: Path
) -> None:
    before = version_before(tmp_path)
    async with open_stack() as ledger:
        stack = ledger.stack

        async def both_work() -> bool:
            counts = [(await ledger.rows(service, OWNERS))[0][0] for service in SERVICES]
            return counts == [2, 2, 2]

        stack.code = before
        earlier = [f"{service}#before" for service in SERVICES]
        for name in earlier:
            stack.spawn(name)
        for name in earlier:
            await stack.ready(name)
        await until(both_work, 60, "partitions of every service with both versions")
        await ledger.post(with_people(8, MONDAY_MORNING), leads_to=LEADS_TO)

        # One replica after the other is replaced, back and forth, while events come in.
        stack.code = ROOT
        for service in SERVICES:
            stack.processes[service].child.terminate()
            stack.processes[service].child.wait()
            stack.spawn(service)
            await stack.ready(service)
            stack.kill(f"{service}#before")
            await ledger.post(with_people(4, MONDAY_MORNING), leads_to=LEADS_TO)

        await ledger.quiet()
        await ledger.check()

"""A migration comes after all that databases may have already: one put between them would be skipped."""

import pytest
from alembic.script import ScriptDirectory

from services.chassis.migrations import config_of
from services.chassis.schema_versions import read_revisions

STORED = {
    "rules_engine": [
        "rules_0001",
        "rules_0002",
        "rules_0003",
        "rules_0004",
        "rules_0005",
        "rules_0006",
        "rules_0007",
    ],
    "scheduler": [
        *("scheduler_0001", "scheduler_0002", "scheduler_0003", "scheduler_0005", "scheduler_0006"),
        *("scheduler_0007", "scheduler_0008", "scheduler_0009", "scheduler_0010", "scheduler_0011"),
    ],
    "notifier": [
        *("notifier_0001", "notifier_0002", "notifier_0003", "notifier_0004", "notifier_0005"),
        *("notifier_0006", "notifier_0007", "notifier_0008", "notifier_0009"),
    ],
}
"""The revisions that databases of earlier versions are at, in their order."""


@pytest.mark.parametrize("service", STORED)
def test_a_new_migration_follows_those_that_databases_have(service: str) -> None:
    revisions = [
        script.revision for script in ScriptDirectory.from_config(config_of(service)).walk_revisions()
    ][::-1]

    assert revisions[: len(STORED[service])] == STORED[service]


@pytest.mark.parametrize("service", STORED)
def test_services_read_the_revisions_that_alembic_reads(service: str) -> None:
    scripts, read = ScriptDirectory.from_config(config_of(service)), read_revisions(service)

    assert read.known == {script.revision for script in scripts.walk_revisions()}
    assert read.head == scripts.get_current_head()


@pytest.mark.parametrize("service", STORED)
def test_each_migration_says_whether_code_of_the_revision_before_works_on_it(service: str) -> None:
    """Issue 16.2: from the first that says so on, so that none is forgotten."""
    scripts = [*ScriptDirectory.from_config(config_of(service)).walk_revisions()]
    says = [getattr(script.module, "expands", None) for script in scripts]
    first = next(index for index, each in enumerate([*says, None]) if each is None)

    assert set(says[first:]) == {None}
    assert len(read_revisions(service).compatible) == 1 + (says.index(False) if False in says else first)

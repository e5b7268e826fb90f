"""The start says which policy is in force, and when it is not that of the files (A10)."""

from pathlib import Path

import pytest

from services.cadence.policy.load import SHIPPED, load_policy
from services.chassis.settings import Settings
from services.devstack.supervisor.in_force import InForce, policy_line

SHIPPED_HASH = load_policy(SHIPPED).hash
OF_FILES = InForce("live", 1, SHIPPED_HASH, "file", None, age_seconds=3600.0)
PUBLISHED = InForce("live", 2, "f" * 64, "api", "Ada", 3600.0, 1, "file", None)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text("\n".join(file.read_text() for file in sorted(SHIPPED.glob("[0-9]*.yaml"))))
    return path


def test_the_files_that_are_in_force_are_named() -> None:
    assert policy_line(OF_FILES, Settings(), 10.0) == "version 1: the shipped files"


def test_a_published_policy_that_is_not_that_of_the_files_is_named_with_the_remedy(mine: Path) -> None:
    line = policy_line(PUBLISHED, Settings(policy=mine), 10.0)
    assert line == (
        f"version 2, published by Ada; not that of {mine}; `drumbeat policy publish {mine}` puts the files in force"
    )
    assert policy_line(PUBLISHED, Settings(), 10.0) == (
        "version 2, published by Ada; not that of the shipped files"
    )


def test_files_that_replaced_a_published_policy_at_this_start_say_so() -> None:
    edited = InForce("live", 3, SHIPPED_HASH, "file", None, 5.0, 2, "api", "Ada")
    line = policy_line(edited, Settings(), 10.0)
    assert line == (
        "version 3: the shipped files, edited since the former start, replaced version 2, published by Ada"
    )
    assert policy_line(replace_age(edited), Settings(), 10.0) == "version 3: the shipped files"


def replace_age(in_force: InForce) -> InForce:
    return in_force._replace(age_seconds=60.0)

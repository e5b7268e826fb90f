"""Roles: each may do what the one below may, and the table is the same everywhere."""

import re
from itertools import pairwise
from pathlib import Path
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from services.chassis.access_settings import Role as SettingsRole
from services.chassis.keys import SCOPES, ApiKey
from services.console.reader import ROLE_NAMES
from services.console.user_commands import Role as CommandRole
from services.rules_engine.domain.roles import ROLES, SCOPES_OF_ROLE, Role, highest_role

PAGE = Path(__file__).parents[4] / "docs" / "people.md"


def scopes(role: Role) -> frozenset[str]:
    return ApiKey("x", "", SCOPES_OF_ROLE[role]).grants()


def test_a_role_may_do_what_the_ones_below_may() -> None:
    assert all(scopes(lower) < scopes(higher) for lower, higher in pairwise(ROLES))
    assert scopes("admin") == set(SCOPES)


def test_settings_commands_and_pages_know_the_same_roles() -> None:
    assert get_args(SettingsRole) == get_args(CommandRole) == tuple(ROLE_NAMES) == ROLES


def test_the_table_of_the_documents_is_that_of_the_code() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \|", PAGE.read_text(), re.MULTILINE)
    documented = {role: frozenset(re.findall(r"`(\w+)`", cell)) for role, cell in rows if role in ROLES}
    assert documented == SCOPES_OF_ROLE


@given(st.lists(st.sampled_from(ROLES)))
def test_the_highest_role_is_the_one_that_may_do_most(roles: list[Role]) -> None:
    highest = highest_role(roles)
    if highest is None:
        assert not roles
    else:
        assert highest in roles
        assert all(scopes(role) <= scopes(highest) for role in roles)

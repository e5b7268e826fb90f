"""Roles of users and the scopes that each gives: the one table, which docs/people.md repeats."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, Literal, get_args

Role = Literal["csm", "manager", "ops", "admin"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
"""From the one that may do least to the one that may do most."""

SCOPES_OF_ROLE: Final[Mapping[Role, frozenset[str]]] = MappingProxyType(
    {
        "csm": frozenset({"read", "act"}),
        "manager": frozenset({"read", "act", "directory", "consent"}),
        "ops": frozenset({"read", "act", "directory", "consent", "signals", "policy"}),
        "admin": frozenset({"admin"}),
    }
)
"""`admin` includes every other scope."""


def highest_role(roles: Iterable[Role]) -> Role | None:
    """The one that may do most; None without any."""
    return max(roles, key=ROLES.index, default=None)

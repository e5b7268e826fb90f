"""Users of the console as rows of a page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.console.json_fields import Json, instant, text
from services.console.people import Person
from services.console.reader import ROLE_NAMES

ROLES: Final = tuple(ROLE_NAMES.items())
"""(role, name), from the one that may do least on."""


@dataclass(frozen=True, slots=True)
class UserRow:
    """`way`: how they sign in; `person`: the name of the person of ours with their mail address, "" without one."""

    user_id: str
    login: str
    name: str
    email: str
    role: str
    role_name: str
    is_disabled: bool
    way: str
    person: str
    last_used_at: datetime | None


def user_rows(users: Sequence[Json], people: Mapping[str, Person]) -> list[UserRow]:
    by_address = {one.email.casefold(): one.name for one in people.values() if one.email}
    return [
        UserRow(
            user_id=text(user, "user_id"),
            login=text(user, "login"),
            name=text(user, "name"),
            email=text(user, "email"),
            role=text(user, "role"),
            role_name=ROLE_NAMES.get(text(user, "role"), text(user, "role")),
            is_disabled=text(user, "state") == "disabled",
            way=_way(user),
            person=by_address.get(text(user, "email").casefold(), "") if text(user, "email") else "",
            last_used_at=instant(user, "last_used_at"),
        )
        for user in users
    ]


def _way(user: Json) -> str:
    ways = [
        *(["password"] if user.get("has_password") is True else []),
        *(["identity provider"] if text(user, "issuer") else []),
    ]
    return " or ".join(ways) or "not yet: no password, and not linked"

"""Users as rows: how they sign in, and whom of ours they are."""

from services.console.people import Person
from services.console.users_view import user_rows


def test_a_user_is_linked_by_the_address_and_the_ways_are_in_words() -> None:
    users: list[dict[str, object]] = [
        {
            "login": "kim",
            "email": "KIM@x.example",
            "role": "csm",
            "has_password": True,
            "issuer": "https://login",
        },
        {"login": "ops", "email": None, "role": "ops", "has_password": True, "state": "disabled"},
        {"login": "new", "email": "new@x.example", "role": "admin", "has_password": False, "issuer": None},
    ]
    people = {"c1": Person("c1", "Kim Okafor", email="kim@x.example"), "c2": Person("c2", "No Address")}
    kim, ops, new = user_rows(users, people)
    assert (kim.person, kim.role_name, kim.way) == ("Kim Okafor", "CSM", "password or identity provider")
    assert (ops.person, ops.is_disabled, ops.way) == ("", True, "password")
    assert (new.person, new.way) == ("", "not yet: no password, and not linked")

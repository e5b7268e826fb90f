"""Logins and passwords: one form of each, and what is guessed at once is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.rules_engine.domain.user import (
    UserRefused,
    check_password,
    normalized_email,
    normalized_login,
    normalized_password,
)


@given(st.text(max_size=60))
def test_a_login_has_one_form_or_none(typed: str) -> None:
    try:
        login = normalized_login(typed)
    except UserRefused:
        return
    assert normalized_login(login) == login
    assert normalized_login(f" {login.upper()} ") == login


@pytest.mark.parametrize("typed", ["", "k", "kim okafor", "u0123abcd", "kïm", "-kim", "kim\n", "a" * 255])
def test_a_login_that_cannot_be_is_refused_with_what_is_possible(typed: str) -> None:
    if typed == "kim\n":
        assert normalized_login(typed) == "kim"
        return
    with pytest.raises(UserRefused, match=r"^login: "):
        normalized_login(typed)


def test_full_width_letters_and_ligatures_are_the_same_password_and_address() -> None:
    assert normalized_password("ﬁve ﬁsh swim far") == normalized_password("five fish swim far")
    assert normalized_email(" KIM@X.example ") == "kim@x.example"


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("short", "12 to 200"),
        ("x" * 201, "12 to 200"),
        ("aaaabbbbaaaabbbb", "different characters"),
        ("Kim.Okafor-2026!", "name or the address"),
        ("my name is okafor@x.example", "name or the address"),
        ("tulip OKAFOR tulip", "name or the address"),
    ],
)
def test_a_password_that_is_guessed_at_once_is_refused(password: str, reason: str) -> None:
    with pytest.raises(UserRefused, match=reason):
        check_password(password, "kim.okafor", "okafor@x.example", None)


def test_a_long_sentence_is_a_password_unless_it_has_the_name() -> None:
    check_password("seven green herons wade", "kimo", "kimo@x.example", "Kimo")
    with pytest.raises(UserRefused):
        check_password("seven green herons wade kimo", "kimo", "kimo@x.example", "Kimo")

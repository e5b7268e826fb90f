"""Users of the console: their names, and what a password has to be."""

import re
from dataclasses import dataclass
from typing import Final
from unicodedata import normalize

from services.rules_engine.domain.roles import Role

SHORTEST_PASSWORD: Final = 12
LONGEST_PASSWORD: Final = 200
FEWEST_SIGNS: Final = 5
"""Different characters that a password has at least."""
_LOGIN: Final = re.compile(r"[a-z0-9][a-z0-9._+@-]{1,253}")
_USER_ID: Final = re.compile(r"u[0-9a-f]{8}")


class UserRefused(Exception):
    """A user cannot be as wanted; the message says what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class NewUser:
    """`login`: the name with which they sign in, normalized. `email` links them to the CSM with this address."""

    login: str
    name: str
    email: str | None
    role: Role


def normalized_login(typed: str) -> str:
    """The login that was typed, in lower case (Unicode NFKC). Raises UserRefused."""
    login = normalize("NFKC", typed).strip().casefold()
    if not _LOGIN.fullmatch(login):
        raise UserRefused(
            "login: 2 to 254 letters a to z, digits, and . _ + @ - are possible, for instance kim.okafor or an e-mail"
            " address"
        )
    if _USER_ID.fullmatch(login):
        raise UserRefused(f"login: {login} looks like the id of a user; choose another one")
    return login


def normalized_email(email: str) -> str:
    """As it is compared: providers and directories write one address in different cases."""
    return normalize("NFKC", email).strip().casefold()


def normalized_password(typed: str) -> str:
    """As it is hashed: keyboards write one character in several ways (NIST SP 800-63B-4, 3.1.1.2: NFKC)."""
    return normalize("NFKC", typed)


def check_password(password: str, *known: str | None) -> None:
    """Refuse what is guessed at once. `known`: login, name and address of its user. Raises UserRefused.

    Length counts, and no mixture of kinds of characters is asked for (NIST SP 800-63B-4, 3.1.1.2).
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise UserRefused(f"password: {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters are needed")
    if len(set(password)) < FEWEST_SIGNS:
        raise UserRefused(f"password: it has fewer than {FEWEST_SIGNS} different characters; choose another")
    guesses = {part for text in filter(None, known) for part in (text, text.partition("@")[0])}
    if any(len(guess) > 3 and guess.casefold() in password.casefold() for guess in guesses):
        raise UserRefused("password: it contains the name or the address of its user; choose another")

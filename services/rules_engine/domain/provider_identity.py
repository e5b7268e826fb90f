"""Who somebody is by the claims of an OIDC provider, and which role the claims give."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from services.rules_engine.domain.roles import Role, highest_role
from services.rules_engine.domain.user import normalized_email

Claims = Mapping[str, object]


class IdentityRefused(Exception):
    """The claims sign nobody in; the message says why, for the person who tried."""


@dataclass(frozen=True, slots=True)
class IdentityRules:
    """What of the settings decides about claims.

    `roles`: value of the claim `role_claim` -> role; empty: roles are given here, not at the provider. `default_role`: of
    those to whom no value gives one. `allowed_domains`: of mail addresses; empty: any.
    """

    role_claim: str = "groups"
    roles: Mapping[str, Role] | None = None
    default_role: Role | None = None
    allowed_domains: frozenset[str] = frozenset()
    needs_verified_email: bool = True


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody whom the provider signed in. `role`: the one that the claims give; None: the stored one counts."""

    issuer: str
    subject: str
    email: str
    name: str
    role: Role | None


def read_identity(issuer: str, claims: Claims, rules: IdentityRules) -> Identity:
    """Raises IdentityRefused. The claims are those of a checked ID token, with those of the UserInfo answer."""
    subject, email = claims.get("sub"), claims.get("email")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:
        raise IdentityRefused("Your identity provider did not say who you are: the claim “sub” is missing.")
    if not isinstance(email, str) or not 3 <= len(email) <= 254 or "@" not in email:
        raise IdentityRefused(
            "Your identity provider gave no mail address: it has to release the claim “email”."
        )
    if rules.needs_verified_email and claims.get("email_verified") not in (True, "true"):
        raise IdentityRefused(
            f"Your identity provider has not verified the address {email}. Confirm it there, then sign in again."
        )
    address = normalized_email(email)
    domain = address.rpartition("@")[2]
    if rules.allowed_domains and domain not in rules.allowed_domains:
        raise IdentityRefused(f"Addresses of {domain} may not sign in here.")
    name = claims.get("name")
    shown = name.strip()[:200] if isinstance(name, str) else ""
    return Identity(issuer, subject, address, shown if shown.isprintable() else "", _role_of(claims, rules))


def _role_of(claims: Claims, rules: IdentityRules) -> Role | None:
    if not rules.roles:
        return None
    values = _values(claims, rules.role_claim)
    role = highest_role(rules.roles[value] for value in values if value in rules.roles) or rules.default_role
    if role is None:
        raise IdentityRefused(
            f"Your identity provider gives you no role here: no value of “{rules.role_claim}” has one. Ask an admin."
        )
    return role


def _values(claims: Claims, path: str) -> list[str]:
    """The texts of a claim; `realm_access.roles` is a member of an object, unless a claim has this very name."""
    found: object = claims.get(path)
    if found is None:
        found = claims
        for part in path.split("."):
            found = cast("Claims", found).get(part) if isinstance(found, dict) else None
    values = cast("list[object]", found) if isinstance(found, list) else [found]
    return [value for value in values if isinstance(value, str)]

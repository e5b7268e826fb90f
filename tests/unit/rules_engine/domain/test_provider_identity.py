"""Claims become an identity, or a sentence for the person who tried."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.rules_engine.domain.provider_identity import IdentityRefused, IdentityRules, read_identity
from services.rules_engine.domain.roles import ROLES, Role, highest_role

ISSUER = "https://login.example"
CLAIMS: dict[str, Any] = {"sub": "s1", "email": "Kim@X.example", "email_verified": True, "name": " Kim "}
ROLES_OF_GROUPS: dict[str, Role] = {"cs": ROLES[0], "leads": ROLES[1], "root": ROLES[3]}
RULES = IdentityRules()


def test_an_identity_has_the_address_in_one_form() -> None:
    identity = read_identity(ISSUER, CLAIMS, RULES)
    assert (identity.issuer, identity.subject, identity.email) == (ISSUER, "s1", "kim@x.example")
    assert (identity.name, identity.role) == ("Kim", None)


@given(st.lists(st.sampled_from([*ROLES_OF_GROUPS, "other"])))
def test_the_role_is_the_highest_of_the_values_that_have_one(groups: list[str]) -> None:
    rules = IdentityRules(roles=ROLES_OF_GROUPS, default_role="ops")
    wanted = highest_role(ROLES_OF_GROUPS[group] for group in groups if group in ROLES_OF_GROUPS) or "ops"
    assert read_identity(ISSUER, {**CLAIMS, "groups": groups}, rules).role == wanted


@pytest.mark.parametrize(
    ("path", "claims"),
    [
        ("role", {"role": "leads"}),
        ("realm_access.roles", {"realm_access": {"roles": ["x", "leads"]}}),
        ("https://x.example/roles", {"https://x.example/roles": ["leads", 7, None]}),
    ],
)
def test_a_role_claim_is_a_text_a_list_or_a_member_of_an_object(path: str, claims: dict[str, Any]) -> None:
    rules = IdentityRules(role_claim=path, roles=ROLES_OF_GROUPS)
    assert read_identity(ISSUER, {**CLAIMS, **claims}, rules).role == "manager"


@pytest.mark.parametrize(
    ("claims", "rules", "sentence"),
    [
        ({"sub": None}, RULES, "“sub” is missing"),
        ({"sub": ""}, RULES, "“sub” is missing"),
        ({"email": None}, RULES, "no mail address"),
        ({"email": "nowhere"}, RULES, "no mail address"),
        ({"email_verified": False}, RULES, "has not verified"),
        ({"email_verified": None}, RULES, "has not verified"),
        ({"email_verified": "yes"}, RULES, "has not verified"),
        ({}, IdentityRules(allowed_domains=frozenset({"y.example"})), "x.example may not sign in"),
        (
            {"email": "kim@y.example@x.example"},
            IdentityRules(allowed_domains=frozenset({"y.example"})),
            "may not",
        ),
        ({"groups": ["other"]}, IdentityRules(roles=ROLES_OF_GROUPS), "no role here"),
        ({}, IdentityRules(roles=ROLES_OF_GROUPS), "no role here"),
        ({"realm": "x"}, IdentityRules(role_claim="realm.roles", roles=ROLES_OF_GROUPS), "no role here"),
    ],
)
def test_claims_that_sign_nobody_in_say_why(
    claims: dict[str, Any], rules: IdentityRules, sentence: str
) -> None:
    with pytest.raises(IdentityRefused, match=sentence):
        read_identity(ISSUER, {**CLAIMS, **claims}, rules)


def test_a_provider_that_never_verifies_addresses_can_be_trusted_with_them() -> None:
    rules = IdentityRules(needs_verified_email=False)
    assert read_identity(ISSUER, {**CLAIMS, "email_verified": None}, rules).email == "kim@x.example"

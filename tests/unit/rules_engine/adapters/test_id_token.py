"""ID tokens: what is not for us, not of our provider, not of this sign-in, or not signed, proves nothing."""

from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

from services.rules_engine.adapters.id_token import Expected, KeyUnknown, TokenRefused, read_id_token

NOW = 1_800_000_000
EXPECTED = Expected("https://login.example", "drumbeat", "n-1", NOW)
KEY = RSAKey.generate_key(2048, {"kid": "one"})
OTHER = RSAKey.generate_key(2048, {"kid": "one"})
NEWER = ECKey.generate_key("P-256", {"kid": "two"})
KEYS = KeySet.import_key_set({"keys": [KEY.as_dict(private=False)]})
CLAIMS: dict[str, Any] = {
    "iss": EXPECTED.issuer, "aud": "drumbeat", "sub": "s1", "nonce": "n-1", "iat": NOW - 2, "exp": NOW + 300,
}  # fmt: skip


def sign(claims: dict[str, Any], key: Any = KEY, algorithm: str = "RS256") -> str:
    return jwt.encode({"alg": algorithm, "kid": key.kid}, claims, key, algorithms=[algorithm])


def test_a_token_of_the_provider_for_us_and_this_sign_in_is_read() -> None:
    assert read_id_token(sign(CLAIMS), KEYS, EXPECTED)["sub"] == "s1"
    several = {**CLAIMS, "aud": ["other", "drumbeat"], "azp": "drumbeat"}
    assert read_id_token(sign(several), KEYS, EXPECTED)["sub"] == "s1"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"iss": "https://evil.example"}, "another provider"),
        ({"iss": None}, "another provider"),
        ({"aud": "other"}, "another application"),
        ({"aud": ["other"]}, "another application"),
        ({"aud": ["drumbeat", "other"]}, "another application"),
        ({"azp": "other"}, "another application"),
        ({"nonce": "n-2"}, "another sign-in"),
        ({"nonce": None}, "another sign-in"),
        ({"exp": NOW - 61}, "has expired"),
        ({"iat": NOW + 61}, "of the future"),
        ({"iat": NOW - 601}, "not new"),
        ({"nbf": NOW + 61}, "not valid yet"),
        ({"sub": None}, "“sub” is missing or wrong"),
    ],
)
def test_a_token_that_is_not_for_this_sign_in_is_refused(changed: dict[str, Any], reason: str) -> None:
    claims = {name: value for name, value in {**CLAIMS, **changed}.items() if value is not None}
    with pytest.raises(TokenRefused, match=reason):
        read_id_token(sign(claims), KEYS, EXPECTED)


@pytest.mark.parametrize(
    "token",
    [
        sign(CLAIMS, OTHER),
        sign(CLAIMS)[:-8] + "AAAAAAAA",
        "eyJhbGciOiJub25lIn0." + sign(CLAIMS).split(".")[1] + ".",
        jwt.encode({"alg": "HS256"}, CLAIMS, OctKey.import_key(str(KEY.as_dict(private=False)["n"]))),
        "nothing",
        "",
    ],
)
def test_a_token_that_is_not_signed_by_the_provider_is_refused(token: str) -> None:
    with pytest.raises(TokenRefused):
        read_id_token(token, KEYS, EXPECTED)


def test_a_key_that_is_not_there_yet_is_asked_for_again() -> None:
    with pytest.raises(KeyUnknown):
        read_id_token(sign(CLAIMS, NEWER, "ES256"), KEYS, EXPECTED)

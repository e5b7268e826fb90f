"""ID tokens: signature and claims, checked as OpenID Connect Core 1.0, 3.1.3.7 says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from joserfc import jwt
from joserfc.errors import ClaimError, ExpiredTokenError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures with a private key (RFC 7518, RFC 8037); never `none`, and no shared secret."""
LEEWAY_SECONDS: Final = 60  # real seconds by which the clocks of both may differ
MOST_AGE_SECONDS: Final = 600
"""A token of a code that was just redeemed is new, whatever its end."""
SENTENCES: Final = {
    "iss": "it was issued by another provider",
    "aud": "it was issued for another application",
    "azp": "it was issued for another application",
    "nonce": "it belongs to another sign-in",
    "exp": "it has expired",
    "iat": "it is not new, or of the future: the clocks of both servers may differ",
    "nbf": "it is not valid yet: the clocks of both servers may differ",
}


class TokenRefused(Exception):
    """The token proves nothing; the message goes on after "The answer of your identity provider is not valid: "."""


class KeyUnknown(Exception):
    """The token is signed under a key that is not among these; the provider may have new ones."""


@dataclass(frozen=True, slots=True)
class Expected:
    """`now`: real time in seconds."""

    issuer: str
    client_id: str
    nonce: str
    now: int


def read_id_token(token: str, keys: KeySet, expected: Expected) -> Mapping[str, object]:
    """The claims. Raises TokenRefused and KeyUnknown."""
    try:
        claims = jwt.decode(token, keys, algorithms=ALGORITHMS).claims
    except InvalidKeyIdError as unknown:
        raise KeyUnknown from unknown
    except (JoseError, ValueError, TypeError) as problem:
        raise TokenRefused(f"its signature is not right ({type(problem).__name__})") from problem
    _check_claims(claims, expected)
    return claims


def _check_claims(claims: dict[str, object], expected: Expected) -> None:
    registry = jwt.JWTClaimsRegistry(
        now=expected.now,
        leeway=LEEWAY_SECONDS,
        iss={"essential": True, "value": expected.issuer},
        aud={"essential": True, "value": expected.client_id},
        nonce={"essential": True, "value": expected.nonce},
        exp={"essential": True},
        iat={"essential": True},
        sub={"essential": True},
    )
    try:
        registry.validate(claims)
    except ExpiredTokenError as expired:
        raise TokenRefused(SENTENCES["exp"]) from expired
    except ClaimError as problem:
        reason = SENTENCES.get(str(problem.claim), f"the claim “{problem.claim}” is missing or wrong")
        raise TokenRefused(reason) from problem
    if expected.now - cast("float", claims["iat"]) > MOST_AGE_SECONDS:
        raise TokenRefused(SENTENCES["iat"])
    several = isinstance(claims["aud"], list) and len(cast("list[object]", claims["aud"])) > 1
    if claims.get("azp", expected.client_id if not several else None) != expected.client_id:
        raise TokenRefused(SENTENCES["azp"])

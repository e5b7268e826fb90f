"""What the providers' own published clients sign is taken: `stripe` 16.1.0 and `hubspot-api-client` 12.0.0 for Python.

The clients are no packages of this repository (83 MB); the signatures were computed with them. HubSpot's client signs the
address as it is, where the documentation decodes some escapes first: see `findings/hubspot-client-escaped-addresses.sh`.
"""

from datetime import UTC, datetime, timedelta

import pytest

from services.connectors.signatures.hubspot import check_hubspot
from services.connectors.signatures.request import Proof, SignedRequest
from services.connectors.signatures.stripe import check_stripe

BODIES = (
    '{"id":"evt_1","object":"event"}',
    '{"name":"Ünïcode — 日本","n":1e3}',
    "[]",
    '{"a":"line\\nbreak \\u2028"}',
)
BEGIN = 1_796_040_000  # seconds since 1970; each body is signed a minute after the one before
OF_STRIPE = (
    "1c39769eacd1138473e36f611983a432b584fb7e1b8a230cf75a5e97101d15ac",
    "a7e918de0060093c2a211fa0ca88db0f4cc04b51d95ce1b361088443d5fac5a5",
    "83baa9f2da268cba76eab2fe9b27be250c3a4dee5dbc9340d425c24af2bb9360",
    "32afa19f9b9cb05c870d20a76a6fda07cd0eddb10fcdc0afc4f101d60cfde617",
)
URL = "https://drumbeat.example/v1/webhooks/hubspot"
OF_HUBSPOT = (
    (URL, "xexJdvN5waftoydB9W+v9DmYtRx/Bhc+v+qJokpQ/1c="),
    (f"{URL}?team=a%40b", "CwYCcVcTF5Rib6s66pIv9wP2sP1i3hNBeCsUyBstzIc="),
    (URL.replace(".example", ".example:8443"), "Au1LTzOjmeU3lmWKqhyFQFPeriG4WAE2NIdpjsGMH0Q="),
    (f"{URL}?x=%C3%BC&y=1", "tWlNlXy9qoXYfArTukPlegRtPa3g/nNDyTN6YzIiNdY="),
)


def now_for(number: int) -> datetime:
    return datetime.fromtimestamp(BEGIN, UTC) + timedelta(minutes=number, seconds=30)


@pytest.mark.parametrize("number", range(4))
def test_what_the_client_of_stripe_signs_is_taken(number: int) -> None:
    headers = {"stripe-signature": f"t={BEGIN + 60 * number},v1={OF_STRIPE[number]}"}
    request = SignedRequest(BODIES[number].encode(), headers)
    assert check_stripe(request, Proof((f"whsec_test_{number}_of_four",)), now_for(number)) is None
    other = SignedRequest(BODIES[number].encode() + b" ", headers)
    assert check_stripe(other, Proof((f"whsec_test_{number}_of_four",)), now_for(number)) is not None


@pytest.mark.parametrize("number", range(4))
def test_what_the_client_of_hubspot_signs_is_taken(number: int) -> None:
    url, signature = OF_HUBSPOT[number]
    headers = {
        "x-hubspot-signature-v3": signature,
        "x-hubspot-request-timestamp": str(1000 * (BEGIN + 60 * number)),
    }
    request = SignedRequest(BODIES[number].encode(), headers, url=url)
    assert check_hubspot(request, Proof((f"hubspot-client-secret-{number}",)), now_for(number)) is None
    assert check_hubspot(request, Proof(("another secret",)), now_for(number)) is not None

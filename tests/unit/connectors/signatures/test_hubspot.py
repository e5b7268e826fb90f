"""HubSpot's signatures: the escapes that its documentation lists are decoded before signing, others are not."""

import base64
import hmac
from dataclasses import replace

import pytest

from services.connectors.signatures.hubspot import check_hubspot, decoded
from services.connectors.signatures.request import Proof
from tests.unit.connectors.signatures.senders import BODY, NOW, SECRET, hubspot


def test_the_listed_escapes_are_decoded_in_either_letter_case() -> None:
    listed = "%3A%2f%3F%40%21%24%27%28%29%2A%2c%3B"
    assert decoded(f"https://a.example/{listed}") == "https://a.example/:/?@!$'()*,;"
    assert decoded("https://a.example/%20%26%3D%25%C3%BC") == "https://a.example/%20%26%3D%25%C3%BC"


@pytest.mark.parametrize("url", ["https://other.example/v1/webhooks/hubspot", "http://drumbeat.example/v1"])
def test_a_signature_for_another_address_is_refused_and_the_setting_is_named(url: str) -> None:
    problem = check_hubspot(replace(hubspot(BODY, NOW), url=url), Proof((SECRET,)), NOW)
    assert problem is not None
    assert "__URL" in problem


def test_the_method_is_signed_too() -> None:
    assert check_hubspot(replace(hubspot(BODY, NOW), method="PUT"), Proof((SECRET,)), NOW) is not None


def test_the_address_as_hubspots_clients_sign_it_is_taken_as_well() -> None:
    signed = hubspot(BODY, NOW)
    stamp = signed.headers["x-hubspot-request-timestamp"]
    message = b"POST" + signed.url.encode() + BODY + stamp.encode()
    signature = base64.b64encode(hmac.digest(SECRET.encode(), message, "sha256")).decode()
    headers = {**signed.headers, "x-hubspot-signature-v3": signature}
    assert check_hubspot(replace(signed, headers=headers), Proof((SECRET,)), NOW) is None


def test_the_older_signatures_without_a_time_prove_nothing() -> None:
    digest = hmac.digest(SECRET.encode(), BODY, "sha256").hex()
    old = replace(hubspot(BODY, NOW), headers={"x-hubspot-signature": digest})
    assert check_hubspot(old, Proof((SECRET,)), NOW) is not None

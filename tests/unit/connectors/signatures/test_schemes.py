"""Every scheme takes what its sender signs, and nothing that is tampered with, stale, ahead, foreign or unsigned."""

import base64
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.connectors.signatures.request import SignedRequest
from services.connectors.signatures.schemes import SCHEMES, public_url
from tests.unit.connectors.signatures.senders import BODY, MINUTE, NOW, SECRET, SENDERS, URL, Sender

senders = pytest.mark.parametrize("sender", SENDERS, ids=lambda sender: sender.scheme)
timed = pytest.mark.parametrize(
    "sender", [sender for sender in SENDERS if sender.signs_time], ids=lambda sender: sender.scheme
)


def check(sender: Sender, request: SignedRequest, *secrets: str) -> str | None:
    proof = sender.with_secrets(*secrets) if secrets else sender.proof
    return SCHEMES[sender.scheme](request, proof, NOW)


@senders
def test_what_the_sender_signs_is_taken(sender: Sender) -> None:
    assert check(sender, sender.sign(BODY, NOW)) is None


@senders
def test_a_body_that_was_changed_is_refused(sender: Sender) -> None:
    signed = sender.sign(BODY, NOW)
    for body in (BODY + b" ", BODY[:-1], b"", BODY.replace(b"evt_1", b"evt_2")):
        assert check(sender, replace(signed, body=body)) is not None


@senders
def test_another_secret_is_refused(sender: Sender) -> None:
    assert check(sender, sender.sign(BODY, NOW, "another-secret")) is not None


@senders
def test_both_secrets_are_taken_while_a_sender_changes_over(sender: Sender) -> None:
    for secret in (sender.proof.secrets[0], "the-secret-before"):
        assert (
            check(sender, sender.sign(BODY, NOW, secret), sender.proof.secrets[0], "the-secret-before")
            is None
        )


@timed
@pytest.mark.parametrize("age", [6 * MINUTE, -6 * MINUTE, timedelta(days=400)])
def test_a_stale_request_and_one_from_the_future_are_refused(sender: Sender, age: timedelta) -> None:
    problem = check(sender, sender.sign(BODY, NOW - age))
    assert problem is not None
    assert "seconds" in problem


@timed
@pytest.mark.parametrize("age", [4 * MINUTE, -4 * MINUTE])
def test_clocks_may_differ_by_minutes(sender: Sender, age: timedelta) -> None:
    assert check(sender, sender.sign(BODY, NOW - age)) is None


@senders
def test_a_missing_header_is_named(sender: Sender) -> None:
    signed = sender.sign(BODY, NOW)
    for absent in signed.headers:
        rest = {name: value for name, value in signed.headers.items() if name != absent}
        problem = check(sender, replace(signed, headers=rest))
        assert problem is not None
    assert "is missing" in str(check(sender, replace(signed, headers={}))) or sender.scheme == "segment"


@senders
def test_a_signature_in_another_encoding_or_cut_is_refused(sender: Sender) -> None:
    signed = sender.sign(BODY, NOW)
    (name,) = (name for name in signed.headers if "signature" in name)
    value = signed.headers[name]
    digest = (re.findall(r"v1[=,]([A-Za-z0-9+/=]+)", value) or [value])[-1]
    others = [digest[:-4], digest[::-1], "ü", "\ud800", "", base64.b64encode(digest.encode()).decode()]
    for other in others:
        headers = {**signed.headers, name: value.replace(digest, other)}
        assert check(sender, replace(signed, headers=headers)) is not None, other


@given(st.data())
def test_no_header_of_strangers_raises_or_passes(data: st.DataObject) -> None:
    sender = data.draw(st.sampled_from(SENDERS))
    names = list(sender.sign(BODY, NOW).headers)
    headers = {name: data.draw(st.text(max_size=60)) for name in names}
    assert check(sender, SignedRequest(BODY, headers, url=URL)) is not None


def test_the_public_address_is_the_configured_one_whatever_the_query() -> None:
    assert public_url("https://a.example/x", "b=1") == "https://a.example/x?b=1"
    assert public_url("https://a.example/x?c=2", "b=1") == "https://a.example/x?c=2"
    assert public_url("https://a.example/x", "") == "https://a.example/x"


def test_only_schemes_with_a_secret_exist() -> None:
    for name, verify in SCHEMES.items():
        assert verify(SignedRequest(BODY, {}), SENDERS[0].with_secrets(SECRET), NOW), name

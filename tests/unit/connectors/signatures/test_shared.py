"""Senders that show a secret, Salesforce among them, and what Segment signs of a batch."""

import base64

import pytest

from services.connectors.signatures.request import Proof, SignedRequest
from services.connectors.signatures.shared import check_query, check_segment, check_token
from tests.unit.connectors.signatures.senders import BODY, NOW, SECRET, segment

PROOF = Proof((SECRET,), header="X-Token")


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {SECRET}"},
        {"authorization": basic(SECRET, "")},
        {"authorization": basic("anybody", SECRET)},
        {"x-token": SECRET},
    ],
)
def test_a_secret_may_be_shown_in_several_ways(headers: dict[str, str]) -> None:
    assert check_token(SignedRequest(BODY, headers), PROOF, NOW) is None
    assert check_segment(SignedRequest(BODY, headers), PROOF, NOW) is None


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer "},
        {"authorization": "Bearer wrong"},
        {"authorization": basic("", "")},
        {"authorization": "Basic ü"},
        {"authorization": f"Digest {SECRET}"},
        {"x-token": ""},
        {"x-token": SECRET[:-1]},
    ],
)
def test_anything_else_is_refused(headers: dict[str, str]) -> None:
    assert check_token(SignedRequest(BODY, headers), PROOF, NOW) is not None


@pytest.mark.parametrize(
    ("query", "is_taken"),
    [
        (f"secret={SECRET}", True),
        (f"a=1&secret={SECRET}", True),
        ("secret=wrong", False),
        ("", False),
        ("secret=", False),
        ("&" * 500, False),
    ],
)
def test_the_address_of_salesforce_has_the_secret(query: str, *, is_taken: bool) -> None:
    assert (check_query(SignedRequest(BODY, {}, query=query), PROOF, NOW) is None) is is_taken


def test_a_batch_of_which_only_the_first_event_is_signed_is_refused_with_what_to_do() -> None:
    """Segment's destination Webhooks (Actions) does this: the other events could be anybody's."""
    signed = segment(b'{"messageId": "1"}', NOW)
    batch = SignedRequest(b'[{"messageId": "1"}, {"messageId": "forged"}]', signed.headers)
    problem = check_segment(batch, PROOF, NOW)
    assert problem is not None
    assert "turn batching off" in problem

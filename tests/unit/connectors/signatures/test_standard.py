"""Standard Webhooks: the published library is the oracle; Ed25519 and the names of Svix."""

import base64
from dataclasses import replace
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from standardwebhooks import Webhook

from services.connectors.signatures.request import Proof, SignedRequest
from services.connectors.signatures.standard import check_standard
from tests.unit.connectors.signatures.senders import BODY, NOW, STANDARD_SECRET, standard


def test_what_the_published_library_signs_is_taken_and_it_takes_what_the_tests_sign() -> None:
    signature = Webhook(STANDARD_SECRET).sign("msg_9", NOW.astimezone(UTC), BODY.decode())
    headers = {
        "webhook-id": "msg_9",
        "webhook-timestamp": str(int(NOW.timestamp())),
        "webhook-signature": signature,
    }
    assert check_standard(SignedRequest(BODY, headers), Proof((STANDARD_SECRET,)), NOW) is None
    now = datetime.now(UTC)
    headers = dict(standard(BODY, now).headers)
    headers["webhook-signature"] = headers["webhook-signature"].removeprefix("v1,x ")
    assert Webhook(STANDARD_SECRET).verify(BODY, headers) == {"id": "evt_1", "name": "Ünïcode"}


def test_the_id_is_signed() -> None:
    signed = standard(BODY, NOW)
    headers = {**signed.headers, "webhook-id": "msg_2"}
    assert check_standard(replace(signed, headers=headers), Proof((STANDARD_SECRET,)), NOW) is not None


def test_the_headers_of_svix_are_read() -> None:
    signed = standard(BODY, NOW)
    headers = {name.replace("webhook-", "svix-"): value for name, value in signed.headers.items()}
    assert check_standard(replace(signed, headers=headers), Proof((STANDARD_SECRET,)), NOW) is None


def test_a_public_key_verifies_and_never_serves_as_a_shared_secret() -> None:
    key = Ed25519PrivateKey.generate()
    public = "whpk_" + base64.b64encode(key.public_key().public_bytes_raw()).decode()
    stamp = str(int(NOW.timestamp()))
    signature = base64.b64encode(key.sign(f"m.{stamp}.".encode() + BODY)).decode()
    headers = {"webhook-id": "m", "webhook-timestamp": stamp, "webhook-signature": f"v1a,{signature}"}
    proof = Proof((public,))
    assert check_standard(SignedRequest(BODY, headers), proof, NOW) is None
    assert check_standard(SignedRequest(BODY + b" ", headers), proof, NOW) is not None
    assert check_standard(standard(BODY, NOW, public), proof, NOW) is not None

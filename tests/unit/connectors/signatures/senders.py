"""What senders of webhooks do: sign a request, each in its own way, from their documentation."""

import base64
import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from services.connectors.signatures.request import Proof, SignedRequest

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
SECRET = "a-secret-of-thirty-two-characters"
STANDARD_SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
URL = "https://drumbeat.example/v1/webhooks/hubspot?from=a%40b"
BODY = '{"id": "evt_1", "name": "Ünïcode"}'.encode()


def _hmac(secret: bytes, message: bytes, name: str = "sha256") -> bytes:
    return hmac.digest(secret, message, name)


def stripe(body: bytes, at: datetime, secret: str = SECRET) -> SignedRequest:
    stamp = str(int(at.timestamp()))
    digest = _hmac(secret.encode(), f"{stamp}.".encode() + body).hex()
    return SignedRequest(body, {"stripe-signature": f"t={stamp},v1={digest},v0={'0' * 64}"})


def hubspot(body: bytes, at: datetime, secret: str = SECRET) -> SignedRequest:
    stamp = str(int(at.timestamp() * 1000))
    message = b"POST" + URL.replace("%40", "@").encode() + body + stamp.encode()
    signature = base64.b64encode(_hmac(secret.encode(), message)).decode()
    headers = {"x-hubspot-signature-v3": signature, "x-hubspot-request-timestamp": stamp}
    return SignedRequest(body, headers, url=URL)


def standard(body: bytes, at: datetime, secret: str = STANDARD_SECRET) -> SignedRequest:
    stamp = str(int(at.timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_")) if secret.startswith("whsec_") else secret.encode()
    signature = base64.b64encode(_hmac(key, f"msg_1.{stamp}.".encode() + body)).decode()
    headers = {"webhook-id": "msg_1", "webhook-timestamp": stamp, "webhook-signature": f"v1,x v1,{signature}"}
    return SignedRequest(body, headers)


def segment(body: bytes, at: datetime, secret: str = SECRET) -> SignedRequest:
    return SignedRequest(body, {"x-signature": _hmac(secret.encode(), body, "sha1").hex()})


def shared(body: bytes, at: datetime, secret: str = SECRET) -> SignedRequest:
    stamp = str(int(at.timestamp()))
    digest = base64.b64encode(_hmac(secret.encode(), f"v0:{stamp}:".encode() + body, "sha512")).decode()
    return SignedRequest(body, {"x-acme-signature": f"sha512={digest}", "x-acme-time": stamp})


SHARED_PROOF = Proof(
    (SECRET,),
    header="X-Acme-Signature",
    algorithm="sha512",
    encoding="base64",
    prefix="sha512=",
    signed="v0:{timestamp}:{body}",
    timestamp_header="X-Acme-Time",
)


@dataclass(frozen=True)
class Sender:
    """`signs_time`: a repetition of an old request is refused by its age."""

    scheme: str
    sign: Callable[..., SignedRequest]
    proof: Proof
    signs_time: bool = True

    def with_secrets(self, *secrets: str) -> Proof:
        return replace(self.proof, secrets=secrets)


SENDERS = (
    Sender("stripe", stripe, Proof((SECRET,))),
    Sender("hubspot", hubspot, Proof((SECRET,))),
    Sender("standard", standard, Proof((STANDARD_SECRET,))),
    Sender("segment", segment, Proof((SECRET,)), signs_time=False),
    Sender("hmac", shared, SHARED_PROOF),
)
MINUTE = timedelta(minutes=1)

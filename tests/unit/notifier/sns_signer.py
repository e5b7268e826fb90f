"""Signs messages as Amazon SNS does, under a certificate of its own that it also publishes."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from services.notifier.domain.sns_message import SnsMessage

TOPIC = "arn:aws:sns:eu-central-1:123456789012:mail-events"
CERTIFICATE_URL = "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123abcd.pem"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class SnsSigner:
    """`number`: of its key. `fetched`: the addresses that were asked for."""

    def __init__(self, number: int = 0) -> None:
        self._key, self.certificate = _key_and_certificate(number)
        self.fetched: list[str] = []

    async def fetch(self, url: str) -> bytes:
        self.fetched.append(url)
        return self.certificate.public_bytes(Encoding.PEM)

    def sign(self, fields: Mapping[str, str]) -> dict[str, str]:
        """The fields with those that every message has, and the signature over them all."""
        whole = {
            "Type": "Notification",
            "MessageId": "m1",
            "TopicArn": TOPIC,
            "Message": "{}",
            "Timestamp": "2026-03-02T11:59:58.123Z",
            "SignatureVersion": "2",
            "SigningCertURL": CERTIFICATE_URL,
            **fields,
        }
        algorithm = hashes.SHA1() if whole["SignatureVersion"] == "1" else hashes.SHA256()  # noqa: S303 - SNS version 1
        signature = self._key.sign(SnsMessage(whole).signed_text, PKCS1v15(), algorithm)
        return {**whole, "Signature": base64.b64encode(signature).decode()}


@cache
def _key_and_certificate(_number: int) -> tuple[RSAPrivateKey, x509.Certificate]:
    key = generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1)
    builder = builder.not_valid_before(NOON - timedelta(days=1)).not_valid_after(NOON + timedelta(days=1))
    return key, builder.sign(key, hashes.SHA256())

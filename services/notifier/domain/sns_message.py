"""Messages of Amazon SNS, and the proof that SNS sent them: a signature under a certificate of Amazon's.

The fields and their order are those of the SNS documentation, "Verifying the signatures of Amazon SNS messages".
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

OLDEST: Final = timedelta(hours=1)
"""SNS repeats a delivery for less than that."""
AHEAD: Final = timedelta(minutes=5)
_HOST: Final = re.compile(r"sns\.[a-z]{2}(-[a-z]+)+-\d{1,2}\.amazonaws\.com(\.cn)?")
_CERTIFICATE: Final = re.compile(r"/SimpleNotificationService-[0-9a-zA-Z]{1,64}\.pem")
_SIGNED: Final = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type",
    ),
    "UnsubscribeConfirmation": (
        "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type",
    ),
}  # fmt: skip


class ProofRejected(Exception):
    """The sender does not prove who they are; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class SnsMessage:
    """The fields of a message as texts. Nothing of them is proved until `check_signature` was passed."""

    fields: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.fields.get(name, "")

    @property
    def type(self) -> str:
        return self["Type"]

    @property
    def signed_text(self) -> bytes:
        """Name and value of each field that is signed, on lines of their own; an absent subject is left out."""
        names = [name for name in _SIGNED[self.type] if name != "Subject" or name in self.fields]
        return "".join(f"{name}\n{self[name]}\n" for name in names).encode()


def check_claims(message: SnsMessage, topic_arn: str | None, now: datetime) -> None:
    """What can be checked without the certificate. Raises ProofRejected."""
    if topic_arn is None:
        raise ProofRejected("DRUMBEAT_INBOUND__SES_TOPIC_ARN is not set: no topic is trusted")
    if message.type not in _SIGNED:
        raise ProofRejected("Type is none of SNS")
    if message["TopicArn"] != topic_arn:
        raise ProofRejected("TopicArn is another topic than the one of DRUMBEAT_INBOUND__SES_TOPIC_ARN")
    if message["SignatureVersion"] not in ("1", "2"):
        raise ProofRejected("SignatureVersion has to be 1 or 2")
    at = _instant(message["Timestamp"])
    if at is None or not now - OLDEST <= at <= now + AHEAD:
        raise ProofRejected("Timestamp is not of the last hour")
    if not is_certificate_url(message["SigningCertURL"]):
        raise ProofRejected("SigningCertURL is no certificate of SNS")


def check_signature(message: SnsMessage, certificate: x509.Certificate, now: datetime) -> None:
    """Raises ProofRejected."""
    key = certificate.public_key()
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise ProofRejected("the certificate is not valid now")
    if not isinstance(key, RSAPublicKey):
        raise ProofRejected("the certificate has no RSA key")
    algorithm = hashes.SHA1() if message["SignatureVersion"] == "1" else hashes.SHA256()  # noqa: S303 - SNS version 1
    try:
        signature = base64.b64decode(message["Signature"], validate=True)
        key.verify(signature, message.signed_text, PKCS1v15(), algorithm)
    except (binascii.Error, ValueError, InvalidSignature) as problem:
        raise ProofRejected("the signature does not fit the message") from problem


def is_certificate_url(url: str) -> bool:
    """Whether SNS itself publishes its certificates there: nobody else may put a file below such a name."""
    return is_sns_url(url) and _CERTIFICATE.fullmatch(urlsplit(url).path) is not None and "?" not in url


def is_sns_url(url: str) -> bool:
    """Whether it leads to SNS, over HTTPS at the usual port."""
    if not url.isprintable() or " " in url:
        return False  # the parser leaves some characters out
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    is_plain = (
        parts.username is None and parts.password is None and port in (None, 443) and not parts.fragment
    )
    return parts.scheme == "https" and is_plain and _HOST.fullmatch(parts.hostname or "") is not None


def _instant(text: str) -> datetime | None:
    """In UTC; None: it is no instant with a zone."""
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None

"""A message counts as of SNS when Amazon's certificate signs it, lately and for our topic."""

from datetime import timedelta

import pytest

from services.notifier.domain.sns_message import (
    ProofRejected,
    SnsMessage,
    check_claims,
    check_signature,
    is_certificate_url,
    is_sns_url,
)
from tests.unit.notifier.sns_signer import CERTIFICATE_URL, NOON, TOPIC, SnsSigner

SIGNER = SnsSigner()


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("more", [{}, {"Subject": "News"}, {"Subject": ""}])
def test_a_signed_message_is_accepted_in_both_versions(version: str, more: dict[str, str]) -> None:
    message = SnsMessage(SIGNER.sign({"SignatureVersion": version, **more}))

    check_claims(message, TOPIC, NOON)
    check_signature(message, SIGNER.certificate, NOON)

    assert message["SignatureVersion"] == version


def test_the_text_that_is_signed_is_that_of_the_documentation() -> None:
    fields = {"Type": "Notification", "MessageId": "m", "TopicArn": "t", "Message": "x", "Timestamp": "s"}

    assert SnsMessage(fields).signed_text == (
        b"Message\nx\nMessageId\nm\nTimestamp\ns\nTopicArn\nt\nType\nNotification\n"
    )
    with_subject = SnsMessage({**fields, "Subject": "u"}).signed_text
    assert with_subject.startswith(b"Message\nx\nMessageId\nm\nSubject\nu\nTimestamp\n")
    confirmation = SnsMessage(
        {**fields, "Type": "SubscriptionConfirmation", "Token": "k", "SubscribeURL": "l"}
    )
    assert confirmation.signed_text == (
        b"Message\nx\nMessageId\nm\nSubscribeURL\nl\nTimestamp\ns\nToken\nk\nTopicArn\nt\n"
        b"Type\nSubscriptionConfirmation\n"
    )


@pytest.mark.parametrize("field", ["Message", "MessageId", "Timestamp", "Signature", "Subject"])
def test_a_changed_field_is_refused(field: str) -> None:
    signed = SIGNER.sign({"Subject": "News"})
    message = SnsMessage({**signed, field: "AAAA"})

    with pytest.raises(ProofRejected, match="the signature does not fit"):
        check_signature(message, SIGNER.certificate, NOON)


def test_a_signature_by_another_key_is_refused() -> None:
    message = SnsMessage(SnsSigner(1).sign({}))

    with pytest.raises(ProofRejected):
        check_signature(message, SIGNER.certificate, NOON)


def test_a_certificate_counts_while_it_is_valid() -> None:
    message = SnsMessage(SIGNER.sign({}))

    for at in (NOON + timedelta(days=2), NOON - timedelta(days=2)):
        with pytest.raises(ProofRejected, match="not valid now"):
            check_signature(message, SIGNER.certificate, at)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"TopicArn": TOPIC + "-other"}, "another topic"),
        ({"SignatureVersion": "3"}, "SignatureVersion"),
        ({"SignatureVersion": ""}, "SignatureVersion"),
        ({"Type": "Other"}, "Type"),
        ({"Timestamp": "2026-03-02T10:59:59Z"}, "Timestamp"),
        ({"Timestamp": "2026-03-02T12:06:00Z"}, "Timestamp"),
        ({"Timestamp": "2026-03-02T12:00:00"}, "Timestamp"),
        ({"Timestamp": "yesterday"}, "Timestamp"),
        ({"SigningCertURL": "https://sns.eu-central-1.amazonaws.com.evil.example/x.pem"}, "SigningCertURL"),
    ],
)
def test_claims_that_do_not_hold_are_refused_before_anything_is_fetched(
    fields: dict[str, str], problem: str
) -> None:
    message = SnsMessage({**SIGNER.sign({}), **fields})

    with pytest.raises(ProofRejected, match=problem):
        check_claims(message, TOPIC, NOON)


def test_without_a_topic_in_the_settings_no_message_is_trusted() -> None:
    with pytest.raises(ProofRejected, match="DRUMBEAT_INBOUND__SES_TOPIC_ARN"):
        check_claims(SnsMessage(SIGNER.sign({})), None, NOON)


@pytest.mark.parametrize(
    "url",
    [
        CERTIFICATE_URL.replace("https", "http"),
        CERTIFICATE_URL.replace(".com/", ".com:8443/"),
        CERTIFICATE_URL.replace("https://", "https://sns.eu-central-1.amazonaws.com@evil.example:443/"),
        CERTIFICATE_URL.replace("eu-central-1", "s3"),
        CERTIFICATE_URL.replace("sns.eu-central-1", "sns.s3-eu-central-1"),
        CERTIFICATE_URL.replace("sns.eu-central-1", "sns.s3.eu-central-1"),
        CERTIFICATE_URL.replace("sns.", "evil-sns."),
        CERTIFICATE_URL.replace("/Simple", "/other/Simple"),
        CERTIFICATE_URL + "?x=.pem",
        CERTIFICATE_URL + "#x",
        CERTIFICATE_URL + "\n",
        "https://[::1",
        "",
    ],
)
def test_a_certificate_from_elsewhere_is_refused(url: str) -> None:
    assert not is_certificate_url(url)


@pytest.mark.parametrize("region", ["us-east-1", "us-gov-west-1", "ap-southeast-12"])
def test_every_region_publishes_its_certificate(region: str) -> None:
    assert is_certificate_url(CERTIFICATE_URL.replace("eu-central-1", region))
    assert is_sns_url(f"https://sns.{region}.amazonaws.com/?Action=ConfirmSubscription&Token=x")
    assert is_certificate_url(
        CERTIFICATE_URL.replace("eu-central-1.amazonaws.com", "cn-north-1.amazonaws.com.cn")
    )

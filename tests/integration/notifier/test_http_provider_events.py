"""Events of mail providers: facts by what the mail took along, once, and only with the proof of the provider."""

import base64
from typing import Any

import orjson
import pytest

from services.chassis.private_targets import EVERYTHING, NONE
from services.notifier.adapters.channels.sns import guarded_fetch
from services.notifier.application.provider_proof import ProofUnavailable
from tests.integration.notifier.conftest import POSTMARK_SECRET, Notifier
from tests.integration.notifier.receivers import Receiver
from tests.integration.notifier.test_http_inbound import begin_with_mail, engagements, post
from tests.unit.notifier.inbound_mails import gmail_reply
from tests.unit.notifier.sns_signer import CERTIFICATE_URL, TOPIC

pytestmark = pytest.mark.integration

ANN = "ann@acme.example"
BASIC = {"Authorization": "Basic " + base64.b64encode(f"postmark:{POSTMARK_SECRET}".encode()).decode()}


async def postmark(notifier: Notifier, document: Any, headers: dict[str, str] = BASIC) -> Any:
    body = document if isinstance(document, bytes) else orjson.dumps(document)
    return await notifier.http.post("/v1/inbound/postmark", content=body, headers=headers)


async def ses(notifier: Notifier, event: Any, **fields: str) -> Any:
    message = notifier.sns.sign({"Message": orjson.dumps(event).decode(), **fields})
    return await notifier.http.post(
        "/v1/inbound/ses",
        content=orjson.dumps(message),
        headers={"Content-Type": "text/plain; charset=UTF-8"},
    )


def postmark_event(delivery_id: str, record: str, **more: Any) -> dict[str, Any]:
    return {
        "RecordType": record,
        "ID": 42,
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "ServerID": 23,
        "MessageStream": "outbound",
        "Metadata": {"drumbeat-delivery": delivery_id},
        "Email": ANN,
        **more,
    }


def ses_event(delivery_id: str, kind: str, **details: Any) -> dict[str, Any]:
    return {
        "notificationType": kind,
        "mail": {
            "timestamp": "2026-03-02T11:59:00.000Z",
            "messageId": "0107000000000000-aaaa-000000",
            "destination": [ANN],
            "headersTruncated": False,
            "headers": [
                {"name": "Message-ID", "value": f"<{delivery_id}@vendor.example>"},
                {"name": "X-Drumbeat-Delivery", "value": delivery_id},
            ],
            "commonHeaders": {"messageId": f"<{delivery_id}@vendor.example>", "subject": "A tip"},
        },
        kind.lower(): {"feedbackId": "f1", "timestamp": "2026-03-02T11:59:30.000Z", **details},
    }


@pytest.mark.parametrize(
    ("record", "more", "kind", "bounce"),
    [
        ("Bounce", {"Type": "HardBounce", "TypeCode": 1}, "bounced", "hard"),
        ("Bounce", {"Type": "BadEmailAddress"}, "bounced", "hard"),
        ("Bounce", {"Type": "SoftBounce"}, "bounced", "soft"),
        ("Bounce", {"Type": "Transient"}, "bounced", "soft"),
        ("Bounce", {"Type": "SpamComplaint"}, "complained", None),
        ("SpamComplaint", {"Type": "SpamComplaint"}, "complained", None),
        ("Delivery", {"Email": None, "Recipient": ANN}, "delivered", None),
        (
            "SubscriptionChange",
            {"Recipient": ANN, "Origin": "Recipient", "SuppressSending": True},
            "unsubscribed",
            None,
        ),
    ],
)
async def test_an_event_of_postmark_is_a_fact(
    notifier: Notifier, record: str, more: dict[str, Any], kind: str, bounce: str | None
) -> None:
    delivery_id = await begin_with_mail(notifier)
    first = await postmark(notifier, postmark_event(delivery_id, record, **more))
    second = await postmark(notifier, postmark_event(delivery_id, record, **more))

    assert first.status_code == 202, first.text
    assert (first.json()["counted"], first.json()["delivery_id"]) == (True, delivery_id)
    assert first.json() == second.json()
    (engaged,) = await engagements(notifier)
    assert (engaged["kind"], engaged.get("bounce")) == (kind, bounce)


@pytest.mark.parametrize(
    "document",
    [
        postmark_event("x", "Bounce", Type="AutoResponder"),
        postmark_event("x", "Open"),
        postmark_event("x", "SubscriptionChange", Origin="Customer", SuppressSending=True),
        postmark_event("x", "SubscriptionChange", Origin="Recipient", SuppressSending=False),
        postmark_event(
            "x",
            "SubscriptionChange",
            Origin="Recipient",
            SuppressSending=True,
            SuppressionReason="HardBounce",
        ),
        {},
        {"RecordType": ["x"], "Metadata": 3, "Headers": [1, {"Name": 2}]},
        {"RecordType": "Bounce", "MessageID": "\x00", "Email": None},
    ],
)
async def test_other_events_are_accepted_and_do_not_count(notifier: Notifier, document: Any) -> None:
    answer = await postmark(notifier, document)

    assert answer.status_code == 202, answer.text
    assert not answer.json()["counted"]


async def test_the_secret_may_also_stand_in_a_header(notifier: Notifier) -> None:
    answer = await postmark(notifier, {}, {"X-Drumbeat-Secret": POSTMARK_SECRET})

    assert answer.status_code == 202


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": ""},
        {"Authorization": "Basic"},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic " + base64.b64encode(b"\xff:\xff").decode()},
        {"Authorization": "Basic " + base64.b64encode(b"postmark:wrong").decode()},
        {"Authorization": f"Bearer {POSTMARK_SECRET}"},
        {"X-Drumbeat-Secret": "wrong", **BASIC},
    ],
)
async def test_an_event_of_postmark_without_the_secret_is_refused(
    notifier: Notifier, headers: dict[str, str]
) -> None:
    delivery_id = await begin_with_mail(notifier)
    answer = await postmark(notifier, postmark_event(delivery_id, "SpamComplaint"), headers)

    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert await engagements(notifier) == []


@pytest.mark.parametrize(
    ("kind", "details", "engaged", "bounce"),
    [
        (
            "Bounce",
            {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": ANN}]},
            "bounced",
            "hard",
        ),
        ("Bounce", {"bounceType": "Transient", "bouncedRecipients": []}, "bounced", "soft"),
        ("Complaint", {"complaintFeedbackType": "abuse"}, "complained", None),
        ("Delivery", {"recipients": [ANN]}, "delivered", None),
    ],
)
@pytest.mark.parametrize("version", ["1", "2"])
async def test_an_event_of_ses_is_a_fact(
    notifier: Notifier, kind: str, details: dict[str, Any], engaged: str, bounce: str | None, version: str
) -> None:
    delivery_id = await begin_with_mail(notifier)
    event = ses_event(delivery_id, kind, **details)
    first = await ses(notifier, event, SignatureVersion=version)
    second = await ses(notifier, event, SignatureVersion=version)

    assert first.status_code == 202, first.text
    assert first.json()["counted"]
    assert first.json() == second.json()
    (fact,) = await engagements(notifier)
    assert (fact["kind"], fact.get("bounce")) == (engaged, bounce)
    assert notifier.sns.fetched == [CERTIFICATE_URL]


async def test_a_reply_that_names_the_id_of_ses_is_matched_by_what_ses_reported(notifier: Notifier) -> None:
    delivery_id = await begin_with_mail(notifier)
    own_id = f"{delivery_id}@vendor.example".encode()
    reply = gmail_reply(delivery_id).replace(
        own_id, b"0107000000000000-aaaa-000000@eu-central-1.amazonses.com"
    )
    before = await post(notifier, reply)
    await ses(notifier, ses_event(delivery_id, "Delivery", recipients=[ANN]))
    after = await post(notifier, reply)

    assert (before["counted"], before["reason"]) == (False, "it names no mail that Drumbeat sent")
    assert (after["counted"], after["delivery_id"]) == (True, delivery_id)


async def test_a_bounce_of_ses_for_another_address_does_not_count(notifier: Notifier) -> None:
    delivery_id = await begin_with_mail(notifier)
    others = [{"emailAddress": "eve@acme.example"}]
    answer = await ses(
        notifier, ses_event(delivery_id, "Bounce", bounceType="Permanent", bouncedRecipients=others)
    )

    assert not answer.json()["counted"]
    assert await engagements(notifier) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"TopicArn": "arn:aws:sns:eu-central-1:999999999999:mail-events"},
        {"Timestamp": "2026-03-02T10:00:00Z"},
        {"SigningCertURL": "https://evil.example/SimpleNotificationService-1.pem"},
    ],
)
async def test_an_event_of_ses_without_proof_is_refused(notifier: Notifier, fields: dict[str, str]) -> None:
    delivery_id = await begin_with_mail(notifier)
    answer = await ses(notifier, ses_event(delivery_id, "Complaint"), **fields)

    assert answer.status_code == 401
    assert notifier.sns.fetched == []
    assert await engagements(notifier) == []


async def test_a_forged_event_of_ses_is_refused(notifier: Notifier) -> None:
    delivery_id = await begin_with_mail(notifier)
    signed = notifier.sns.sign({"Message": "{}"})
    forged = {**signed, "Message": orjson.dumps(ses_event(delivery_id, "Complaint")).decode()}
    for message in (forged, {**signed, "Signature": "AAAA"}, {**signed, "Signature": None}, {}):
        answer = await notifier.http.post("/v1/inbound/ses", content=orjson.dumps(message))
        assert answer.status_code == 401
    assert await engagements(notifier) == []


async def test_the_subscription_to_our_topic_is_confirmed(notifier: Notifier) -> None:
    url = f"https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=x"
    fields = {"Type": "SubscriptionConfirmation", "Token": "x", "SubscribeURL": url}
    answer = await ses(notifier, {}, **fields)

    assert (answer.status_code, answer.json()["kind"]) == (202, "subscription")
    assert notifier.sns.fetched == [CERTIFICATE_URL, url]


async def test_a_subscription_elsewhere_is_not_confirmed(notifier: Notifier) -> None:
    fields = {"Type": "SubscriptionConfirmation", "Token": "x", "SubscribeURL": "https://evil.example/"}
    answer = await ses(notifier, {}, **fields)

    assert answer.status_code == 401
    assert notifier.sns.fetched == [CERTIFICATE_URL]


@pytest.mark.parametrize("path", ["postmark", "ses"])
@pytest.mark.parametrize("body", [b"", b"[1]", b"{", b"\xff"])
async def test_what_is_no_json_object_is_refused(notifier: Notifier, path: str, body: bytes) -> None:
    answer = await notifier.http.post(f"/v1/inbound/{path}", content=body, headers=BASIC)

    assert answer.status_code == 400


async def test_certificates_are_fetched_by_the_rules_of_webhooks(receiver: Receiver) -> None:
    with pytest.raises(ProofUnavailable):
        await guarded_fetch(NONE)(receiver.url)  # an address of our own machine
    with pytest.raises(ProofUnavailable, match="answers 405"):
        await guarded_fetch(EVERYTHING)(receiver.url)

"""Events of mail providers are read from whatever JSON they send."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.mail_reports import Bounce, Complaint
from services.notifier.domain.provider_events import EngagementReport, ProviderReport, read_postmark, read_ses

NAMES = [
    "RecordType", "Type", "ID", "MessageID", "Metadata", "drumbeat-delivery", "Headers", "Name", "Value", "Email",
    "Recipient", "SuppressSending", "Origin", "SuppressionReason", "notificationType", "mail", "headers", "name",
    "value", "commonHeaders", "messageId", "bounce", "complaint", "delivery", "bouncedRecipients", "emailAddress",
    "bounceType", "recipients", "feedbackId", "UserAgent", "OriginalLink", "userAgent", "link", "open", "click",
]  # fmt: skip
WORDS = [
    "Bounce", "SpamComplaint", "Delivery", "SubscriptionChange", "Complaint", "HardBounce", "Permanent", "Recipient",
    "X-Drumbeat-Delivery", "Open", "Click", "<a@b>", "\x00", "ann@acme.example",
]  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.sampled_from(WORDS) | st.text()
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=8)


@given(DOCUMENTS)
def test_no_document_raises_an_error(document: dict[str, object]) -> None:
    for read in (read_postmark, read_ses):
        event = read(document)
        assert "\x00" not in event.id
        event.id.encode()
        assert event.content is None or isinstance(
            event.content, Bounce | Complaint | ProviderReport | EngagementReport
        )
        if event.content is not None:
            assert all(orjson.dumps(one) for one in event.content.message_ids)


def test_what_postmark_keeps_with_the_mail_names_it_before_its_own_id() -> None:
    event = read_postmark(
        {"RecordType": "SpamComplaint", "MessageID": "their-id", "Metadata": {"drumbeat-delivery": "our-id"}}
    )

    assert event.content == Complaint(["our-id", "their-id"])


def test_our_header_names_a_mail_of_ses_before_its_message_id() -> None:
    headers = [{"name": "x-drumbeat-delivery", "value": "our-id"}, {"name": "Message-ID", "value": "<a@b>"}]
    event = read_ses({"eventType": "Complaint", "mail": {"headers": headers}, "complaint": {}})

    assert event.content == Complaint(["our-id", "a@b"])


def test_two_reports_about_one_mail_are_two_events() -> None:
    reports = [{"RecordType": "Bounce", "MessageID": "m", "ID": number} for number in (1, 2)]
    later = [
        {"notificationType": "Bounce", "mail": {"messageId": "m"}, "bounce": {"feedbackId": one}}
        for one in "ab"
    ]

    assert len({read_postmark(report).id for report in reports}) == 2
    assert len({read_ses(report).id for report in later}) == 2


AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PROXY = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"


@pytest.mark.parametrize(("agent", "is_automatic"), [(AGENT, False), (PROXY, True), ("", True)])
def test_opens_and_clicks_say_whether_a_machine_made_them(agent: str, *, is_automatic: bool) -> None:
    postmark = {"MessageID": "m", "Recipient": "ann@acme.example", "UserAgent": agent}
    opened = read_postmark({"RecordType": "Open", **postmark})
    clicked = read_postmark({"RecordType": "Click", "OriginalLink": "https://a.example/x", **postmark})
    details = {"userAgent": agent, "link": "https://a.example/x"}
    by_ses = read_ses({"eventType": "Click", "mail": {"messageId": "m"}, "click": details})

    address = ["ann@acme.example"]
    assert opened.content == EngagementReport(["m"], address, "opened", is_automatic)
    assert clicked.content == EngagementReport(["m"], address, "clicked", is_automatic, "https://a.example/x")
    assert by_ses.content == EngagementReport([], [], "clicked", is_automatic, "https://a.example/x")
    assert by_ses.provider_id == "m"


def test_every_open_of_a_mail_is_one_event_and_a_click_another() -> None:
    events = [
        read_postmark({"RecordType": kind, "MessageID": "m", "ReceivedAt": at, "UserAgent": AGENT})
        for kind in ("Open", "Click")
        for at in ("2026-03-02T12:00:00Z", "2026-03-02T13:00:00Z")
    ]

    assert len({event.id for event in events}) == 2

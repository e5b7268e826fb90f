"""News of an endpoint to who operates it: times in words, and an address that can be called as it stands."""

from datetime import timedelta

import pytest

from schemas.subscriptions import SubscriptionNews
from services.notifier.application.service_mail import MailKind, ServiceMail, write_endpoint_news
from tests.unit.notifier.owner_claims import MONDAY, sending

SINCE = "since Monday, 30 November 2026 at 06:30 UTC"


def write(**more: object) -> str:
    fields = {"subscription_id": "s1", "host": "hooks.example", "problem": "500", "at": MONDAY, **more}
    news = SubscriptionNews.model_validate(fields)
    mail = ServiceMail("m1", MailKind.ENDPOINT, "ops@hooks.example", news.write(), 0)
    return write_endpoint_news(mail, sending().customers.writer).message.text


def test_a_warning_says_in_words_since_when_it_fails_and_when_it_is_disabled() -> None:
    text = write(state="failing", failing_since=MONDAY, disables_at=MONDAY + timedelta(days=5))

    assert SINCE in text
    assert "it is disabled on Saturday, 5 December 2026 at 06:30 UTC" in text


@pytest.mark.parametrize("since", [MONDAY, None])
def test_the_address_that_sends_again_what_failed_is_complete_also_when_the_first_failure_is_not_known(
    since: object,
) -> None:
    text = write(state="disabled", failing_since=since)

    assert SINCE in text
    assert "/v1/subscriptions/s1/recover?since=2026-11-30T06:30:00Z enables" in text

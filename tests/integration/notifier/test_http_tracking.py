"""Opens and clicks of mails: counted once, by people and by machines apart, and not of who objects."""

import re
from dataclasses import replace
from html import unescape
from typing import Any

import httpx
import pytest

from schemas.ids import derived_id
from services.chassis.clock import real_now
from services.notifier.application.track_mail import MailTracking
from services.notifier.domain.link_token import LinkKeys
from services.notifier.domain.tracking_link import TrackingLinks
from tests.integration.notifier.conftest import ACME, MEASURED, Notifier
from tests.integration.notifier.test_http_inbound import engagements
from tests.integration.notifier.test_http_page import act, show
from tests.integration.notifier.test_http_provider_events import (
    postmark,
    postmark_event,
    ses,
    ses_event,
)

pytestmark = pytest.mark.integration

TIP = """---
subject: "A tip"
---
Hello {{ contact.first_name | otherwise: there }}, see [the guide](https://vendor.example/guide?x=1&y=2), or
[the film](https://vendor.example/film), or [your page]({{ links.page }}).
"""
GUIDE, FILM = "https://vendor.example/guide?x=1&y=2", "https://vendor.example/film"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
APPLE = "Mozilla/5.0"
LONG_AGO = "UPDATE delivery SET tried_at = tried_at - interval '1 hour'"
SETTLED = "UPDATE engagement_request SET requested_at = requested_at - interval '6 seconds'"
SIGNS = ("kind", "automatic", "url")


def track(notifier: Notifier) -> None:
    tracking = MailTracking(MEASURED, "http://test", notifier.link_keys, real_now)
    notifier.sending = replace(notifier.sending, tracking=tracking)


async def begin(notifier: Notifier, contacts: Any = ACME["contacts"][:1]) -> None:
    """Ann has a mail, and that was an hour ago."""
    track(notifier)
    await notifier.add_content("tips", TIP, version=2)
    await notifier.add_acme(contacts=contacts)
    await notifier.due()
    await notifier.send_messages()
    await notifier.database.pool.execute(LONG_AGO)


def links_of(notifier: Notifier) -> list[str]:
    return [unescape(url) for url in re.findall(r'<a href="([^"]+)"', notifier.mailer.mails[-1].message.html)]


def image_of(notifier: Notifier) -> str:
    found = re.search(r'<img src="([^"]+)"', notifier.mailer.mails[-1].message.html)
    assert found is not None
    return unescape(found[1])


async def request(
    notifier: Notifier, url: str, agent: str = FIREFOX, method: str = "GET", **headers: str
) -> httpx.Response:
    return await notifier.http.request(
        method, url, headers={"Authorization": "", "User-Agent": agent, **headers}
    )


async def reported(notifier: Notifier) -> list[tuple[Any, ...]]:
    """What became known of the messages, after the requests so far have settled."""
    await notifier.database.pool.execute(SETTLED)
    await notifier.reporter.report()
    return [tuple(data.get(name) for name in SIGNS) for data in await engagements(notifier)]


async def test_a_link_leads_to_its_target_and_is_counted_once(notifier: Notifier) -> None:
    await begin(notifier)
    guide, film, page, *_ = links_of(notifier)
    first = await request(notifier, guide)
    again = await request(notifier, guide)

    assert (first.status_code, first.headers["location"]) == (302, GUIDE)
    assert first.headers["cache-control"] == "no-store"
    assert first.headers["referrer-policy"] == "no-referrer"
    assert again.headers["location"] == GUIDE
    assert page.startswith("http://test/p/")
    assert await reported(notifier) == [("clicked", None, GUIDE)]
    await request(notifier, film)
    assert await reported(notifier) == [("clicked", None, GUIDE)]
    (fact,) = await engagements(notifier)
    assert fact["delivery_id"] == notifier.mailer.mails[-1].delivery_id
    assert fact["touchpoint_id"] == "11111111-1111-4111-8111-111111111111"


async def test_the_text_has_the_same_links(notifier: Notifier) -> None:
    await begin(notifier)
    guide, film, *_ = links_of(notifier)

    text = notifier.mailer.mails[-1].message.text
    assert f"the guide ({guide})" in text
    assert f"the film ({film})" in text


async def test_an_open_by_a_proxy_is_marked_and_that_of_a_person_counts_after_it(notifier: Notifier) -> None:
    await begin(notifier)
    image = image_of(notifier)
    answer = await request(notifier, image, APPLE)
    await request(notifier, image, APPLE)

    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/gif")
    assert answer.content.startswith(b"GIF89a")
    assert answer.headers["cache-control"] == "no-store"
    assert await reported(notifier) == [("opened", True, None)]
    await request(notifier, image)
    assert await reported(notifier) == [("opened", True, None), ("opened", None, None)]
    await request(notifier, image, APPLE)
    await request(notifier, image)
    assert len(await reported(notifier)) == 2


async def test_after_a_person_no_machine_is_reported(notifier: Notifier) -> None:
    await begin(notifier)
    await request(notifier, image_of(notifier))
    assert await reported(notifier) == [("opened", None, None)]
    await request(notifier, image_of(notifier), APPLE)
    assert await reported(notifier) == [("opened", None, None)]


async def test_a_scanner_that_follows_all_links_is_marked(notifier: Notifier) -> None:
    await begin(notifier)
    guide, film, *_ = links_of(notifier)
    await request(notifier, guide)
    await request(notifier, film)

    assert await reported(notifier) == [("clicked", True, GUIDE)]


async def test_head_is_answered_like_get_counts_nothing_and_gives_a_scanner_away(notifier: Notifier) -> None:
    await begin(notifier)
    guide, *_ = links_of(notifier)
    head = await request(notifier, guide, method="HEAD")
    image = await request(notifier, image_of(notifier), method="HEAD")

    assert (head.status_code, head.headers["location"]) == (302, GUIDE)
    assert (image.status_code, image.content) == (200, b"")
    assert await reported(notifier) == []
    await request(notifier, guide)
    assert await reported(notifier) == [("clicked", True, GUIDE)]


async def test_clicks_within_seconds_of_the_delivery_are_marked(notifier: Notifier) -> None:
    await begin(notifier)
    await notifier.database.pool.execute("UPDATE delivery SET tried_at = clock_timestamp()")
    await request(notifier, links_of(notifier)[0])

    assert await reported(notifier) == [("clicked", True, GUIDE)]


@pytest.mark.parametrize("headers", [{"DNT": "1"}, {"Sec-GPC": "1"}])
async def test_who_asks_not_to_be_tracked_goes_where_the_link_leads_and_is_not_counted(
    notifier: Notifier, headers: dict[str, str]
) -> None:
    await begin(notifier)
    answer = await request(notifier, links_of(notifier)[0], **headers)
    await request(notifier, image_of(notifier), **headers)

    assert answer.headers["location"] == GUIDE
    assert await notifier.database.pool.fetchval("SELECT count(*) FROM engagement_request") == 0
    assert await reported(notifier) == []


@pytest.mark.parametrize("token", ["nonsense", "1-QUJD", "evil.example"])
async def test_a_wrong_token_leads_nowhere_but_to_a_page_that_says_so(notifier: Notifier, token: str) -> None:
    await begin(notifier)
    answers = [
        await request(notifier, f"/c/{token}"),
        await request(notifier, links_of(notifier)[0][:-2] + "xx"),
    ]

    for answer in answers:
        assert answer.status_code == 404
        assert "location" not in answer.headers
        assert "This link does not work" in answer.text
    assert (await request(notifier, f"/o/{token}.gif")).status_code == 404
    assert await reported(notifier) == []


async def test_a_token_of_another_deployment_leads_nowhere(notifier: Notifier) -> None:
    other = TrackingLinks(LinkKeys({1: b"o" * 32}), "http://test", "d1", real_now())

    answer = await request(notifier, other.click_url("https://evil.example/") or "")
    assert (answer.status_code, "location" in answer.headers) == (404, False)


async def test_a_click_that_a_provider_reports_too_counts_once(notifier: Notifier) -> None:
    await begin(notifier)
    delivery_id = notifier.mailer.mails[-1].delivery_id
    await request(notifier, links_of(notifier)[0])
    await reported(notifier)
    click = {"UserAgent": FIREFOX, "OriginalLink": FILM, "Recipient": "ann@acme.example"}
    by_postmark = await postmark(notifier, postmark_event(delivery_id, "Click", **click))
    by_ses = await ses(notifier, ses_event(delivery_id, "Click", userAgent=FIREFOX, link=FILM))

    assert by_postmark.json() == by_ses.json()
    assert by_ses.json()["counted"]
    assert await reported(notifier) == [("clicked", None, GUIDE)]


async def test_what_providers_report_is_a_fact_with_the_mark_of_machines(notifier: Notifier) -> None:
    await begin(notifier)
    delivery_id = notifier.mailer.mails[-1].delivery_id
    opened = postmark_event(delivery_id, "Open", UserAgent=APPLE)
    assert (await postmark(notifier, opened)).json()["counted"]
    assert (await postmark(notifier, opened)).json()["counted"]
    await ses(notifier, ses_event(delivery_id, "Open", userAgent=FIREFOX))
    await request(notifier, image_of(notifier))

    assert await reported(notifier) == [("opened", True, None), ("opened", None, None)]


async def test_messages_that_went_in_one_mail_are_opened_together(notifier: Notifier) -> None:
    track(notifier)
    await notifier.add_acme(contacts=ACME["contacts"][:1])
    ids = [f"{number:08d}-1111-4111-8111-111111111111" for number in (1, 2)]
    for touchpoint_id in ids:
        await notifier.due(touchpoint_id=touchpoint_id)
    await notifier.database.pool.execute(
        "UPDATE delivery_queue SET fold_key = 'f', message_id = (SELECT delivery_id FROM delivery_queue"
        " ORDER BY delivery_id LIMIT 1)"
    )
    await notifier.send_messages()
    await notifier.send_gathered()
    await notifier.database.pool.execute(LONG_AGO)
    assert len(notifier.mailer.mails) == 1
    await request(notifier, image_of(notifier))
    await reported(notifier)

    facts = await engagements(notifier)
    assert sorted(fact["touchpoint_id"] for fact in facts) == ids
    assert len({fact["delivery_id"] for fact in facts}) == 2


async def test_a_contact_who_objects_on_the_page_is_measured_no_more(notifier: Notifier) -> None:
    await begin(notifier)
    before, image = links_of(notifier), image_of(notifier)
    page = await show(notifier)
    assert "We measure whether you open our mails and which of their links you follow" in page
    await request(notifier, image)
    answer = await act(notifier, {"act": "measuring", "wanted": "no"})

    assert answer.status_code == 200
    assert "Saved. From now on we measure neither" in unescape(answer.text)
    assert "Allow measuring again" in answer.text
    delivery_id = notifier.mailer.mails[-1].delivery_id
    assert (await request(notifier, before[0])).headers["location"] == GUIDE
    await request(notifier, image)
    refused = await postmark(notifier, postmark_event(delivery_id, "Open", UserAgent=FIREFOX))
    assert (refused.json()["counted"], refused.json()["delivery_id"]) == (False, None)
    assert refused.json()["reason"] == "the contact objects to being measured"
    assert await reported(notifier) == []
    rows = await notifier.database.pool.fetch("SELECT delivery_id, recipient_id FROM inbound_mail")
    assert [tuple(row) for row in rows] == [(None, None)]
    await notifier.due(touchpoint_id="22222222-1111-4111-8111-111111111111")
    await notifier.send_messages()
    html = notifier.mailer.mails[-1].message.html
    assert ("/c/" in html, "/o/" in html, GUIDE in links_of(notifier)) == (False, False, True)

    await act(notifier, {"act": "measuring", "wanted": "yes"})
    await request(notifier, image)
    assert await reported(notifier) == [("opened", None, None)]


async def test_an_objection_holds_for_everybody_with_the_same_address(notifier: Notifier) -> None:
    ann = ACME["contacts"][0]
    await notifier.add_acme(contacts=[ann, {**ann, "contact_id": "ann-again"}])
    await act(notifier, {"act": "measuring", "wanted": "no"}, "ann-again")
    await begin(notifier, contacts=[ann, {**ann, "contact_id": "ann-again"}])

    assert GUIDE in links_of(notifier)
    assert not (await measuring(notifier))["wanted"]
    await act(notifier, {"act": "measuring", "wanted": "yes"})
    assert (await measuring(notifier, "ann-again"))["wanted"]


@pytest.mark.parametrize("form", [{}, {"wanted": "perhaps"}, {"wanted": ["yes", "no"]}])
async def test_a_form_with_another_value_changes_nothing(notifier: Notifier, form: dict[str, Any]) -> None:
    await begin(notifier)

    assert (await act(notifier, {"act": "measuring", **form})).status_code == 422
    assert (await measuring(notifier))["wanted"]


async def measuring(notifier: Notifier, contact_id: str = "ann") -> dict[str, Any]:
    answer = await notifier.http.get(f"/v1/contacts/{contact_id}/measuring")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_tools_read_and_set_the_choice_and_it_is_in_the_audit_log_once(notifier: Notifier) -> None:
    await begin(notifier)
    assert await measuring(notifier) == {"wanted": True, "opens": True, "clicks": True}
    for _ in range(2):
        answer = await notifier.http.put("/v1/contacts/ann/measuring", json={"wanted": False})
        assert answer.json() == {"wanted": False, "opens": True, "clicks": True}
    unknown = [
        await notifier.http.get("/v1/contacts/zoe/measuring"),
        await notifier.http.put("/v1/contacts/zoe/measuring", json={"wanted": False}),
    ]

    assert [answer.status_code for answer in unknown] == [404, 404]
    entries = [data for topic, _, _, data in await notifier.outbox() if topic == "audit.entries"]
    assert [(entry["action"], entry["object"]) for entry in entries] == [
        ("measuring.changed", f"contact/{derived_id('contact', 'ann')}")
    ]


async def test_erasure_erases_requests_engagements_and_the_objection(notifier: Notifier) -> None:
    await begin(notifier)
    await request(notifier, image_of(notifier))
    await reported(notifier)
    await request(notifier, links_of(notifier)[0])
    await notifier.database.pool.execute(
        "INSERT INTO measuring_objection VALUES ('ann', now())"  # however it came there
    )
    await notifier.add_acme(2, contacts=[], erased_contacts=[derived_id("contact", "ann")])

    for table in ("engagement_request", "measuring_objection", "inbound_mail"):
        assert await notifier.database.pool.fetchval(f"SELECT count(*) FROM {table}") == 0, table
    # The link of the mail that the person still has goes on leading where it leads.
    assert (await request(notifier, links_of(notifier)[0])).headers["location"] == GUIDE
    assert await notifier.database.pool.fetchval("SELECT count(*) FROM engagement_request") == 0


async def test_requests_are_forgotten_after_minutes(notifier: Notifier) -> None:
    await begin(notifier)
    await request(notifier, image_of(notifier))
    await reported(notifier)
    await notifier.reporter.forget()
    assert await notifier.database.pool.fetchval("SELECT count(*) FROM engagement_request") == 1
    await notifier.database.pool.execute(
        "UPDATE engagement_request SET requested_at = requested_at - interval '1 hour'"
    )
    await notifier.reporter.forget()

    assert await notifier.database.pool.fetchval("SELECT count(*) FROM engagement_request") == 0


async def test_what_is_not_reported_yet_is_not_forgotten(notifier: Notifier) -> None:
    await begin(notifier)
    await request(notifier, image_of(notifier))
    await notifier.database.pool.execute(
        "UPDATE engagement_request SET requested_at = requested_at - interval '30 minutes'"
    )
    await notifier.reporter.forget()

    assert await reported(notifier) == [("opened", None, None)]


async def test_a_mail_that_cannot_be_reported_stops_no_other(notifier: Notifier) -> None:
    await begin(notifier)
    await request(notifier, image_of(notifier))
    await notifier.due(touchpoint_id="22222222-1111-4111-8111-111111111111")
    await notifier.send_messages()
    await notifier.database.pool.execute(LONG_AGO)
    await request(notifier, image_of(notifier))
    broken = notifier.mailer.mails[0].delivery_id
    await notifier.database.pool.execute(
        "UPDATE delivery SET recipient_kind = 'stranger' WHERE id = $1", broken
    )

    assert await reported(notifier) == [("opened", None, None)]
    assert (await engagements(notifier))[0]["delivery_id"] == notifier.mailer.mails[1].delivery_id
    assert await notifier.reporter.report() == 0


async def test_a_flood_of_requests_for_one_mail_is_stored_up_to_a_bound(notifier: Notifier) -> None:
    await begin(notifier)
    for _ in range(60):
        await request(notifier, image_of(notifier))

    assert await notifier.database.pool.fetchval("SELECT count(*) FROM engagement_request") == 50
    assert await reported(notifier) == [("opened", None, None)]

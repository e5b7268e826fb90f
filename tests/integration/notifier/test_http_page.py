"""A contact's own page: topics, wishes, the schedule of a year, figures, and a friendly page for a wrong link."""

import re
from collections.abc import Mapping
from datetime import timedelta
from html import unescape
from typing import Any

import httpx
import pytest

from services.chassis.clock import real_now
from services.notifier.domain.consent import TopicPreference
from services.notifier.domain.page_link import make_page_token
from services.notifier.domain.undo_link import PreferenceUndo, make_undo_token
from tests.integration.notifier.conftest import ACME, Notifier

pytestmark = pytest.mark.integration

ANN = [{**ACME["contacts"][0], "language": "de"}]
ENGLISH = [{**ACME["contacts"][0], "language": "en"}, ACME["contacts"][1]]
USAGE = {
    "begins_on": "2026-02-01",
    "ends_on": "2026-03-01",
    "active_users": 42.0,
    "active_users_before": 40.0,
    "seats": 50,
    "seats_used": 44,
    "weeks": [
        {"begins_on": "2026-02-16", "active_users": 40.0},
        {"begins_on": "2026-02-23", "active_users": 44.0},
    ],
}
REVIEW: dict[str, Any] = {
    "touchpoint_type": "business_review",
    "due_at": "2026-03-10T09:00:00Z",
    "exactness": "time",
    "channel": "meeting",
    "topic": "account",
    "owner": "csm",
    "person": "Carla Stone",
    "audience": ["champion"],
    "minutes": 60,
}
TIPS: dict[str, Any] = {
    **REVIEW,
    "touchpoint_type": "tips",
    "due_at": "2026-03-11T09:00:00Z",
    "channel": "email",
    "topic": "education",
    "owner": "marketing",
    "person": None,
    "audience": [],
}
QUARTERLY: dict[str, Any] = {
    "touchpoint_type": "business_review",
    "every_days": 90,
    "channel": "meeting",
    "topic": "account",
    "owner": "csm",
    "is_guaranteed": True,
}
MONTHLY = {**QUARTERLY, "touchpoint_type": "usage_report", "every_days": 30, "owner": "automation"}
CHECK_IN = {**QUARTERLY, "touchpoint_type": "check_in", "every_days": 14, "is_guaranteed": False}


def page_url(notifier: Notifier, contact_id: str = "ann") -> str:
    return f"/p/{make_page_token(notifier.link_keys, contact_id, real_now())}"


async def show(notifier: Notifier, contact_id: str = "ann") -> str:
    answer = await notifier.http.get(page_url(notifier, contact_id), headers={"Authorization": ""})
    assert answer.status_code == 200, answer.text
    return unescape(answer.text)


async def act(notifier: Notifier, form: Mapping[str, Any], contact_id: str = "ann") -> httpx.Response:
    return await notifier.http.post(
        page_url(notifier, contact_id), data=dict(form), headers={"Authorization": ""}
    )


async def facts(notifier: Notifier) -> list[tuple[str, dict[str, Any]]]:
    """(type, data) of the facts that were published so far, without who they are of."""
    sent = [
        (headers["ce_type"].split(".")[1], key, data)
        for topic, key, headers, data in await notifier.outbox()
        if topic == "account.signals"
    ]
    assert all(key == "acme" and data.pop("contact_id") == "ann" for _, key, data in sent)
    return [(kind, data) for kind, _, data in sent]


def form_of(page: str, *, act: str = "save") -> dict[str, list[str]]:
    """The form of the topics as a browser sends it when nothing is touched."""
    form = {"act": [act], "topic": re.findall(r'name="topic" value="(\w+)" checked', page)}
    for name, options in re.findall(r'<select name="([\w.]+)".*?>(.*?)</select>', page, re.DOTALL):
        form[name] = re.findall(r'value="(\w+)" selected', options)
    return form


async def test_the_page_shows_the_current_figures_in_the_language_of_the_contact(notifier: Notifier) -> None:
    """S59, S129: available at any time, without a key, a script or a change."""
    await notifier.add_acme(contacts=ANN)
    notifier.facts.figures["acme"] = {
        "usage": USAGE,
        "contract": {"contract_id": "c1", "renews_on": "2026-12-31"},
    }
    notifier.calendar.schedules["acme"] = {"touchpoints": [REVIEW]}

    page = await notifier.http.get(page_url(notifier), headers={"Authorization": ""})

    assert page.status_code == 200
    assert '<html lang="de" dir="ltr">' in page.text
    assert page.text.count(" checked") == 7
    assert "42 (+5\u00a0%)" in page.text
    assert "44 von 50" in page.text
    assert "31. Dezember 2026" in page.text
    assert "Dienstag, 10. März 2026 um 10:00 MEZ" in page.text
    assert "Ergebnisgespräch" in page.text
    assert "<script" not in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert await notifier.outbox() == []
    assert notifier.calendar.feeds == []


async def test_the_schedule_is_by_month_with_who_and_how_and_only_as_exact_as_it_is(
    notifier: Notifier,
) -> None:
    """F8: what people lead with its time where that is firm, what is sent with its day."""
    await notifier.add_acme(contacts=ENGLISH)
    may = {"due_at": "2026-05-14T09:00:00Z", "exactness": "week", "touchpoint_type": "check_in"}
    june = {"due_at": "2026-06-10T09:00:00Z", "exactness": "month", "person": None}
    # In the reader's zone this is a day of the next month.
    late = {**TIPS, "due_at": "2026-03-31T22:30:00Z"}
    touchpoints = [REVIEW, TIPS, late, {**REVIEW, **may}, {**REVIEW, **june}]
    notifier.calendar.schedules["acme"] = {"touchpoints": touchpoints}

    page = await show(notifier)

    months = dict(re.findall(r"<h3>(\w+ 2026)</h3></summary>(.*?)</details>", page, re.DOTALL))
    assert list(months) == ["March 2026", "April 2026", "May 2026", "June 2026"]
    assert '<time datetime="2026-03-10T10:00+01:00">Tuesday, 10 March 2026 at 10:00 CET</time>' in page
    assert "Carla Stone, in a meeting" in months["March 2026"]
    assert '<time datetime="2026-03-11">11 March 2026</time>' in months["March 2026"]
    assert "Northwind, by email" in months["March 2026"]
    assert '<time datetime="2026-04-01">1 April 2026</time>' in months["April 2026"]
    assert "in the week from 11 May 2026" in months["May 2026"]
    assert "in June 2026" in months["June 2026"]
    assert "14 May" not in page
    assert "can still move" in page
    assert "<time" not in months["May 2026"] + months["June 2026"]
    assert page.count("<details open>") == 2


async def test_what_is_sent_is_shown_to_those_who_get_it(notifier: Notifier) -> None:
    """By topic and role; where nobody has the role, to the one who gets it instead."""
    await notifier.add_acme(contacts=ENGLISH)
    for_admins = {**TIPS, "audience": ["admin"], "touchpoint_type": "newsletter"}
    for_sponsors = {**TIPS, "audience": ["executive_sponsor"], "touchpoint_type": "survey"}
    touchpoints = [REVIEW, TIPS, for_admins, for_sponsors]
    rhythms = [CHECK_IN, {**CHECK_IN, "touchpoint_type": "product_update", "owner": "automation"}]
    rhythms[1] |= {"audience": ["admin"]}
    notifier.calendar.schedules["acme"] = {"touchpoints": touchpoints, "rhythms": rhythms}

    def names(page: str) -> list[str]:
        return re.findall(r'<span class="name">(.*?)</span>', page)

    assert names(await show(notifier)) == ["Business review", "Tips", "Survey"]
    assert "can still move" not in await show(notifier)
    assert "Product update: every 2 weeks" not in await show(notifier)
    assert names(await show(notifier, "ben")) == ["Business review", "Tips", "Newsletter"]
    assert "Product update: every 2 weeks" in await show(notifier, "ben")
    await act(notifier, {"topic": "account"})
    assert names(await show(notifier)) == ["Business review"]


async def test_without_the_scheduler_the_page_says_so_and_works(notifier: Notifier) -> None:
    await notifier.add_acme(contacts=ENGLISH)
    for status in (503, 404):
        notifier.calendar.status = status
        assert "The schedule cannot be shown at the moment." in await show(notifier)
    saved = await act(notifier, {"act": "save", "topic": "account"})
    assert "Saved. You get: account updates." in saved.text
    feed = await act(notifier, {"act": "feed"})
    assert feed.status_code == 503
    assert "The address cannot be made at the moment." in feed.text
    notifier.calendar.status = 200
    notifier.calendar.schedules["acme"] = {"touchpoints": "none"}
    assert "The schedule cannot be shown at the moment." in await show(notifier)
    notifier.calendar.schedules.clear()
    assert "Nothing is planned yet." in await show(notifier)


async def test_a_saved_choice_binds_and_is_confirmed(notifier: Notifier) -> None:
    """S183: topic by topic, and everything; the contact's own act lifts the contact's own opt-out."""
    await notifier.add_acme(contacts=ANN)
    notifier.facts.status = 503

    saved = await act(notifier, {"topic": ["account", "surveys"]})
    assert "Gespeichert. Sie erhalten: Kontoinformationen und Umfragen." in saved.text
    assert saved.text.count(" checked") == 2
    await notifier.due()
    assert [row["state"] for row in await notifier.deliveries(contact_id="ann")] == ["suppressed"]

    nothing = await act(notifier, {"none": "1", "topic": "account"})
    assert "Sie erhalten keine Nachrichten mehr von uns." in nothing.text
    assert (await show(notifier)).count(" checked") == 0

    again = await act(notifier, {"topic": "education"})
    assert "Sie erhalten: Tipps und Anleitungen." in again.text
    assert (await show(notifier)).count(" checked") == 1
    sent = await facts(notifier)
    assert all(data["by_contact"] for _, data in sent)
    assert len(sent) == 5 + 1 + 1


async def test_a_wish_for_a_channel_and_a_frequency_is_one_fact_and_ends_with_another(
    notifier: Notifier,
) -> None:
    """S180, S181, S182, S186: only what was touched changes."""
    await notifier.add_acme(contacts=ENGLISH)
    form = form_of(await show(notifier))
    assert len(form) == 2 + 2 * 7
    assert (await act(notifier, form)).status_code == 200
    assert await facts(notifier) == []

    wishes = {**form, "channel.education": ["in_app"], "frequency.education": ["monthly"]}
    page = unescape((await act(notifier, wishes)).text)

    own = {"topic": "education", "by_contact": True}
    assert await facts(notifier) == [
        ("preference", {**own, "channel": "in_app", "frequency": "monthly"}),
    ]
    assert form_of(page) == wishes == form_of(await show(notifier))
    stored = (await notifier.http.get("/v1/contacts/ann/preferences")).json()["topics"]["education"]
    assert stored == {"opted_in": True, "channel": "in_app", "frequency": "monthly"}

    await act(notifier, {**wishes, "frequency.education": ["suggested"]})
    assert (await facts(notifier))[-1] == ("preference", {**own, "frequency": "suggested"})
    assert form_of(await show(notifier)) == {**wishes, "frequency.education": ["suggested"]}


async def test_a_channel_that_a_tool_recorded_stays_unless_the_contact_chooses_another(
    notifier: Notifier,
) -> None:
    await notifier.add_acme(contacts=ENGLISH)
    change = {"topics": {"account": {"channel": "sms"}}}
    await notifier.http.put("/v1/contacts/ann/preferences", json=change)

    form = form_of(await show(notifier))
    assert form["channel.account"] == ["sms"]
    assert (await act(notifier, form)).status_code == 200
    assert len(await facts(notifier)) == 1
    # Elsewhere it is not offered: nobody could send it.
    assert (await act(notifier, {**form, "channel.events": ["sms"]})).status_code == 422


async def test_what_stays_is_named_where_a_wish_goes_below_it(notifier: Notifier) -> None:
    """S7, F8: the floors of the plan."""
    await notifier.add_acme(contacts=ENGLISH)
    notifier.calendar.schedules["acme"] = {"rhythms": [QUARTERLY, CHECK_IN, MONTHLY]}
    stays = "This stays, whatever you choose: Usage report: every month."

    page = await show(notifier)
    assert stays not in page
    assert "Check-in: every 2 weeks</li>" in page
    assert "Business review: every 3 months <small>(stays, whatever you choose)</small></li>" in page

    form = form_of(page)
    assert stays not in unescape((await act(notifier, {**form, "frequency.account": ["monthly"]})).text)
    page = unescape((await act(notifier, {**form, "frequency.account": ["quarterly"]})).text)
    assert f'<small class="keeps" id="keeps-account">{stays}</small>' in page
    assert 'aria-describedby="keeps-account"' in page
    page = unescape((await act(notifier, {**form, "frequency.events": ["quarterly"]})).text)
    assert 'id="keeps-events"' not in page


def undo_of(page: str) -> str:
    (token,) = re.findall(r'name="undo" value="([^"]+)"', page)
    return str(token)


async def test_the_last_change_can_be_taken_back_once(notifier: Notifier) -> None:
    await notifier.add_acme(contacts=ENGLISH)
    before = form_of(await show(notifier))
    first = await act(notifier, {**before, "frequency.account": ["monthly"]})
    form = {**before, "topic": ["account"], "frequency.account": ["quarterly"]}
    saved = await act(notifier, form)
    count = len(await facts(notifier))

    undone = await act(notifier, {"act": "undo", "undo": undo_of(saved.text)})

    assert "Taken back." in undone.text
    assert form_of(undone.text) == {**before, "frequency.account": ["monthly"]}
    assert form_of(await show(notifier)) == form_of(undone.text)
    sent = (await facts(notifier))[count:]
    assert len(sent) == 6 + 1
    assert all(data["by_contact"] for _, data in sent)
    again = await act(notifier, {"act": "undo", "undo": undo_of(saved.text)})
    assert (again.status_code, len(await facts(notifier))) == (422, count + 7)
    assert "nothing was taken back" in again.text
    # The change before it is now the last one.
    back = await act(notifier, {"act": "undo", "undo": undo_of(first.text)})
    assert form_of(back.text) == before


async def test_stopping_everything_can_be_taken_back_and_nothing_else_that_changed_since(
    notifier: Notifier,
) -> None:
    await notifier.add_acme(contacts=ENGLISH)
    form = form_of(await show(notifier))
    stopped = await act(notifier, {"act": "none"})
    assert form_of((await act(notifier, {"act": "undo", "undo": undo_of(stopped.text)})).text) == form

    stopped = await act(notifier, {"act": "none"})
    await act(notifier, {"act": "save", "topic": "events"})
    count = len(await facts(notifier))
    refused = await act(notifier, {"act": "undo", "undo": undo_of(stopped.text)})
    assert refused.status_code == 422
    assert "Something else was chosen since" in refused.text
    assert len(await facts(notifier)) == count
    assert 'name="undo"' not in (await act(notifier, form_of(await show(notifier)))).text


async def test_a_change_can_be_taken_back_for_an_hour_by_the_contact_alone(notifier: Notifier) -> None:
    await notifier.add_acme(contacts=ENGLISH)
    states = [TopicPreference(opted_in=value, channel=None, frequency=None) for value in (False, True)]
    undo, keys = PreferenceUndo({"events": states[0]}, {"events": states[1]}), notifier.link_keys
    hour_ago = real_now() - timedelta(hours=1)

    tokens = {
        "too old": make_undo_token(keys, "ann", undo, hour_ago - timedelta(seconds=5)),
        "of somebody else": make_undo_token(keys, "ben", undo, real_now()),
        "of the page": make_page_token(keys, "ann", real_now()),
        "made up": "1-AAAA",
        "empty": "",
        "long": "A" * 9000,
    }
    for what, token in tokens.items():
        refused = await act(notifier, {"act": "undo", "undo": token})
        assert (refused.status_code, await facts(notifier)) == (422, []), what
        assert "can no longer be taken back" in refused.text
    in_time = make_undo_token(keys, "ann", undo, hour_ago + timedelta(seconds=60))
    assert (await act(notifier, {"act": "undo", "undo": in_time})).status_code == 200
    assert await facts(notifier) == [
        ("preference", {"topic": "events", "opted_in": False, "by_contact": True})
    ]


@pytest.mark.parametrize("answer", ["too_much", "about_right", "too_little"])
async def test_an_answer_about_the_rhythm_is_a_fact(notifier: Notifier, answer: str) -> None:
    """S143: asked on the page."""
    await notifier.add_acme(contacts=ENGLISH)
    answered = await act(notifier, {"act": "answer", "answer": answer})
    assert "Thank you." in answered.text
    assert await facts(notifier) == [("survey", {"survey": "cadence", "answer": answer})]


async def test_the_address_of_the_calendar_is_made_only_on_demand(notifier: Notifier) -> None:
    """F8: the feed, with how to subscribe and who can read it."""
    await notifier.add_acme(contacts=ENGLISH)
    url = notifier.calendar.feed_url
    assert url not in await show(notifier)
    assert notifier.calendar.feeds == []

    page = unescape((await act(notifier, {"act": "feed"})).text)

    assert notifier.calendar.feeds == ["acme"]
    assert f'value="{url}"' in page
    assert "add it to your calendar as a subscription" in page
    assert "Whoever has the address can read these dates." in page
    notifier.calendar.feed_url = "javascript:alert(1)"
    assert (await act(notifier, {"act": "feed"})).status_code == 503
    too_many = await act(notifier, {"act": "feed"})
    assert too_many.status_code == 422
    assert "This calendar has as many addresses as it can have." in too_many.text


MARKUP = "\"><img src=x onerror=alert(1)>'{{ 7*7 }}"
HOSTILE = (
    MARKUP,
    "",
    " ",
    "\x00",
    "😀" * 500,
    "education\r\nSet-Cookie: a=b",
    "null",
    "TRUE",
    "../..",
    "'; DROP TABLE x --",
)
FIELDS = (
    "act",
    "topic",
    "channel.account",
    "frequency.account",
    "channel.gossip",
    "frequency.",
    "answer",
    "undo",
)


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("field", FIELDS)
async def test_a_value_that_the_page_does_not_offer_changes_nothing(
    notifier: Notifier, field: str, value: str
) -> None:
    """Each is answered with the page and a sentence, and none of it is shown."""
    await notifier.add_acme(contacts=ENGLISH)
    acts = {"answer": "answer", "undo": "undo"}
    form = {**form_of(await show(notifier)), "act": acts.get(field, "save"), field: [value]}

    answer = await act(notifier, form)

    assert answer.status_code == 422
    assert re.search(
        r'role="alert" class="problem">(Nothing was changed|This change can no longer)', answer.text
    )
    assert "<img" not in answer.text
    assert "49" not in re.sub(r'value="[^"]*"', "", answer.text.partition("</style>")[2])
    assert await facts(notifier) == []
    assert form_of(answer.text)["topic"] == form_of(await show(notifier))["topic"]


@pytest.mark.parametrize(
    "body",
    [
        b"act=save&act=none",
        b"act=answer",
        b"act=answer&answer=too_much&answer=too_little",
        b"act=undo",
        b"act=save&frequency.account=monthly&frequency.account=weekly",
        b"act=save&channel.account=call&channel.events=call",
        b"&".join(b"topic=events" for _ in range(5000)),
        b"act=\xff\xfe&topic=%ff%fe",
        b'{"act": "none"}&topic=x',
    ],
)
async def test_a_form_that_no_browser_sends_changes_nothing(notifier: Notifier, body: bytes) -> None:
    await notifier.add_acme(contacts=ENGLISH)
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = await notifier.http.post(page_url(notifier), content=body, headers=headers)
    assert answer.status_code == 422
    assert "Nothing was changed" in answer.text
    assert await facts(notifier) == []


async def test_who_has_left_sees_nothing_of_the_account_and_can_still_say_no(notifier: Notifier) -> None:
    await notifier.add_acme(contacts=[{**ENGLISH[0], "left": True}])
    notifier.calendar.schedules["acme"] = {"touchpoints": [REVIEW]}
    notifier.facts.figures["acme"] = {"usage": USAGE}

    page = await show(notifier)
    assert "Business review" not in page
    assert "Your current figures" not in page
    for form in ({"act": "feed"}, {"act": "answer", "answer": "too_much"}):
        assert (await act(notifier, form)).status_code == 422
    assert (await facts(notifier), notifier.calendar.feeds) == ([], [])
    assert "Saved." in (await act(notifier, {"act": "none"})).text


@pytest.mark.parametrize("token", ["x", "AAAA", "%00", "é", "A" * 900])
async def test_a_wrong_link_is_a_friendly_page_in_the_language_of_the_browser(
    notifier: Notifier, token: str
) -> None:
    for method in ("GET", "POST"):
        headers = {"Accept-Language": "pt-BR,pt;q=0.9", "Authorization": ""}
        answer = await notifier.http.request(method, f"/p/{token}", headers=headers)
        assert answer.status_code == 404
        if token != "%00":
            assert "Este link não funciona" in answer.text
    assert await notifier.outbox() == []


async def test_who_is_not_in_the_directory_can_still_say_no(notifier: Notifier) -> None:
    url = page_url(notifier, "zoe")

    assert (
        "Saved. You get no messages from us any more."
        in (await notifier.http.post(url, data={"none": "1"})).text
    )
    await notifier.add_acme(contacts=[{**ACME["contacts"][0], "contact_id": "zoe"}])
    await notifier.due()

    assert [row["state"] for row in await notifier.deliveries(contact_id="zoe")] == ["suppressed"]

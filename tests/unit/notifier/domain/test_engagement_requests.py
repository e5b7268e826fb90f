"""Requests that a machine made are told from those of people: by what it says of itself, and by how fast it is."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.engagement_requests import (
    EngagementKind,
    EngagementRequest,
    Sign,
    find_signs,
    is_machine,
)

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
SENT = NOON - timedelta(hours=1)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def clicked(
    link: str = "a", seconds: float = 0, *, agent: str = FIREFOX, is_head: bool = False
) -> EngagementRequest:
    return EngagementRequest("clicked", link, is_head, agent, NOON + timedelta(seconds=seconds))


def opened(seconds: float = 0, agent: str = FIREFOX) -> EngagementRequest:
    return EngagementRequest("opened", None, is_head=False, agent=agent, at=NOON + timedelta(seconds=seconds))


def signs(*requests: EngagementRequest, sent: datetime | None = SENT) -> list[Sign]:
    return find_signs(requests, requests, sent)


def by_machine(*requests: EngagementRequest, sent: datetime | None = SENT) -> list[bool]:
    return [sign.is_automatic for sign in signs(*requests, sent=sent)]


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0",
        "",
        "  ",
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0",
        "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
        "OutlookImageProxy/1.0",
        "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
        "curl/8.5.0",
        "python-requests/2.32",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/140.0 Safari/537.36",
    ],
)
def test_proxies_scanners_and_programs_are_machines(agent: str) -> None:
    assert is_machine(agent)
    assert by_machine(opened(agent=agent), clicked(agent=agent)) == [True, True]


@pytest.mark.parametrize(
    "agent",
    [
        FIREFOX,
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)",
        "Mozilla/4.0 (compatible; ms-office; MSOffice 16)",
        "Mozilla/5.0 (Linux; Android 13; CUBOT NOTE 50) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36",
    ],
)
def test_browsers_and_mail_programs_are_people(agent: str) -> None:
    assert not is_machine(agent)
    assert by_machine(opened(agent=agent), clicked(agent=agent)) == [False, False]


@pytest.mark.parametrize(("after", "automatic"), [(-1, True), (0, True), (9.9, True), (10, False)])
def test_what_comes_within_seconds_of_the_delivery_is_automatic(after: float, *, automatic: bool) -> None:
    sent = NOON - timedelta(seconds=after)

    assert by_machine(opened(), clicked(), sent=sent) == [automatic, automatic]


def test_what_comes_before_the_mail_is_delivered_is_automatic() -> None:
    assert by_machine(opened(), clicked(), sent=None) == [True, True]


@pytest.mark.parametrize(("after", "automatic"), [(0, True), (60, True), (61, False)])
def test_a_click_after_head_is_automatic_also_on_another_link(after: float, *, automatic: bool) -> None:
    assert by_machine(clicked("b", is_head=True), clicked("a", after)) == [automatic]


def test_head_shows_nothing_and_does_not_reach_back() -> None:
    assert signs(clicked(is_head=True)) == []
    assert by_machine(clicked("a"), clicked("a", 1, is_head=True)) == [False]


@pytest.mark.parametrize(("apart", "automatic"), [(0, True), (2, True), (2.1, False)])
def test_two_links_at_once_are_automatic_and_the_first_too(apart: float, *, automatic: bool) -> None:
    first, second = clicked("a"), clicked("b", apart)
    (only,) = find_signs([first], [first, second], SENT)

    assert only.is_automatic is automatic
    assert by_machine(first, second) == [automatic]


def test_a_second_click_on_the_same_link_is_a_person_who_clicks_twice() -> None:
    assert by_machine(clicked(), clicked(seconds=0.3)) == [False]


def test_of_machines_and_a_person_the_person_counts() -> None:
    scan = [clicked(link, 0, agent="") for link in "abc"]

    assert signs(*scan, clicked("b", 30)) == [
        Sign("clicked", "b", NOON + timedelta(seconds=30), is_automatic=False)
    ]
    assert signs(opened(agent="Mozilla/5.0"), opened(60)) == [
        Sign("opened", None, NOON + timedelta(seconds=60), is_automatic=False)
    ]


REQUESTS = st.builds(
    EngagementRequest,
    st.sampled_from(("opened", "clicked")),
    st.sampled_from(("a", "b")),
    st.booleans(),
    st.sampled_from((FIREFOX, "", "Mozilla/5.0")),
    st.integers(0, 90).map(lambda seconds: NOON + timedelta(seconds=seconds)),
)


@given(st.lists(REQUESTS, max_size=8), st.randoms())
def test_of_a_mail_there_is_one_sign_a_kind_whatever_the_order(
    requests: list[EngagementRequest], random: Random
) -> None:
    found = signs(*requests)
    shuffled = list(requests)
    random.shuffle(shuffled)
    kinds: list[EngagementKind] = [sign.kind for sign in found]

    assert kinds == sorted({one.kind for one in requests if not one.is_head}, reverse=True)
    assert [(sign.kind, sign.at, sign.is_automatic) for sign in signs(*shuffled)] == [
        (sign.kind, sign.at, sign.is_automatic) for sign in found
    ]


@given(st.lists(REQUESTS, min_size=1, max_size=8))
def test_a_further_request_makes_no_machine_a_person(requests: list[EngagementRequest]) -> None:
    """What is known of one request only grows with those around it."""
    one = requests[0]
    alone = find_signs([one], [one], SENT)
    among = find_signs([one], requests, SENT)

    assert all(
        later.is_automatic or not first.is_automatic for first, later in zip(alone, among, strict=True)
    )

"""Measured addresses lead to the target that they were made for, and to no other."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.link_token import LinkKeys, TokenExpired, TokenRejected
from services.notifier.domain.page_link import make_page_token
from services.notifier.domain.tracking_link import (
    TrackedLink,
    TrackingLinks,
    is_measurable,
    read_click_token,
    read_open_token,
)

KEYS = LinkKeys({1: b"k" * 32})
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
BASE = "https://drumbeat.example.com"
LINKS = TrackingLinks(KEYS, BASE, "d1", NOON)
ADDRESS_CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCXYZ0123456789-._~:/?#[]@!$&'()*+,;=%"


def click_token(url: str) -> str:
    return (LINKS.click_url(url) or "").removeprefix(f"{BASE}/c/")


def open_token() -> str:
    return LINKS.image_url.removeprefix(f"{BASE}/o/").removesuffix(".gif")


@given(st.text(ADDRESS_CHARACTERS, max_size=300))
def test_a_measured_link_leads_back_to_exactly_its_target(rest: str) -> None:
    url = f"https://vendor.example/{rest}"
    token = click_token(url)

    if token:
        assert read_click_token(KEYS, token, now=NOON) == TrackedLink("d1", url)
    else:
        assert not is_measurable(url, BASE)


def test_the_same_mail_on_the_same_day_has_the_same_addresses() -> None:
    later = TrackingLinks(KEYS, BASE, "d1", NOON + timedelta(hours=11))

    assert later.image_url == LINKS.image_url
    assert later.click_url("https://a.example/") == LINKS.click_url("https://a.example/")


@pytest.mark.parametrize(
    "url",
    [
        "mailto:ann@acme.example",
        "tel:+4930123456",
        "ftp://a.example/file",
        "javascript:alert(1)",
        "//a.example/x",
        "https:///x",
        "http://[broken",
        BASE,
        f"{BASE}/p/1-abc",
        "HTTPS://Drumbeat.Example.com/v1/unsubscribe/1-abc",
        f"{BASE}?x=1",
        f"{BASE}/v1/calendars/secret.ics",
        "https://a.example/meeting.ICS",
        "https://a.example/Mötley",
        "https://a.example/a|b",
        'https://a.example/"x"',
        "https://a.example/" + "x" * 1_500,
    ],
)
def test_what_is_ours_or_no_plain_web_address_stays_as_it_is(url: str) -> None:
    assert LINKS.click_url(url) is None


@pytest.mark.parametrize(
    "url", ["https://drumbeat.example.com.evil.example/", "https://a.example/?next=https://b.example/x.ics"]
)
def test_what_only_looks_like_ours_is_measured(url: str) -> None:
    assert read_click_token(KEYS, click_token(url), now=NOON).url == url


def test_tokens_work_for_more_than_a_year_and_say_then_that_they_are_old() -> None:
    token, late = click_token("https://a.example/"), NOON + timedelta(days=401)

    assert read_click_token(KEYS, token, now=NOON + timedelta(days=399)).url == "https://a.example/"
    assert read_open_token(KEYS, open_token(), now=NOON) == "d1"
    with pytest.raises(TokenExpired):
        read_click_token(KEYS, token, now=late)
    with pytest.raises(TokenExpired):
        read_open_token(KEYS, open_token(), now=late)


@pytest.mark.parametrize("token", ["", "1-", "1-QUJD", open_token(), make_page_token(KEYS, "ann", NOON)])
def test_a_token_for_something_else_is_no_click(token: str) -> None:
    with pytest.raises(TokenRejected):
        read_click_token(KEYS, token, now=NOON)


def test_a_click_token_opens_nothing() -> None:
    with pytest.raises(TokenRejected):
        read_open_token(KEYS, click_token("https://a.example/"), now=NOON)


@given(st.integers(0, 90), st.sampled_from("Ab9-_"))
def test_a_token_with_one_letter_changed_is_refused(at: int, letter: str) -> None:
    token = click_token("https://a.example/x")
    changed = token[:at] + letter + token[at + 1 :]

    if changed != token:
        with pytest.raises(TokenRejected):
            read_click_token(KEYS, changed, now=NOON)

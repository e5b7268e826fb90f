"""A measured mail differs from the mail itself in addresses that lead to exactly what they replace, and in one image."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from html import escape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.cadence.content.fragment import Fragment, joined, link, plain
from services.notifier.application.mail_ports import Mail
from services.notifier.application.track_mail import MailTracking, track_mail
from services.notifier.application.write_customer_mail import Section, write_in_layout
from services.notifier.domain.link_token import LinkKeys
from services.notifier.domain.message import Message
from services.notifier.domain.tracking_link import (
    TrackedLink,
    is_measurable,
    read_click_token,
    read_open_token,
)
from tests.unit.notifier.application.test_write_customer_mail import WRITER

KEYS = LinkKeys({1: b"k" * 32})
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
BASE = "https://drumbeat.example.com"
DELIVERY = "11111111-1111-4111-8111-111111111111"
PAGE, UNSUBSCRIBE = f"{BASE}/p/1-page", f"{BASE}/v1/unsubscribe/1-token"
MEASURED = re.compile(re.escape(f"{BASE}/c/") + r"([\w-]+)")
BOTH = MailTracking(frozenset({"opened", "clicked"}), BASE, KEYS, lambda: NOON)
WORDS = st.text("abc <>&\"'()[]…é", min_size=1, max_size=12).filter(lambda text: bool(text.strip()))
HOSTS = st.sampled_from(
    ("vendor.example", "vendor.example:8443", "drumbeat.example.com", "drumbeat.example.com.evil.example")
)
PATHS = st.text("abcXY019-._~/?&=%+@'()é", max_size=20) | st.sampled_from(
    ("a.ics", "A.ICS", "p/1-x", "v1/unsubscribe/1-x", "x" * 1_600)
)
URLS = st.one_of(
    st.builds("{}://{}/{}".format, st.sampled_from(("https", "http", "HTTPS")), HOSTS, PATHS),
    st.sampled_from(("mailto:ann@acme.example", "tel:+4930123456", PAGE, UNSUBSCRIBE, BASE)),
)


@st.composite
def fragments(draw: st.DrawFn) -> Fragment:
    """A paragraph as content is written: text, and links in it, alone, or with their own address as words."""
    parts: list[Fragment] = []
    for url in draw(st.lists(URLS, max_size=4)):
        words = draw(st.one_of(WORDS, st.just(url)))
        parts += [plain(draw(WORDS)), plain(" "), link(url, plain(words), alone=draw(st.booleans()))]
        parts.append(plain(draw(st.sampled_from((" ", ". ", "\n", ", and ")))))
    return joined([*parts, plain("The end.")]).inside("p")


@st.composite
def mails(draw: st.DrawFn) -> Mail:
    sections = [
        Section("A tip", "", body.html, body.text, "education", UNSUBSCRIBE, "Acme")
        for body in draw(st.lists(fragments(), min_size=1, max_size=2))
    ]
    message = write_in_layout(sections, WRITER.book.phrases("en"), WRITER, page_url=PAGE)
    return Mail(DELIVERY, "ann@acme.example", message, UNSUBSCRIBE)


class Reader(HTMLParser):
    """What a mail program sees: tags with their attributes, texts, and of each link its address and its words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.parts: list[object] = []
        self.links: list[tuple[str, str]] = []
        self.images: list[dict[str, str | None]] = []
        self._is_in_link = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "img":
            self.images.append(values)
            return
        if tag == "a":
            self.links.append((values.pop("href") or "", ""))
            self._is_in_link = True
        self.parts.append((tag, values))

    def handle_endtag(self, tag: str) -> None:
        self._is_in_link = self._is_in_link and tag != "a"
        self.parts.append(tag)

    def handle_data(self, data: str) -> None:
        if self._is_in_link:
            url, words = self.links[-1]
            self.links[-1] = (url, words + data)
        if self.parts and isinstance(self.parts[-1], str) and self.parts[-1].startswith("text:"):
            self.parts[-1] += data.rstrip("\n")
        elif data.strip():
            self.parts.append(f"text:{data}".rstrip("\n"))


def target_of(url: str) -> str | None:
    """Where a measured address leads; None: it is none."""
    found = MEASURED.fullmatch(url)
    if found is None:
        return None
    tracked = read_click_token(KEYS, found[1], now=NOON)
    assert tracked == TrackedLink(DELIVERY, tracked.url)
    return tracked.url


def stays(url: str, words: str) -> bool:
    """Whether docs/tracking.md says that the link is left alone."""
    is_shown = words.strip().lower().startswith(("http://", "https://", "www."))
    is_long = len(url) > 1_400  # its token would be longer than tokens may be
    return is_shown or is_long or not is_measurable(url, BASE)


@given(mails())
def test_links_of_the_html_lead_to_exactly_what_they_led_to_and_nothing_else_changes(mail: Mail) -> None:
    tracked = track_mail(mail, BOTH, may_measure=True)
    before, after = Reader(mail.message.html), Reader(tracked.message.html)

    assert after.parts == before.parts
    for (url, words), (measured, same_words) in zip(before.links, after.links, strict=True):
        assert words == same_words
        assert (target_of(measured), measured) == ((None, url) if stays(url, words) else (url, measured))
    (image,) = after.images
    assert before.images == []
    token = (image["src"] or "").removeprefix(f"{BASE}/o/").removesuffix(".gif")
    assert read_open_token(KEYS, token, now=NOON) == DELIVERY
    assert replace(tracked, message=mail.message) == mail


@given(mails())
def test_the_text_with_each_measured_address_resolved_is_the_text_of_before(mail: Mail) -> None:
    tracked = track_mail(mail, BOTH, may_measure=True)

    resolved = MEASURED.sub(lambda found: target_of(found.group()) or "", tracked.message.text)
    assert resolved == mail.message.text
    assert PAGE in tracked.message.text
    assert UNSUBSCRIBE in tracked.message.text


def mail_with(*links: tuple[str, str]) -> Mail:
    parts: Sequence[Fragment] = [link(url, plain(words), alone=False) for url, words in links]
    body = joined(parts, " ", ", ")
    return Mail(DELIVERY, "ann@acme.example", Message("A tip", body.text, f"<body>{body.html}</body>"))


def test_a_link_of_the_html_is_measured_in_the_text_too() -> None:
    tracked = track_mail(mail_with(("https://a.example/?x=1&y=2", "Read on")), BOTH, may_measure=True)
    ((url, _),) = Reader(tracked.message.html).links

    assert target_of(url) == "https://a.example/?x=1&y=2"
    assert tracked.message.text == f"Read on ({url})"
    assert f'href="{escape(url)}"' in tracked.message.html


@pytest.mark.parametrize("behind", ["", ".", ")", ").", "),", ":", "…x", "/more"])
def test_in_the_text_only_the_whole_address_is_replaced(behind: str) -> None:
    mail = mail_with(("https://a.example/x", "Read on"))
    text = f"See https://a.example/x{behind}"
    tracked = track_mail(
        replace(mail, message=replace(mail.message, text=text)), BOTH, may_measure=True
    ).message.text

    is_measured = behind not in ("…x", "/more")
    assert (tracked != text) is is_measured
    assert tracked.endswith(behind)


@pytest.mark.parametrize(("kind", "has_image"), [("opened", True), ("clicked", False)])
def test_each_kind_is_measured_by_itself(kind: str, *, has_image: bool) -> None:
    mail = mail_with(("https://a.example/x", "Read on"))
    tracking = replace(BOTH, kinds=frozenset({kind}))
    html = track_mail(mail, tracking, may_measure=True).message.html

    assert ("/o/" in html, "/c/" in html) == (has_image, not has_image)


def test_nothing_is_measured_without_the_settings_or_against_the_wish_of_the_contact() -> None:
    mail = mail_with(("https://a.example/x", "Read on"))

    assert track_mail(mail, None, may_measure=True) == mail
    assert track_mail(mail, BOTH, may_measure=False) == mail

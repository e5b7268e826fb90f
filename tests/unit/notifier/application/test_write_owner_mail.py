"""The mail to a person of ours: whom, why and how to act, by account, in the person's language and time."""

import re
from datetime import datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.directory import CsmRecord
from schemas.figures import ConversationFigures
from schemas.touchpoints import TouchpointOwner, TouchpointRisk
from services.cadence.policy.load import shipped_contents
from services.notifier.adapters.phrases import load_people_phrases
from services.notifier.domain.action_token import read_action_token
from services.notifier.domain.delivery import Recipient, RecipientKind
from services.notifier.domain.event import AT_RISK, CANCELLED, MOVED, OVERDUE, REMINDER
from tests.unit.notifier.owner_claims import CARL, DORA, KEYS, MONDAY, claim, directory, figures, write

LANGUAGES = ("en", "de", "pt", "es", "id")
TALK = ConversationFigures(at=MONDAY - timedelta(days=18), channel="call", notes="They want the export.")


def test_the_mail_of_the_day_has_whom_why_agenda_note_and_what_was_sent() -> None:
    mail = write(
        claim("t1", agenda=("Numbers", "Next steps"), expects="A date for the export"),
        claim("t2", account_id="globex", touchpoint_type="business_review"),
        among=directory(sent={"acme": [("value_report", MONDAY - timedelta(days=3))]}),
        known={"delivery-t1": figures(conversation=TALK)},
    )

    assert mail.message.subject == "Your day: 2 touchpoints"
    assert mail.delivery_id == "message-1"
    for words in (
        "Hello Carl Ode,",
        "== Acme & Sons ==",
        "== Globex ==",
        "10:00 CET · by phone",
        "- Ada Lovelace, champion, +49 30 901820, ada@acme.example",
        "Why now: weekly tips",
        "- Numbers\n- Next steps",
        "Expected outcome: A date for the export",
        "Last note, 12 November 2026:\nThey want the export.",
        "- Value report, 27 November 2026",
    ):
        assert words in mail.message.text
    assert "Acme &amp; Sons" in mail.message.html


def test_what_belongs_together_is_one_entry_with_both_purposes_and_one_set_of_buttons() -> None:
    """C: an escalation and its action plan; the buttons act on both, and each sentence has a line of its own."""
    together: dict[str, Any] = {"group": "t1", "topic": None}
    mail = write(
        claim(
            "t1", touchpoint_type="escalation", purpose="Bring in help", expects="Somebody has it", **together
        ),
        claim(
            "t2",
            touchpoint_type="risk_action_plan",
            purpose="Find the cause",
            expects="A written plan",
            **together,
        ),
        claim("t3"),
    )

    assert mail.message.subject == "Your day: 2 touchpoints"
    assert "\nEscalation + Risk action plan\n" in mail.message.text
    assert "What for: Bring in help\nFind the cause" in mail.message.text
    assert "Expected outcome: Somebody has it\nA written plan" in mail.message.text
    links = re.findall(r"https://drumbeat\.example/a/(\S+?)\?do=(\w+)", mail.message.text)
    tokens = [read_action_token(KEYS, token, now=MONDAY) for token, _ in links]
    assert {token.touchpoint_id for token in tokens} == {"t1", "t3"}


def test_each_touchpoint_has_links_of_its_own_for_this_person() -> None:
    mail = write(claim("t1"), claim("t2"))

    links = re.findall(r"https://drumbeat\.example/a/(\S+?)\?do=(\w+)", mail.message.text)
    tokens = [read_action_token(KEYS, token, now=MONDAY) for token, _ in links]
    assert [act for _, act in links] == ["done", "missed", "move", "assign", "skip"] * 2
    assert {token.touchpoint_id for token in tokens} == {"t1", "t2"}
    assert {token.person_id for token in tokens} == {"carl"}


def test_the_mailbox_may_hand_over_and_skip() -> None:
    mailbox = Recipient(RecipientKind.MAILBOX, "fallback")
    mail = write(claim(owner=TouchpointOwner(kind="csm"), recipient=mailbox))

    assert mail.to == "ops@vendor.example"
    assert mail.message.subject == "Nobody has this yet: Check-in, Acme & Sons"
    assert re.findall(r"\?do=(\w+)", mail.message.text) == ["assign", "skip"]


@pytest.mark.parametrize(
    ("event_type", "more", "words"),
    [
        (CANCELLED, {"note": "cancelled: Renewed early", "status": "cancelled"}, "Cancelled: Renewed early"),
        (
            MOVED,
            {"previous_due_at": MONDAY - timedelta(days=3)},
            "Moved from Friday, 27 November 2026 at 07:30",
        ),
        (
            OVERDUE,
            {"deadline": MONDAY, "status": "overdue"},
            "Overdue since Monday, 30 November 2026 at 07:30",
        ),
        (MOVED, {"previous_owner": TouchpointOwner(kind="csm", csm_id="dora")}, "Dora Lind had it before"),
    ],
)
def test_what_happened_to_a_touchpoint_is_said(event_type: str, more: dict[str, Any], words: str) -> None:
    assert words in write(claim(event_type=event_type, **more)).message.text


def test_notes_of_the_calendar_itself_are_no_reasons_and_links_to_people_work() -> None:
    moved: dict[str, Any] = {"previous_due_at": MONDAY, "changed_by": "person", "note": "moved by hand"}
    message = write(
        claim("t1", event_type=MOVED, **moved),
        claim("t2", event_type=CANCELLED, status="cancelled", note="cancelled: Not now"),
        claim("t3"),
    ).message

    assert "moved by hand" not in message.text
    assert "Cancelled: Not now" in message.text
    assert 'href="tel:+4930901820"' in message.html
    assert 'href="mailto:ada@acme.example"' in message.html


def test_what_is_told_twice_in_one_mail_is_said_once_as_it_is_now() -> None:
    mail = write(claim("t1", sequence=1), claim("t1", sequence=2, event_type=OVERDUE, deadline=MONDAY))

    assert mail.message.subject == "Your day: 1 touchpoint"
    assert mail.message.text.count("Check-in") == 1
    assert "Overdue" in mail.message.text


def test_the_content_for_owners_stands_in_place_of_the_purpose() -> None:
    content = "---\nsubject: s\npreparation: [Read the last note]\n---\nOpen with **{{ contact.name }}**.\n"
    mail = write(claim(), among=directory(contents={"en/owner/check_in": content}))

    assert "Open with Ada Lovelace." in mail.message.text.replace("*", "")
    assert "- Read the last note" in mail.message.text
    assert "remove what is in the way" not in mail.message.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_words(language: str) -> None:
    """A key that a language lacks would stop its mails."""
    book = load_people_phrases()
    english, own = book.languages["en"], book.languages[language]

    assert {section: set(own[section]) for section in own if section != "reasons"} == {
        section: set(english[section]) for section in english if section != "reasons"
    }
    for section in ("owner", "acts", "action"):
        for key, text in english[section].items():
            marks = re.findall(r"\{\w+\}", text) if isinstance(text, str) else []
            other = own[section][key]
            assert isinstance(other, str) == isinstance(text, str)
            assert not isinstance(other, str) or sorted(re.findall(r"\{\w+\}", other)) == sorted(marks)


names = st.text(min_size=1, max_size=60).filter(lambda text: text.isprintable() and text.strip())


class _Balance(HTMLParser):
    """Counts open elements of a document."""

    open_ = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open_ += tag not in ("meta", "br", "input")

    def handle_endtag(self, tag: str) -> None:
        self.open_ -= 1


@given(
    language=st.sampled_from((*LANGUAGES, "pt-BR", "fr", None)),
    name=names,
    event_type=st.sampled_from((CANCELLED, MOVED, OVERDUE)),
    note=st.none() | names,
    deadline=st.none() | st.just(MONDAY),
)
def test_whatever_is_known_the_mail_has_no_gap_and_no_id(
    language: str | None, name: str, event_type: str, note: str | None, deadline: datetime | None
) -> None:
    carl = CsmRecord(csm_id="csm-77", name=name, email="c@vendor.example", language=language, version=1)
    owner = TouchpointOwner(kind="csm", csm_id="csm-77")
    told = claim(
        event_type=event_type,
        recipient=Recipient(RecipientKind.CSM, "csm-77"),
        owner=owner,
        note=note,
        deadline=deadline,
        account_name="Acme",
    )

    mail = write(told, among=directory(carl, DORA))

    parser = _Balance()
    parser.feed(mail.message.html)
    assert parser.open_ == 0
    shown = re.sub(r"https?://\S+", "", mail.message.text)
    assert "csm-77" not in shown
    assert not re.search(r"\{\w+\}|\bNone\b", shown.replace(name, "").replace(note or "", ""))
    assert mail.message.subject.isprintable()


def test_the_direction_of_an_account_name_does_not_move_it_to_the_other_side_of_its_card() -> None:
    assert "<h2><bdi>Acme &amp; Sons</bdi></h2>" in write(claim()).message.html


def test_people_without_a_name_are_greeted_without_one() -> None:
    anonymous = CARL.model_copy(update={"name": None})

    assert write(claim(), among=directory(anonymous)).message.text.startswith("Hello,\n")


def test_a_reminder_is_a_mail_of_its_own_and_offers_to_move_what_comes_soon() -> None:
    """S190: with agenda and preparation; that it took place nobody says before."""
    contents = {name.key: text for name, text in shipped_contents().items()}
    later: dict[str, Any] = {
        "due_at": MONDAY + timedelta(days=2),
        "touchpoint_type": "business_review",
        "planned_at": None,
    }
    one = claim("t1", event_type=REMINDER, agenda=("Wins", "Gaps"), **later)
    mail = write(one, among=directory(contents=contents))
    both = write(one, claim("t2", event_type=REMINDER, account_id="globex", **later))

    assert mail.message.subject == "Reminder: Business review, Acme & Sons"
    assert both.message.subject == "Reminder: 2 touchpoints"
    assert "- Wins\n- Gaps" in mail.message.text
    assert "Name two wins and one gap, each with a number" in mail.message.text
    assert re.findall(r"\?do=(\w+)", mail.message.text) == ["move", "assign", "skip"]


@pytest.mark.parametrize(
    ("language", "subject", "line"),
    [
        ("en", "At risk: Check-in, Acme & Sons", "no day is open before its deadline: no working day"),
        ("de", "Frist in Gefahr: ", "vor der Frist ist kein Tag frei: "),
        ("pt", "Prazo em risco: ", "não há dia livre antes do prazo: "),
        ("es", "Plazo en riesgo: ", "no hay día libre antes del plazo: "),
        ("id", "Tenggat terancam: ", "tidak ada hari yang terbuka sebelum tenggat: "),
    ],
)
def test_a_promise_at_risk_is_a_mail_of_its_own_that_says_why(language: str, subject: str, line: str) -> None:
    """F12: in five languages, with what can be done."""
    detail = "nothing is open before its deadline: no working day, public holiday Spring Bank Holiday"
    risk = TouchpointRisk(cause="closed", deadline=MONDAY + timedelta(days=2), detail=detail, since=MONDAY)
    carl = CARL.model_copy(update={"language": language})

    mail = write(
        claim("t1", event_type=AT_RISK, planned_at=None, status="planned", risk=risk), among=directory(carl)
    )

    assert mail.message.subject.startswith(subject)
    assert line in mail.message.text
    assert "Spring Bank Holiday" in mail.message.text
    assert re.findall(r"\?do=(\w+)", mail.message.text) == ["move", "assign", "skip"]


def test_what_gave_way_has_only_its_news() -> None:
    risk = TouchpointRisk(cause="no_room", deadline=MONDAY, detail="gave way", since=MONDAY)

    mail = write(claim("t1", event_type=AT_RISK, planned_at=None, status="cancelled", risk=risk))

    assert "?do=" not in mail.message.text

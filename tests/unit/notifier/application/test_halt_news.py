"""Operators get one mail when a partition halts and one when it goes on, whatever else is away."""

from datetime import UTC, datetime, timedelta

from services.notifier.application.halt_news import HaltNews, Place, find_halt_news
from services.notifier.application.service_mail import MailKind, ServiceMail, write_halt_mail
from tests.unit.notifier.owner_claims import MONDAY, sending

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
FACTS = Place("rules_engine", "account.signals", 5)
COMMANDS = Place("scheduler", "touchpoint.commands", 0)
ALL = {"rules_engine", "scheduler", "notifier"}


def test_a_halt_is_announced_once_and_its_end_once() -> None:
    reason = "more than 100 dead letters among 1000 records"
    (halted,) = find_halt_news({FACTS: reason}, ALL, [], AT)
    assert (halted.place, halted.state, halted.reason, halted.at) == (FACTS, "halted", reason, AT)
    assert find_halt_news({FACTS: reason}, ALL, [halted], AT) == []

    (resumed,) = find_halt_news({}, ALL, [halted], AT + timedelta(hours=1))
    assert (resumed.place, resumed.state) == (FACTS, "resumed")
    assert find_halt_news({}, ALL, [resumed], AT) == []

    (again,) = find_halt_news({FACTS: "again"}, ALL, [resumed], AT)
    assert (again.state, again.reason) == ("halted", "again")


def test_of_a_service_that_does_not_answer_nothing_is_announced() -> None:
    (halted,) = find_halt_news({FACTS: "why"}, ALL, [], AT)

    news = find_halt_news({COMMANDS: "too"}, ALL - {"rules_engine"}, [halted], AT)

    assert [(each.place, each.state) for each in news] == [(COMMANDS, "halted")]


def written(state: str, reason: str) -> tuple[str, str]:
    news = HaltNews.of_valid(**FACTS._asdict(), state=state, reason=reason, at=MONDAY)
    mail = ServiceMail("m1", MailKind.PARTITION, "ops@northwind.example", news.write(), 0)
    message = write_halt_mail(mail, sending().customers.writer).message
    return message.subject, message.text


def test_the_mail_says_what_stands_still_why_and_what_to_do() -> None:
    subject, text = written("halted", "more than 100 dead letters among 1000 records")

    assert subject == "Partition account.signals/5 is halted"
    assert "partition 5 of account.signals: more than 100 dead letters among 1000 records." in text
    assert "Monday, 30 November 2026 at 06:30 UTC" in text
    assert "POST /v1/partitions/account.signals/5/resume" in text


def test_the_mail_about_its_end_names_the_partition() -> None:
    subject, text = written("resumed", "")

    assert subject == "Partition account.signals/5 goes on"
    assert "reads partition 5 of account.signals again" in text

"""What an invitation says, and what three independent readers of calendars take from the whole mail."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from icalendar import Calendar

from services.notifier.domain.event import CANCELLED
from tests.node import run_script
from tests.unit.notifier.invites import LANGUAGES, REVIEW, TO_CARL, parts_of, review, whole_mail, write

WINTER, SUMMER = datetime(2026, 12, 8, 9, tzinfo=UTC), datetime(2027, 6, 8, 9, tzinfo=UTC)
ZONES = ("Europe/Berlin", "America/Vancouver", "Australia/Sydney", "Asia/Kathmandu", "America/Sao_Paulo")


def test_the_calendar_of_a_whole_mail_is_read_alike_by_three_parsers_s188(tmp_path: Path) -> None:
    """In five languages and zones, in both halves of the year; as the alternative and as the file."""
    paths: list[Path] = []
    for language, zone in zip(LANGUAGES, ZONES, strict=True):
        for at in (WINTER, SUMMER):
            mail = whole_mail(write(review(at), language=language, zone=zone))
            parts = parts_of(mail)
            for content_type in ("text/calendar", "application/ics"):
                path = tmp_path / f"{language}-{at:%m}-{content_type[:4]}.ics"
                path.write_bytes(parts[content_type].get_payload(decode=True))
                paths.append(path)
    read_by_node = run_script("read_calendar.js", *map(str, paths))
    for path, found in zip(paths, read_by_node, strict=True):
        starts_at = WINTER if "-12-" in path.name else SUMMER
        calendar = Calendar.from_ical(path.read_bytes())
        event = cast("Any", calendar.events[0])
        assert (event["UID"], event["SEQUENCE"]) == (REVIEW, 4)
        assert (event.start, event.end) == (starts_at, starts_at + timedelta(hours=1))
        assert str(calendar["METHOD"]) == "REQUEST"
        for reader, entries in found.items():
            (entry,) = entries
            assert entry["uid"] == REVIEW, reader
            assert datetime.fromisoformat(entry["starts"]) == starts_at, (reader, path.name)
            assert datetime.fromisoformat(entry["ends"]) == starts_at + timedelta(hours=1), (
                reader,
                path.name,
            )
            assert entry["sequence"] == 4
            assert entry["people"] == [
                ["Carl Ode", "carl@vendor.example", "ACCEPTED"],
                ["Ada Lovelace", "ada@acme.example", "NEEDS-ACTION"],
                ["Ben Okri", "ben@acme.example", "NEEDS-ACTION"],
            ]


@pytest.mark.parametrize(
    ("language", "subject", "time"),
    [
        ("en", "Invitation: Business review, ", "Tuesday, 8 December 2026 at 10:00 CET"),
        ("de", "Einladung: ", "Dienstag, 8. Dezember 2026 um 10:00 MEZ"),
        ("es", "Invitación: ", "martes, 8 de diciembre de 2026, 10:00"),
        ("pt", "Convite: ", "terça-feira, 8 de dezembro de 2026 às 10:00"),
        ("id", "Undangan: ", "Selasa, 8 Desember 2026 pukul 10.00"),
    ],
)
def test_a_contact_reads_what_when_with_whom_and_how_to_move_it(
    language: str, subject: str, time: str
) -> None:
    message = write(review(WINTER), language=language).message
    assert message.message.subject.startswith(subject)
    assert time in message.message.text
    for name in ("Carl Ode", "Ada Lovelace", "Ben Okri"):
        assert f"- {name}" in message.message.text
    assert message.missing == ()
    assert message.unsubscribe_url != ""


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_cancellation_has_neither_people_nor_an_agenda_nor_a_way_to_move_it(language: str) -> None:
    event = replace(review(WINTER), type=CANCELLED)
    written = write(event, language=language, is_first=False)

    assert "Ben Okri" not in written.message.message.text
    assert "Figures against goals" not in written.message.message.text
    calendar = Calendar.from_ical(written.calendar.content)
    event_read = cast("Any", calendar.events[0])
    assert (str(calendar["METHOD"]), str(event_read["STATUS"])) == ("CANCEL", "CANCELLED")
    assert str(event_read["ATTENDEE"]) == "mailto:ada@acme.example"


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_leads_it_reads_the_same_in_their_own_zone_without_links_of_customers(language: str) -> None:
    text = write(review(WINTER), TO_CARL, language=language, zone="Asia/Tokyo").message.message.text
    assert "18:00" in text or "18.00" in text
    assert "http" not in text
    assert "Drumbeat" in text, "where it is moved"


def test_without_an_address_of_who_leads_it_the_deployment_invites() -> None:
    event = review(WINTER)
    owner = event.content.owner.model_copy(update={"csm_id": "nobody-known"})
    content = cast("Any", event.content).model_copy(update={"owner": owner})
    written = write(replace(event, content=content))
    assert b"ORGANIZER;CN=Northwind:mailto:hello@vendor.example" in written.calendar.content

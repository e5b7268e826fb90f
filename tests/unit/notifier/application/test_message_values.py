"""The values of a message: what is not known is unknown, and a date is that of the thing the message is about."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from schemas.directory import ContactRecord, CsmRecord
from schemas.figures import (
    AccountFigures,
    ContractFigures,
    FeatureUse,
    LimitUse,
    ProgramFigures,
    UsageFigures,
    WeekOfUse,
)
from schemas.plans import About
from services.cadence.content.placeholders import PLACEHOLDERS
from services.cadence.content.values import Chart, Items, Markdown, Share
from services.notifier.adapters.phrases import load_phrases
from services.notifier.application.message_facts import ComingTouchpoint, MessageFacts
from services.notifier.application.message_values import MessageContext, Values, customer_values
from services.notifier.domain.people import Account
from tests.unit.notifier.events import NOON, due

BOOK = load_phrases()
TERM = ContractFigures(
    contract_id="c1",
    starts_on=date(2025, 7, 1),
    renews_on=date(2026, 6, 30),
    notice_on=date(2026, 3, 31),
)
WEBINAR = ProgramFigures(
    program_id="w1", kind="webinar", title="Reports", at=datetime(2026, 1, 8, 15, tzinfo=UTC)
)


def values(about: About | None = None, language: str = "en", **figures: Any) -> Values:
    context = MessageContext(
        event=due(about=about),
        now=NOON,
        phrases=BOOK.phrases(language),
        organization="Northwind",
        facts=MessageFacts(AccountFigures(account_id="acme", **figures)),
    )
    return customer_values(context)


def test_nothing_is_made_up_for_an_account_of_which_nothing_is_known() -> None:
    context = MessageContext(event=due(), now=NOON, phrases=BOOK.phrases("en"), organization="Northwind")

    known = {name for name, value in customer_values(context).items() if value is not None}

    assert known == {"organization.name", "touchpoint.name", "touchpoint.due_at"}


def test_every_placeholder_that_customers_may_read_has_a_value_here() -> None:
    readable = {name for name, one in PLACEHOLDERS.items() if "customer" in one.readers}
    usage = UsageFigures(begins_on=date(2025, 12, 6), ends_on=date(2026, 1, 4))

    assert set(values(usage=usage, program=WEBINAR)) == readable


def test_features_and_limits_have_names_that_people_read() -> None:
    usage = UsageFigures(
        begins_on=date(2025, 12, 6),
        ends_on=date(2026, 1, 4),
        features=(FeatureUse(name="csv_export", count=1), FeatureUse(name="report_builder", count=7)),
        limits=(LimitUse(name="api_calls", used=91_234, limit=100_000),),
    )

    known = values(usage=usage, language="es")

    assert known["usage.features"] == Items(("CSV export: 1 vez", "Report builder: 7 veces"))
    assert known["usage.limits"] == Items(("API calls: 91.234 de 100.000",))


def test_the_dates_are_those_of_the_term_that_the_message_is_about() -> None:
    """S174, S215: another contract's date is never printed."""
    own = values(About(contract_id="c1"), contract=TERM)
    assert own["contract.renews_on"] == date(2026, 6, 30)
    assert own["contract.notice_on"] == date(2026, 3, 31)
    assert own["contract.days_left"] == 176
    assert own["contract.day"] == 189

    other = values(About(contract_id="c2", renews_on=date(2026, 2, 1)), contract=TERM)
    assert other["contract.renews_on"] == date(2026, 2, 1)
    assert other["contract.days_left"] == 27
    assert other["contract.starts_on"] is None
    assert other["contract.day"] is None
    assert other["contract.notice_on"] is None

    earlier = values(About(contract_id="c1", renews_on=date(2026, 2, 1)), contract=TERM)
    assert (earlier["contract.renews_on"], earlier["contract.starts_on"]) == (date(2026, 2, 1), None)


def test_a_date_that_nobody_told_is_not_printed_on_its_own() -> None:
    assumed = TERM.model_copy(update={"is_assumed": True})

    assert values(contract=assumed)["contract.renews_on"] is None
    assert values(contract=TERM)["contract.renews_on"] == date(2026, 6, 30)


def test_a_day_for_notice_that_is_over_and_days_that_are_gone_are_unknown() -> None:
    past = values(About(contract_id="c1", renews_on=date(2026, 1, 1), notice_on=date(2025, 12, 1)))

    assert past["contract.notice_on"] is None
    assert past["contract.days_left"] is None


@pytest.mark.parametrize(
    ("about", "program", "title"),
    [
        (None, WEBINAR, "Reports"),
        (About(program_id="w1"), WEBINAR, "Reports"),
        (About(program_id="w2"), WEBINAR, None),
        (None, WEBINAR.model_copy(update={"at": NOON}), None),
        (None, WEBINAR.model_copy(update={"at": NOON, "kind": "newsletter"}), "Reports"),
        (None, None, None),
    ],
)
def test_a_program_is_the_one_that_the_message_is_about_and_not_over(
    about: About | None, program: ProgramFigures | None, title: str | None
) -> None:
    """S173."""
    assert values(about, program=program).get("program.title") == title


@pytest.mark.parametrize(
    ("language", "body"), [("de-AT", "Neu"), ("pt-BR", "New"), ("en", "New"), ("id", "New")]
)
def test_the_text_of_a_program_is_in_the_language_of_the_reader_else_in_english(
    language: str, body: str
) -> None:
    program = WEBINAR.model_copy(update={"body": {"en": "New", "de": "Neu"}})

    assert values(language=language, program=program)["program.body"] == Markdown(body)


def test_without_a_text_the_reader_understands_there_is_none() -> None:
    program = WEBINAR.model_copy(update={"body": {"de": "Neu"}})

    assert values(language="es", program=program)["program.body"] is None


def test_figures_are_compared_with_the_thirty_days_before_only_when_both_are_known() -> None:
    """S128."""
    days: dict[str, Any] = {"begins_on": date(2025, 12, 6), "ends_on": date(2026, 1, 4)}
    known = values(
        usage=UsageFigures(**days, active_users=42, active_users_before=40, seats=50, seats_used=40)
    )
    assert known["usage.active_users_change"] == Share(42 / 40 - 1, signed=True)
    assert known["usage.seats_share"] == Share(0.8)
    assert known["usage.seats_used_change"] is None
    new = values(usage=UsageFigures(**days, active_users=42, active_users_before=0, seats=0, seats_used=0))
    assert new["usage.active_users_change"] is None
    assert new["usage.seats_share"] is None


def test_a_chart_needs_two_weeks_and_begins_with_the_first_that_is_known() -> None:
    def weeks(*numbers: float | None) -> Values:
        rows = tuple(
            WeekOfUse(begins_on=date(2025, 12, 1 + 7 * at), active_users=number)
            for at, number in enumerate(numbers)
        )
        return values(usage=UsageFigures(begins_on=date(2025, 12, 6), ends_on=date(2026, 1, 4), weeks=rows))

    assert weeks(None, 3, None, 5)["usage.chart"] == Chart([("8 Dec", 3), ("15 Dec", None), ("22 Dec", 5)])
    assert weeks(None, 3)["usage.chart"] is None
    assert weeks()["usage.chart"] is None


def test_what_comes_next_is_appointments_and_never_internal_work() -> None:
    at = datetime(2026, 1, 12, 9, tzinfo=UTC)
    coming = [
        ComingTouchpoint("escalation", at, "meeting", is_with_customer=False),
        ComingTouchpoint("tips", at, "email", is_with_customer=True),
        ComingTouchpoint("check_in", NOON, "call", is_with_customer=True),
        ComingTouchpoint("business_review", at, "meeting", is_with_customer=True),
    ]
    context = MessageContext(due(), NOON, BOOK.phrases("de"), "Northwind", facts=MessageFacts(coming=coming))

    lines = customer_values(context)["coming.list"]

    assert lines == Items(("Ergebnisgespräch: Montag, 12. Januar 2026 um 09:00 UTC",))


def test_the_people_are_named_as_they_are_known() -> None:
    context = MessageContext(
        due(),
        NOON,
        BOOK.phrases("en"),
        "Northwind",
        account=Account("acme", "Acme"),
        contact=ContactRecord(contact_id="ann", name="Dr. Ann Lee"),
        csm=CsmRecord(csm_id="ben", name="Ben Okri", phone="+49 30 1", version=1),
    )

    shown = customer_values(context)

    assert (shown["contact.name"], shown["contact.first_name"]) == ("Dr. Ann Lee", None)
    assert (shown["csm.first_name"], shown["csm.phone"], shown["csm.booking_url"]) == (
        "Ben",
        "+49 30 1",
        None,
    )

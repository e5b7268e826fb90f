"""Harmless variants are cleaned and named; everything else is refused as before (kind 7 of the reported faults)."""

import json
from collections.abc import Mapping

import pytest

from schemas.base import SchemaModel
from schemas.cleaning import Cleaning
from schemas.events import read_data
from schemas.facts import AccountDescribed, ContactDescribed, UsageReported
from schemas.problems import Malformed

PERIOD = {"period_start": "2026-03-01T00:00:00Z", "period_end": "2026-03-02T00:00:00Z"}


def parse_data(event_type: str, data: bytes) -> SchemaModel:
    return read_data(event_type, data).message


def cleaned(kind: str, data: Mapping[str, object], **more: object) -> tuple[dict[str, object], set[Cleaning]]:
    clean = read_data(f"drumbeat.{kind}.v1", json.dumps({**data, **more}).encode())
    return json.loads(clean.data), set(clean.cleanings)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("currency", "usd", "USD"),
        ("currency", " eur ", "EUR"),
        ("name", " Acme\u00a0", "Acme"),
        ("name", "Acme\n", "Acme"),
        ("timezone", "europe/berlin", "Europe/Berlin"),
        ("timezone", "America/New York ", "America/New_York"),
        ("segment", "Mid-Market", "mid_market"),
        ("complexity", "SIMPLE", "simple"),
        ("language", "de ", "de"),
        ("csm_id", "\u200bcsm-1", "csm-1"),
    ],
)
def test_a_harmless_variant_is_read_as_the_usual_spelling_and_named(name: str, old: str, new: str) -> None:
    """Row 36 of the reported faults."""
    assert cleaned("account.described", {name: old}) == ({name: new}, {Cleaning(f"data.{name}", old, new)})


@pytest.mark.parametrize("blank", ["", " ", "\t\n", "\u00a0", "\u3000\u200b"])
@pytest.mark.parametrize(
    "name", ["timezone", "currency", "name", "arr", "segment", "external_ids", "paid_success"]
)
def test_a_blank_means_that_the_field_was_not_sent(name: str, blank: str) -> None:
    """Row 36: absent, so the stored value stays; null would clear it."""
    data, cleanings = cleaned("account.described", {name: blank, "industry": "Tea"})

    assert data == {"industry": "Tea"}
    assert cleanings == {Cleaning(f"data.{name}", blank, None)}


def test_blanks_around_an_address_are_cut_and_a_blank_address_was_not_sent() -> None:
    data, _ = cleaned("contact.described", {"contact_id": " c1", "email": "ada@example.com "})
    assert data == {"contact_id": "c1", "email": "ada@example.com"}

    data, _ = cleaned("contact.described", {"contact_id": "c1", "email": "", "phone": " "})
    assert data == {"contact_id": "c1"}


def test_a_whole_number_may_be_written_with_a_fraction_of_zero() -> None:
    """Row 32."""
    data, cleanings = cleaned("usage.reported", PERIOD, active_users=12.0, seats=1e3)
    assert (data["active_users"], data["seats"]) == (12, 1000)
    assert Cleaning("data.active_users", 12.0, 12) in cleanings

    assert cleaned("nps.answered", {"score": 9.0})[0] == {"score": 9}
    assert cleaned("survey.answered", {"csat": 5.0})[0] == {"csat": 5}


@pytest.mark.parametrize("wrong", [9.5, "9", 11.0, True])
def test_another_number_is_still_refused(wrong: object) -> None:
    with pytest.raises(Malformed, match=r"^data\.score: "):
        cleaned("nps.answered", {"score": wrong})


def test_lists_and_maps_are_cleaned_at_every_depth() -> None:
    data, cleanings = cleaned(
        "usage.reported", PERIOD, limits={" api calls": {"used": 5, "limit": ""}}, features={"Export ": 2}
    )
    assert data["limits"] == {"api calls": {"used": 5}}
    assert data["features"] == {"Export": 2}
    assert Cleaning("data.limits.api calls.limit", "", None) in cleanings

    hours = {"from": "09:00 ", "to": "17:00"}
    data, _ = cleaned("csm.described", {"working_days": ["Mon ", "TUE"], "working_hours": hours})
    assert data == {"working_days": ["mon", "tue"], "working_hours": {"from": "09:00", "to": "17:00"}}


def test_two_names_that_differ_in_blanks_stay_two_names() -> None:
    with pytest.raises(Malformed, match="features"):
        cleaned("usage.reported", PERIOD, features={"a": 1, "a ": 2})


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("contact.described", {"contact_id": "  "}),
        ("milestone.reached", {"milestone": ""}),
        ("preference.changed", {"contact_id": "c", "topic": "", "opted_in": True}),
        ("preference.changed", {"contact_id": "c", "channel": " ", "opted_in": True}),
        ("outreach.paused", {"reason": "holidays", "contact_id": ""}),
    ],
)
def test_a_blank_is_refused_where_a_value_is_needed_or_its_absence_would_mean_all(
    kind: str, data: dict[str, object]
) -> None:
    with pytest.raises(Malformed):
        cleaned(kind, data)


def test_what_is_still_wrong_after_cleaning_is_reported_and_nothing_else() -> None:
    with pytest.raises(Malformed) as refused:
        cleaned("account.described", {"currency": "usd", "segment": "huge", "name": " Acme "})

    assert str(refused.value).startswith("data.segment: 'huge' is not one of")
    assert "currency" not in str(refused.value)


def test_undeclared_fields_are_left_as_they_are() -> None:
    data, cleanings = cleaned("account.described", {"name": "Acme", "colour": " red "})

    assert data == {"name": "Acme", "colour": " red "}
    assert not cleanings


def test_clean_data_is_returned_byte_by_byte() -> None:
    raw = b'{ "name" : "Acme", "arr" : 5e4 }'
    assert read_data("drumbeat.account.described.v1", raw).data is raw


def test_cleaning_twice_is_cleaning_once() -> None:
    once = read_data("drumbeat.account.described.v1", b'{"name": " Acme ", "currency": "usd", "pool": ""}')
    again = read_data("drumbeat.account.described.v1", once.data)

    assert again.message == once.message == AccountDescribed(name="Acme", currency="USD")
    assert not again.cleanings


def test_a_cleaning_says_what_was_read_as_what() -> None:
    assert (
        str(Cleaning("data.currency", "usd", "USD")) == "data.currency: value cleaned: 'usd' is read as 'USD'"
    )
    assert (
        str(Cleaning("data.email", " ", None))
        == "data.email: value cleaned: ' ' is blank: it counts as not sent"
    )


def test_the_model_itself_takes_only_clean_texts() -> None:
    """So that data which is clean is read once and never looked at again."""
    with pytest.raises(Malformed):
        ContactDescribed.read(b'{"contact_id": "c", "name": "Ada "}')
    assert parse_data("drumbeat.usage.reported.v1", json.dumps(PERIOD).encode()) == UsageReported.read(
        json.dumps(PERIOD).encode()
    )

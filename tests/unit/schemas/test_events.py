"""The data of every event type: strict about declared fields, tolerant of others, with clear error messages."""

import json
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

import pytest

from schemas.base import SchemaModel, unknown_fields
from schemas.events import FACTS, OUTCOMES, READABLE, ROUTES, read_data, refuse_own_source, route
from schemas.facts import AccountDescribed, CsmDescribed, HealthScored, UsageReported
from schemas.problems import Malformed

GOLDEN = Path(__file__).parent / "golden"
REQUIRED = {
    "account.merged": ["from"],
    "contact.described": ["contact_id"],
    "contact.left": ["contact_id"],
    "usage.reported": ["period_start", "period_end"],
    "milestone.reached": ["milestone"],
    "nps.answered": ["score"],
    "contract.changed": ["contract_id"],
    "expansion.signalled": ["signal"],
    "request.received": ["request_id"],
    "request.answered": ["request_id"],
    "preference.changed": ["contact_id"],
    "outreach.paused": ["reason"],
    "outreach.resumed": ["reason"],
    "touchpoint.settled": ["touchpoint_type", "outcome"],
    "message.engaged": ["kind"],
    "program.announced": ["program_id"],
}


def parse_data(event_type: str, data: bytes) -> SchemaModel:
    return read_data(event_type, data).message


def sample(event_type: str) -> dict[str, object]:
    return json.loads((GOLDEN / f"{event_type}.json").read_bytes())["data"]


def refusal(event_type: str, **data: object) -> str:
    with pytest.raises(Malformed) as error:
        parse_data(f"drumbeat.{event_type}.v1", json.dumps(data).encode())
    return str(error.value)


def test_facts_go_to_signals_and_outcomes_to_outcomes() -> None:
    assert {route(event_type) for event_type in FACTS} == {"account.signals"}
    assert {route(event_type) for event_type in OUTCOMES} == {"touchpoint.outcomes"}
    assert set(ROUTES) == {*FACTS, *OUTCOMES}


def test_producers_outside_may_not_send_delivery_finished() -> None:
    assert "drumbeat.delivery.finished.v1" in READABLE
    with pytest.raises(Malformed, match="not known"):
        route("drumbeat.delivery.finished.v1")


def test_an_unknown_type_gets_a_hint() -> None:
    with pytest.raises(Malformed, match=r"did you mean drumbeat\.health\.scored\.v1\?"):
        parse_data("drumbeat.helth.scored.v1", b"{}")
    with pytest.raises(Malformed, match="list of types"):
        route("zzz" * 10_000)


@pytest.mark.parametrize(
    ("event_type", "name"), [(kind, name) for kind, names in REQUIRED.items() for name in names]
)
def test_a_required_field_can_be_neither_absent_nor_null(event_type: str, name: str) -> None:
    whole = sample(f"drumbeat.{event_type}.v1")

    assert refusal(event_type, **{k: v for k, v in whole.items() if k != name}).startswith(
        f"data.{name}: is required"
    )
    assert refusal(event_type, **{**whole, name: None}).startswith(f"data.{name}: may not be null")


@pytest.mark.parametrize("event_type", sorted({*FACTS, *OUTCOMES}))
def test_an_optional_field_may_be_absent_or_null_and_the_two_differ(event_type: str) -> None:
    needed = REQUIRED.get(event_type.removeprefix("drumbeat.").removesuffix(".v1"), [])
    if event_type == "drumbeat.health.scored.v1":
        needed = ["score"]
    if event_type == "drumbeat.message.engaged.v1":
        needed = ["kind", "delivery_id"]
    names = {
        name: field.serialization_alias or name for name, field in READABLE[event_type].model_fields.items()
    }
    optional = set(names.values()) - set(needed)
    required = {name: value for name, value in sample(event_type).items() if name in needed}

    absent = parse_data(event_type, json.dumps(required).encode())
    cleared = parse_data(event_type, json.dumps({**required, **dict.fromkeys(optional)}).encode())

    assert {names[field] for field in absent.model_fields_set} == set(needed)
    assert {names[field] for field in cleared.model_fields_set} == set(needed) | optional


def test_all_problems_are_reported_at_once_with_their_paths() -> None:
    message = refusal("health.scored", score=130, color="blue", drivers=[1, {"nam": "x"}])

    assert "data.score: 130 is greater than 100" in message
    assert "data.color: 'blue' is not one of 'red', 'yellow' or 'green'" in message
    assert "data.drivers[0].driver: 1 is not a JSON object" in message
    assert "data.drivers[1].driver.name: is required and absent" in message


@pytest.mark.parametrize("wrong", ["42", True, [42], {"value": 42}, -0.001, 100.001, "red"])
def test_a_score_is_a_number_from_0_to_100(wrong: object) -> None:
    assert refusal("health.scored", score=wrong).startswith("data.score: ")


def test_a_score_may_be_a_whole_number_or_a_fraction() -> None:
    assert parse_data("drumbeat.health.scored.v1", b'{"score":42}') == HealthScored(score=42.0)
    assert parse_data("drumbeat.health.scored.v1", b'{"score":42.5}') == HealthScored(score=42.5)


def test_a_health_event_needs_a_score_or_a_color() -> None:
    assert refusal("health.scored", drivers=[]).startswith("data: score or color is required")
    assert refusal("health.scored", score=None, color=None).startswith("data: score or color is required")


@pytest.mark.parametrize("wrong", [9.5, "9", True, 11, -1, None])
def test_an_nps_score_is_a_whole_number_from_0_to_10(wrong: object) -> None:
    assert refusal("nps.answered", score=wrong).startswith("data.score: ")


def test_a_period_must_end_after_it_starts() -> None:
    moment = "2026-03-02T00:00:00Z"

    assert "period_end must be later" in refusal("usage.reported", period_start=moment, period_end=moment)


@pytest.mark.parametrize(
    "number", [b"9" * 25, b"9" * 400, b"9" * 4000, b"9" * 5000, b"1e999", b"NaN", b"-Infinity"]
)
@pytest.mark.parametrize("field", [b"seats", b"features", b"unheard_of"])
def test_a_number_beyond_a_double_is_rejected_with_a_short_message(number: bytes, field: bytes) -> None:
    value = b'{"reports":' + number + b"}" if field == b"features" else number
    body = (
        b'{"period_start":"2026-03-02T00:00:00Z","period_end":"2026-03-09T00:00:00Z","'
        + field
        + b'":'
        + value
        + b"}"
    )
    if (number, field) == (b"9" * 25, b"unheard_of"):
        return

    with pytest.raises(Malformed) as error:
        parse_data("drumbeat.usage.reported.v1", body)

    assert len(str(error.value)) < 300


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b'{"score":1',
        b'{"score":1,"comment":"\\u0000"}',
        b'{"score":1,"comment":"\\ud800"}',
        b'{"score":1,"comment":"\xff"}',
        b'{"score":1,"unheard_of":"\\u0000"}',
        b'{"score":1,"unheard_of":' + b"[" * 100_000,
        b'{"score":1,"unheard_of":' + b"[" * 100 + b"]" * 100 + b"}",
    ],
)
def test_invalid_json_is_rejected(body: bytes) -> None:
    with pytest.raises(Malformed, match=r"^data"):
        parse_data("drumbeat.nps.answered.v1", body)


def test_a_text_may_have_line_ends_but_an_id_may_not() -> None:
    parse_data("drumbeat.nps.answered.v1", b'{"score":9,"comment":"one\\r\\n\\ttwo"}')

    assert "control character" in refusal("contact.left", contact_id="a\nb")


def test_data_above_the_size_limit_is_rejected() -> None:
    assert "more than 1,000,000" in refusal("nps.answered", score=9, unheard_of="x" * 10_000_000)


def test_texts_lists_and_maps_are_bounded() -> None:
    whole = sample("drumbeat.usage.reported.v1")

    assert "longer than" in refusal("nps.answered", score=9, comment="x" * 20_001)
    assert "data.features: has" in refusal(
        "usage.reported", **{**whole, "features": {str(n): 1 for n in range(501)}}
    )
    assert "data.drivers: has" in refusal("health.scored", score=9, drivers=["x"] * 101)
    assert 'data.features.""' in refusal("usage.reported", **{**whole, "features": {"": 1}})


@pytest.mark.parametrize("wrong", ["2026-03-02", "2026-03-02T08:00:00", 1772438400, "1772438400", True, {}])
def test_an_instant_needs_a_zone(wrong: object) -> None:
    assert "data.until: " in refusal("outreach.paused", reason="x", until=wrong)


@pytest.mark.parametrize(
    "wrong", ["2026-03-02T00:00:00Z", "2026-02-30", "02.03.2026", 20260302, True, "1969-12-31"]
)
def test_a_day_is_a_date_without_a_time(wrong: object) -> None:
    assert "data.renews_on: " in refusal("contract.changed", contract_id="c", renews_on=wrong)


@pytest.mark.parametrize("wrong", ["Mars/Olympus", "../etc/passwd", "/etc/passwd", "a\0b", "Europe", 1])
def test_a_zone_is_one_of_the_iana_names(wrong: object) -> None:
    assert "data.timezone: " in refusal("account.described", timezone=wrong)


@pytest.mark.parametrize(
    "wrong", ["ada", "a@b", "a@b@c", "Ada <ada@example.com>", "a@b\r\nBcc: x@y.z", "a@b,c@d", "@", 1]
)
def test_an_email_field_takes_one_plain_address(wrong: object) -> None:
    assert "data.email: " in refusal("contact.described", contact_id="c", email=wrong)


def test_unknown_fields_are_tolerated_and_listed_by_path() -> None:
    limits = {"seats": {"used": 1, "limit": 2, "colour": 3}}
    body = {**sample("drumbeat.usage.reported.v1"), "unheard_of": "x", "limits": limits}

    message = parse_data("drumbeat.usage.reported.v1", json.dumps(body).encode())

    assert unknown_fields(message) == ["unheard_of", "limits.seats.colour"]


def test_unknown_fields_are_found_in_lists_and_in_either_form_of_an_entry() -> None:
    drivers = ["logins", {"name": "tickets", "weight": 2}, "seats", {"name": "calls", "trend": "up"}]

    message = parse_data("drumbeat.health.scored.v1", json.dumps({"score": 5, "drivers": drivers}).encode())

    assert unknown_fields(message) == ["drivers[1].weight", "drivers[3].trend"]


def test_a_problem_in_a_map_names_the_key() -> None:
    whole = sample("drumbeat.usage.reported.v1")

    message = refusal("usage.reported", **{**whole, "limits": {"Seats": {"used": "1", "limit": 2}}})

    assert message.startswith("data.limits.Seats.used: ")


def test_working_hours_days_and_time_off_are_read_in_the_usual_spellings() -> None:
    body = {"working_days": [1, "Tuesday", "WED"], "working_hours": "09:00-17:30", "time_off": ["2026-08-03"]}

    csm = CsmDescribed.read(json.dumps(body).encode())

    assert csm.working_days == ("mon", "tue", "wed")
    assert csm.working_hours is not None
    assert (csm.working_hours.from_, csm.working_hours.to) == ("09:00", "17:30")
    assert CsmDescribed.read(csm.write()).time_off == csm.time_off


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("working_days", ["monkey"]),
        ("working_days", [0]),
        ("working_days", [True]),
        ("working_hours", "09:00-09:00"),
        ("working_hours", {"from": "9", "to": "17:00"}),
        ("working_hours", {"from": "09:00"}),
        ("working_hours", 9),
        ("time_off", [{"from": "2026-08-14", "to": "2026-08-03"}]),
        ("time_off", [{"from": "2026-08-14"}]),
        ("time_off", [7]),
        ("weekly_minutes", 10_081),
    ],
)
def test_invalid_working_times_are_rejected(name: str, wrong: object) -> None:
    assert refusal("csm.described", **{name: wrong}).startswith(f"data.{name}")


def test_a_shift_may_end_on_the_next_day_and_a_csm_may_work_on_no_day() -> None:
    """Row 38 of the reported faults."""
    csm = CsmDescribed.read(b'{"working_days": [], "working_hours": "22:00-06:00"}')

    assert csm.working_days == ()
    assert csm.working_hours is not None
    assert (csm.working_hours.from_, csm.working_hours.to) == ("22:00", "06:00")


def test_the_limit_of_what_has_no_limit_is_null() -> None:
    """Row 33."""
    whole = {**sample("drumbeat.usage.reported.v1"), "limits": {"api calls": {"used": 5, "limit": None}}}

    usage = UsageReported.read(json.dumps(whole).encode())

    assert usage.limits is not None
    assert usage.limits["api calls"].limit is None


@pytest.mark.parametrize("renews_on", ["2026-03-01", "2026-02-01"])
def test_a_contract_that_renews_before_it_starts_is_refused_with_both_fields(renews_on: str) -> None:
    """Row 20."""
    problem = refusal("contract.changed", contract_id="k", starts_on="2026-03-01", renews_on=renews_on)

    assert "starts_on (2026-03-01)" in problem
    assert f"renews_on ({renews_on})" in problem


@pytest.mark.parametrize("name", ["localtime", "posixrules", "Factory", "posix/Europe/Berlin", "right/UTC"])
def test_a_name_that_stands_for_no_place_is_no_zone(name: str) -> None:
    """Row 37."""
    assert "is not an IANA time zone" in refusal("account.described", timezone=name)


def test_a_message_is_named_by_its_delivery_or_by_its_message_id() -> None:
    parse_data("drumbeat.message.engaged.v1", b'{"message_id": "<m1@example.com>", "kind": "accepted"}')

    assert "delivery_id or message_id is required" in refusal("message.engaged", kind="opened")


@pytest.mark.parametrize("source", ["/drumbeat/notifier", "/drumbeat/", "/drumbeat", " /Drumbeat/scheduler"])
def test_a_source_of_drumbeat_itself_is_refused_from_outside(source: str) -> None:
    with pytest.raises(Malformed, match="reserved for Drumbeat's own events"):
        refuse_own_source(source)


@pytest.mark.parametrize("source", ["/crm", "/drumbeat-import", "/crm/drumbeat/", "urn:drumbeat"])
def test_any_other_source_is_taken(source: str) -> None:
    with nullcontext("taken") as outcome:
        refuse_own_source(source)
    assert outcome == "taken"


def test_an_instant_is_converted_to_utc() -> None:
    body = b'{"period_start":"2026-03-02T01:00:00+01:00","period_end":"2026-03-09T00:00:00Z"}'

    usage = UsageReported.read(body)

    assert usage.period_start == datetime(2026, 3, 2, tzinfo=UTC)
    assert usage.period_start.tzinfo is UTC
    assert json.loads(usage.write())["period_start"] == "2026-03-02T00:00:00Z"


def test_a_message_cannot_be_changed_after_it_was_read() -> None:
    described = AccountDescribed.read(b'{"name":"Meridian"}')

    with pytest.raises(ValueError, match="frozen"):
        described.name = "Other"

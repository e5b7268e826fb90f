"""Issued touchpoints: no order and no volume of other touchpoints changes what cool-downs, caps and one-offs read."""

import json
from collections.abc import Iterable, Mapping
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.cadence.account import FactEvent, Facts, Fields, micros
from services.cadence.account.codec import decode, encode
from services.cadence.account.issued import TIMES_KEPT, Issued
from tests.unit.cadence.events import DAY, NOW, decided, issued, make_event, one_offs

TYPES = ("risk_action_plan", "escalation", "check_in", "tips")
REASON: Mapping[str, object] = {"rule": "r", "policy": "p", "text": "because", "facts": []}


def touchpoint(
    kind: str, number: int, day: float, touchpoint_type: str = "check_in", **changed: object
) -> FactEvent:
    """An event of the scheduler about the touchpoint of that number."""
    due_at = NOW + timedelta(days=day)
    usual: dict[str, object] = {
        "touchpoint_id": f"t{number}",
        "touchpoint_type": touchpoint_type,
        "due_at": due_at,
        "released_at": due_at,
        "window": {"from": due_at, "to": due_at + 7 * DAY},
        "deadline": None,
        "owner": {"kind": "csm", "csm_id": "ada"},
        "channel": "call",
        "purpose": "",
        "reason": REASON,
        "occurrence": None,
        "sequence": 2,
        "note": None,
    }
    return make_event(f"touchpoint.{kind}", due_at, "/drumbeat/scheduler", **{**usual, **changed})


def outcome(number: int, day: float, kind: str, touchpoint_type: str = "check_in") -> FactEvent:
    return make_event(
        "touchpoint.settled",
        NOW + timedelta(days=day),
        touchpoint_id=f"t{number}",
        touchpoint_type=touchpoint_type,
        outcome=kind,
    )


@st.composite
def events(draw: st.DrawFn) -> FactEvent:
    """Whatever may come about one of ten touchpoints; a number says whether it is a one-off and of which type."""
    number, day = draw(st.integers(0, 9)), draw(st.integers(0, 60))
    kind = TYPES[number % len(TYPES)]
    occurrence = number if number % 3 == 0 else None
    match draw(st.sampled_from(["due", "overdue", "expired", "withdrawn", "settled"])):
        case "settled":
            outcomes = st.sampled_from(["attended", "missed", "cancelled", "rescheduled"])
            return outcome(number, day, draw(outcomes), kind)
        case "due" | "overdue" as what:
            return touchpoint(
                what, number, day, kind, occurrence=occurrence, sequence=2 + (what == "overdue")
            )
        case why:
            released = draw(st.sampled_from([None, NOW]))
            return touchpoint(
                "cancelled", number, day, kind, occurrence=occurrence, released_at=released, note=f"{why}: x"
            )


def remembered(arrived: Iterable[FactEvent]) -> Issued:
    return decode("acme", encode(Facts("acme"), issued(arrived))).issued


def readings(stored: Issued) -> tuple[object, object]:
    """What is read of the touchpoints of the types above with a number from 0 to 9."""
    own = {f"t{number}" for number in range(10)}
    one_offs = {
        key: fields for one_offs in stored.one_offs_by_type().values() for key, fields in one_offs.items()
    }
    times = {kind: sorted(stored.times_of([kind])) for kind in TYPES}
    return times, {key: fields for key, fields in one_offs.items() if key in own}


@given(st.lists(events(), max_size=25), st.data())
def test_the_order_and_the_number_of_repetitions_do_not_matter(
    arrived: list[FactEvent], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations([*arrived, *arrived]))

    assert encode(Facts("acme"), issued(shuffled)) == encode(Facts("acme"), issued(arrived))


@given(st.lists(events(), max_size=12), st.integers(100, 200))
def test_no_volume_of_other_touchpoints_changes_a_cool_down(arrived: list[FactEvent], count: int) -> None:
    def others() -> Iterable[FactEvent]:
        for number in range(1000, 1000 + count):
            day = number % 60
            yield touchpoint("due", number, day, "newsletter", occurrence=number)
            yield touchpoint(
                "cancelled", -number, day, "escalation", released_at=None, note="withdrawn: plan"
            )
            yield make_event(
                "delivery.finished", NOW + day * DAY, touchpoint_id=f"t{number}", state="sent", number=number
            )

    alone, among = remembered(arrived), remembered([*arrived, *others(), *arrived])

    assert readings(among) == readings(alone)


def test_a_state_is_read_as_it_was_written() -> None:
    stored = issued(
        [touchpoint("due", 1, 0), touchpoint("due", 2, 1, occurrence=3), outcome(2, 2, "attended")]
    )

    assert decode("acme", encode(Facts("acme"), stored)).issued == stored


def test_only_the_newest_times_of_a_type_are_kept_and_the_others_have_no_part_in_it() -> None:
    stored = issued(touchpoint("due", number, number, occurrence=number) for number in range(TIMES_KEPT + 20))

    assert min(stored.times_of(["check_in"])) == micros(NOW + 20 * DAY)
    assert stored.one_offs == {}


def test_a_one_off_is_known_until_long_after_its_window() -> None:
    old = touchpoint("due", 1, 0)
    known = remembered([old, touchpoint("due", 2, 100)])
    gone = remembered([old, touchpoint("due", 2, 108)])

    assert known.one_offs.keys() == {"t1", "t2"}
    assert gone.one_offs.keys() == remembered([touchpoint("due", 2, 108), old]).one_offs.keys() == {"t2"}
    assert len(gone.times_of(["check_in"])) == 2


def test_an_occurrence_of_a_rhythm_is_no_one_off_whenever_its_outcome_comes() -> None:
    came, ended = touchpoint("due", 1, 0, occurrence=4), outcome(1, 1, "attended")

    assert issued([came, ended]).one_offs == issued([ended, came]).one_offs == {}
    assert issued([came, ended]).times_of(["check_in"]) == [micros(NOW)]


def test_many_planned_touchpoints_and_messages_about_them_do_not_end_a_cool_down() -> None:
    """Red, its action plan and escalation are done, and 118 planned ones are called off; seven days later red again."""
    facts = [
        make_event("account.described", NOW - 40 * DAY, arr=50_000, csm_id="ada"),
        make_event("health.scored", NOW - 7 * DAY, score=20),
        make_event("health.scored", NOW - DAY, score=90),
        make_event("health.scored", NOW, score=20),
    ]
    done = [
        event
        for number, kind in enumerate(("risk_action_plan", "escalation"))
        for event in (touchpoint("due", number, -7, kind), outcome(number, -6, "completed", kind))
    ]
    called_off = [
        event
        for number in range(100, 218)
        for event in (
            touchpoint("cancelled", number, -3, "check_in", released_at=None, note="withdrawn: plan"),
            make_event("delivery.finished", NOW - DAY, touchpoint_id=f"t{number}", state="sent"),
        )
    ]

    decision = decided(*facts, came=[*done, *called_off])

    for kind in ("risk_action_plan", "escalation"):
        assert one_offs(decision, kind) == []
    assert {item.cause for item in decision.suppressed if item.touchpoint_type == "risk_action_plan"} == {
        "cooldown"
    }


def test_a_state_of_format_2_keeps_its_times_and_its_one_offs() -> None:
    at = micros(NOW)
    stamp = f"{at:018d}\x1f/drumbeat/scheduler\x1fe\x1fh"
    occurrence: Fields = {"type": "tips", "due_at": at, "delivery": "sent"}
    one_off: Fields = {"type": "kickoff", "due_at": at, "reason_policy": "p", "window_to": at}
    called_off: Fields = {"type": "check_in", "ended": "cancelled", "ended_at": at, "ended_why": "withdrawn"}
    done_early: Fields = {"type": "check_in", "ended": "attended", "ended_at": at, "ended_why": None}
    touches = {"a": occurrence, "b": one_off, "c": called_off, "d": done_early}
    document = {
        "v": 2, "f": at, "a": {}, "e": {}, "i": {key: {stamp: fields} for key, fields in touches.items()},
    }  # fmt: skip

    upgraded = decode("acme", json.dumps(document).encode()).issued

    assert {kind: upgraded.times_of([kind]) for kind in ("tips", "kickoff", "check_in")} == {
        "tips": [at],
        "kickoff": [at],
        "check_in": [at],
    }
    assert upgraded.one_offs == {key: {stamp: touches[key]} for key in "bcd"}

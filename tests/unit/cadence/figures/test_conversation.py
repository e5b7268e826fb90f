"""The last conversation: what took place, with what was written down after it."""

from datetime import datetime

from schemas.figures import ConversationFigures
from services.cadence.account import FactEvent
from tests.unit.cadence.events import DAY, NOW, make_event
from tests.unit.cadence.figures.figures_of import figures_after


def settled(ago: int, outcome: str = "completed", kind: str = "check_in", **more: object) -> FactEvent:
    """Told so many days ago, of a touchpoint of its own."""
    at = NOW - ago * DAY
    more = {"touchpoint_id": f"t-{ago}", **more}
    return make_event("touchpoint.settled", at, "/desk", touchpoint_type=kind, outcome=outcome, **more)


def logged(ago: int, channel: str, **more: object) -> FactEvent:
    return make_event("interaction.logged", NOW - ago * DAY, channel=channel, **more)


def conversation_after(*events: FactEvent) -> tuple[datetime, str | None] | None:
    known: ConversationFigures | None = figures_after(*events).conversation
    return None if known is None else (known.at, known.notes)


def test_notes_of_the_last_call_are_there_before_the_next() -> None:
    events = (
        settled(9, notes="wants the API"),
        settled(3, notes="moves in autumn"),
        settled(20, notes="old"),
    )

    assert conversation_after(*events) == (NOW - 3 * DAY, "moves in autumn")


def test_a_later_call_without_notes_is_the_last_conversation() -> None:
    assert conversation_after(settled(9, notes="wants the API"), settled(3)) == (NOW - 3 * DAY, None)


def test_a_mail_that_was_logged_does_not_hide_the_notes_of_a_call() -> None:
    events = (settled(9, notes="wants the API"), logged(2, "email"))

    assert conversation_after(*events) == (NOW - 9 * DAY, "wants the API")
    assert conversation_after(*events, logged(1, "email", notes="asks for a quote")) == (
        NOW - DAY,
        "asks for a quote",
    )


def test_contact_outside_the_plan_counts() -> None:
    known = figures_after(logged(2, "call", notes="rang us", at=NOW - 4 * DAY)).conversation

    assert known == ConversationFigures(at=NOW - 4 * DAY, channel="call", notes="rang us")


def test_what_did_not_take_place_is_no_conversation() -> None:
    assert conversation_after(settled(3, "missed", notes="nobody came"), settled(2, "declined")) is None


def test_internal_work_without_notes_is_no_conversation() -> None:
    assert conversation_after(settled(3, kind="escalation")) is None


def test_notes_go_when_the_touchpoint_turns_out_not_to_have_taken_place() -> None:
    events = (
        settled(9, notes="before"),
        settled(3, notes="a slip"),
        settled(2, "rescheduled", touchpoint_id="t-3"),
    )

    assert conversation_after(*events) == (NOW - 9 * DAY, "before")


def test_notes_that_were_told_again_in_other_words_count_as_told_last() -> None:
    first = settled(3, notes="moves in autum", at=NOW - 4 * DAY)
    again = make_event(
        "touchpoint.settled",
        NOW - DAY,
        "/desk",
        touchpoint_id="t-3",
        touchpoint_type="check_in",
        outcome="completed",
        at=NOW - 4 * DAY,
        notes="moves in autumn",
    )

    assert conversation_after(again, first) == (NOW - 4 * DAY, "moves in autumn")

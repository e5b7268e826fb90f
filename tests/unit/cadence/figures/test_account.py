"""The figures of an account that are not of usage, contracts or conversations."""

from tests.unit.cadence.events import DAY, NOW, make_event
from tests.unit.cadence.figures.figures_of import figures_after


def test_what_describes_an_account_is_there() -> None:
    known = figures_after(
        make_event("account.described", name="Acme", arr=250_000, currency="EUR", language="de"),
        make_event("health.scored", score=72),
        make_event("nps.answered", contact_id="ann", score=9),
    )

    assert (known.name, known.language, known.segment) == ("Acme", "de", "self_service")
    assert (known.arr, known.currency) == (250_000, "EUR")
    assert (known.health_score, known.nps_score) == (72, 9)
    assert known.stage is not None
    assert known.color == "green"


def test_of_an_account_of_which_little_is_known_the_rest_is_null() -> None:
    known = figures_after(make_event("account.described", name="Acme"))

    assert known.arr is None
    assert known.currency is None
    assert known.health_score is None
    assert known.contract is None
    assert known.conversation is None
    assert known.milestones == known.requests == ()


def test_milestones_of_the_last_90_days_are_named_once_the_newest_first() -> None:
    events = [
        make_event("milestone.reached", NOW - ago * DAY, milestone=name, reached_at=NOW - ago * DAY)
        for name, ago in (("first report", 10), ("  First  Report ", 10), ("team of 50", 3), ("import", 91))
    ]

    assert [each.milestone.strip().lower() for each in figures_after(*events).milestones] == [
        "team of 50",
        "first report",
    ]


def test_requests_without_an_answer_are_open_the_oldest_first() -> None:
    known = figures_after(
        make_event("request.received", NOW - 5 * DAY, request_id="r-2", channel="email"),
        make_event("request.received", NOW - 9 * DAY, request_id="r-1"),
        make_event("request.received", NOW - 7 * DAY, request_id="r-3"),
        make_event("request.answered", NOW - 6 * DAY, request_id="r-3"),
    )

    assert [(each.request_id, each.channel) for each in known.requests] == [("r-1", None), ("r-2", "email")]
    assert known.requests[0].received_at == NOW - 9 * DAY

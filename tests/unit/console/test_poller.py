"""The poller reads with its reader's key, keeps what it read when a service fails, and shows the error."""

from collections.abc import Callable
from datetime import UTC, datetime

import httpx

from services.chassis.clock import ServiceClock
from services.console.client import AsyncApiClient
from services.console.poller import Poller, with_age
from tests.unit.console.test_client import KEY, make_settings

START = datetime(2026, 11, 23, tzinfo=UTC)
CLOCK = ServiceClock(START, START, 1.0)
TOUCHPOINT = {
    "id": "t",
    "account_id": "a",
    "type": "check_in",
    "status": "due",
    "due_at": "2026-11-23T00:00:00Z",
}


def make_poller(respond: Callable[[httpx.Request], httpx.Response]) -> Poller:
    return Poller(AsyncApiClient(make_settings(), httpx.MockTransport(respond)), KEY, CLOCK)


async def test_a_service_that_does_not_answer_is_named_and_what_was_read_before_stays() -> None:
    is_down = False

    def respond(request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == f"Bearer {KEY}"
        if is_down:
            raise httpx.ConnectError("refused")
        return httpx.Response(200, json={"items": [TOUCHPOINT], "next_cursor": None})

    poller = make_poller(respond)
    await poller.refresh()
    is_down = True
    await poller.refresh()

    calendar = poller.calendar
    assert [touchpoint.id for touchpoint in calendar.open_touchpoints or []] == ["t"]
    assert calendar.error == "The scheduler does not answer at http://127.0.0.1:2."
    assert "The data shown is from" in with_age(calendar.error, calendar.read_at, CLOCK.now())


async def test_changes_are_read_from_where_the_last_read_ended() -> None:
    cursors: list[str | None] = []

    def respond(request: httpx.Request) -> httpx.Response:
        if "updated_since" not in request.url.params:
            return httpx.Response(200, json={"items": []})
        cursors.append(request.url.params.get("cursor"))
        step = {**TOUCHPOINT, "sequence": len(cursors), "updated_at": "2026-11-23T00:00:00Z"}
        body = {"items": [step], "next_cursor": None, "resume_cursor": f"after {len(cursors)}"}
        return httpx.Response(200, json=body)

    poller = make_poller(respond)
    await poller.refresh()
    await poller.refresh()
    entries, error = poller.activities(CLOCK.now())

    assert cursors == [None, "after 1"]
    assert len(entries or []) == 2
    assert error == ""


async def test_the_first_read_goes_back_only_as_far_as_one_page_holds() -> None:
    starts: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        if "updated_since" in request.url.params:
            starts.append(request.url.params["updated_since"])
        cursor = "more" if len(starts) == 1 else None
        return httpx.Response(200, json={"items": [], "next_cursor": cursor, "resume_cursor": None})

    await make_poller(respond).refresh()

    assert len(starts) == 2
    assert starts[0] < starts[1]


async def test_an_unknown_account_is_reported_once() -> None:
    poller = make_poller(lambda _: httpx.Response(404, json={"detail": "Not Found"}))
    poller.select("no/body")
    await poller.read_selected()
    assert poller.selected is not None
    assert poller.selected.errors == {"account": "There is no account “no/body”."}


async def test_an_answer_that_is_not_json_is_read_as_an_empty_list() -> None:
    poller = make_poller(lambda _: httpx.Response(200, content=b"<html>"))
    poller.select("a")
    await poller.refresh()
    assert poller.calendar.open_touchpoints == []


async def test_a_warning_of_the_notifier_is_shown_until_it_is_repaired() -> None:
    """Row 44: the console says that customer mail is held."""
    warnings = ["customer mail is held: set DRUMBEAT_PUBLIC_URL"]

    def respond(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/readyz":
            return httpx.Response(200, json={"status": "ready", "warnings": warnings})
        return httpx.Response(200, json={"items": [], "next_cursor": None})

    poller = make_poller(respond)
    await poller.refresh()
    assert poller.activity.warning == "customer mail is held: set DRUMBEAT_PUBLIC_URL"

    warnings.clear()
    await poller.refresh()
    assert poller.activity.warning == ""

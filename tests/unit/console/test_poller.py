"""The watch asks with its reader's key, keeps what it knew through trouble, and says the trouble plainly."""

from collections.abc import Callable
from datetime import UTC, datetime

import httpx

from services.chassis.clock import ServiceClock
from services.chassis.settings import Http, Settings
from services.console.auth import local
from services.console.client import Apis, Trouble
from services.console.poller import Watch, with_age

START = datetime(2026, 11, 23, tzinfo=UTC)
CLOCK = ServiceClock(START, START, 1.0)
KEY = "db_0123abcd_secret"
TOUCHPOINT = {
    "id": "t",
    "account_id": "a",
    "type": "check_in",
    "status": "due",
    "due_at": "2026-11-23T00:00:00Z",
}


def settings() -> Settings:
    return Settings(rules_engine=Http(port=1), scheduler=Http(port=2), notifier=Http(port=3))


def watching(answer: Callable[[httpx.Request], httpx.Response]) -> Watch:
    return Watch(Apis(settings(), httpx.MockTransport(answer)), KEY, CLOCK)


async def test_a_service_that_does_not_answer_is_told_and_what_was_known_stays() -> None:
    down = False

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == f"Bearer {KEY}"
        if down:
            raise httpx.ConnectError("refused")
        return httpx.Response(200, json={"items": [TOUCHPOINT], "next_cursor": None})

    watch = watching(answer)
    await watch.refresh()
    down = True
    await watch.refresh()

    assert [each.id for each in watch.calendar.waiting or []] == ["t"]
    assert watch.calendar.trouble == "The scheduler does not answer at http://127.0.0.1:2."
    assert "What you see is from" in with_age(watch.calendar.trouble, watch.calendar.known_at, CLOCK.now())


async def test_refusals_are_plain_words() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        status = {1: 401, 2: 403, 3: 503}[request.url.port or 0]
        return httpx.Response(status, json={"detail": "the database is not answering"})

    apis = Apis(settings(), httpx.MockTransport(answer))

    found = [
        await apis.get(KEY, service, "/v1/clock") for service in ("rules_engine", "scheduler", "notifier")
    ]

    assert [each.text for each in found if isinstance(each, Trouble)] == [
        "The rules engine does not accept this key. Sign out, and in again with one that is valid.",
        "This key may not read from the scheduler: it lacks the scope “read”.",
        "The notifier is not available just now: the database is not answering",
    ]


async def test_changes_are_read_on_from_where_the_last_look_ended() -> None:
    asked: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if "updated_since" not in request.url.params:
            return httpx.Response(200, json={"items": []})
        asked.append(request.url.params.get("cursor"))
        step = {**TOUCHPOINT, "sequence": len(asked), "updated_at": "2026-11-23T00:00:00Z"}
        body = {"items": [step], "next_cursor": None, "resume_cursor": f"after {len(asked)}"}
        return httpx.Response(200, json=body)

    watch = watching(answer)
    await watch.refresh()
    await watch.refresh()
    lines, trouble = watch.told(CLOCK.now())

    assert asked == [None, "after 1"]
    assert len(lines or []) == 2
    assert trouble == ""


async def test_a_first_look_goes_back_only_as_far_as_one_page_holds() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if "updated_since" in request.url.params:
            asked.append(request.url.params["updated_since"])
        more = "more" if len(asked) == 1 else None
        return httpx.Response(200, json={"items": [], "next_cursor": more, "resume_cursor": None})

    await watching(answer).refresh()

    assert len(asked) == 2
    assert asked[0] < asked[1]


async def test_an_account_nobody_heard_of_is_said_to_be_one() -> None:
    watch = watching(lambda _: httpx.Response(404, json={"detail": "Not Found"}))
    watch.open("no/body")
    await watch.look()
    assert watch.account is not None
    assert watch.account.troubles == {"account": "Nothing was heard of an account “no/body”."}


async def test_an_answer_that_is_no_document_harms_nobody() -> None:
    watch = watching(lambda _: httpx.Response(200, content=b"<html>"))
    watch.open("a")
    await watch.refresh()
    assert watch.calendar.waiting == []


def test_after_signing_in_one_stays_on_this_console() -> None:
    assert local("/?account=a") == "/?account=a"
    for elsewhere in (
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "",
        "/\n",
    ):
        assert local(elsewhere) == "/"

"""What each step of the set-up says of an installation."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.console.people import Person
from services.console.setup_view import SAMPLE_IDS, Found, Step, sample_ids, setup_steps
from services.console.shared_reads import Read

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
AWAY = Read(error="The rules engine does not answer.")
MAIL: dict[str, Any] = {"relay": "smtp:25", "sender": "a@x.example", "redirect_to": None, "on_hold": None}
POLICY = Read({"version": 3, "versions": [{"version": 3, "origin": "file", "author": "bench"}]})
SAMPLE = {"items": [{"id": each} for each in sorted(SAMPLE_IDS)]}


def steps(**changes: Any) -> dict[str, Step]:
    found: dict[str, Any] = {
        "accounts": Read({"items": []}),
        "people": {},
        "sources": Read({"items": []}),
        "channels": Read({"mail": MAIL, "problem": None}),
        "policy": POLICY,
        "mode": "live",
        **changes,
    }
    return {step.id: step for step in setup_steps(Found(**found), NOW)}


def test_an_empty_installation_is_told_what_to_do_with_lines_to_copy() -> None:
    found = steps(channels=Read({"mail": {**MAIL, "relay": None}}))
    assert list(found) == ["data", "people", "connector", "mail", "policy"]
    assert [found[name].state for name in ("data", "people", "connector", "mail")] == ["next"] * 4
    assert all(found[name].lines for name in ("data", "people", "connector", "mail"))


def test_what_cannot_be_read_is_not_known_and_never_done() -> None:
    found = steps(accounts=AWAY, sources=AWAY, channels=AWAY, policy=AWAY)
    for name in ("data", "connector", "mail", "policy"):
        assert (found[name].state, found[name].found) == ("unknown", [AWAY.error])


@pytest.mark.parametrize(
    ("accounts", "state", "sentence"),
    [
        (SAMPLE, "waiting", "Only the sample book is loaded."),
        ({"items": [{"id": "mine"}]}, "done", "1 account of your own."),
        ({"items": [{"id": "mine"}], "next_cursor": "x"}, "done", "1 account or more of your own."),
    ],
)
def test_the_sample_book_is_not_data_of_ones_own(
    accounts: dict[str, object], state: str, sentence: str
) -> None:
    step = steps(accounts=Read(accounts))["data"]
    assert (step.state, step.found[0]) == (state, sentence)


def test_the_sample_accounts_that_are_there_are_known() -> None:
    some = min(SAMPLE_IDS)
    assert sample_ids(Read({"items": [{"id": some}, {"id": "mine"}]})) == [some]
    assert sample_ids(AWAY) == []


def test_people_without_an_address_are_named() -> None:
    kim, joe = Person("kim", "Kim", email="kim@x.example"), Person("joe", "Joe")
    step = steps(people={"kim": kim, "joe": joe})["people"]
    assert step.state == "problem"
    assert list(step.found) == ["2 people are described.", "Without an address for mail: Joe."]
    assert steps(people={"kim": kim})["people"].state == "done"


def source(**fields: object) -> Read:
    one = {"source": "stripe", "url": "https://x.example/v1/webhooks/stripe", "received": 0, **fields}
    return Read({"items": [one]})


def test_a_source_waits_receives_and_is_refused() -> None:
    received = {"received": 4, "last_received_at": "2026-03-02T09:00:00Z"}
    refused = {"last_rejected": {"at": "2026-03-02T09:30:00Z", "reason": "the signature is wrong"}}
    old = {"last_rejected": {"at": "2026-03-02T08:30:00Z", "reason": "the signature is wrong"}}

    waiting = steps(sources=source())["connector"]
    assert (waiting.state, waiting.word) == ("waiting", "waiting")
    assert "https://x.example/v1/webhooks/stripe" in waiting.found[0]
    assert steps(sources=source(**received, **old))["connector"].found == [
        "stripe: 4 received, the last 1 hour ago."
    ]
    wrong = steps(sources=source(**received, **refused))["connector"]
    assert (wrong.state, wrong.tone) == ("problem", "bad")
    assert wrong.found[0].endswith("the signature is wrong")


def test_mail_that_customers_do_not_get_says_why() -> None:
    def mail(mode: str = "live", problem: str | None = None, **changes: object) -> Step:
        return steps(channels=Read({"mail": {**MAIL, **changes}, "problem": problem}), mode=mode)["mail"]

    assert mail().state == "done"
    assert mail(problem="the mail relay smtp:25 does not answer").state == "problem"
    assert "set DRUMBEAT_PUBLIC_URL" in mail(on_hold="set DRUMBEAT_PUBLIC_URL").found[-1]
    assert "All mail goes to qa@x.example" in mail(redirect_to="qa@x.example").found[-1]
    assert "The mode is hold" in mail(mode="hold").found[-1]


def test_the_policy_says_where_it_comes_from() -> None:
    assert steps()["policy"].found == ["Version 3 is in force, from the files at the start."]
    published = Read({"version": 4, "versions": [{"version": 4, "origin": "publish", "author": "Kim"}]})
    assert steps(policy=published)["policy"].found == ["Version 4 is in force, published by Kim."]

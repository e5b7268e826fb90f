"""Where the basis stays the same, the decision does, to the byte: now and at every later moment."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.cadence.account import FactEvent, micros, moment, stamp_of
from services.cadence.account.apply import apply_event
from services.cadence.account.codec import AccountState, decode, encode
from services.cadence.evaluation import ChangeDetection, Decision, evaluate_account
from services.cadence.expressions.parser import parse
from services.cadence.policy import Policy
from services.cadence.portfolio import Portfolio, Program
from tests.conftest import IS_SOAK
from tests.unit.cadence.events import DAY, HOUR, NOW, make_event, shipped
from tests.unit.cadence.policies import feedback, policy, rhythm, trigger

WATCHFUL = policy(
    rhythm("check-in", "check_in", 30, within=(7, 90)),
    rhythm("low", "usage_report", 30, parse("health_score is not null and health_score < 50")),
    trigger("fell", "health.scored", "advocacy_ask", 3, parse("score_drop is not null and score_drop > 10")),
    trigger("rich-fell", "health.scored", "business_review", 2, parse(
        "arr is not null and arr > 5000 and score_drop is not null and score_drop > 0"
    )),
    trigger("spike", "usage.reported", "check_in", 9, parse("seat_ratio is not null and seat_ratio >= 0.5")),
    feedback("fell-often", "health.scored", "score_drop is not null and score_drop > 30", -1, "check_in"),
)  # fmt: skip
POLICIES = (shipped(), WATCHFUL)

ACCOUNTS = 100 if IS_SOAK else 2
"""That one example looks at; `make soak` applies a million events."""


def _audience(values: object) -> bool:
    return bool(cast("dict[str, object]", values)["open_requests"])


PROGRAM = Program(
    "r", "release", micros(NOW + 9 * DAY), "R", meaningful=True, audience=_audience, reads=frozenset({"open_requests"}),
    stamp=stamp_of(make_event("program.announced", NOW - DAY).provenance),
)  # fmt: skip
PORTFOLIOS = (
    Portfolio(),
    Portfolio(programs=(PROGRAM,), arr_percentiles=tuple(range(0, 99_000, 1_000))),
)
CONTACTS = [f"contact-{number}" for number in range(3)]


@st.composite
def scored(draw: st.DrawFn) -> FactEvent:
    score = draw(st.integers(70, 100) | st.integers(0, 100) | st.none())
    fields: dict[str, object] = {"score": score}
    if draw(st.booleans()):
        fields["color"] = draw(st.sampled_from([None, "red", "green"]))
    return make_event("health.scored", NOW + draw(st.integers(-300, 1)) * HOUR, **fields)


def _usage(dice: Random, at: datetime) -> dict[str, object]:
    length = dice.choice([HOUR, DAY, DAY, DAY, 7 * DAY])
    end = at.replace(minute=0, second=0, microsecond=0) - dice.randint(0, 70) * DAY
    end = end.replace(hour=0) if length >= DAY else end
    fields: dict[str, object] = {"period_start": end - length, "period_end": end}
    optional: dict[str, object] = {
        "active_users": dice.randint(0, 40),
        "seats": dice.choice([None, 40, 100]),
        "seats_used": dice.randint(0, 100),
        "events": dice.choice([0, 10, 400]),
        "limits": {"storage": {"used": dice.randint(0, 100), "limit": 100}},
        "features": {"a": dice.randint(0, 3)},
    }
    return fields | {name: value for name, value in optional.items() if dice.random() < 0.5}


def _contract(dice: Random, at: datetime) -> dict[str, object]:
    optional: dict[str, object] = {
        "status": dice.choice(["draft", "active", "signed", "notice", "churned", "ended"]),
        "starts_on": (at + dice.randint(-400, 60) * DAY).date(),
        "renews_on": (at + dice.randint(61, 400) * DAY).date(),
        "signed_at": at,
        "arr": dice.choice([500.0, 50_000.0]),
        "auto_renew": dice.random() < 0.5,
    }
    return {"contract_id": dice.choice(["c1", "c2"])} | {
        name: value for name, value in optional.items() if dice.random() < 0.5
    }


def _described(dice: Random, at: datetime) -> dict[str, object]:
    del at
    optional: dict[str, object] = {
        "arr": dice.choice([None, 500.0, 50_000.0, 400_000.0]),
        "csm_id": dice.choice([None, "a"]),
        "name": dice.choice(["x", "y"]),
        "complexity": dice.choice(["low", "high"]),
        "paid_success": dice.random() < 0.5,
        "segment": dice.choice([None, "enterprise", "self_service"]),
        "currency": dice.choice(["EUR", "USD", None]),
    }
    return {name: value for name, value in optional.items() if dice.random() < 0.5}


def _settled(dice: Random, at: datetime) -> dict[str, object]:
    fields: dict[str, object] = {
        "touchpoint_type": dice.choice(["check_in", "business_review", "value_report", "advocacy_ask"]),
        "outcome": dice.choice(
            ["completed", "attended", "missed", "declined", "rescheduled", "cancelled", "reopened"]
        ),
        "at": at,
    }
    return fields | ({"touchpoint_id": dice.choice(["t1", "t2", "t3"])} if dice.random() < 0.5 else {})


def _issued(dice: Random, at: datetime) -> dict[str, object]:
    fields: dict[str, object] = {
        "touchpoint_id": dice.choice(["t1", "t2", "t3"]),
        "touchpoint_type": dice.choice(["check_in", "advocacy_ask", "expansion_discovery"]),
        "sequence": dice.randint(0, 3), "due_at": at, "deadline": at + dice.randint(1, 30) * DAY,
        "window": {"from": at, "to": at + 9 * DAY}, "reason": {"rule": "r", "policy": "p", "text": "t", "facts": []},
        "at": at, "note": dice.choice(["withdrawn: x", "expired: x"]),
    }  # fmt: skip
    return fields | ({"occurrence": 3} if dice.random() < 0.5 else {})


def _delivered(dice: Random, at: datetime) -> dict[str, object]:
    return {
        "delivery_id": f"d{dice.randint(0, 12)}",
        "touchpoint_id": "t1",
        "touchpoint_type": dice.choice(["value_report", "go_live_review", "survey"]),
        "channel": "email",
        "recipient": {"kind": dice.choice(["contact", "csm"]), "id": "contact-1"},
        "state": dice.choice(["sent", "skipped"]),
        "at": at,
    }


def _preference(dice: Random, at: datetime) -> dict[str, object]:
    del at
    fields: dict[str, object] = {"contact_id": dice.choice(CONTACTS)}
    optional: dict[str, object] = {
        "topic": dice.choice(["account", "training"]),
        "channel": dice.choice(["email", "call"]),
        "frequency": dice.choice(["weekly", "monthly", "suggested"]),
        "opted_in": dice.random() < 0.5,
        "by_contact": True,
    }
    return fields | {name: value for name, value in optional.items() if dice.random() < 0.5}


def _person(dice: Random, at: datetime) -> dict[str, object]:
    del at
    role = dice.choice(["champion", "user", "executive_sponsor"])
    return {"contact_id": dice.choice(CONTACTS), "role": role, "email": dice.choice(["a@b.c", "d@e.f"])}


def _paused(dice: Random, at: datetime) -> dict[str, object]:
    fields: dict[str, object] = {"reason": "r"}
    if dice.random() < 0.5:
        fields["until"] = at + dice.randint(1, 20) * DAY
    return fields | ({"contact_id": dice.choice(CONTACTS)} if dice.random() < 0.5 else {})


Fields = Callable[[Random, datetime], dict[str, object]]
FIELDS: dict[str, Fields] = {
    "account.described": _described,
    "contact.described": _person,
    "contact.left": _person,
    "contract.changed": _contract,
    "delivery.finished": _delivered,
    "expansion.signalled": lambda dice, _at: {"signal": dice.choice(["power_users", "seat_limit"])},
    "health.scored": lambda dice, _at: {"score": dice.randint(0, 100)},
    "interaction.logged": lambda dice, _at: {"channel": dice.choice(["call", "email", "in_app"])},
    "message.engaged": lambda dice, _at: {
        "delivery_id": f"d{dice.randint(0, 12)}",
        "kind": dice.choice(["opened", "clicked", "replied", "accepted", "declined", "declined"]),
        "touchpoint_id": f"t{dice.randint(0, 12)}", "touchpoint_type": dice.choice(["check_in", "business_review"]),
    },
    "milestone.reached": lambda dice, _at: {
        "milestone": dice.choice(["m", "n"]), "kind": dice.choice(["success", "adoption", "go_live"]),
    },
    "nps.answered": lambda dice, _at: {"contact_id": dice.choice(CONTACTS), "score": dice.randint(0, 10)},
    "outreach.paused": _paused,
    "outreach.resumed": _paused,
    "preference.changed": _preference,
    "request.answered": lambda dice, _at: {"request_id": f"r{dice.randint(0, 4)}"},
    "request.received": lambda dice, _at: {"request_id": f"r{dice.randint(0, 4)}"},
    "survey.answered": lambda dice, _at: {
        "contact_id": dice.choice(CONTACTS), "answer": dice.choice(["too_much", "too_little", "about_right"]),
        "csat": dice.randint(1, 5),
    },
    "touchpoint.cancelled": _issued,
    "touchpoint.due": _issued,
    "touchpoint.overdue": _issued,
    "touchpoint.settled": _settled,
    "usage.reported": _usage,
}  # fmt: skip
TYPES = (*sorted(FIELDS), *["usage.reported"] * 6, "contract.changed", "health.scored")


def any_event(dice: Random) -> FactEvent:
    """An event of any type, up to two months old."""
    hours = dice.randint(0, 60 * 24) if dice.random() < 0.5 else dice.randint(0, 48)
    kind, at = dice.choice(TYPES), NOW - hours * HOUR
    return make_event(kind, at, **FIELDS[kind](dice, at))


def any_news(dice: Random, history: Sequence[FactEvent]) -> FactEvent:
    """An event of any type, or what was told before, under another id and at another time."""
    if not history or dice.random() < 0.7:
        return any_event(dice)
    again = dice.choice(history)
    return make_event(again.type, NOW - dice.randint(0, 48) * HOUR, **again.fields)


def state_after(history: Sequence[FactEvent]) -> AccountState:
    state = decode("acme", None)
    for event in history:
        apply_event(state, event)
    return decode("acme", encode(*state))


def evaluated(under: Policy, state: AccountState, portfolio: Portfolio, at: datetime) -> Decision:
    return evaluate_account(under, state.facts, state.issued, portfolio, at)


def check_agreement(
    under: Policy, portfolio: Portfolio, history: Sequence[FactEvent], news: Sequence[FactEvent]
) -> bool:
    """Whether the news may be skipped; where they may, everything that an evaluation decides is the same."""
    known, state = state_after(history), state_after(history)
    detection = ChangeDetection(under, portfolio, NOW, state, news)
    for event in news:
        apply_event(state, event)
    after = detection.unchanged(state)
    if after is None:
        return False
    old, new = (evaluated(under, each, portfolio, NOW) for each in (known, state))
    assert (old.key, old.fired) == (new.key, new.fired)
    assert (old.segment, old.stage, old.color) == (new.segment, new.stage, new.color)
    turns = [old.next_evaluation_at, None if after.changes_at is None else moment(after.changes_at)]
    stated = min([at for at in turns if at is not None], default=None)
    assert new.next_evaluation_at is None or (stated is not None and stated <= new.next_evaluation_at)
    return True


@given(st.integers(0, 1 << 62))
def test_without_a_changed_basis_the_decision_is_the_same(seed: int) -> None:
    dice = Random(seed)
    for _ in range(ACCOUNTS):
        history = [any_event(dice) for _ in range(dice.choice((3, 10, 30)))]
        news = [any_news(dice, history) for _ in range(dice.choice((1, 1, 1, 2)))]
        check_agreement(dice.choice(POLICIES), dice.choice(PORTFOLIOS), history, news)


USUAL: list[FactEvent] = [
    make_event("account.described", NOW - 300 * DAY, arr=50_000.0, name="x", csm_id="a"),
    make_event("contract.changed", NOW - 300 * DAY, contract_id="c", status="active",
               starts_on=(NOW - 300 * DAY).date(), renews_on=(NOW + 65 * DAY).date()),
    make_event("health.scored", NOW - 2 * DAY, score=80),
    make_event("usage.reported", NOW - DAY, period_start=NOW - 2 * DAY, period_end=NOW - DAY, active_users=20,
               seats=100, seats_used=40),
    make_event("nps.answered", NOW - 40 * DAY, contact_id="contact-1", score=8),
    make_event("nps.answered", NOW - 30 * DAY, contact_id="contact-3", score=8),
    make_event("contact.described", NOW - 290 * DAY, contact_id="contact-1", role="champion", email="a@b.c"),
]  # fmt: skip
QUIET: dict[str, FactEvent] = {
    "usage of another day": make_event("usage.reported", NOW, period_start=NOW - DAY, period_end=NOW, active_users=25,
                                       seats=100, seats_used=45),
    "a score of the same colour": make_event("health.scored", NOW, score=90),
    "an account sent again": make_event("account.described", NOW, arr=50_000.0, name="x", csm_id="a"),
    "a contract sent again": make_event("contract.changed", NOW, contract_id="c", status="active",
                                        starts_on=(NOW - 300 * DAY).date(), renews_on=(NOW + 65 * DAY).date()),
    "a mail opened": make_event("message.engaged", NOW, delivery_id="d", kind="opened"),
    "a passive answer": make_event("nps.answered", NOW, contact_id="contact-2", score=8),
    "another name": make_event("account.described", NOW, name="y"),
    "an older event than all others": make_event("health.scored", NOW - 400 * DAY, score=80),
    "a pause of a contact": make_event("outreach.paused", NOW, contact_id="contact-1", reason="leave"),
}  # fmt: skip
LOUD: dict[str, FactEvent] = {
    "another colour": make_event("health.scored", NOW, score=20),
    "a fall": make_event("health.scored", NOW, score=71, color="red"),
    "usage near the limit": make_event("usage.reported", NOW, period_start=NOW - DAY, period_end=NOW, seats=100,
                                       seats_used=98),
    "a promoter": make_event("nps.answered", NOW, contact_id="contact-2", score=10),
    "another CSM": make_event("account.described", NOW, csm_id="b"),
    "another time zone": make_event("account.described", NOW, timezone="Pacific/Auckland"),
    "a signature": make_event("contract.changed", NOW, contract_id="c", status="signed", signed_at=NOW),
    "a champion who left": make_event("contact.left", NOW, contact_id="contact-1"),
    "a pause": make_event("outreach.paused", NOW, reason="audit"),
    "a call": make_event("interaction.logged", NOW, channel="call"),
    "a type that nothing is known of": make_event("account.merged", NOW, from_="other"),
}  # fmt: skip


@pytest.mark.parametrize("name", QUIET)
def test_what_tells_nothing_new_needs_no_evaluation(name: str) -> None:
    assert check_agreement(shipped(), Portfolio(), USUAL, [QUIET[name]])


@pytest.mark.parametrize("name", LOUD)
def test_what_may_change_the_plan_needs_an_evaluation(name: str) -> None:
    assert not check_agreement(shipped(), Portfolio(), USUAL, [LOUD[name]])


def test_without_a_contract_an_older_event_than_all_others_begins_the_relation() -> None:
    before = [event for event in USUAL if event.type != "contract.changed"]

    assert not check_agreement(shipped(), Portfolio(), before, [QUIET["an older event than all others"]])


def test_a_moment_at_which_time_alone_changes_the_basis_is_stated() -> None:
    state, report = state_after(USUAL), QUIET["usage of another day"]
    detection = ChangeDetection(shipped(), Portfolio(), NOW, state, [report])
    apply_event(state, report)

    basis = detection.unchanged(state)

    assert basis is not None
    assert basis.changes_at == micros(NOW + timedelta(days=14))

"""Where the basis stays the same, the decision does, to the byte: now and at every later moment."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.cadence.account import FactEvent, micros, moment, stamp_of
from services.cadence.account.apply import apply_event
from services.cadence.account.codec import AccountState, decode, encode
from services.cadence.evaluation import Decision, evaluate_account, read_basis
from services.cadence.expressions.parser import parse
from services.cadence.policy import Policy
from services.cadence.portfolio import Portfolio, Program
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
POLICIES = st.sampled_from([shipped(), WATCHFUL])


def _audience(values: object) -> bool:
    return bool(cast("dict[str, object]", values)["open_requests"])


PROGRAM = Program(
    "r", "release", micros(NOW + 9 * DAY), "R", meaningful=True, audience=_audience, reads=frozenset({"open_requests"}),
    stamp=stamp_of(make_event("program.announced", NOW - DAY).provenance),
)  # fmt: skip
PORTFOLIOS = st.sampled_from(
    [Portfolio(), Portfolio(programs=(PROGRAM,), arr_percentiles=tuple(range(0, 99_000, 1_000)))]
)
stamps = st.integers(-300, 1).map(lambda hours: NOW + hours * HOUR)
contacts = st.sampled_from([f"contact-{number}" for number in range(3)])
maybe = st.booleans()


@st.composite
def scored(draw: st.DrawFn) -> FactEvent:
    score = draw(st.integers(70, 100) | st.integers(0, 100) | st.none())
    fields: dict[str, object] = {"score": score}
    if draw(st.booleans()):
        fields["color"] = draw(st.sampled_from([None, "red", "green"]))
    return make_event("health.scored", draw(stamps), **fields)


def _usage(draw: st.DrawFn, at: datetime) -> dict[str, object]:
    length = draw(st.sampled_from([HOUR, DAY, DAY, DAY, 7 * DAY]))
    end = at.replace(minute=0, second=0, microsecond=0) - draw(st.integers(0, 70)) * DAY
    end = end.replace(hour=0) if length >= DAY else end
    fields: dict[str, object] = {"period_start": end - length, "period_end": end}
    optional: dict[str, object] = {
        "active_users": draw(st.integers(0, 40)),
        "seats": draw(st.sampled_from([None, 40, 100])),
        "seats_used": draw(st.integers(0, 100)),
        "events": draw(st.sampled_from([0, 10, 400])),
        "limits": {"storage": {"used": draw(st.integers(0, 100)), "limit": 100}},
        "features": {"a": draw(st.integers(0, 3))},
    }
    return fields | {name: value for name, value in optional.items() if draw(maybe)}


def _contract(draw: st.DrawFn, at: datetime) -> dict[str, object]:
    optional: dict[str, object] = {
        "status": draw(st.sampled_from(["draft", "active", "signed", "notice", "churned", "ended"])),
        "starts_on": (at + draw(st.integers(-400, 60)) * DAY).date(),
        "renews_on": (at + draw(st.integers(61, 400)) * DAY).date(),
        "signed_at": at,
        "arr": draw(st.sampled_from([500.0, 50_000.0])),
        "auto_renew": draw(maybe),
    }
    return {"contract_id": draw(st.sampled_from(["c1", "c2"]))} | {
        name: value for name, value in optional.items() if draw(maybe)
    }


def _described(draw: st.DrawFn, at: datetime) -> dict[str, object]:
    del at
    optional: dict[str, object] = {
        "arr": draw(st.sampled_from([None, 500.0, 50_000.0, 400_000.0])),
        "csm_id": draw(st.sampled_from([None, "a"])),
        "name": draw(st.sampled_from(["x", "y"])),
        "complexity": draw(st.sampled_from(["low", "high"])),
        "paid_success": draw(maybe),
        "segment": draw(st.sampled_from([None, "enterprise", "self_service"])),
        "currency": draw(st.sampled_from(["EUR", "USD", None])),
    }
    return {name: value for name, value in optional.items() if draw(maybe)}


def _settled(draw: st.DrawFn, at: datetime) -> dict[str, object]:
    fields: dict[str, object] = {
        "touchpoint_type": draw(st.sampled_from(["check_in", "business_review", "value_report", "advocacy_ask"])),
        "outcome": draw(
            st.sampled_from(
                ["completed", "attended", "missed", "declined", "rescheduled", "cancelled", "reopened"]
            )
        ),
        "at": at,
    }
    return fields | ({"touchpoint_id": draw(st.sampled_from(["t1", "t2", "t3"]))} if draw(maybe) else {})


def _issued(draw: st.DrawFn, at: datetime) -> dict[str, object]:
    fields: dict[str, object] = {
        "touchpoint_id": draw(st.sampled_from(["t1", "t2", "t3"])),
        "touchpoint_type": draw(st.sampled_from(["check_in", "advocacy_ask", "expansion_discovery"])),
        "sequence": draw(st.integers(0, 3)), "due_at": at, "deadline": at + draw(st.integers(1, 30)) * DAY,
        "window": {"from": at, "to": at + 9 * DAY}, "reason": {"rule": "r", "policy": "p", "text": "t", "facts": []},
        "at": at, "note": draw(st.sampled_from(["withdrawn: x", "expired: x"])),
    }  # fmt: skip
    return fields | ({"occurrence": 3} if draw(maybe) else {})


def _delivered(draw: st.DrawFn, at: datetime) -> dict[str, object]:
    return {
        "delivery_id": f"d{draw(st.integers(0, 12))}",
        "touchpoint_id": "t1",
        "touchpoint_type": draw(st.sampled_from(["value_report", "go_live_review", "survey"])),
        "channel": "email",
        "recipient": {"kind": draw(st.sampled_from(["contact", "csm"])), "id": "contact-1"},
        "state": draw(st.sampled_from(["sent", "skipped"])),
        "at": at,
    }


def _preference(draw: st.DrawFn, at: datetime) -> dict[str, object]:
    del at
    fields: dict[str, object] = {"contact_id": draw(contacts)}
    optional: dict[str, object] = {
        "topic": draw(st.sampled_from(["account", "training"])),
        "channel": draw(st.sampled_from(["email", "call"])),
        "frequency": draw(st.sampled_from(["weekly", "monthly", "suggested"])),
        "opted_in": draw(maybe),
        "by_contact": True,
    }
    return fields | {name: value for name, value in optional.items() if draw(maybe)}


def _person(draw: st.DrawFn, at: datetime) -> dict[str, object]:
    del at
    role = draw(st.sampled_from(["champion", "user", "executive_sponsor"]))
    return {"contact_id": draw(contacts), "role": role, "email": draw(st.sampled_from(["a@b.c", "d@e.f"]))}


def _paused(draw: st.DrawFn, at: datetime) -> dict[str, object]:
    fields: dict[str, object] = {"reason": "r"}
    if draw(maybe):
        fields["until"] = at + draw(st.integers(1, 20)) * DAY
    return fields | ({"contact_id": draw(contacts)} if draw(maybe) else {})


Fields = Callable[[st.DrawFn, datetime], dict[str, object]]
FIELDS: dict[str, Fields] = {
    "account.described": _described,
    "contact.described": _person,
    "contact.left": _person,
    "contract.changed": _contract,
    "delivery.finished": _delivered,
    "expansion.signalled": lambda draw, _at: {"signal": draw(st.sampled_from(["power_users", "seat_limit"]))},
    "health.scored": lambda draw, _at: {"score": draw(st.integers(0, 100))},
    "interaction.logged": lambda draw, _at: {"channel": draw(st.sampled_from(["call", "email", "in_app"]))},
    "message.engaged": lambda draw, _at: {
        "delivery_id": f"d{draw(st.integers(0, 12))}", "kind": draw(st.sampled_from(["opened", "clicked", "replied"])),
    },
    "milestone.reached": lambda draw, _at: {
        "milestone": draw(st.sampled_from(["m", "n"])), "kind": draw(st.sampled_from(["success", "adoption", "go_live"])),
    },
    "nps.answered": lambda draw, _at: {"contact_id": draw(contacts), "score": draw(st.integers(0, 10))},
    "outreach.paused": _paused,
    "outreach.resumed": _paused,
    "preference.changed": _preference,
    "request.answered": lambda draw, _at: {"request_id": f"r{draw(st.integers(0, 4))}"},
    "request.received": lambda draw, _at: {"request_id": f"r{draw(st.integers(0, 4))}"},
    "survey.answered": lambda draw, _at: {
        "contact_id": draw(contacts), "answer": draw(st.sampled_from(["too_much", "too_little", "about_right"])),
        "csat": draw(st.integers(1, 5)),
    },
    "touchpoint.cancelled": _issued,
    "touchpoint.due": _issued,
    "touchpoint.overdue": _issued,
    "touchpoint.settled": _settled,
    "usage.reported": _usage,
}  # fmt: skip
TYPES = st.sampled_from(sorted(FIELDS)) | st.sampled_from(["usage.reported", "contract.changed", "health.scored"])


@st.composite
def events(draw: st.DrawFn) -> FactEvent:
    """An event of any type, up to two months old; some are told again under another id."""
    kind, at = draw(TYPES), NOW - draw(st.integers(0, 60 * 24) | st.integers(0, 48)) * HOUR
    return make_event(kind, at, **FIELDS[kind](draw, at))


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
    types = {event.type for event in news}
    state, at = state_after(history), micros(NOW)
    known = state_after(history)
    before = read_basis(under, portfolio, state, at, types)
    for event in news:
        apply_event(state, event)
    after = read_basis(under, portfolio, state, at, types)
    if before is None or after is None or before.reading != after.reading:
        return False
    old, new = (evaluated(under, each, portfolio, NOW) for each in (known, state))
    assert (old.key, old.fired) == (new.key, new.fired)
    assert (old.segment, old.stage, old.color) == (new.segment, new.stage, new.color)
    turns = [at for at in (old.next_evaluation_at, after.turns_at and moment(after.turns_at)) if at is not None]
    assert new.next_evaluation_at is None or min(turns) <= new.next_evaluation_at
    return True


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(POLICIES, PORTFOLIOS, st.lists(events(), max_size=25), st.lists(events(), min_size=1, max_size=2))
def test_without_a_changed_basis_the_decision_is_the_same(
    under: Policy, portfolio: Portfolio, history: list[FactEvent], news: list[FactEvent]
) -> None:
    check_agreement(under, portfolio, history, news)


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
    "a contact sent again": make_event("contact.described", NOW, contact_id="contact-1", role="champion", email="a@b.c"),
    "a mail opened": make_event("message.engaged", NOW, delivery_id="d", kind="opened"),
    "a passive answer": make_event("nps.answered", NOW, contact_id="contact-2", score=8),
    "another name": make_event("account.described", NOW, name="y"),
    "a pause of a contact": make_event("outreach.paused", NOW, contact_id="contact-1", reason="leave"),
}  # fmt: skip
LOUD: dict[str, FactEvent] = {
    "another colour": make_event("health.scored", NOW, score=20),
    "a fall": make_event("health.scored", NOW, score=71, color="red"),
    "usage near the limit": make_event("usage.reported", NOW, period_start=NOW - DAY, period_end=NOW, seats=100,
                                       seats_used=98),
    "a promoter": make_event("nps.answered", NOW, contact_id="contact-2", score=10),
    "another CSM": make_event("account.described", NOW, csm_id="b"),
    "a signature": make_event("contract.changed", NOW, contract_id="c", status="signed", signed_at=NOW),
    "a champion who left": make_event("contact.left", NOW, contact_id="contact-1"),
    "a pause": make_event("outreach.paused", NOW, reason="audit"),
    "a call": make_event("interaction.logged", NOW, channel="call"),
    "an older event than all others": make_event("health.scored", NOW - 400 * DAY, score=80),
    "a type that nothing is known of": make_event("account.merged", NOW, from_="other"),
}  # fmt: skip


@pytest.mark.parametrize("name", QUIET)
def test_what_tells_nothing_new_needs_no_evaluation(name: str) -> None:
    assert check_agreement(shipped(), Portfolio(), USUAL, [QUIET[name]])


@pytest.mark.parametrize("name", LOUD)
def test_what_may_change_the_plan_needs_an_evaluation(name: str) -> None:
    assert not check_agreement(shipped(), Portfolio(), USUAL, [LOUD[name]])


def test_a_moment_at_which_time_alone_changes_the_basis_is_stated() -> None:
    state = state_after([*USUAL, QUIET["usage of another day"]])

    basis = read_basis(shipped(), Portfolio(), state, micros(NOW), ["usage.reported"])

    assert basis is not None
    assert basis.turns_at == micros(NOW + timedelta(days=14))

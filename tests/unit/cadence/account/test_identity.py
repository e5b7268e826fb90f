"""Things are known by what they are: connectors repeat, vary and reorder, and nothing happens twice (kinds 1 and 2)."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.cadence.account import FactEvent, Provenance, apply_fact
from services.cadence.account.codec import encode
from services.cadence.account.identity import answers_of, name_key, things_of
from services.cadence.account.issued import Issued
from services.cadence.account.retention import bounds_reached
from services.cadence.evaluation import Decision
from services.cadence.features.compute import view_account
from services.cadence.portfolio import Portfolio
from tests.unit.cadence.events import (
    DAY,
    HOUR,
    NOW,
    came_due,
    decided,
    facts_after,
    make_event,
    one_offs,
    rhythm,
    settled,
)

ACCOUNT = make_event("account.described", NOW - 400 * DAY, arr=50_000, csm_id="csm-1")
ANN = make_event(
    "contact.described", NOW - 400 * DAY, contact_id="ann", role="champion", email="ann@example.com"
)
CONTRACT = make_event(
    "contract.changed",
    NOW - 200 * DAY,
    contract_id="k",
    status="active",
    starts_on=(NOW - 200 * DAY).date(),
    renews_on=(NOW + 165 * DAY).date(),
)
BASE = (ACCOUNT, ANN, CONTRACT)


def told_again(event: FactEvent, at: object, source: str = "/crm") -> FactEvent:
    """The same content under another id, at another time."""
    return make_event(event.type, at, source, **event.fields)  # pyright: ignore[reportArgumentType]


def values_of(*events: FactEvent) -> Mapping[str, object]:
    """All features, whether the shipped policy reads them or not."""
    return view_account(facts_after(events), Portfolio(), NOW + DAY).values


def ids(decision: Decision, kind: str) -> list[str]:
    return [item.id for item in one_offs(decision, kind)]


def test_a_milestone_of_one_name_is_reached_once() -> None:
    """Row 11: three nights, new ids, and the name spelled otherwise."""
    first = make_event("milestone.reached", NOW, milestone="went live", kind="go_live")
    nights = [
        make_event("milestone.reached", NOW + 1 * DAY, milestone="Went  Live ", kind="go_live"),
        make_event("milestone.reached", NOW + 2 * DAY, milestone="WENT LIVE", kind="go_live"),
    ]
    once = decided(*BASE, first, now=NOW + 2 * DAY)
    (review,) = one_offs(once, "go_live_review")

    assert ids(decided(*BASE, first, *nights, now=NOW + 2 * DAY), "go_live_review") == [review.id]
    came = (came_due(review, NOW + HOUR), settled(review, NOW + DAY))
    again = decided(*BASE, *nights, first, came[1], now=NOW + 3 * DAY, came=came)
    assert ids(again, "go_live_review") == []


def test_a_milestone_counts_from_when_it_was_reached() -> None:
    """Row 14: a success of 300 days ago told now asks for nothing, and the first go-live is the earliest reached."""
    old = make_event(
        "milestone.reached", NOW, milestone="first success", kind="success", reached_at=NOW - 300 * DAY
    )
    live = make_event("milestone.reached", NOW, milestone="live", kind="go_live", reached_at=NOW - 90 * DAY)

    decision = decided(*BASE, old, live)

    assert ids(decision, "advocacy_ask") == ids(decision, "go_live_review") == []
    assert values_of(*BASE, old, live)["days_since_go_live"] == 91


def test_a_kind_that_only_one_tool_states_stays_with_the_milestone() -> None:
    facts = facts_after(
        [
            make_event("milestone.reached", NOW, milestone="Live", kind="go_live"),
            make_event("milestone.reached", NOW + DAY, "/other", milestone="live"),
        ]
    )

    (thing,) = things_of(facts.entries, "milestone.reached")
    assert (thing.fields["kind"], thing.key) == ("go_live", ("milestone.reached", "live"))


def again_from(source: str, event: FactEvent) -> FactEvent:
    """The same content at the same time, from another tool under another id."""
    time = event.provenance.time
    return FactEvent(event.type, "acme", Provenance(time, source, f"again-{source}", "0" * 16), event.fields)


@pytest.mark.parametrize("source", ["/sync", "/a-tool"])
@pytest.mark.parametrize("repeated", [0, 1])
@pytest.mark.parametrize(
    "stated",
    [
        [
            make_event("milestone.reached", NOW, milestone="Live", kind=kind)
            for kind in ("go_live", "adoption")
        ],
        [make_event("nps.answered", NOW, contact_id="ann", score=score) for score in (9, 3)],
        [
            make_event("nps.answered", NOW, contact_id=who, score=score)
            for who, score in (("ann", 9), ("bob", 3))
        ],
        [make_event("nps.answered", NOW, score=score) for score in (9, 3)],
    ],
    ids=["milestone", "one respondent", "two respondents", "no respondent"],
)
def test_of_statements_at_one_moment_the_content_decides_whoever_repeats_one(
    stated: list[FactEvent], repeated: int, source: str
) -> None:
    """A repetition of either decides nothing: neither its id nor its source, which sorts after or before."""
    again = again_from(source, stated[repeated])

    assert features_and_plan([*BASE, *stated, again]) == features_and_plan([*BASE, *stated])


def outline(decision: Decision) -> object:
    """What the plan has, without the names of the events behind it."""
    one_offs = [
        (item.id, item.touchpoint_type, item.window, item.reason.text) for item in decision.plan.touchpoints
    ]
    return one_offs, [(item.touchpoint_type, item.every_days) for item in decision.plan.rhythms]


@pytest.mark.parametrize("repeated", [0, 1])
@pytest.mark.parametrize(
    "stated",
    [
        [make_event("request.received", NOW, request_id=request) for request in ("r1", "r2")],
        [make_event("nps.answered", NOW, contact_id=who, score=9) for who in ("ann", "bob")],
        [
            make_event("milestone.reached", NOW, milestone=name, kind="adoption")
            for name in ("Live", "Second")
        ],
        [
            make_event("survey.answered", NOW, contact_id=who, answer=answer)
            for who, answer in (("ann", "too_much"), ("bob", "too_little"))
        ],
    ],
    ids=["requests", "answers", "milestones", "opinions"],
)
def test_which_of_two_things_of_one_moment_is_answered_does_not_depend_on_who_repeats_one(
    stated: list[FactEvent], repeated: int
) -> None:
    """Only one of them leads to a touchpoint: no repetition asks for the other instead."""
    again = again_from("/a-tool", stated[repeated])

    assert outline(decided(*BASE, *stated, again)) == outline(decided(*BASE, *stated))


def test_answers_of_one_person_within_30_days_are_one_round_and_the_latest_stands() -> None:
    """Issue 9, point 1: an advocacy ask of an earlier answer leaves the plan, and of two only one is counted."""
    nine = make_event("nps.answered", NOW, contact_id="ann", score=9)
    three = make_event("nps.answered", NOW + 3 * HOUR, contact_id="ann", score=3)

    asked = decided(*BASE, nine, now=NOW + HOUR)
    revised = decided(*BASE, nine, three, now=NOW + 4 * HOUR)

    assert len(ids(asked, "advocacy_ask")) == 1
    assert ids(revised, "advocacy_ask") == []
    values = values_of(*BASE, nine, three)
    assert (values["nps_score"], values["nps_trend"]) == (3, None)


def test_what_came_due_for_an_answer_that_was_revised_is_withdrawn_unless_a_rule_asks_for_it_still() -> None:
    nine = make_event("nps.answered", NOW, contact_id="ann", score=9)
    three = make_event("nps.answered", NOW + 3 * HOUR, contact_id="ann", score=3)
    ten = make_event("nps.answered", NOW + 3 * HOUR, contact_id="ann", score=10)
    (ask,) = one_offs(decided(*BASE, nine, now=NOW + HOUR), "advocacy_ask")
    came = [came_due(ask, NOW + 2 * HOUR)]

    revised = decided(*BASE, nine, three, now=NOW + 4 * HOUR, came=came)
    confirmed = decided(*BASE, nine, ten, now=NOW + 4 * HOUR, came=came)

    assert (ids(revised, "advocacy_ask"), revised.plan.withdrawn) == ([], (ask.id,))
    assert (ids(confirmed, "advocacy_ask"), confirmed.plan.withdrawn) == ([ask.id], ())


def test_an_old_answer_told_now_is_not_the_newest() -> None:
    """Row 14: it counts from when it was given."""
    three = make_event("nps.answered", NOW - 20 * DAY, contact_id="ann", score=3)
    old = make_event("nps.answered", NOW, contact_id="bob", score=10, answered_at=NOW - 400 * DAY)

    assert values_of(*BASE, three, old)["nps_score"] == 3
    assert ids(decided(*BASE, three, old), "advocacy_ask") == []


def test_answers_without_a_respondent_are_of_different_people() -> None:
    answers = [make_event("nps.answered", NOW - day * DAY, score=9) for day in range(3)]

    assert len(answers_of(facts_after(answers).entries, {}, "nps.answered")) == 3


def test_an_opinion_on_frequency_that_was_revised_moves_nothing() -> None:
    """`too_much`, and the next day `about_right` by the same person."""
    too_much = make_event("survey.answered", NOW - 2 * DAY, contact_id="ann", answer="too_much")
    right = make_event("survey.answered", NOW - DAY, contact_id="ann", answer="about_right")

    without, moved, revised = (
        rhythm(decided(*BASE, *answers), "check_in") for answers in ([], [too_much], [too_much, right])
    )

    assert without is not None
    assert moved is not None
    assert revised is not None
    assert moved.every_days > without.every_days
    assert revised.every_days == without.every_days


def test_the_first_people_of_an_account_are_not_news_and_later_ones_are() -> None:
    """Row 13: a first import names a champion of an established account; months later somebody new comes."""
    first = make_event("contact.described", NOW, contact_id="ann", role="champion")
    second = make_event("contact.described", NOW + HOUR, contact_id="bob", role="decision_maker")
    later = make_event("contact.described", NOW + 60 * DAY, contact_id="eve", role="champion")

    assert ids(decided(ACCOUNT, CONTRACT, first, second, now=NOW + 2 * HOUR), "intro_call") == []
    introduced = decided(ACCOUNT, CONTRACT, first, second, later, now=NOW + 60 * DAY)
    assert len(ids(introduced, "intro_call")) == 1


def test_a_second_record_of_one_person_is_nobody_new() -> None:
    """Row 7: the same address, letter case apart."""
    again = make_event("contact.described", NOW, contact_id="app-9", role="champion", email="Ann@Example.com")

    assert ids(decided(*BASE, again), "intro_call") == []


def test_a_nightly_list_does_not_bring_back_who_left_and_new_words_do() -> None:
    left = make_event("contact.left", NOW, contact_id="ann")
    nights = [told_again(ANN, NOW + night * DAY) for night in range(-40, 40)]
    back = make_event(
        "contact.described", NOW + 60 * DAY, contact_id="ann", role="champion", email="ann@new.example.com"
    )

    assert facts_after([*nights, left]).contact_values()["ann"]["left"].value is True
    assert facts_after([back, left, *nights]).contact_values()["ann"]["left"].value is False


def test_a_departure_told_every_night_counts_from_the_first_night() -> None:
    nights = [
        make_event("contact.left", NOW - night * DAY, f"/sync-{night}", contact_id="ann")
        for night in range(60)
    ]

    assert decided(*BASE, *nights).state.view.values["days_since_stakeholder_left"] == 59


def test_a_request_told_again_is_no_second_request() -> None:
    first = make_event("request.received", NOW, request_id="r1", channel="email")
    again = told_again(first, NOW + 8 * DAY, "/helpdesk")
    (call,) = one_offs(decided(*BASE, first), "ad_hoc_call")
    came = (came_due(call, NOW + HOUR), settled(call, NOW + DAY))

    assert ids(decided(*BASE, first, again, came[1], now=NOW + 8 * DAY, came=came), "ad_hoc_call") == []


def test_a_score_told_again_under_other_ids_takes_no_room_from_others() -> None:
    """A fall from 80 to 50, told again fifty times with the same times."""
    scores = [
        make_event("health.scored", NOW - DAY, score=80),
        make_event("health.scored", NOW - HOUR, score=50),
    ]
    again = [
        FactEvent(
            event.type,
            "acme",
            Provenance(event.provenance.time, "/sync", f"{number}", f"{number:016x}"),
            event.fields,
        )
        for event in scores
        for number in range(50)
    ]

    assert ids(decided(*BASE, *scores), "ad_hoc_call") == ids(decided(*BASE, *scores, *again), "ad_hoc_call")
    assert len(ids(decided(*BASE, *scores, *again), "ad_hoc_call")) == 1


def test_a_bound_that_lets_go_of_what_conditions_look_back_at_is_reported() -> None:
    """Row 27."""
    scores = [make_event("health.scored", NOW - n * HOUR, score=n) for n in range(40)]
    facts = facts_after(scores[20:])
    results = [apply_fact(facts, event) for event in scores[:20]]

    assert {result.let_go for result in results} == {("health.scored",)}
    assert ["16 entries of health.scored" in text for text in bounds_reached(facts.entries)] == [True]
    assert bounds_reached(facts_after(scores[:4]).entries) == []


def test_beyond_the_bound_of_contacts_the_stakeholders_stay() -> None:
    """Row 27: a thousand users do not push out the champion, whoever is told first."""
    users = [
        make_event("contact.described", NOW, contact_id=f"user-{number:04}", role="user")
        for number in range(1_000)
    ]
    boss = make_event("contact.described", NOW, contact_id="zz-boss", role="champion")

    for events in ([boss, *users], [*users, boss]):
        contacts = facts_after(events).contacts
        assert len(contacts) == 1_000
        assert "zz-boss" in contacts


def test_two_contacts_of_one_moment_are_two() -> None:
    """A tool that knows only the day of a contact gives many of them one moment."""
    events = [
        make_event("interaction.logged", NOW, channel=channel, contact_id=who, at=NOW - HOUR)
        for channel, who in (("call", "ann"), ("meeting", "ann"), ("call", "bob"), ("call", "bob"))
    ]
    events += [
        make_event("touchpoint.settled", NOW, touchpoint_type=kind, outcome="completed", at=NOW - HOUR)
        for kind in ("kickoff", "check_in", "check_in")
    ]
    entries = facts_after(events).entries

    assert len(things_of(entries, "interaction.logged")) == 3
    assert len(things_of(entries, "touchpoint.settled")) == 2


@pytest.mark.parametrize("name", ["Went Live", " went  live ", "WENT LIVE", "went\tlive"])
def test_names_compare_without_case_and_outer_blanks(name: str) -> None:
    assert name_key(name) == "went live"


Told = tuple[str, dict[str, str | int], int]
"""The type of an event, its data, and how many days ago it was."""


def _told(event: str, days: int, **fields: st.SearchStrategy[str | int]) -> st.SearchStrategy[Told]:
    return st.tuples(st.just(event), st.fixed_dictionaries(fields), st.integers(0, days))


told = st.one_of(
    _told(
        "milestone.reached",
        20,
        milestone=st.sampled_from(["Live", "live ", "Second"]),
        kind=st.sampled_from(["go_live", "adoption"]),
    ),
    _told("nps.answered", 120, contact_id=st.sampled_from(["ann", "bob"]), score=st.integers(7, 10)),
    _told("request.received", 20, request_id=st.sampled_from(["r1", "r2"])),
    _told(
        "expansion.signalled",
        20,
        signal=st.sampled_from(["seat_limit", "other"]),
        detail=st.sampled_from([" Team of 5", "team of 5"]),
    ),
    _told("contact.left", 20, contact_id=st.just("ann")),
)


def _events(drawn: list[Told]) -> list[FactEvent]:
    return list(
        {
            event.provenance.id: event
            for kind, data, day in drawn
            if (event := make_event(kind, NOW - day * DAY, **data))
        }.values()
    )


def features_and_plan(events: list[FactEvent]) -> object:
    decision = decided(*events)
    return decision.key, decision.state.view.values


@settings(max_examples=40)
@given(drawn=st.lists(told, max_size=8), data=st.data())
def test_nightly_resyncs_under_other_ids_and_in_other_order_change_nothing(
    drawn: list[Told], data: st.DataObject
) -> None:
    """Every record again for 30 nights, with its own time, under other ids."""
    events = [*BASE, *_events(drawn)]
    again = [
        FactEvent(
            event.type,
            "acme",
            Provenance(event.provenance.time, "/sync", f"{night}-{event.provenance.id}", f"{night:016x}"),
            event.fields,
        )
        for event in events
        for night in data.draw(st.sets(st.integers(0, 29), max_size=4))
    ]

    assert features_and_plan(data.draw(st.permutations([*events, *again]))) == features_and_plan(events)


@given(drawn=st.lists(told, max_size=12), data=st.data())
def test_any_order_and_repetition_of_what_is_told_gives_the_same_bytes(
    drawn: list[Told], data: st.DataObject
) -> None:
    events = _events(drawn)
    shuffled = data.draw(st.permutations([*events, *events]))

    assert encode(facts_after(shuffled), Issued()) == encode(facts_after(events), Issued())


@given(
    tellings=st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from("abc"), st.integers(0, 3), st.integers(0, 2))
    ),
    data=st.data(),
)
def test_corrections_under_one_id_lead_to_one_state_whatever_the_order(
    tellings: list[tuple[int, str, int, int]], data: st.DataObject
) -> None:
    """The same (source, id) with other contents, among repetitions under other ids."""
    events = {
        (at, source, number, score): FactEvent(
            "nps.answered",
            "acme",
            Provenance(NOW + timedelta(hours=at), source, str(number), f"{score:016x}"),
            {"contact_id": "ann", "score": score},
        )
        for at, source, number, score in tellings
    }
    shuffled = data.draw(st.permutations(list(events.values())))

    assert encode(facts_after(shuffled), Issued()) == encode(facts_after(events.values()), Issued())

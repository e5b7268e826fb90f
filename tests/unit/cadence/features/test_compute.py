"""What the features say, one by one: of the account now, and of an entry as of then."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from services.cadence.account import FactEvent, Plain, micros, stamp_of
from services.cadence.evaluation.event_entries import entries_of, recent_events
from services.cadence.features.compute import AccountView, view_account
from services.cadence.features.event_features import EVENT_FEATURES, EVENTS
from services.cadence.features.feature import TOUCHPOINT_TYPES
from services.cadence.features.registry import FEATURES, features_in_scope
from services.cadence.features.view import FeatureSettings
from services.cadence.portfolio import Portfolio, Program
from tests.unit.cadence.events import DAY, HOUR, NOW, facts_after, make_event

MANY = frozenset({"webinar", "tips", "value_watch"})
"""Types that reach nobody in person."""


def view_of(events: Sequence[FactEvent], *wanted: str, portfolio: Portfolio | None = None) -> AccountView:
    facts, features = facts_after(events), frozenset(wanted or FEATURES)
    return view_account(facts, portfolio or Portfolio(), NOW, features, FeatureSettings(impersonal=MANY))


def value_of(events: Sequence[FactEvent], name: str) -> Plain:
    return view_of(events, name).values[name]


def features_of_events(
    events: Sequence[FactEvent], event: str, portfolio: Portfolio | None = None
) -> list[dict[str, Plain]]:
    facts = facts_after(events)
    view = view_account(facts, portfolio or Portfolio(), NOW)
    return [entry.values for entry in entries_of(view, event, 0)]


def settled(days: float, outcome: str, kind: str = "check_in", touchpoint_id: str | None = None) -> FactEvent:
    return make_event(
        "touchpoint.settled",
        NOW - days * DAY,
        touchpoint_id=touchpoint_id or f"t{days}",
        touchpoint_type=kind,
        outcome=outcome,
    )


def mailed(days: float, name: str, recipient: str = "contact") -> FactEvent:
    return make_event(
        "delivery.finished",
        NOW - days * DAY,
        delivery_id=name,
        touchpoint_type="newsletter",
        channel="email",
        recipient={"kind": recipient, "id": "x"},
        state="sent",
    )


def opened(days: float, name: str, kind: str = "opened", *, automatic: bool | None = None) -> FactEvent:
    at = NOW - days * DAY
    return make_event("message.engaged", at, delivery_id=name, kind=kind, automatic=automatic)


def score(days: float, points: int) -> FactEvent:
    return make_event("nps.answered", NOW - days * DAY, score=points)


def used(day: int, events: int) -> FactEvent:
    end = NOW - day * DAY
    return make_event("usage.reported", end, period_start=end - DAY, period_end=end, events=events)


def contact(days: float, name: str, role: str | None) -> FactEvent:
    return make_event("contact.described", NOW - days * DAY, contact_id=name, role=role)


def test_without_events_a_feature_is_null_false_or_zero() -> None:
    values = view_of([]).values

    assert values["account_id"] == "acme"
    for name, feature in FEATURES.items():
        if name not in {"account_id", "segment", "stage"}:
            assert values[name] == (
                None if feature.nullable else {"truth": False, "number": 0}[feature.kind]
            ), name


def test_every_event_has_features_and_all_have_descriptions() -> None:
    assert EVENTS.keys() == EVENT_FEATURES.keys()
    assert all(feature.description for features in EVENT_FEATURES.values() for feature in features.values())
    assert all(feature.description for feature in FEATURES.values())


def test_an_entry_has_exactly_the_features_of_its_event() -> None:
    data_by_type = {
        "health.scored": {"score": 50},
        "nps.answered": {"score": 9},
        "survey.answered": {"answer": "too_much"},
        "usage.reported": {"period_start": NOW - DAY, "period_end": NOW},
        "milestone.reached": {"milestone": "x"},
        "expansion.signalled": {"signal": "other"},
        "contract.changed": {"contract_id": "c", "arr": 5},
        "touchpoint.settled": {"touchpoint_type": "check_in", "outcome": "missed"},
        "interaction.logged": {"channel": "call"},
        "request.received": {"request_id": "r"},
        "contact.described": {"contact_id": "ann", "role": "user"},
        "contact.left": {"contact_id": "ann"},
    }
    events = [make_event(kind, NOW - 9 * DAY, **fields) for kind, fields in data_by_type.items()] + [
        mailed(4, "m")
    ]
    portfolio = Portfolio(programs=(Program("p", "release", micros(NOW)),))
    facts = facts_after(events)
    view = view_account(facts, portfolio, NOW)

    assert set(recent_events(view, dict.fromkeys(EVENTS, 30 * 86_400_000_000))) == EVENTS.keys()
    for event, features in EVENT_FEATURES.items():
        (entry,) = entries_of(view, event, 0)
        assert entry.values.keys() == features.keys(), event


def test_a_catalogue_adds_a_feature_for_each_of_its_types() -> None:
    features = features_in_scope(types=["garden_walk"])
    events = [settled(5, "completed", "garden_walk")]

    assert features["days_since_garden_walk"].counts == "since"
    assert {f"days_since_{kind}" for kind in TOUCHPOINT_TYPES} <= features.keys()
    assert value_of(events, "days_since_garden_walk") == 5


def test_declines_in_a_row_end_with_the_last_attended_meeting() -> None:
    events = [settled(9, "declined"), settled(8, "attended"), settled(7, "missed"), settled(6, "rescheduled")]
    events += [settled(5, "declined", "business_review"), settled(4, "missed", "newsletter")]

    assert value_of(events, "declines_in_row") == 2
    assert [features["declines_in_row"] for features in features_of_events(events, "touchpoint.settled")] == [
        1,
        0,
        1,
        1,
        2,
        2,
    ]


def test_of_one_touchpoint_the_newest_outcome_counts() -> None:
    events = [settled(9, "declined"), settled(8, "missed", touchpoint_id="x")]

    assert value_of([*events, settled(7, "attended", touchpoint_id="x")], "declines_in_row") == 0
    assert value_of([*events, settled(8.5, "attended", touchpoint_id="x")], "declines_in_row") == 2


def test_an_outcome_that_was_reopened_counts_neither_as_contact_nor_in_a_row_nor_as_an_event() -> None:
    events = [settled(9, "declined"), settled(8, "attended", touchpoint_id="x")]
    reopened = settled(7, "reopened", touchpoint_id="x")

    assert value_of(events, "days_since_touch") == 8
    assert value_of([*events, reopened], "days_since_touch") is None
    assert value_of([*events, reopened], "declines_in_row") == 1
    assert len(features_of_events([*events, reopened], "touchpoint.settled")) == 1


def answered(days: float, kind: str, touchpoint_id: str = "x", **more: object) -> FactEvent:
    return make_event(
        "message.engaged", NOW - days * DAY, delivery_id=f"i{days}", touchpoint_id=touchpoint_id,
        touchpoint_type="check_in", kind=kind, **more,
    )  # fmt: skip


def test_a_declined_invitation_is_a_declined_meeting_until_it_is_accepted_or_its_outcome_is_known() -> None:
    """S137, S141."""
    events = [settled(9, "declined"), answered(5, "declined", declined_by_all=True)]
    settled_after = settled(4, "attended", touchpoint_id="x")

    assert value_of(events, "declines_in_row") == 2
    assert [one["outcome"] for one in features_of_events(events, "touchpoint.settled")] == ["declined"] * 2
    assert value_of([*events, answered(4, "accepted")], "declines_in_row") == 1
    assert value_of([*events, answered(6, "accepted")], "declines_in_row") == 2
    assert value_of([*events, settled_after], "declines_in_row") == 0
    assert value_of([*events, settled(4, "declined", touchpoint_id="x")], "declines_in_row") == 2
    # What was recorded counts, also where somebody answers the invitation afterwards.
    assert value_of([*events, settled_after, answered(3, "declined")], "declines_in_row") == 0


def test_an_invitation_that_is_declined_again_after_it_was_moved_counts_once() -> None:
    moved = settled(4, "rescheduled", touchpoint_id="x")

    assert value_of([answered(5, "declined"), moved], "declines_in_row") == 0
    assert value_of([answered(5, "declined"), moved, answered(3, "declined")], "declines_in_row") == 1


def test_an_invitation_that_others_may_accept_is_not_declined() -> None:
    assert value_of([answered(5, "declined", declined_by_all=False)], "declines_in_row") == 0
    without_type = make_event("message.engaged", NOW, delivery_id="i", touchpoint_id="x", kind="declined")
    assert value_of([without_type], "declines_in_row") == 0


def test_the_attendance_rate_needs_eight_meetings() -> None:
    events = [settled(day, "attended" if day % 4 else "missed") for day in range(1, 10)]

    assert value_of(events[:7], "attendance_rate") is None
    assert value_of(events, "attendance_rate") == 6 / 8
    assert [
        features["attendance_rate"] for features in features_of_events(events, "touchpoint.settled")[-2:]
    ] == [6 / 8, 6 / 8]


def test_a_mail_counts_from_three_days_after_it_was_sent() -> None:
    events = [mailed(4 + day, f"m{day}") for day in range(8)] + [mailed(2, "young"), mailed(9, "csm", "csm")]
    events += [opened(1, "m1"), opened(1, "m2", "clicked"), opened(1, "young"), opened(1, "m3", "bounced")]
    view = view_of(events, "open_rate", "click_rate")

    assert (view.values["open_rate"], view.values["click_rate"]) == (2 / 8, 1 / 8)
    assert view.change_times == [micros(NOW + DAY)]
    evaluated = features_of_events(events, "mail.judged")
    assert len(evaluated) == 8
    assert evaluated[-1] == {"open_rate": 2 / 8, "click_rate": 1 / 8}
    assert evaluated[0] == {"open_rate": None, "click_rate": None}


@pytest.mark.parametrize(
    ("signs", "rates"),
    [
        ([], (None, None)),
        ([opened(1, "m1", "replied"), opened(1, "m2", "bounced")], (None, None)),
        ([opened(90, "long-ago")], (0, 0)),
        ([opened(90, "long-ago", "clicked")], (0, 0)),
        ([opened(1, "m1", "replied"), opened(1, "m2")], (2 / 8, 0)),
    ],
)
def test_without_an_opening_ever_heard_of_the_open_rate_is_null_and_not_zero_point_7(
    signs: list[FactEvent], rates: tuple[Plain, Plain]
) -> None:
    events = [*(mailed(4 + day, f"m{day}") for day in range(8)), *signs]
    view = view_of(events, "open_rate", "click_rate")

    assert (view.values["open_rate"], view.values["click_rate"]) == rates
    assert features_of_events(events, "mail.judged")[-1] == dict(
        zip(("open_rate", "click_rate"), rates, strict=True)
    )


def test_a_mail_that_only_machines_opened_counts_neither_as_opened_nor_as_not_opened() -> None:
    sent = [mailed(4 + day, f"m{day}") for day in range(10)]
    signs = [
        opened(1, "m0", automatic=True),
        opened(1, "m1", automatic=True),
        opened(2, "m1"),
        opened(1, "m2", "clicked", automatic=True),
    ]
    view = view_of([*sent, *signs], "open_rate", "click_rate")
    fewer = view_of([*sent[:8], *signs], "open_rate", "click_rate")

    # m1 to m8 are known, and a person opened m1.
    assert (view.values["open_rate"], view.values["click_rate"]) == (1 / 8, 0)
    assert (fewer.values["open_rate"], fewer.values["click_rate"]) == (None, 0)
    only_machines = view_of([*sent, opened(1, "m2", automatic=True)], "open_rate", "click_rate").values
    assert (only_machines["open_rate"], only_machines["click_rate"]) == (None, None)


@pytest.mark.parametrize("kind", sorted(MANY))
def test_what_reaches_nobody_in_person_is_no_contact_point_7(kind: str) -> None:
    events = [settled(20, "attended"), settled(3, "completed", kind)]
    logged = make_event("interaction.logged", NOW - 2 * DAY, channel="meeting", touchpoint_type=kind)
    values = view_of([*events, logged], "days_since_touch", f"days_since_{kind}").values

    assert values["days_since_touch"] == 20
    assert values[f"days_since_{kind}"] == 2


@pytest.mark.parametrize("kind", [None, "check_in"])
def test_contact_in_the_product_is_no_contact_however_often_it_is_logged_point_7(kind: str | None) -> None:
    call = make_event("interaction.logged", NOW - 50 * DAY, channel="call", touchpoint_type=kind)
    logged = [
        make_event("interaction.logged", NOW - hour * HOUR, channel="in_app", touchpoint_type=kind)
        for hour in range(1, 41)
    ]

    assert value_of([call, *logged], "days_since_touch") == 50


def test_contact_without_a_channel_or_of_a_type_of_another_policy_counts() -> None:
    assert value_of([make_event("interaction.logged", NOW - 2 * DAY)], "days_since_touch") == 2
    assert value_of([settled(2, "completed", "garden_walk")], "days_since_touch") == 2


def test_a_message_to_a_contact_counts_for_its_type_but_not_as_contact() -> None:
    view = view_of([mailed(3, "m")])

    assert view.values["days_since_newsletter"] == 3
    assert view.values["days_since_touch"] is None
    assert view.last_touch == {}


def test_old_contact_is_stored_by_type_until_a_later_event_undoes_it() -> None:
    review = settled(300, "attended", "business_review", "qbr")
    many = [settled(day, "completed") for day in range(1, 60)]

    assert value_of([review, *many], "days_since_business_review") == 300
    back = settled(0.5, "missed", "business_review", "qbr")
    assert value_of([review, *many, back], "days_since_business_review") is None


def test_the_nps_trend_is_the_newest_answer_minus_the_mean_of_up_to_three_before() -> None:
    assert value_of([score(1, 3)], "nps_trend") is None
    assert value_of([score(2, 9), score(1, 3)], "nps_trend") == -6
    assert value_of([score(9, 1), score(4, 8), score(3, 9), score(2, 10), score(1, 6)], "nps_trend") == -3


def test_usage_is_compared_with_the_four_weeks_before() -> None:
    events = [used(day, 10 if day < 28 else 20) for day in range(2, 60)]

    assert value_of(events, "usage_change") == round((26 * 10 + 2 * 20) / 28 / 20, 9)
    assert value_of(events[:48], "usage_change") is None
    assert features_of_events(events, "usage.reported")[-1]["usage_change"] == value_of(
        events, "usage_change"
    )


def test_requests_leave_their_window_as_time_passes() -> None:
    asked = [
        make_event("request.received", NOW - day * DAY, request_id=f"r{day}", channel="email")
        for day in (1, 27, 28, 55, 56)
    ]
    twice = make_event("request.received", NOW - HOUR, "/other", request_id="r1")
    view = view_of([*asked, twice], "requests_28d", "requests_prior_28d")

    assert (view.values["requests_28d"], view.values["requests_prior_28d"]) == (2, 2)
    assert view.change_times == [micros(NOW + DAY)]
    assert features_of_events(asked, "request.received")[0] == {"request_channel": "email"}


def test_response_hours_are_those_of_the_last_eight_answers() -> None:
    events: list[FactEvent] = []
    for day in range(1, 11):
        at = NOW - day * DAY
        events.append(make_event("request.received", at, request_id=f"r{day}"))
        if day > 1:
            events.append(make_event("request.answered", at + day * HOUR, request_id=f"r{day}"))

    assert value_of(events, "response_hours") == sum(range(2, 10)) / 8
    assert value_of(events, "open_requests") == 1
    assert value_of(events[:1], "response_hours") is None


def test_stakeholders_join_and_leave() -> None:
    events = [contact(50, "ann", "champion"), contact(9, "bob", "user"), contact(20, "bob", "decision_maker")]
    events += [contact(3, "ann", "champion"), contact(40, "eve", "executive_sponsor")]
    events.append(make_event("contact.left", NOW - 5 * DAY, contact_id="eve"))
    values = view_of(events).values

    assert (values["has_champion"], values["has_decision_maker"], values["has_executive_sponsor"]) == (
        True,
        False,
        False,
    )
    assert values["days_since_stakeholder_joined"] is None
    assert values["days_since_stakeholder_left"] == 5
    assert features_of_events(events, "contact.left") == [{"role": "executive_sponsor"}]
    joined = view_of([*events, contact(7, "dan", "champion")]).values["days_since_stakeholder_joined"]
    assert joined == 7


def test_a_contact_joins_with_its_first_description_only() -> None:
    nightly = [contact(day, f"c{number}", "champion") for day in range(1, 9) for number in range(20)]
    facts = facts_after([*nightly, contact(0.5, "new", "champion")])
    entries = list(
        entries_of(view_account(facts, Portfolio(), NOW), "contact.described", micros(NOW - 3 * DAY))
    )

    assert [entry.values["joined"] for entry in entries].count(True) == 1
    assert entries[-1].values == {"role": "champion", "joined": True}


def test_the_first_go_live_counts_however_many_milestones_follow() -> None:
    events = [
        make_event("milestone.reached", NOW - day * DAY, milestone="m", kind="go_live") for day in (90, 30)
    ]
    events += [
        make_event("milestone.reached", NOW - day * HOUR, milestone=str(day), kind="adoption")
        for day in range(40)
    ]
    values = view_of(events).values

    assert (values["went_live"], values["days_since_go_live"]) == (True, 90)


def test_score_drops_and_revenue_changes_are_relative_to_the_value_before() -> None:
    events = [
        make_event("health.scored", NOW - day * DAY, score=points) for day, points in ((3, 80), (1, 55))
    ]
    events.append(make_event("health.scored", NOW - 2 * DAY, color="green"))
    events += [
        make_event("contract.changed", NOW - day * DAY, contract_id="c", arr=arr)
        for day, arr in ((9, 1000), (8, 1500), (7, None), (6, 9))
    ]

    assert [features["score_drop"] for features in features_of_events(events, "health.scored")] == [
        None,
        None,
        25,
    ]
    assert [features["arr_change"] for features in features_of_events(events, "contract.changed")] == [
        None,
        500,
        None,
        None,
    ]


@pytest.mark.parametrize(("arr", "rank"), [(0, 0), (1, 0), (1.5, 1), (99, 98), (100, 99), (None, None)])
def test_the_percentile_is_the_percentage_of_accounts_with_less_revenue(
    arr: float | None, rank: int | None
) -> None:
    events = [] if arr is None else [make_event("account.described", arr=arr)]
    portfolio = Portfolio(arr_percentiles=tuple(float(cut) for cut in range(1, 100)))

    assert view_of(events, portfolio=portfolio).values["arr_percentile"] == rank
    assert view_of(events).values["arr_percentile"] is None


def test_a_stakeholder_s_preference_comes_first_then_the_newest() -> None:
    def preference(days: int, who: str, frequency: str, **more: object) -> FactEvent:
        return make_event("preference.changed", NOW - days * DAY, contact_id=who, frequency=frequency, **more)

    events = [
        contact(90, "ann", "champion"),
        contact(90, "bob", "user"),
        contact(90, "eve", "champion"),
        make_event("contact.left", NOW - DAY, contact_id="eve"),
        preference(9, "ann", "quarterly", topic="account"),
        preference(3, "bob", "weekly"),
        preference(1, "eve", "daily"),
        preference(2, "ann", "monthly", topic="events", opted_in=False),
    ]
    view = view_of(events)

    assert view.values["preferred_frequency"] == "quarterly"
    assert view.preferred_days["account"] == 90
    assert {view.preferred_days[topic] for topic in ("education", "events", "surveys")} == {7}
    assert view.preference_stamps["account"] == stamp_of(events[4].provenance)


def test_the_channel_to_learn_over_is_the_one_wished_for_training_s127() -> None:
    def prefers(channel: str, **more: object) -> FactEvent:
        return make_event("preference.changed", NOW - DAY, contact_id="ann", channel=channel, **more)

    assert value_of([prefers("in_app", topic="training")], "training_channel") == "in_app"
    assert value_of([prefers("meeting")], "training_channel") == "meeting"
    assert value_of([prefers("in_app", topic="account")], "training_channel") is None
    assert value_of([prefers("in_app", topic="training", opted_in=True)], "training_channel") is None


def test_a_wish_that_ends_leaves_those_of_others_and_none_of_its_own() -> None:
    """S180: `suggested` ends a contact's own wish, also one for all topics and one on a channel."""

    def wishes(days: int, who: str, **more: object) -> FactEvent:
        return make_event("preference.changed", NOW - days * DAY, contact_id=who, by_contact=True, **more)

    ann = wishes(9, "ann", frequency="quarterly", channel="in_app")
    ends = wishes(1, "ann", topic="account", frequency="suggested", channel="suggested")
    alone, among = (
        view_of([ann, ends]),
        view_of([ann, ends, wishes(8, "bob", frequency="weekly", channel="email")]),
    )

    assert "account" not in alone.preferred_days
    assert alone.values["preferred_frequency"] is None
    assert alone.preferred_days["education"] == 90
    assert "account" not in alone.preferred_channels
    assert alone.preferred_channels["education"][0] == "in_app"
    assert among.preferred_days["account"] == 7
    assert among.preferred_channels["account"][0] == "email"
    again = wishes(0, "ann", topic="account", frequency="monthly")
    assert view_of([ann, ends, again]).preferred_days["account"] == 30


def test_the_days_since_a_sign_of_growth_count_from_the_newest_s105() -> None:
    events = [make_event("expansion.signalled", NOW - 9 * DAY, signal="power_users")]
    nightly = [make_event("expansion.signalled", NOW - days * DAY, signal="power_users") for days in range(9)]
    other = make_event("expansion.signalled", NOW - 4 * DAY, signal="seat_limit")

    assert value_of([*events, *nightly], "days_since_expansion_signal") == 9
    assert value_of([*events, *nightly, other], "days_since_expansion_signal") == 4
    assert value_of([], "days_since_expansion_signal") is None


def test_a_pause_has_the_time_of_its_end() -> None:
    until = NOW + 3 * DAY
    view = view_of([make_event("outreach.paused", NOW - DAY, until=until, reason="freeze")])

    assert (view.values["paused"], view.change_times) == (True, [micros(until)])
    over = view_of([make_event("outreach.paused", NOW - 9 * DAY, until=NOW, reason="freeze")])
    assert over.values["paused"] is False


def test_a_program_reaches_its_audience_which_may_change_as_time_passes() -> None:
    stamp = stamp_of(make_event("program.announced", NOW).provenance)
    grown = Program(
        "p", "webinar", micros(NOW + DAY), "Growing", meaningful=True, stamp=stamp,
        audience=lambda values: values["went_live"] is True, reads=frozenset({"went_live", "days_since_go_live"})
    )  # fmt: skip
    portfolio = Portfolio(programs=(grown, Program("q", None, micros(NOW - DAY))))
    live = [make_event("milestone.reached", NOW - timedelta(hours=30), milestone="m", kind="go_live")]

    assert features_of_events(live, "program.announced", portfolio) == [
        {"program_kind": None, "meaningful": False},
        {"program_kind": "webinar", "meaningful": True},
    ]
    assert len(features_of_events([], "program.announced", portfolio)) == 1
    assert micros(NOW + 18 * HOUR) in view_of(live, "arr", portfolio=portfolio).change_times


def test_a_feature_has_the_stamp_of_the_newest_event_behind_it() -> None:
    events = [score(3, 9), score(1, 2), settled(5, "missed")]
    view = view_of(events)

    assert view.stamps["nps_trend"] == stamp_of(events[1].provenance)
    assert view.stamps["declines_in_row"] == stamp_of(events[2].provenance)
    assert "open_rate" not in view.stamps

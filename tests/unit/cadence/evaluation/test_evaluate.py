"""The shipped policy through `decide`: who hears from us, how often, by whom, and why."""

from datetime import UTC, date, datetime, timedelta

import pytest

from schemas.plans import Cause, Plan
from services.cadence.account import FactEvent
from services.cadence.evaluation import plan_changes
from tests.unit.cadence.events import DAY, HOUR, NOW, came_due, decided, make_event, one_offs, rhythm, settled

GROWN = make_event(
    "contract.changed", NOW - 400 * DAY, contract_id="c", status="active", starts_on=date(2024, 1, 1)
)


def worth(arr: int | None, **more: object) -> FactEvent:
    return make_event("account.described", NOW - 300 * DAY, arr=arr, csm_id="csm-1", **more)


def renews(on: date, **more: object) -> FactEvent:
    start = date(on.year - 1, on.month, on.day)
    return make_event(
        "contract.changed",
        NOW - 300 * DAY,
        contract_id="c",
        status="active",
        starts_on=start,
        renews_on=on,
        **more,
    )


def week(number: int, **more: object) -> FactEvent:
    """The report of the week that ended so many weeks ago."""
    end = NOW - number * 7 * DAY
    return make_event("usage.reported", end, period_start=end - 7 * DAY, period_end=end, **more)


@pytest.mark.parametrize(
    ("arr", "segment"),
    [
        (100_000, "enterprise"),
        (99_999, "mid_market"),
        (10_000, "mid_market"),
        (9_999, "small_business"),
        (1_000, "small_business"),
        (999, "self_service"),
        (None, "self_service"),
    ],
)
def test_the_segment_follows_revenue(arr: int | None, segment: str) -> None:
    assert decided(worth(arr)).segment == segment


def test_a_segment_set_by_hand_comes_first_and_revenue_may_come_from_contracts() -> None:
    assert decided(worth(500, segment="enterprise")).segment == "enterprise"
    assert (
        decided(make_event("contract.changed", NOW, contract_id="c", status="active", arr=20_000)).segment
        == "mid_market"
    )


@pytest.mark.parametrize(
    ("days", "stage"),
    [(0, "onboarding"), (89, "onboarding"), (90, "adoption"), (364, "adoption"), (365, "growth")],
)
def test_the_stage_follows_the_first_contracts_start(days: int, stage: str) -> None:
    start = (NOW - days * DAY).date()
    signed = make_event("contract.changed", NOW - DAY, contract_id="c", status="active", starts_on=start)

    assert decided(signed).stage == stage


def test_without_a_contract_the_stage_counts_from_the_first_that_was_ever_heard() -> None:
    late = make_event("nps.answered", NOW - 100 * DAY, score=5)

    assert decided(make_event("health.scored", NOW, score=90)).stage == "onboarding"
    assert decided(make_event("health.scored", NOW, score=90), late).stage == "adoption"


def test_a_churned_account_hears_nothing_but_one_question() -> None:
    gone = make_event("contract.changed", NOW, contract_id="c", status="churned")
    decision = decided(
        worth(200_000),
        gone,
        make_event("health.scored", NOW, score=5),
        make_event("nps.answered", NOW, score=10),
    )

    assert decision.stage == "churned"
    assert decision.plan.rhythms == ()
    assert [item.touchpoint_type for item in decision.plan.touchpoints] == ["win_back"]


@pytest.mark.parametrize(
    ("arr", "score", "expected"),
    [
        (200_000, 90, (14, "csm", "call")),
        (200_000, 50, (14, "csm", "call")),
        (200_000, 39, (7, "csm", "call")),
        (20_000, 70, (90, "csm", "call")),
        (20_000, 69, (14, "csm", "call")),
        (20_000, 10, (7, "csm", "call")),
        (2_000, 90, (90, "automation", "email")),
        (2_000, 50, (14, "pooled_csm", "call")),
        (2_000, 10, (7, "pooled_csm", "call")),
        (200, 50, (14, "automation", "email")),
        (200, 10, (7, "automation", "email")),
    ],
)
def test_the_check_in_follows_segment_and_health(
    arr: int, score: int, expected: tuple[int, str, str]
) -> None:
    item = rhythm(decided(GROWN, worth(arr), make_event("health.scored", NOW, score=score)), "check_in")

    assert item is not None
    assert (item.every_days, item.owner, item.channel) == expected


def test_onboarding_enterprises_are_met_weekly_and_yellow_is_never_rarer_than_that() -> None:
    new = make_event("contract.changed", NOW, contract_id="c", status="active", starts_on=NOW.date())
    item = rhythm(decided(new, worth(200_000), make_event("health.scored", NOW, color="yellow")), "check_in")

    assert item is not None
    assert item.every_days == 7
    assert item.reason.rule == "enterprise-check-in/onboarding"


@pytest.mark.parametrize(
    ("arr", "kind", "every"),
    [
        (200_000, "business_review", 90),
        (20_000, "business_review", 180),
        (2_000, "newsletter", 90),
        (200, "usage_report", 30),
    ],
)
def test_every_segment_has_its_reviews_and_reports(arr: int, kind: str, every: int) -> None:
    item = rhythm(decided(GROWN, worth(arr)), kind)

    assert item is not None
    assert item.every_days == every


def test_a_reason_names_the_rule_the_policy_and_the_facts_it_read() -> None:
    red = make_event("health.scored", NOW, score=20)
    decision = decided(GROWN, worth(200_000), red)
    item = rhythm(decision, "check_in")

    assert item is not None
    assert item.reason.rule == "red-check-in"
    told = {each.name: each for each in item.reason.facts}
    assert told["color"].value == "red"
    assert told["health_score"].value == 20
    assert (told["color"].source, told["color"].id, told["color"].time) == ("/crm", red.provenance.id, NOW)
    assert told["segment"].value == "enterprise"
    assert told["arr"].value == 200_000
    assert "red" in item.reason.text


def test_contact_outside_the_plan_counts_as_the_last_touch() -> None:
    call = make_event("interaction.logged", NOW - HOUR, channel="call", at=NOW - 2 * HOUR)
    item = rhythm(decided(GROWN, worth(200_000), call), "check_in")

    assert item is not None
    assert item.last_touch_at == NOW - 2 * HOUR


def test_red_asks_for_an_action_plan_once_in_thirty_days() -> None:
    first = make_event("health.scored", NOW, score=10)
    (item,) = one_offs(decided(worth(200_000), first), "risk_action_plan")
    due = came_due(item, NOW + HOUR)
    again = make_event("health.scored", NOW + 2 * DAY, score=5)
    later = make_event("health.scored", NOW + 31 * DAY, score=5)

    soon = decided(worth(200_000), first, again, came=[due, settled(item, NOW + DAY)], now=NOW + 3 * DAY)
    after = decided(worth(200_000), first, again, later, came=[due], now=NOW + 31 * DAY)

    assert (item.topic, item.channel, item.owner, item.csm_id) == (None, "in_app", "csm", "csm-1")
    assert one_offs(soon, "risk_action_plan") == []
    assert [each.cause for each in one_offs(after, "risk_action_plan")] == [
        Cause(source="/crm", id=later.provenance.id)
    ]


@pytest.mark.parametrize(
    ("reports", "asks"),
    [
        ([week(0, seats=100, seats_used=90)], True),
        ([week(0, seats=100, seats_used=89)], False),
        ([week(0, limits={"api": {"used": 95, "limit": 100}, "rows": {"used": 1, "limit": 100}})], True),
        ([week(0, seats=0, seats_used=5)], False),
        ([week(0, events=1_500), *(week(n, events=1_000) for n in range(1, 5))], True),
        ([week(0, events=1_499), *(week(n, events=1_000) for n in range(1, 5))], False),
        ([week(0, events=1_500), *(week(n, events=1_000) for n in range(1, 4))], True),
        ([week(0, events=9_000), *(week(n, events=1_000) for n in range(1, 3))], False),
        ([week(0, active_users=60), *(week(n, active_users=40) for n in range(1, 5))], True),
        ([week(3, seats=100, seats_used=95)], False),
    ],
)
def test_expansion_follows_usage(reports: list[FactEvent], asks: bool) -> None:  # noqa: FBT001
    assert bool(one_offs(decided(worth(20_000), *reports), "expansion_discovery")) == asks


def test_a_report_without_seats_is_held_against_the_seats_last_heard_of() -> None:
    decision = decided(worth(20_000), week(1, seats=100, seats_used=10), week(0, seats_used=92))

    assert len(one_offs(decision, "expansion_discovery")) == 1


def test_one_ask_whichever_fact_owns_it_and_at_most_one_in_ninety_days() -> None:
    signal = make_event("expansion.signalled", NOW - DAY, signal="power_users")
    usage = week(0, seats=10, seats_used=10)
    decision = decided(worth(20_000), usage, signal)
    (item,) = one_offs(decision, "expansion_discovery")
    due = came_due(item, NOW)
    fresh = make_event("expansion.signalled", NOW + 80 * DAY, signal="team_growth")

    blocked = decided(worth(20_000), fresh, came=[due, settled(item, NOW)], now=NOW + 80 * DAY)
    opened = decided(worth(20_000), fresh, came=[due, settled(item, NOW)], now=NOW + 90 * DAY)

    assert item.cause == Cause(source="/crm", id=signal.provenance.id)
    assert [each.rule for each in decision.suppressed if each.touchpoint_type == "expansion_discovery"] == [
        "expansion-by-usage"
    ]
    assert one_offs(blocked, "expansion_discovery") == []
    assert blocked.suppressed[-1].reason.startswith("cooling down until 2026-08-30")
    assert blocked.next_evaluation_at == NOW + 90 * DAY
    assert len(one_offs(opened, "expansion_discovery")) == 1


def test_advocacy_is_asked_within_48_hours_of_a_promoter_and_a_week_of_a_success() -> None:
    nps = make_event("nps.answered", NOW, score=9)
    success = make_event("milestone.reached", NOW, milestone="first_report", kind="success")
    (by_nps,) = one_offs(decided(nps), "advocacy_ask")
    (by_milestone,) = one_offs(decided(success), "advocacy_ask")

    assert (by_nps.window.from_, by_nps.deadline) == (NOW, NOW + 48 * HOUR)
    assert (by_milestone.window.from_, by_milestone.deadline) == (NOW, NOW + 7 * DAY)
    assert by_nps.spacing_days == 90
    assert one_offs(decided(make_event("nps.answered", NOW, score=8)), "advocacy_ask") == []
    assert (
        one_offs(
            decided(make_event("milestone.reached", NOW, milestone="x", kind="adoption")), "advocacy_ask"
        )
        == []
    )


def test_a_trigger_whose_window_has_passed_when_it_is_heard_never_fires() -> None:
    assert one_offs(decided(make_event("nps.answered", NOW - 48 * HOUR, score=10)), "advocacy_ask") == []
    assert one_offs(decided(make_event("nps.answered", NOW - 47 * HOUR, score=10)), "advocacy_ask") != []


def test_kickoff_follows_the_first_signature_and_only_that() -> None:
    signed = make_event("contract.changed", NOW, contract_id="c", status="signed", signed_at=NOW - HOUR)
    (item,) = one_offs(decided(worth(20_000), signed), "kickoff")

    assert item.deadline == NOW + 47 * HOUR
    assert one_offs(decided(worth(20_000), renews(date(2026, 8, 1)), signed), "kickoff") == []


def test_a_renewal_has_its_steps_while_it_is_unsigned() -> None:
    steps = [
        ("renewal_value_summary", date(2026, 10, 3), date(2026, 11, 2)),
        ("pre_renewal_review", date(2026, 10, 8), date(2026, 11, 2)),
        ("renewal_discussion", date(2026, 11, 2), date(2026, 12, 2)),
        ("renewal_proposal", date(2026, 12, 2), date(2026, 12, 18)),
        ("renewal_reminder", date(2026, 12, 2), date(2026, 12, 18)),
        ("renewal_urgency", date(2026, 12, 18), date(2026, 12, 25)),
        ("renewal_escalation", date(2026, 12, 25), date(2027, 1, 1)),
    ]
    unsigned = decided(worth(20_000), renews(date(2027, 1, 1)))
    signature = make_event("contract.changed", NOW, contract_id="c", status="signed")
    signed = decided(worth(20_000), renews(date(2027, 1, 1)), signature)

    found = [
        (i.touchpoint_type, i.window.from_.date(), i.window.to.date()) for i in unsigned.plan.touchpoints
    ]
    assert sorted(found, key=lambda each: (each[1], each[0])) == steps
    assert unsigned.plan.touchpoints[-1].deadline == datetime(2026, 12, 26, tzinfo=UTC)
    assert {i.touchpoint_type for i in signed.plan.touchpoints} == {"post_renewal_check_in"}


def test_a_renewal_heard_late_skips_the_steps_that_passed() -> None:
    decision = decided(worth(20_000), renews(NOW.date() + 20 * DAY))

    assert {item.touchpoint_type for item in decision.plan.touchpoints} == {
        "renewal_proposal",
        "renewal_reminder",
        "renewal_urgency",
        "renewal_escalation",
    }
    assert decision.stage == "renewal"


def test_a_moved_renewal_moves_open_steps_and_done_steps_stay_done() -> None:
    on = NOW.date() + 80 * DAY
    before = decided(worth(20_000), renews(on))
    summary = before.plan.touchpoints[0]
    moved = make_event("contract.changed", NOW, contract_id="c", renews_on=on + 30 * DAY)
    came = [came_due(summary, NOW), settled(summary, NOW)]

    after = decided(worth(20_000), renews(on), moved, came=came, now=NOW + HOUR)

    assert [i.id for i in after.plan.touchpoints] == [i.id for i in before.plan.touchpoints[1:]]
    assert [i.window.from_ for i in after.plan.touchpoints] == [
        i.window.from_ + 30 * DAY for i in before.plan.touchpoints[1:]
    ]


def test_what_came_due_stands_in_the_plan_until_settled_or_past_its_deadline() -> None:
    nps = make_event("nps.answered", NOW, score=9)
    (item,) = one_offs(decided(nps), "advocacy_ask")
    due = came_due(item, NOW + HOUR)

    standing = decided(nps, came=[due], now=NOW + 2 * HOUR)
    closed = decided(nps, came=[due, settled(item, NOW + 3 * HOUR)], now=NOW + 4 * HOUR)
    late = decided(nps, came=[due], now=NOW + 48 * HOUR)

    assert [each.id for each in one_offs(standing, "advocacy_ask")] == [item.id]
    assert one_offs(standing, "advocacy_ask")[0].reason == item.reason
    assert one_offs(standing, "advocacy_ask")[0].cause == item.cause
    assert one_offs(closed, "advocacy_ask") == []
    assert one_offs(late, "advocacy_ask") == []


def test_an_outcome_that_is_reopened_does_not_count_and_its_one_off_is_open_again() -> None:
    nps = make_event("nps.answered", NOW, score=9)
    (item,) = one_offs(decided(nps), "advocacy_ask")
    due, done = came_due(item, NOW + HOUR), settled(item, NOW + 2 * HOUR)
    reopened = settled(item, NOW + 3 * HOUR, "reopened")

    for came in ([due, done, reopened], [reopened, due, done], [done, reopened, due, done]):
        again = decided(nps, came=came, now=NOW + 4 * HOUR)
        assert [each.id for each in one_offs(again, "advocacy_ask")] == [item.id]
    early = decided(nps, came=[done, reopened], now=NOW + 4 * HOUR)
    assert [each.id for each in one_offs(early, "advocacy_ask")] == [item.id]


def test_escalations_say_that_they_are_urgent_before_and_after_they_come_due() -> None:
    """S162: renewal escalations, risk plans and what follows red health are told at once."""
    red = make_event("health.scored", NOW, score=10)
    before = decided(worth(200_000), renews((NOW + 7 * DAY).date()), red)
    (plan_item,) = one_offs(before, "risk_action_plan")
    after = decided(worth(200_000), red, came=[came_due(plan_item, NOW + HOUR)], now=NOW + 2 * HOUR)

    urgent = {item.touchpoint_type for item in before.plan.touchpoints if item.precedence == "escalation"}
    assert urgent == {"risk_action_plan", "escalation", "renewal_escalation"}
    check_in = rhythm(before, "check_in")
    assert check_in is not None
    assert check_in.precedence == "escalation"
    assert one_offs(after, "risk_action_plan")[0].precedence == "escalation"


def test_what_was_withdrawn_may_come_back_and_what_a_person_cancelled_does_not() -> None:
    nps = make_event("nps.answered", NOW, score=9)
    (item,) = one_offs(decided(nps), "advocacy_ask")

    def cancelled(note: str) -> FactEvent:
        kind = item.touchpoint_type
        return make_event(
            "touchpoint.cancelled", NOW + HOUR, touchpoint_id=item.id, touchpoint_type=kind, note=note
        )

    withdrawn = decided(nps, came=[cancelled("withdrawn: the plan dropped it")], now=NOW + 2 * HOUR)
    by_hand = decided(nps, came=[cancelled("cancelled: not now")], now=NOW + 2 * HOUR)

    assert [each.id for each in one_offs(withdrawn, "advocacy_ask")] == [item.id]
    assert one_offs(by_hand, "advocacy_ask") == []


def test_time_alone_is_looked_at_again_exactly_when_it_changes_something() -> None:
    start = NOW.date() - 85 * DAY
    active = make_event(
        "contract.changed", NOW - 300 * DAY, contract_id="c", status="active", starts_on=start
    )

    season = datetime(2026, 10, 2, tzinfo=UTC)  # fourteen months before the December of the year after
    assert decided(GROWN, worth(20_000)).next_evaluation_at == season
    assert decided(active, worth(200_000)).next_evaluation_at == datetime(2026, 6, 6, tzinfo=UTC)
    assert decided(GROWN, make_event("nps.answered", NOW, score=9)).next_evaluation_at == NOW + 48 * HOUR


def test_a_fact_that_changes_nothing_leaves_the_key_and_one_that_does_moves_it() -> None:
    calm = decided(GROWN, worth(20_000), make_event("health.scored", NOW, score=80))
    still = decided(GROWN, worth(20_000), make_event("health.scored", NOW + HOUR, score=81), now=NOW + HOUR)
    red = decided(GROWN, worth(20_000), make_event("health.scored", NOW + HOUR, score=11), now=NOW + HOUR)

    assert calm.key == still.key
    assert calm.key != red.key


def test_changes_are_told_in_words() -> None:
    green = decided(GROWN, worth(20_000), make_event("health.scored", NOW, score=80)).plan
    red = decided(GROWN, worth(20_000), make_event("health.scored", NOW, score=10)).plan

    (check_in, *others) = plan_changes(green, red)
    assert (check_in.what, check_in.kind) == ("rhythm", "changed")
    assert check_in.text.startswith("Check in every 7 days instead of every 90 days. Health is red")
    assert {(change.what, change.kind, change.touchpoint_type) for change in others} == {
        ("touchpoint", "added", "risk_action_plan"),
        ("touchpoint", "added", "escalation"),
    }
    assert {(change.what, change.kind) for change in plan_changes(None, green)} == {("rhythm", "added")}
    assert {(change.what, change.kind) for change in plan_changes(red, green)} == {
        ("rhythm", "changed"),
        ("touchpoint", "withdrawn"),
    }
    assert plan_changes(red, red) == ()


def test_a_plan_is_read_again_as_it_was_written() -> None:
    decision = decided(worth(200_000), renews(date(2026, 8, 1)), make_event("nps.answered", NOW, score=9))

    assert Plan.read(decision.plan.write()) == decision.plan


def test_an_account_without_a_csm_keeps_its_owner_and_names_nobody() -> None:
    item = rhythm(decided(make_event("account.described", NOW, arr=200_000)), "check_in")

    assert item is not None
    assert (item.owner, item.csm_id) == ("csm", None)
    assert item.last_touch_at is None
    assert timedelta(days=item.every_days) == 7 * DAY

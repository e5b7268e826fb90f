"""Steps of timelines and sequences: counted from a renewal, the start, going live, or a program."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from schemas.plans import Cause
from services.cadence.account import Plain, micros, stamp_of
from services.cadence.evaluation.candidates import touchpoint_id
from services.cadence.expressions.parser import parse
from services.cadence.policy import compile_policy
from services.cadence.portfolio import Portfolio, Program
from tests.unit.cadence.events import DAY, NOW, came_due, make_event, one_offs, settled
from tests.unit.cadence.policies import evaluated, policy, step, stop, stops, trigger

START = NOW.date()
TODAY = datetime(2026, 6, 1, tzinfo=UTC)
SIGNED = make_event("contract.changed", NOW - 9 * DAY, contract_id="c", status="signed", starts_on=START)


def test_a_sequence_counts_from_the_day_the_first_contract_starts() -> None:
    under = policy(step("one", "check_in", 0, anchor="start"), step("three", "tips", 2, anchor="start"))
    decision = evaluated(under, SIGNED)

    assert [
        (each.touchpoint_type, each.window.from_, each.window.to) for each in decision.plan.touchpoints
    ] == [
        ("check_in", TODAY, TODAY + 7 * DAY),
        ("tips", TODAY + 2 * DAY, TODAY + 9 * DAY),
    ]
    (first, _) = decision.plan.touchpoints
    assert first.id == touchpoint_id("acme", ("check_in", "start", "0"))
    assert first.cause == Cause(source=SIGNED.provenance.source, id=SIGNED.provenance.id)
    assert decision.next_evaluation_at == TODAY + 7 * DAY


def test_without_a_contract_it_counts_from_the_day_the_account_was_first_heard_of() -> None:
    facts_after = make_event("account.described", NOW - 3 * DAY, name="Acme")
    decision = evaluated(policy(step("ten", "check_in", 10, anchor="start")), facts_after)
    (found,) = decision.plan.touchpoints

    assert (found.window.from_, found.cause) == (TODAY + 7 * DAY, None)


def test_what_has_passed_its_window_is_never_asked_for() -> None:
    old = make_event(
        "contract.changed", NOW - 900 * DAY, contract_id="c", status="active", starts_on=START - 800 * DAY
    )
    under = policy(step("one", "check_in", 0, anchor="start"), step("late", "tips", 795, anchor="start"))

    assert [each.touchpoint_type for each in evaluated(under, old).plan.touchpoints] == ["tips"]


def test_several_steps_of_one_type_are_told_apart_by_their_ordinals() -> None:
    days = [step(f"d{n}", "tips", n, anchor="start", ordinal=n) for n in range(5)]
    found = evaluated(policy(*days), SIGNED).plan.touchpoints

    assert [each.id for each in found] == [touchpoint_id("acme", ("tips", "start", str(n))) for n in range(5)]


def test_two_sequences_that_hold_together_ask_once_for_what_is_the_same() -> None:
    under = policy(step("b", "check_in", 1, anchor="start"), step("a", "check_in", 3, anchor="start"))
    decision = evaluated(under, SIGNED)

    assert [each.reason.rule for each in decision.plan.touchpoints] == ["b"]
    assert stops(decision) == [("a", "precedence")]


def test_a_done_step_stays_done_when_the_start_moves() -> None:
    under = policy(step("one", "check_in", 0, 30, anchor="start"))
    (first,) = evaluated(under, SIGNED).plan.touchpoints
    moved = make_event("contract.changed", NOW, contract_id="c", starts_on=START + 5 * DAY)
    came = (came_due(first, NOW), settled(first, NOW))

    assert evaluated(under, SIGNED, moved).plan.touchpoints[0].id == first.id
    done = evaluated(under, SIGNED, moved, came=came, now=NOW + DAY)
    assert done.plan.touchpoints == ()
    assert stop(done, "one").cause == "over"


def test_renewals_keep_the_identity_they_had_and_later_ordinals_add_to_it() -> None:
    under = policy(step("a", "check_in", -60), step("b", "check_in", -30, ordinal=1))
    renewal = make_event(
        "contract.changed",
        NOW,
        contract_id="c",
        status="active",
        starts_on=START,
        renews_on=START + 365 * DAY,
    )

    assert [each.id for each in evaluated(under, renewal).plan.touchpoints] == [
        touchpoint_id("acme", ("check_in", "c", "2026-06-01")),
        touchpoint_id("acme", ("check_in", "c", "2026-06-01", "1")),
    ]


def test_going_live_counts_from_the_first_time() -> None:
    under = policy(step("after", "check_in", 7, anchor="go_live"))
    first = make_event("milestone.reached", NOW - 2 * DAY, milestone="live", kind="go_live")
    again = make_event("milestone.reached", NOW, milestone="live", kind="go_live")
    (found,) = evaluated(under, first, again).plan.touchpoints

    assert evaluated(under).plan.touchpoints == ()
    assert found.window.from_ == TODAY + 5 * DAY
    assert found.id == touchpoint_id("acme", ("check_in", "go_live", "0"))
    assert found.cause == Cause(source=first.provenance.source, id=first.provenance.id)


ANNOUNCED = make_event("program.announced", NOW, program_id="w1", kind="webinar")
WEBINAR = Program("w1", "webinar", micros(NOW + 20 * DAY), "Tips", stamp=stamp_of(ANNOUNCED.provenance))


def _has_revenue(values: Mapping[str, Plain]) -> bool:
    return values["arr"] is not None


def test_a_program_invites_those_it_is_for() -> None:
    rich = replace(WEBINAR, id="w2", audience=_has_revenue, reads=frozenset({"arr"}))
    under = policy(step("invite", "tips", -14, anchor="program"))
    portfolio = Portfolio(1, programs=(WEBINAR, rich))
    known = make_event("account.described", NOW, arr=5)

    (found,) = evaluated(under, portfolio=portfolio).plan.touchpoints
    assert found.id == touchpoint_id("acme", ("tips", "w1", "0"))
    assert found.window.from_ == NOW + 6 * DAY
    assert found.cause == Cause(source=ANNOUNCED.provenance.source, id=ANNOUNCED.provenance.id)
    assert len(evaluated(under, known, portfolio=portfolio).plan.touchpoints) == 2
    assert evaluated(under, portfolio=portfolio, now=NOW + 13 * DAY).plan.touchpoints == ()


def test_a_step_towards_a_program_reads_what_the_program_is() -> None:
    webinar = parse('program_kind is not null and program_kind == "webinar"')
    meaningful = parse("meaningful")
    under = policy(
        replace(step("a", "tips", -14, anchor="program"), when=webinar),
        replace(step("b", "check_in", -14, anchor="program"), when=meaningful),
    )

    assert [
        each.reason.rule
        for each in evaluated(under, portfolio=Portfolio(1, programs=(WEBINAR,))).plan.touchpoints
    ] == ["a"]


def test_identities_do_not_follow_the_names_of_rules() -> None:
    rules = [
        step("a", "check_in", 0, 30, anchor="start"),
        step("b", "tips", -30),
        step("c", "tips", -9, ordinal=1),
    ]
    ask = trigger("d", "nps.answered", "advocacy_ask", 9)
    renewal = make_event(
        "contract.changed", NOW - 9 * DAY, contract_id="c", status="active", renews_on=START + 60 * DAY
    )
    events = (renewal, make_event("nps.answered", NOW, score=9))
    under = policy(*rules, ask)
    content = under.content
    renamed = compile_policy(
        replace(
            content,
            steps=tuple(replace(each, rule=f"z{9 - n}") for n, each in enumerate(reversed(content.steps))),
            triggers=tuple(replace(each, rule="a-new-name") for each in content.triggers),
        )
    )

    ids = [each.id for each in evaluated(under, *events).plan.touchpoints]
    assert len(ids) == 4
    assert [each.id for each in evaluated(renamed, *events).plan.touchpoints] == ids


def test_a_trigger_may_open_its_window_later() -> None:
    later = trigger("later", "nps.answered", "advocacy_ask", 20, after=timedelta(days=7))
    (found,) = one_offs(evaluated(policy(later), make_event("nps.answered", NOW, score=1)), "advocacy_ask")

    assert (found.window.from_, found.window.to) == (NOW + 7 * DAY, NOW + 20 * DAY)

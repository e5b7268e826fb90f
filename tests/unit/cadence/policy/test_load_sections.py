"""Every section of a policy file becomes its values, with their places."""

import random
from datetime import date, timedelta
from pathlib import Path

import pytest

from schemas.directory import HolidayRecord
from schemas.times import QuietHours, SendWindow
from services.cadence.expressions.compile import source
from services.cadence.policy import (
    Blackout,
    Cap,
    ContactBudget,
    Damping,
    Limit,
    Location,
    PolicyContent,
    Rhythm,
    Step,
    Touchpoint,
)
from services.cadence.policy.compiled import policy_hash
from services.cadence.policy.load import (
    PolicyRefused,
    load_policy,
    load_policy_texts,
    policy_texts,
    read_content,
)
from tests.unit.cadence.policy_texts import FULL

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
KNOWN_HASH = "00f8dfee454c4d0a0f3878b74f4af034118878d06db654fb1b70d98964f81e38"
"""Of the policy `FULL` before invitations and reminders existed."""


def content() -> PolicyContent:
    return read_content({"p.yaml": FULL})


def rhythm(name: str) -> Rhythm:
    return next(rhythm for rhythm in content().rhythms if rhythm.rule == name)


def step(name: str) -> Step:
    return next(step for step in content().steps if step.rule == name)


def test_a_touchpoint_has_all_its_keys() -> None:
    touchpoint = content().touchpoints[0]

    assert touchpoint == Touchpoint(
        "check_in", "account", "csm", "call", "Hear how it goes", 30, ("champion", "decision_maker"),
        "solve_problem", ("Since last time", "Blockers"), "Blockers have an owner", never_skip=True,
    )  # fmt: skip
    assert touchpoint.place == Location("p.yaml", 13)
    assert content().touchpoints[2].topic is None
    assert content().touchpoints[2].agenda == ("Root cause",)


def test_what_a_person_holds_with_a_customer_is_in_calendars_unless_the_policy_says_otherwise() -> None:
    def invites(**keys: str) -> dict[str, bool]:
        text = FULL
        for old, new in keys.items():
            text = text.replace(f"  {old}:\n    purpose", f"  {old}:\n    {new}\n    purpose", 1)
        return {
            touchpoint.type: touchpoint.invites for touchpoint in read_content({"p.yaml": text}).touchpoints
        }

    assert invites() == {"check_in": True, "survey": False, "plan": False}
    assert invites(check_in="group: true") == {"check_in": False, "survey": False, "plan": False}
    assert invites(check_in="invite: false", survey="invite: true") == {
        "check_in": False, "survey": True, "plan": False,
    }  # fmt: skip


def test_reminders_are_spans_before_the_touchpoint() -> None:
    text = FULL.replace("    never_skip: true\n", "    never_skip: true\n    remind: [1d, 48h]\n", 1)

    touchpoints = read_content({"p.yaml": text}).touchpoints

    assert [touchpoint.remind for touchpoint in touchpoints] == [(DAY, 2 * DAY), (), ()]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("invite: true", "nobody is invited"),
        ("remind: 0h", "longer than 0h"),
        ("remind: [2d, 48h]", "listed twice"),
        ("remind: soon", "a span of time"),
    ],
)
def test_invitations_and_reminders_that_cannot_be_are_refused(keys: str, message: str) -> None:
    text = FULL.replace("  plan:\n", f"  plan:\n    {keys}\n", 1)

    with pytest.raises(PolicyRefused) as refused:
        read_content({"p.yaml": text})

    assert message in str(refused.value)


def test_a_type_says_what_an_outage_does_to_it_and_how_late_is_not_late() -> None:
    def graces(keys: str) -> tuple[str | None, timedelta]:
        text = FULL.replace("  survey:\n", f"  survey:\n    {keys}\n", 1)
        survey = read_content({"p.yaml": text}).touchpoints[1]
        return survey.misfire, survey.misfire_grace

    assert graces("# nothing") == (None, timedelta())
    assert graces("misfire: skip") == ("skip", DAY)
    assert graces("misfire: skip\n    grace: 6h") == ("skip", timedelta(hours=6))
    assert graces("misfire: fire_latest") == ("fire_latest", timedelta())


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("grace: 6h", "`misfire` is left out, so no grace counts"),
        ("misfire: fire_all\n    grace: 6h", "releases each, however late"),
        ("misfire: skip", "what is never skipped is not skipped after an outage"),
        ("misfire: sometimes", "fire_latest"),
    ],
)
def test_what_an_outage_cannot_do_is_refused(keys: str, message: str) -> None:
    text = FULL.replace("  check_in:\n", f"  check_in:\n    {keys}\n", 1)

    with pytest.raises(PolicyRefused) as refused:
        read_content({"p.yaml": text})

    assert message in str(refused.value)


def test_messages_are_approved_or_handed_off_where_the_policy_says_so() -> None:
    approving = "    approve: true\n    approve_within: 36h\n"
    text = FULL.replace("  survey:\n", f"  survey:\n{approving}", 1)
    (_, survey, _) = read_content({"p.yaml": text}).touchpoints
    assert (survey.type, survey.approve, survey.approve_within) == ("survey", True, 1.5 * DAY)
    handing = FULL.replace("  survey:\n", "  survey:\n    hand_off: Sequencer\n", 1)
    (_, survey, _) = read_content({"p.yaml": handing}).touchpoints
    assert (survey.approve, survey.hand_off) == (False, "Sequencer")
    hashes = {policy_hash(read_content({"p.yaml": each})) for each in (FULL, text, handing)}
    assert len(hashes) == 3


@pytest.mark.parametrize(
    ("touchpoint_type", "keys", "message"),
    [
        ("survey", ("approve: true", "hand_off: Sequencer"), "remove one of the two"),
        ("survey", ("approve_within: 2d",), "add `approve: true`"),
        ("survey", ("approve: true", "approve_within: soon"), "a span of time"),
        ("survey", ("hand_off: " + "x" * 101,), "at most 100 characters"),
        ("plan", ("approve: true",), "internal work reaches no customer"),
        ("check_in", ("approve: true",), "csm leads it, so no message to a customer waits"),
        ("check_in", ("hand_off: Sequencer",), "csm leads it, so there is no message to hand off"),
    ],
)
def test_approvals_and_hand_offs_that_cannot_be_are_refused(
    touchpoint_type: str, keys: tuple[str, ...], message: str
) -> None:
    lines = "".join(f"    {key}\n" for key in keys)
    text = FULL.replace(f"  {touchpoint_type}:\n", f"  {touchpoint_type}:\n{lines}", 1)

    with pytest.raises(PolicyRefused) as refused:
        read_content({"p.yaml": text})

    assert message in str(refused.value)


def test_a_policy_without_invitations_and_reminders_keeps_its_hash() -> None:
    named = FULL.replace("  check_in:\n", "  check_in:\n    invite: true\n", 1)
    reminding = FULL.replace("  check_in:\n", "  check_in:\n    remind: 48h\n", 1)

    hashes = [policy_hash(read_content({"p.yaml": text})) for text in (FULL, named, reminding)]

    assert len(set(hashes)) == 3
    assert hashes[0] == KNOWN_HASH


def test_an_interval_by_stage_is_a_rhythm_for_each_stage() -> None:
    rhythms = {rhythm.rule: rhythm for rhythm in content().rhythms if rhythm.rule.startswith("enterprise")}

    assert list(rhythms) == ["enterprise-check-in/onboarding", "enterprise-check-in/growth"]
    growth = rhythms["enterprise-check-in/growth"]
    assert (growth.every_days, growth.within, growth.urgency, growth.any_contact) == (
        14,
        (7, 90),
        "soon",
        True,
    )
    assert source(growth.when) == "((stage == 'growth') and (segment == 'enterprise'))"
    assert growth.place == Location("p.yaml", 47)


def test_a_rhythm_may_have_its_own_owner_and_channel() -> None:
    red = rhythm("red-check-in")

    assert (red.every_days, red.precedence, red.owner, red.channel, red.within) == (
        7, "escalation", "pooled_csm", "meeting", None,
    )  # fmt: skip


def test_the_minimum_is_a_floor_that_falls_back() -> None:
    least = rhythm("monthly-word")

    assert (least.every_days, least.precedence, least.fallback) == (30, "floor", True)
    assert source(least.when) == "(stage != 'churned')"


def test_adjustments_and_feedback_step_along_the_ladder() -> None:
    policy = content()

    assert [(rule.rule, rule.touchpoints, rule.steps) for rule in policy.adjustments] == [
        ("complex-product", ("check_in",), -2)
    ]
    assert [(rule.rule, rule.on, rule.touchpoints, rule.steps) for rule in policy.feedback] == [
        ("declined", "touchpoint.settled", ("check_in",), 1)
    ]
    assert policy.damping == Damping((7, 14, 30, 90), 45 * DAY, 120 * DAY, "email")


def test_without_feedback_its_defaults_hold() -> None:
    head, rest = FULL.split("feedback:\n")
    triggers = rest[rest.index("triggers:\n") :]

    assert read_content({"p.yaml": head + triggers}).damping == Damping()


def test_a_trigger_has_its_window_and_its_cap() -> None:
    (trigger,) = content().triggers

    assert (trigger.on, trigger.within, trigger.after, trigger.deadline, trigger.cooldown, trigger.cap) == (
        "health.scored", 48 * HOUR, HOUR, 24 * HOUR, 30 * DAY, Cap(2, 365 * DAY),
    )  # fmt: skip
    assert source(trigger.when).startswith("((stage in ('onboarding', 'growth', )) and ")
    assert trigger.unless is not None
    assert source(trigger.unless) == "paid_success"


def test_a_step_lasts_until_the_next_one_and_is_counted_among_those_of_its_type() -> None:
    first, second = step("renewal-60"), step("renewal-30")

    assert (first.days, first.within, first.ordinal, first.anchor) == (-60, 30 * DAY, 0, "renewal")
    assert (second.days, second.within, second.ordinal) == (-30, 5 * DAY, 1)
    assert source(first.when) == "((segment == 'enterprise') and (not auto_renew))"


def test_day_one_of_a_sequence_is_the_day_itself() -> None:
    days = {step.rule: (step.days, step.within.days, step.ordinal) for step in content().steps[2:]}

    assert days == {
        "welcome/day-1": (0, 1, 0),
        "welcome/day-2": (1, 1, 1),
        "first-call": (2, 2, 0),
        "welcome/day-5": (4, 7, 2),
    }
    assert {step.anchor for step in content().steps[2:]} == {"start"}


def test_the_currency_of_revenues_is_the_policys_or_the_dollar() -> None:
    """Row 24: a policy that states the usual one is the same policy."""
    usual = load_policy_texts({"p.yaml": FULL})
    stated = load_policy_texts({"p.yaml": FULL + "currency: USD\n"})
    others = load_policy_texts({"p.yaml": FULL + "currency: EUR\n"})

    assert (usual.content.currency, others.content.currency) == ("USD", "EUR")
    assert usual.hash == stated.hash != others.hash
    with pytest.raises(PolicyRefused, match="a currency code such as USD is expected here, not 'euro'"):
        load_policy_texts({"p.yaml": FULL + "currency: euro\n"})
    with pytest.raises(PolicyRefused, match="'currency' is already defined"):
        load_policy_texts({"p.yaml": FULL + "currency: USD\n", "q.yaml": "currency: EUR\n"})


def test_quiet_hours_are_those_of_the_policy_or_the_usual_ones() -> None:
    usual = load_policy_texts({"p.yaml": FULL})
    stated = load_policy_texts({"p.yaml": FULL + 'quiet_hours: {from: "20:00", to: "08:00"}\n'})
    others = load_policy_texts({"p.yaml": FULL + "quiet_hours: {from: 21:30, to: 07:00}\n"})

    assert usual.content.quiet_hours == QuietHours(from_="20:00", to="08:00")
    assert others.content.quiet_hours == QuietHours(from_="21:30", to="07:00")
    assert usual.hash == stated.hash != others.hash


def test_a_send_window_is_days_and_hours_and_left_out_there_is_none() -> None:
    usual = load_policy_texts({"p.yaml": FULL})
    work = load_policy_texts({"p.yaml": FULL + "send_window: mon-wed,fri 08:00-18:00\n"})
    over = load_policy_texts({"p.yaml": FULL + "send_window: sat-mon 09:30-24:00\n"})

    assert usual.content.send_window is None
    assert work.content.send_window == SendWindow(
        days=("mon", "tue", "wed", "fri"), from_="08:00", to="18:00"
    )
    assert over.content.send_window == SendWindow(days=("mon", "sat", "sun"), from_="09:30", to="24:00")
    assert usual.hash != work.hash != over.hash


def test_contact_budgets_are_of_a_person_or_an_account() -> None:
    budgets = """
contact_budgets:
  - {budget: person-week, per: person, at_most: 3 per 7d, exempt: survey, because: Enough.}
  - {budget: account-mail, per: account, at_most: 5 per 48h, channels: [email, in_app], because: Enough.}
"""
    usual, policy = load_policy_texts({"p.yaml": FULL}), load_policy_texts({"p.yaml": FULL + budgets})

    assert usual.content.contact_budgets == ()
    assert policy.content.contact_budgets == (
        ContactBudget(
            rule="person-week", per="person", cap=Cap(3, 7 * DAY), exempt=("survey",), because="Enough."
        ),
        ContactBudget(
            rule="account-mail", per="account", cap=Cap(5, 2 * DAY), channels=("email", "in_app"), because="Enough.",
        ),
    )  # fmt: skip
    assert usual.hash != policy.hash
    with pytest.raises(PolicyRefused, match="'person-week' is already defined"):
        load_policy_texts({"p.yaml": FULL + budgets.replace("account-mail", "person-week")})


def test_limits_and_blackouts_name_their_types_or_mean_all_that_reach_customers() -> None:
    policy = content()

    types = ("check_in", "survey")
    assert policy.limits == (
        Limit(rule="talk", cap=Cap(3, 30 * DAY), touchpoints=types, because="Not too much."),
    )
    (season,) = policy.blackouts
    assert season == Blackout(
        rule="turn-of-the-year",
        first=(12, 20),
        last=(1, 6),
        when=season.when,
        touchpoints=types,
        because="Nobody is there.",
    )
    assert source(season.when) == "(segment == 'enterprise')"


def test_a_blackout_with_years_takes_place_once() -> None:
    dated = FULL.replace("from: 12-20", "from: 2026-11-20").replace("to: 01-06", "to: 2027-01-06")
    (season,) = read_content({"p.yaml": dated}).blackouts

    assert (season.first, season.last) == (date(2026, 11, 20), date(2027, 1, 6))


def test_every_rule_has_its_place() -> None:
    policy = content()

    lines = FULL.splitlines()
    assert policy.places == {
        "feedback": Location("p.yaml", lines.index("feedback:") + 2),
        "segment/0": Location("p.yaml", 3),
        "segment/1": Location("p.yaml", 5),
        "stage/0": Location("p.yaml", 8),
        "stage/1": Location("p.yaml", 10),
    }
    rules = (
        *policy.rhythms,
        *policy.triggers,
        *policy.steps,
        *policy.adjustments,
        *policy.feedback,
        *policy.limits,
    )
    for rule in (*rules, *policy.blackouts):
        name, _, part = rule.rule.partition("/")
        assert rule.place.file == "p.yaml"
        assert (part if part in {"onboarding", "growth"} else name) in lines[rule.place.line - 1]


def test_a_touchpoint_type_of_the_policy_has_a_feature_days_since() -> None:
    text = FULL.replace(
        "    when: not auto_renew", "    when: days_since_plan is null or days_since_plan > 30"
    )

    assert read_content({"p.yaml": text}).steps


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_rules_in_their_sections_changes_nothing(seed: int) -> None:
    shuffled = load_policy_texts({"q.yaml": "".join(_shuffled(FULL, random.Random(seed)))})
    policy = load_policy_texts({"p.yaml": FULL})

    assert shuffled.hash == policy.hash
    assert shuffled.bits == policy.bits


def _shuffled(text: str, source: random.Random) -> list[str]:
    """Sections in any order, and in each but the first-match ones its items in any order."""
    sections: list[list[str]] = []
    for line in text.splitlines(keepends=True):
        if line[0] != " ":
            sections.append([line])
        elif line.startswith("  - ") or (sections[-1][0] == "touchpoints:\n" and line[2] != " "):
            sections[-1].append(line)
        else:
            sections[-1][-1] += line
    for section in sections:
        items = section[1:]
        if section[0] not in {"segments:\n", "stages:\n"}:
            source.shuffle(items)
        section[1:] = items
    source.shuffle(sections)
    return [item for section in sections for item in section]


def test_test_files_are_no_part_of_a_policy(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(FULL, encoding="utf-8")
    (tmp_path / "policy_test.yaml").write_text("- test: something\n", encoding="utf-8")

    assert list(policy_texts(tmp_path)) == [str(tmp_path / "policy.yaml")]
    assert load_policy(tmp_path).hash == load_policy_texts({"p.yaml": FULL, "x_test.yaml": "- {}"}).hash


def test_a_file_that_ends_in_yml_is_refused(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(FULL, encoding="utf-8")
    (tmp_path / "more.yml").write_text("rhythms: []\n", encoding="utf-8")

    with pytest.raises(PolicyRefused, match=r"more\.yml: policy files end in \.yaml; rename it"):
        load_policy(tmp_path)


def test_a_byte_order_mark_and_carriage_returns_change_nothing(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_bytes(b"\xef\xbb\xbf" + FULL.replace("\n", "\r\n").encode())

    assert load_policy(tmp_path).hash == load_policy_texts({"p.yaml": FULL}).hash
    with pytest.raises(PolicyRefused) as caught:
        read_content({"p.yaml": "\ufeff" + FULL.replace("\n", "\r\n").replace("day: 3", "day: 0")})
    assert caught.value.errors[0].startswith("p.yaml:120:14: ")


HOLIDAYS = """
holidays:
  - {holiday: Founding day, on: 2026-12-24}
  - {holiday: Reformation Day, on: 10-31, country: Germany, region: BE}
  - {holiday: Whit Monday, on: 2027-05-17, country: DE, works: true}
"""


def test_a_deployment_adds_public_holidays_and_takes_them_away() -> None:
    policy = load_policy_texts({"p.yaml": FULL + HOLIDAYS})

    assert policy.content.holidays == (
        HolidayRecord(name="Founding day", on="2026-12-24"),
        HolidayRecord(name="Reformation Day", on="10-31", country="DE", region="BE"),
        HolidayRecord(name="Whit Monday", on="2027-05-17", country="DE", works=True),
    )
    assert policy.hash != load_policy_texts({"p.yaml": FULL}).hash


@pytest.mark.parametrize(
    ("holiday", "problem"),
    [
        ("on: 2027-02-29", "there is no 2027-02-29"),
        ("on: 02-29", "not in every year"),
        ("on: 24.12.", "a date such as 2026-12-24"),
        ("on: 12-24, country: Atlantis", "ISO 3166-1"),
        ("on: 12-24, region: BY", "name the country too"),
        ("on: 12-24, works: maybe", "maybe"),
    ],
)
def test_a_holiday_that_cannot_be_is_refused(holiday: str, problem: str) -> None:
    with pytest.raises(PolicyRefused, match=problem):
        load_policy_texts({"p.yaml": FULL + f"holidays:\n  - {{holiday: Eve, {holiday}}}\n"})


def test_one_day_of_a_place_is_defined_once() -> None:
    twice = """
holidays:
  - {holiday: Eve, on: 12-24, country: DE}
  - {holiday: Work, on: 12-24, country: DE, works: true}
"""

    with pytest.raises(PolicyRefused, match="already defined"):
        load_policy_texts({"p.yaml": FULL + twice})
    load_policy_texts({"p.yaml": FULL + twice.replace("country: DE, works", "country: AT, works")})

"""Requirements by number, shown through the running services on the shipped policy.

One story is lived once: facts go in over HTTP, first at an unhurried clock, then ten days at eight hours a
second. What the engine, the calendar, the deliveries and a webhook receiver say of it is kept, and each
requirement is read from that.
"""

import asyncio
import itertools
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.faults.ledger import Ledger
from tests.integration.requirements_book import (
    GROWING,
    RED,
    RETAIL,
    STANDARD,
    signature,
    standing,
    unfolding,
)
from tests.stack import Receiver, Stack, receiving

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)
HURRY = 28_800.0  # eight hours a second
DAYS = timedelta(days=9.5)
DAY = timedelta(days=1)
YEAR = timedelta(days=365)
PEOPLE = {"csm", "pooled_csm", "sales"}
OWNERS = {*PEOPLE, "marketing", "automation"}
Item = Mapping[str, Any]


@dataclass(frozen=True, repr=False)
class Story:
    """What was seen. `dues` are the webhooks' data; those of `at_once` came before the clock was hurried."""

    begin: datetime
    hurried: datetime
    accounts: Mapping[str, Item]
    refusals: Mapping[str, Sequence[Item]]
    calendars: Mapping[str, Sequence[Item]]
    at_once: Sequence[Item]
    told_at_once: Mapping[str, Sequence[Item]]
    dues: Sequence[Item]
    later: Mapping[str, Sequence[Item]]
    deliveries: Mapping[str, Sequence[Item]]

    def rhythm(self, account: str, kind: str) -> Item | None:
        rhythms = self.accounts[account]["plan"]["rhythms"]
        return next((each for each in rhythms if each["touchpoint_type"] == kind), None)

    def every(self, account: str, kind: str) -> int | None:
        rhythm = self.rhythm(account, kind)
        return None if rhythm is None else rhythm["every_days"]

    def came_due(self, account: str, kind: str) -> list[Item]:
        return _of(self.dues, account, kind)

    def came_due_at_once(self, account: str, kind: str) -> list[Item]:
        return _of(self.at_once, account, kind)

    def planned(self, account: str, kind: str) -> list[datetime]:
        """When it is to be within a year, seen at the beginning; what was called off is left out."""
        return _moments(each for each in _standing(self.calendars[account]) if each["type"] == kind)


@pytest.fixture(scope="module")
def story() -> Story:
    return asyncio.run(_live())


async def _live() -> Story:
    with tempfile.TemporaryDirectory(prefix="drumbeat-story-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        async with Stack(folder, start=MONDAY) as stack, receiving() as receiver:
            await stack.run()
            wanted = {"url": receiver.url, "types": ["drumbeat.touchpoint.due.v1"]}
            await stack.post("notifier", "/v1/subscriptions", wanted)
            return await _told(stack, receiver)


async def _told(stack: Stack, receiver: Receiver) -> Story:
    ledger = Ledger(stack, receiver)
    begin = await stack.now()
    await ledger.tell(standing(begin))
    await ledger.quiet()
    await _people_act(stack)
    await ledger.quiet()
    names = sorted({subject for subject, _ in ledger.told.values()} - {"*", "dana"})
    year = begin + YEAR
    accounts = {each: await stack.get("rules_engine", f"/v1/accounts/{each}") for each in names}
    refusals = {each: await _refused(stack, each) for each in names}
    calendars = {each: await _pages(stack, "scheduler", "/v1/touchpoints", each, year) for each in names}
    told = {each: await _pages(stack, "notifier", "/v1/deliveries", each) for each in names}
    at_once = _data(receiver)

    await stack.hurry(HURRY)
    hurried = await stack.now()
    late = unfolding(hurried)
    await stack.tell(*late)
    names = sorted({*names, *(str(each["subject"]) for each in late)} - {"*"})
    await _days_pass(stack, receiver, hurried + DAYS)
    return Story(
        begin, hurried, accounts, refusals, calendars, at_once, told,
        dues=_data(receiver),
        later={each: await _pages(stack, "scheduler", "/v1/touchpoints", each) for each in names},
        deliveries={each: await _pages(stack, "notifier", "/v1/deliveries", each) for each in names},
    )  # fmt: skip


async def _people_act(stack: Stack) -> None:
    """A customer declines three calls, and a discovery of another is held."""
    planned = await stack.get("scheduler", "/v1/touchpoints", account_id="declining", type="check_in")
    for each in planned["items"][:3]:
        await _settle(stack, each, "declined")
    found = await stack.get("scheduler", "/v1/touchpoints", account_id="eager", type="expansion_discovery")
    await _settle(stack, found["items"][0], "completed")


async def _settle(stack: Stack, item: Item, outcome: str) -> None:
    body = {"outcome": outcome, "version": item["sequence"]}
    await stack.post("scheduler", f"/v1/touchpoints/{item['id']}/settle", body)


async def _days_pass(stack: Stack, receiver: Receiver, until: datetime) -> None:
    """One customer signs as soon as the unsigned contract is urged."""
    unsigned = True
    while (now := await stack.now()) < until:
        if unsigned and _of(_data(receiver), "signs-late", "renewal_urgency"):
            await stack.tell(*signature("signs-late", now))
            unsigned = False
        await asyncio.sleep(0.2)


async def _refused(stack: Stack, account: str) -> Sequence[Item]:
    """What the newest decision wished for and did not grant."""
    found = await stack.get("rules_engine", f"/v1/accounts/{account}/decisions", limit=1)
    return found["items"][0]["suppressed"]


async def _pages(
    stack: Stack, service: str, path: str, account: str, to: datetime | None = None
) -> list[Item]:
    found: list[Item] = []
    asked: dict[str, object] = {"account_id": account, "limit": 500}
    if to is not None:
        asked["to"] = to.isoformat()
    while True:
        answer = await stack.get(service, path, **asked)
        found += answer["items"]
        if answer["next_cursor"] is None:
            return found
        asked["cursor"] = answer["next_cursor"]


def _data(receiver: Receiver) -> list[Item]:
    return [body["data"] for body in receiver.of("due")]


def _of(dues: Iterable[Item], account: str, kind: str) -> list[Item]:
    mine = (each for each in dues if each["account_id"] == account and each["touchpoint_type"] == kind)
    return sorted(mine, key=lambda each: each["due_at"])


def _standing(items: Iterable[Item]) -> list[Item]:
    return [each for each in items if each["status"] != "cancelled"]


def _at(item: Item, name: str = "due_at") -> datetime:
    return datetime.fromisoformat(item[name])


def _moments(items: Iterable[Item]) -> list[datetime]:
    return sorted(_at(each) for each in items)


def _gaps(moments: Sequence[datetime]) -> list[timedelta]:
    return [later - earlier for earlier, later in itertools.pairwise(moments)]


REQUIREMENTS: dict[str, list[Callable[[Story], None]]] = defaultdict(list)


def shows(*numbers: str) -> Callable[[Callable[[Story], None]], Callable[[Story], None]]:
    def numbered(check: Callable[[Story], None]) -> Callable[[Story], None]:
        for number in numbers:
            REQUIREMENTS[number].append(check)
        return check

    return numbered


# The beginning


@shows("S32", "S117", "X5")
def the_kickoff_comes_due_within_48_hours_of_the_signature(story: Story) -> None:
    (kickoff,) = story.came_due_at_once("signed", "kickoff")
    signed = story.begin - timedelta(hours=1)
    assert signed <= _at(kickoff) <= _at(kickoff, "released_at") <= signed + timedelta(hours=48)
    assert _at(kickoff, "deadline") == signed + timedelta(hours=48)
    assert 30 <= kickoff["minutes"] <= 60
    assert (kickoff["owner"]["kind"], kickoff["owner"]["csm_id"]) == ("csm", "dana")
    told = [each for each in story.told_at_once["signed"] if each["touchpoint_type"] == "kickoff"]
    assert {(each["channel"], each["state"]) for each in told} == {
        ("email", "sent"), ("in_app", "sent"), ("webhook", "sent"),
    }  # fmt: skip


@shows("S55", "S61", "S75", "S170")
def onboarding_is_daily_in_week_one_and_weekly_through_month_three(story: Story) -> None:
    start = story.hurried.date() + DAY
    steps = _standing(each for each in story.later["new-small"] if each["type"] == "onboarding_step")
    days = [(each.date() - start).days + 1 for each in _moments(steps)]
    assert days == [1, 2, 3, 4, 5, 6, 7, *range(14, 92, 7)]
    came = [(_at(each).date() - start).days + 1 for each in story.came_due("new-small", "onboarding_step")]
    assert came == [1, 2, 3, 4, 5, 6, 7]
    assert {(each["owner"], each["channel"]) for each in steps} == {("automation", "email")}
    (welcome,) = story.came_due("new-small", "welcome")
    assert _at(welcome).date() == start
    sent = [each for each in story.deliveries["new-small"] if _mail_of(each, "onboarding_step")]
    assert {each["state"] for each in sent} == {"sent"}
    assert len({each["touchpoint_id"] for each in sent}) >= 6  # the newest may wait for the morning


@shows("S183", "S184")
def who_opts_out_of_education_still_hears_of_the_account(story: Story) -> None:
    states = {
        (each["recipient"]["id"], each["touchpoint_type"]): each["state"]
        for each in story.deliveries["new-picky"]
        if _mail_of(each, "onboarding_step") or _mail_of(each, "welcome")
    }
    assert states["new-picky-champion", "onboarding_step"] == "suppressed"
    assert states["new-picky-champion", "welcome"] == "sent"
    assert states["new-picky-decision_maker", "onboarding_step"] == "sent"


@shows("S21", "S22")
def a_complex_product_means_weekly_calls_until_it_is_in_place(story: Story) -> None:
    assert story.accounts["complex"]["stage"] == "onboarding"
    assert story.every("complex", "check_in") == 7
    assert set(_gaps(story.planned("complex", "check_in"))) == {timedelta(days=7)}


@shows("S120")
def going_live_is_answered_with_the_review_that_closes_onboarding(story: Story) -> None:
    (review,) = (each for each in story.calendars["live"] if each["type"] == "go_live_review")
    assert story.begin - DAY <= _at(review) <= story.begin + timedelta(days=14)
    assert review["reason"]["rule"] == "go-live-review"


# What repeats


@shows("S101", "S9", "X1", "X2", "X3")
def green_is_the_standard_of_the_tier(story: Story) -> None:
    assert [story.every(each, "check_in") for each in STANDARD] == [14, 90, 90, None]
    assert story.accounts["std-enterprise"]["color"] == "green"
    assert set(_gaps(story.planned("std-enterprise", "check_in"))) == {timedelta(days=14)}


@shows("S26", "S30", "S35", "S37")
def enterprise_has_its_reviews_and_they_are_never_skipped(story: Story) -> None:
    review = story.rhythm("std-enterprise", "business_review")
    assert review is not None
    assert (review["every_days"], review["never_skip"]) == (90, True)
    assert "executive_sponsor" in review["audience"]
    moments = [story.begin, *story.planned("std-enterprise", "business_review"), story.begin + YEAR]
    assert len(moments) >= 6
    assert max(_gaps(moments)) <= timedelta(days=91)
    assert story.every("std-enterprise", "executive_review") == 365


@shows("S139", "S140", "X15")
def nobody_who_pays_goes_a_month_without_a_word(story: Story) -> None:
    for name in (*STANDARD, *RED, "pooled", "wish", "declining"):
        words = (each for each in _standing(story.calendars[name]) if each["topic"] is not None)
        moments = [story.begin, *_moments(words), story.begin + YEAR]
        assert max(_gaps(moments)) <= timedelta(days=31), name


@shows("S157")
def a_year_of_human_contact_is_known_ahead(story: Story) -> None:
    for kind in ("check_in", "value_watch"):
        moments = story.planned("std-enterprise", kind)
        assert len(moments) >= 26, kind
        assert moments[-1] > story.begin + YEAR - timedelta(days=15), kind


# Health


@shows("S96", "X17")
def red_means_every_week_whatever_the_tier(story: Story) -> None:
    leaders = {"red-enterprise": "csm", "red-mid": "csm", "red-small": "pooled_csm", "red-self": "automation"}
    for name, owner in leaders.items():
        rhythm = story.rhythm(name, "check_in")
        assert rhythm is not None
        assert (rhythm["every_days"], rhythm["owner"]) == (7, owner), name
        assert len(story.came_due_at_once(name, "check_in")) == 1, name
        moments = [_at(each) for each in story.came_due(name, "check_in")]
        assert len(moments) >= 2, name
        assert set(_gaps(moments)) == {timedelta(days=7)}, name


@shows("S97")
def red_starts_an_action_plan_and_brings_in_help(story: Story) -> None:
    for name, kind in itertools.product(("red-enterprise", "red-mid"), ("risk_action_plan", "escalation")):
        (work,) = story.came_due_at_once(name, kind)
        assert work["topic"] is None
        assert _at(work, "released_at") <= story.begin + timedelta(hours=47)


@shows("S98")
def who_was_red_and_is_well_again_has_the_standard(story: Story) -> None:
    assert story.every("recovered", "check_in") == 90
    assert not story.came_due("recovered", "risk_action_plan")


@shows("S99")
def yellow_means_every_other_week(story: Story) -> None:
    assert story.accounts["yellow"]["color"] == "yellow"
    assert story.every("yellow", "check_in") == 14
    assert set(_gaps(story.planned("yellow", "check_in"))) == {timedelta(days=14)}


# Growing, and saying so


@shows("S103", "S104", "S105", "S106", "S108")
def expansion_follows_what_the_data_say(story: Story) -> None:
    for name in GROWING:
        (talk,) = (each for each in story.calendars[name] if each["type"] == "expansion_discovery")
        assert story.begin - DAY <= _at(talk) <= story.begin + timedelta(days=14), name
        assert talk["reason"]["facts"], name
    for name in STANDARD:
        assert not any(each["type"] == "expansion_discovery" for each in story.later[name]), name


@shows("S107")
def asks_are_capped_and_cooled_down(story: Story) -> None:
    assert len(story.came_due("signal", "expansion_discovery")) == 1
    asks = {"advocacy_ask", "expansion_discovery", "expansion_proposal"}
    held = [each for each in story.dues if each["account_id"] == "eager" and each["touchpoint_type"] in asks]
    assert sorted(each["touchpoint_type"] for each in held) == ["advocacy_ask", "expansion_discovery"]
    refused = {each["rule"]: each for each in story.refusals["eager"]}
    assert refused["expansion-proposal"]["cause"] == "limit"


@shows("S111", "S114")
def a_promoter_is_asked_within_48_hours_and_nobody_else(story: Story) -> None:
    (ask,) = story.came_due_at_once("promoter", "advocacy_ask")
    assert _at(ask, "released_at") <= story.begin + timedelta(hours=47)
    assert not story.came_due("passive", "advocacy_ask")


@shows("S112")
def a_success_is_followed_by_the_ask_in_the_same_week(story: Story) -> None:
    (ask,) = story.came_due_at_once("successful", "advocacy_ask")
    assert _at(ask) <= story.begin + timedelta(days=5)
    assert ask["reason"]["rule"] == "advocacy-by-milestone"


@shows("S132")
def only_releases_that_matter_are_told_and_one_a_month(story: Story) -> None:
    (update,) = story.came_due("reader", "product_update")
    assert update["reason"]["rule"] == "release-update"
    assert len([each for each in story.later["reader"] if each["type"] == "product_update"]) == 1
    assert not story.came_due("std-mid", "product_update")


@shows("S136")
def webinar_mails_go_out_two_weeks_one_week_and_one_day_before(story: Story) -> None:
    webinar = story.hurried + timedelta(days=15.5)
    mails = _standing(each for each in story.later["guest"] if each["type"] == "webinar_invitation")
    before = [webinar - each for each in _moments(mails)]
    assert len(before) == 3
    for wanted, found in zip((14, 7, 1), before, strict=True):
        assert timedelta(days=wanted) - DAY / 2 <= found <= timedelta(days=wanted), wanted
    assert story.came_due("guest", "webinar_invitation")


# Renewing


@shows("S88")
def an_unsigned_renewal_is_urged_two_weeks_before(story: Story) -> None:
    for name in ("unsigned", "signs-late"):
        (urgency,) = story.came_due(name, "renewal_urgency")
        assert timedelta(days=0) <= _at(urgency) - story.hurried <= timedelta(days=2)
    assert not any(each["type"] == "renewal_urgency" for each in _standing(story.later["renewed"]))


@shows("S89", "S90")
def an_unsigned_renewal_is_escalated_a_week_before_and_a_signed_one_is_not(story: Story) -> None:
    (escalation,) = story.came_due("unsigned", "renewal_escalation")
    assert timedelta(days=7) <= _at(escalation) - story.hurried <= timedelta(days=9)
    for name in ("renewed", "signs-late"):
        assert not story.came_due(name, "renewal_escalation")
        assert not any(each["type"] == "renewal_escalation" for each in _standing(story.later[name]))
    assert any(each["type"] == "renewal_escalation" for each in story.later["signs-late"])


# Who leads


@shows("S161")
def a_dedicated_csm_leads_every_human_touch_of_an_enterprise(story: Story) -> None:
    led = [each for each in story.calendars["std-enterprise"] if each["owner"] in PEOPLE]
    assert {(each["owner"], each["csm_id"]) for each in led} == {("csm", "dana")}
    assert {"check_in", "business_review", "executive_review"} <= {each["type"] for each in led}


@shows("S162")
def whoever_of_the_pool_is_free_leads_a_mid_market_account(story: Story) -> None:
    rhythm = story.rhythm("pooled", "check_in")
    assert rhythm is not None
    assert (rhythm["owner"], rhythm["csm_id"]) == ("pooled_csm", None)


@shows("S163", "S52", "S63")
def marketing_runs_webinars_and_newsletters(story: Story) -> None:
    for name, kind in (("std-mid", "webinar"), ("std-small", "webinar"), ("std-enterprise", "newsletter")):
        rhythm = story.rhythm(name, kind)
        assert rhythm is not None
        assert (rhythm["owner"], rhythm["every_days"]) == ("marketing", 30)


@shows("S164", "S68", "S60", "S58")
def no_person_is_promised_to_the_digital_tiers_while_all_is_well(story: Story) -> None:
    for name in ("std-small", "std-self"):
        soon = [each for each in story.later[name] if each["owner"] in PEOPLE and each["status"] != "planned"]
        assert not soon
        assert not {each["owner"] for each in story.accounts[name]["plan"]["rhythms"]} & PEOPLE


@shows("S66")
def who_bought_success_is_called_every_month(story: Story) -> None:
    rhythm = story.rhythm("bought", "check_in")
    assert rhythm is not None
    assert (rhythm["owner"], rhythm["every_days"]) == ("pooled_csm", 30)


@shows("S72")
def who_asks_for_a_human_gets_one(story: Story) -> None:
    (call,) = story.came_due_at_once("asking", "ad_hoc_call")
    assert call["owner"]["kind"] == "pooled_csm"


@shows("S165", "S172", "S215", "S5")
def every_touchpoint_has_one_owner_a_purpose_and_a_reason(story: Story) -> None:
    everything = [each for items in (*story.calendars.values(), *story.later.values()) for each in items]
    assert len(everything) > 1_000
    assert {each["owner"] for each in everything} <= OWNERS
    assert all(each["purpose"] and each["reason"]["rule"] and each["reason"]["text"] for each in everything)


# Wishes, people and seasons


@shows("S175", "S7", "S143", "X9")
def a_wish_for_quarterly_is_met_and_the_review_stays(story: Story) -> None:
    assert story.every("wish", "check_in") == 90
    assert story.every("wish", "business_review") == 90
    assert min(_gaps(story.planned("wish", "check_in"))) >= timedelta(days=87)


@shows("S176")
def red_comes_before_a_wish(story: Story) -> None:
    assert story.every("wish-red", "check_in") == 7
    assert len(story.came_due_at_once("wish-red", "check_in")) == 1


@shows("S141", "S137")
def three_declines_in_a_row_make_the_calls_rarer(story: Story) -> None:
    assert story.every("declining", "check_in") == 60
    assert story.every("talked", "check_in") == 30
    outcomes = [each["outcome"] for each in story.calendars["declining"] if each["outcome"]]
    assert [each["outcome"] for each in outcomes] == ["declined"] * 3


@shows("S179")
def when_a_champion_leaves_the_account_is_met_anew(story: Story) -> None:
    (call,) = (each for each in story.calendars["bereft"] if each["type"] == "intro_call")
    assert story.begin - DAY <= _at(call) <= story.begin + timedelta(days=14)
    assert call["reason"]["rule"] == "stakeholder-left"


@shows("X20", "S154", "S152", "S178")
def retail_reviews_leave_the_fourth_quarter_and_none_is_dropped(story: Story) -> None:
    closed = datetime(2026, 10, 15, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    for name in RETAIL:
        moments = story.planned(name, "business_review")
        assert not [each for each in moments if closed[0] <= each < closed[1]]
        assert len(moments) >= 4
        assert max(_gaps(moments)) <= timedelta(days=137)
    reviews = [each for name in RETAIL for each in story.calendars[name] if each["type"] == "business_review"]
    assert [each for each in reviews if each["note"] and "retail-fourth-quarter" in each["note"]]


@shows("S153")
def nobody_is_reviewed_around_the_turn_of_the_year(story: Story) -> None:
    closed = datetime(2026, 12, 18, tzinfo=UTC), datetime(2027, 1, 4, tzinfo=UTC)
    for name in (*STANDARD, *RED):
        moments = story.planned(name, "business_review") + story.planned(name, "executive_review")
        assert moments or name.endswith(("small", "self"))
        assert not [each for each in moments if closed[0] <= each < closed[1]], name


# What users expect


@shows("U1")
def a_year_of_imported_history_is_silent(story: Story) -> None:
    assert not [each for each in story.at_once if each["account_id"] == "imported"]
    assert not story.told_at_once["imported"]
    asked = [each for each in story.calendars["imported"] if each["origin"] == "one_off"]
    assert all(each["reason"]["rule"].startswith("renewal-") for each in asked)
    assert asked


@shows("U2")
def a_pause_holds_what_customers_hear_and_ends_by_itself(story: Story) -> None:
    until = story.hurried + timedelta(days=4)
    heard = [each for each in story.dues if each["account_id"] == "paused" and each["topic"] is not None]
    assert heard
    assert all(_at(each) >= until for each in heard)
    sent = [each for each in story.deliveries["paused"] if each["state"] == "sent"]
    assert {each["touchpoint_id"] for each in sent} <= {each["touchpoint_id"] for each in heard}


@shows("U3")
def contact_outside_the_plan_counts_as_contact(story: Story) -> None:
    assert story.planned("talked", "check_in")[0] >= story.begin + timedelta(days=27)


def _mail_of(delivery: Item, kind: str) -> bool:
    return (
        delivery["touchpoint_type"] == kind
        and delivery["channel"] == "email"
        and bool(delivery["finished_at"])
    )


@pytest.mark.parametrize(
    "holds",
    [
        pytest.param(check, id=f"{number}-{check.__name__}")
        for number, checks in REQUIREMENTS.items()
        for check in checks
    ],
)
def test_requirement(story: Story, holds: Callable[[Story], None]) -> None:
    holds(story)

"""Who of ours is told about a touchpoint, and when: nobody is left untold."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from schemas.directory import ContactRecord, CsmRecord
from schemas.times import Window
from schemas.touchpoints import TouchpointOwner
from services.cadence.policy.load import SHIPPED, load_policy
from services.cadence.policy.model import Rhythm, Step, Trigger
from services.notifier.domain.decision import Action, DeliveryDecision, Reason, Timing
from services.notifier.domain.delivery import RecipientKind
from services.notifier.domain.delivery_policy import decide_delivery, decide_recipients
from services.notifier.domain.event import AT_RISK, CANCELLED, MOVED, OVERDUE, Event
from services.notifier.domain.people import Account
from services.notifier.domain.situation import Situation
from tests.unit.notifier.events import NOON, due

FALLBACK_TO = "ops@vendor.example"
ROLES = (None, "champion", "decision_maker", "executive_sponsor", "admin", "user")


def person(csm_id: str, role: str | None = None, **more: object) -> CsmRecord:
    fields = {"csm_id": csm_id, "email": f"{csm_id}@vendor.example", "role": role, "version": 1, **more}
    return CsmRecord(**fields)  # pyright: ignore[reportArgumentType]


CARL, DORA, MARA = person("carl", timezone="Europe/Berlin"), person("dora"), person("mara", "manager")
ACME = Account("acme", "Acme")


def situation(*people: CsmRecord, **more: object) -> Situation:
    fields = {
        "account": ACME,
        "csms": {one.csm_id: one for one in people},
        "fallback_to": FALLBACK_TO,
        **more,
    }
    return Situation(**fields)  # pyright: ignore[reportArgumentType]


def mails(event: Event, among: Situation, now: datetime = NOON) -> dict[str | None, DeliveryDecision]:
    return {
        one.recipient.id: one.decision
        for one in decide_recipients(event, among, now)
        if one.channel == "email"
    }


def test_every_rule_of_the_shipped_policy_reaches_somebody_or_is_told_to_the_fallback() -> None:
    """Rows 28 to 31: whatever people there are at the vendor and at the customer, whatever segment chose the rule."""
    policy = load_policy(SHIPPED).content
    catalogue = {touchpoint.type: touchpoint for touchpoint in policy.touchpoints}
    kinds = {
        (rule.owner or kind.owner, rule.channel or kind.channel, kind.audience)
        for rule in policy.rules
        if isinstance(rule, Rhythm | Trigger | Step)
        for kind in [catalogue[rule.touchpoint]]
    } | {(kind.owner, kind.channel, kind.audience) for kind in policy.touchpoints}
    walked = 0
    for kind, flags, role in product(sorted(kinds), product(*[(False, True)] * 4), ROLES):
        event, among = _walk(kind, flags, role)
        decisions = decide_recipients(event, among, NOON)
        is_reached = any(
            one.decision.action is Action.SEND
            and (one.channel == "email" or one.recipient.kind is RecipientKind.CONTACT)
            for one in decisions
        )
        says_so = any(one.decision.reason is Reason.NOBODY_TO_TELL for one in decisions)
        has_manager_or_mailbox = flags[2] or flags[3]
        assert is_reached or (says_so and not has_manager_or_mailbox)
        assert len({(one.recipient, one.channel) for one in decisions}) == len(decisions)
        walked += 1
    assert walked > 1000


def _walk(
    kind: tuple[str, str, tuple[str, ...]], flags: tuple[bool, ...], role: str | None
) -> tuple[Event, Situation]:
    owner, channel, audience = kind
    has_owner, has_marketing, has_manager, has_fallback = flags
    people = {
        "owner": (person("owner"), has_owner),
        "mia": (person("mia", "marketing"), has_marketing),
        "mara": (MARA, has_manager),
    }
    contacts = (ContactRecord(contact_id="c", email="c@acme.example", role=role),) if role else ()  # pyright: ignore[reportArgumentType]
    is_person = owner in ("csm", "pooled_csm", "sales")
    event = due(
        channel=channel,
        owner=TouchpointOwner(kind=owner, csm_id="owner" if has_owner and is_person else None),  # pyright: ignore[reportArgumentType]
        audience=audience,
        window=Window(from_=NOON, to=NOON + timedelta(days=7)),
    )
    among = Situation(
        account=Account("acme", contacts=contacts, csm_id="owner" if has_owner else None),
        csms={name: one for name, (one, is_there) in people.items() if is_there},
        has_waited=True,
        fallback_to=FALLBACK_TO if has_fallback else None,
    )
    return event, among


@pytest.mark.parametrize(
    ("now", "zone", "opening"),
    [
        ("2026-01-05T12:00Z", "UTC", "2026-01-06T07:30Z"),
        ("2026-01-05T07:30Z", "UTC", "2026-01-05T07:30Z"),
        ("2026-01-05T12:00Z", "Europe/Berlin", "2026-01-06T06:30Z"),
        ("2026-01-09T12:00Z", "Europe/Berlin", "2026-01-12T06:30Z"),  # over the weekend
        ("2026-03-27T12:00Z", "Europe/Berlin", "2026-03-30T05:30Z"),  # over the change of the clocks
    ],
)
def test_work_that_is_not_urgent_goes_with_the_mail_of_the_next_working_day(
    now: str, zone: str, opening: str
) -> None:
    carl = person("carl", timezone=zone)

    decision = mails(due("csm", "call"), situation(carl), datetime.fromisoformat(now))["carl"]

    assert decision.reason is Reason.DAY_MAIL
    assert decision.timing is not None
    assert decision.timing.planned_at == datetime.fromisoformat(opening)
    assert decision.timing.fold_key == "day:carl"
    assert decision.send_after == datetime.fromisoformat(opening) + timedelta(hours=4.5)


def test_at_its_moment_the_mail_of_the_day_goes() -> None:
    opening = datetime(2026, 1, 6, 6, 30, tzinfo=UTC)
    planned = situation(CARL, planned_at=opening)
    event = due("csm", "call")
    (carl, *_) = [one.recipient for one in decide_recipients(event, planned, NOON)]

    early = decide_delivery(event, carl, "email", planned, opening - timedelta(seconds=1))
    late = decide_delivery(event, carl, "email", planned, opening)

    assert early.send_after is not None
    assert (late.action, late.send_after) == (Action.SEND, None)


@pytest.mark.parametrize(
    ("hours", "is_urgent"),
    [(1, True), (48, True), (49, False), (24 * 9, False)],
)
def test_a_deadline_within_48_hours_of_coming_due_is_told_at_once(hours: int, *, is_urgent: bool) -> None:
    event = due("csm", "call", deadline=NOON + timedelta(hours=hours))

    decision = mails(event, situation(CARL))["carl"]

    assert (decision.send_after is None) is is_urgent
    assert decision.timing is not None
    assert decision.timing.fold_key == ("urgent:acme:csm:carl" if is_urgent else "day:carl")


def test_what_ends_before_the_next_mail_of_the_day_is_told_at_once() -> None:
    """On Friday, with a deadline on Monday at six."""
    friday, monday = datetime(2026, 1, 9, 5, tzinfo=UTC), datetime(2026, 1, 12, 6, tzinfo=UTC)
    event = due("csm", "call", due_at=friday, deadline=monday)

    assert mails(event, situation(CARL), friday)["carl"].send_after is not None  # Friday 07:30 comes first
    assert mails(event, situation(CARL), friday + timedelta(hours=4))["carl"].send_after is None


def test_an_escalation_is_told_at_once_to_the_owner_and_the_manager() -> None:
    event = due("csm", "call", precedence="escalation")
    led = person("carl", manager_id="otto")

    told = mails(event, situation(led, MARA, person("otto")))
    without = mails(event, situation(CARL, MARA))

    assert set(told) == {"carl", "otto"}
    assert set(without) == {"carl", "mara"}
    assert all(decision.send_after is None for decision in (*told.values(), *without.values()))


def test_work_that_nobody_has_goes_to_the_manager_of_the_pool_gathered_within_the_hour() -> None:
    """Row 30: the pool's manager, else one of no pool, else the mailbox."""
    event = due("csm", "call", owner=TouchpointOwner(kind="pooled_csm"))
    of_smb = person("zoe", "manager", pool="smb")
    other = person("abe", "manager", pool="emea")
    smb = Account("acme", pool="smb")

    assert set(mails(event, situation(MARA, of_smb, other, account=smb))) == {"zoe"}
    assert set(mails(event, situation(MARA, other, account=smb))) == {"mara"}
    decision = mails(event, situation(other, account=smb))["fallback"]
    assert decision.send_after is not None
    assert NOON < decision.send_after <= NOON + timedelta(hours=1)


def test_a_change_of_owner_is_told_at_once_to_the_new_and_the_old_one() -> None:
    event = changed(MOVED, previous_owner=TouchpointOwner(kind="csm", csm_id="dora"))

    told = mails(event, situation(CARL, DORA))

    assert set(told) == {"carl", "dora"}
    assert {one.timing.fold_key for one in told.values() if one.timing} == {
        "reassigned:csm:carl",
        "reassigned:csm:dora",
    }


def test_who_loses_work_that_nobody_takes_over_is_told_and_the_manager_too() -> None:
    event = changed(
        MOVED,
        owner=TouchpointOwner(kind="csm"),
        previous_owner=TouchpointOwner(kind="csm", csm_id="dora"),
    )

    assert set(mails(event, situation(DORA, MARA))) == {"dora", "mara"}


@pytest.mark.parametrize(
    ("changed_by", "status", "people"),
    [("plan", "planned", set[str]()), ("plan", "due", {"carl"}), ("person", "planned", {"carl"})],
)
def test_the_first_owner_of_planned_work_hears_of_it_on_its_day_and_who_claims_it_at_once(
    changed_by: str, status: str, people: set[str]
) -> None:
    nobody = TouchpointOwner(kind="csm")
    event = changed(MOVED, previous_owner=nobody, changed_by=changed_by, status=status)

    assert set(mails(event, situation(CARL))) == people


@pytest.mark.parametrize("event_type", [CANCELLED, MOVED])
def test_a_cancelled_or_moved_touchpoint_is_told_to_those_who_heard_of_it(event_type: str) -> None:
    event = changed(event_type)

    assert mails(event, situation(CARL, DORA)) == {}
    told = mails(event, situation(CARL, DORA, notified=frozenset({"dora"})))
    assert {key: decision.reason for key, decision in told.items()} == {"dora": Reason.DAY_MAIL}


@pytest.mark.parametrize("event_type", [CANCELLED, MOVED])
def test_who_cancels_or_moves_it_themselves_is_not_told_of_it_and_the_others_are(event_type: str) -> None:
    event = changed(event_type, changed_by="person", actor_id="carl")

    told = mails(event, situation(CARL, DORA, notified=frozenset({"carl", "dora"})))

    assert {key: decision.reason for key, decision in told.items()} == {
        "carl": Reason.OWN_ACT,
        "dora": Reason.DAY_MAIL,
    }


@pytest.mark.parametrize(
    ("actor_id", "told_of_it"), [("dora", {"carl"}), ("carl", {"carl", "dora"}), (None, {"carl", "dora"})]
)
def test_who_hands_it_over_themselves_is_not_told_of_it(actor_id: str | None, told_of_it: set[str]) -> None:
    event = changed(MOVED, previous_owner=TouchpointOwner(kind="csm", csm_id="dora"), actor_id=actor_id)

    told = mails(event, situation(CARL, DORA))

    assert {key for key, decision in told.items() if decision.action is Action.SEND} == told_of_it


def test_an_overdue_touchpoint_goes_with_the_mail_of_the_day_and_an_overdue_escalation_at_once() -> None:
    """After its deadline, which ends nothing here."""
    late = {"deadline": NOON - timedelta(hours=1), "status": "overdue"}

    usual = mails(changed(OVERDUE, **late), situation(CARL, MARA))
    escalated = mails(changed(OVERDUE, precedence="escalation", **late), situation(CARL, MARA))

    assert {key: decision.reason for key, decision in usual.items()} == {"carl": Reason.DAY_MAIL}
    assert {key: decision.send_after for key, decision in escalated.items()} == {"carl": None, "mara": None}


def test_an_owner_without_an_address_has_it_in_the_feed_and_the_manager_is_told() -> None:
    decisions = decide_recipients(due("csm", "call"), situation(person("carl", email=None), MARA), NOON)

    assert {(one.recipient.id, one.channel): one.decision.action for one in decisions} == {
        ("carl", "email"): Action.SUPPRESS,
        ("carl", "in_app"): Action.SEND,
        ("mara", "email"): Action.SEND,
        ("mara", "in_app"): Action.SEND,
    }


def changed(event_type: str, **more: object) -> Event:
    event = due("csm", "call", **more)
    return Event("t1:2:changed", event_type, NOON, event.data, event.content)


def test_a_promise_at_risk_is_told_to_its_owner_and_their_manager_at_once() -> None:
    """F12: also of work that Drumbeat does itself, to whoever leads the account."""
    for event, among in (
        (due("csm", "call"), situation(CARL, MARA)),
        (due(), situation(CARL, MARA, account=Account("acme", "Acme", csm_id="carl"))),
    ):
        found = mails(replace(event, type=AT_RISK), among)

        assert found.keys() == {"carl", "mara"}
        for name, decision in found.items():
            assert decision.action is Action.SEND
            assert decision.timing == Timing(f"at_risk:csm:{name}")


def test_a_promise_that_nobody_leads_is_gathered_for_the_manager() -> None:
    event = due("csm", "call", owner=TouchpointOwner(kind="csm"))

    found = mails(replace(event, type=AT_RISK), situation(MARA))

    timing = found["mara"].timing
    assert timing is not None
    assert timing.planned_at == NOON + timedelta(minutes=30)

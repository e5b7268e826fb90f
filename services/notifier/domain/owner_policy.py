"""Who of ours is told about a touchpoint, and when.

The owner, of an escalation and of a promise at risk the manager too. Work that nobody has, or that reaches nobody at the
customer, is told to the manager, without one to the mailbox of the deployment. Urgent work is told at once, the rest in
the mail of the day.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from schemas.directory import CsmRecord
from services.notifier.domain.acts import OWNERS_WHO_ARE_PEOPLE
from services.notifier.domain.addresses import clean_address
from services.notifier.domain.contact_channel import CALL, SLACK, open_channels
from services.notifier.domain.decision import (
    READY,
    Action,
    DeliveryDecision,
    Reason,
    RecipientDecision,
    Timing,
    decide_address,
    suppress,
    wait_or_suppress,
)
from services.notifier.domain.delivery import Recipient, RecipientKind
from services.notifier.domain.event import Event, News
from services.notifier.domain.situation import Situation
from services.notifier.domain.working_day import MORNING, next_opening

URGENT_WITHIN = timedelta(hours=48)
"""A deadline this close to coming due is urgent."""
GATHERED_WITHIN = timedelta(minutes=30)
"""Service time in which work that nobody has is gathered into one mail."""
OWNER_TEXTS = frozenset({SLACK, CALL})
"""Channels over which people of ours hear of something besides mail and the in-app feed."""
FALLBACK = Recipient(RecipientKind.MAILBOX, "fallback")
UNTOLD = Recipient(RecipientKind.MAILBOX, None)


def is_owned_by_person(event: Event) -> bool:
    return event.content.owner.kind in OWNERS_WHO_ARE_PEOPLE


def is_handed_over(event: Event, situation: Situation) -> bool:
    """Whether Drumbeat would act itself, but over a channel that it cannot use."""
    return not is_owned_by_person(event) and event.content.channel not in open_channels(situation)


def is_urgent(event: Event) -> bool:
    """An escalation, or a deadline within 48 h of coming due."""
    content = event.content
    if event.is_escalation:
        return True
    due_at = event.due_at
    return content.deadline is not None and due_at is not None and content.deadline - due_at <= URGENT_WITHIN


def address_of(event: Event, recipient: Recipient, situation: Situation) -> str | None:
    """The mail address of one of ours: the directory's, else that in the event for its owner."""
    if recipient.kind is RecipientKind.MAILBOX:
        return situation.fallback_to
    person, owner = situation.csms.get(recipient.id or ""), event.content.owner
    in_event = owner.email if recipient.id == owner.csm_id else None
    return (person.email if person else None) or in_event


def decide_owners(event: Event, situation: Situation, now: datetime) -> list[RecipientDecision]:
    """Everyone of ours whom the event concerns, each with a decision. Never empty for what is due."""
    if event.news in (News.CANCELLED, News.MOVED):
        return _decide_people(sorted(situation.notified), event, situation, now)
    if event.has_first_owner:
        return []  # who has planned work for the first time hears of it on its day
    in_charge = _person_in_charge(event, situation)
    decisions = _decide_people([in_charge], event, situation, now)
    if not any(one.channel == "email" and not one.decision.leaves_nobody for one in decisions):
        decisions += decide_fallback(event, situation, now)
    elif _concerns_manager(event):
        decisions += _decide_people([find_manager(situation, in_charge)], event, situation, now)
    if event.news is News.REASSIGNED and event.previous_csm_id != in_charge:
        decisions += _decide_people([event.previous_csm_id], event, situation, now)
    return list({(one.recipient, one.channel): one for one in decisions}.values())


def _concerns_manager(event: Event) -> bool:
    """Whether the manager of whoever is in charge is told as well: of escalations, and of promises at risk."""
    if event.news is News.AT_RISK:
        return True
    return event.is_escalation and event.news not in (News.REASSIGNED, News.REMINDER)


def _person_in_charge(event: Event, situation: Situation) -> str | None:
    """The owner; of what is handed over, for automation the account's CSM, else a person in marketing."""
    if is_owned_by_person(event):
        return event.content.owner.csm_id
    account = situation.account
    csm = situation.csms.get(account.csm_id or "") if account else None
    if event.content.owner.kind == "automation" and csm is not None and _can_be_written_to(csm, situation):
        return csm.csm_id
    return _first_with_role("marketing", situation)


def _decide_people(
    people: Sequence[str | None], event: Event, situation: Situation, now: datetime
) -> list[RecipientDecision]:
    recipients = [Recipient(RecipientKind.CSM, person) for person in dict.fromkeys(people) if person]
    decide = partial(decide_owner, event, situation=situation, now=now)
    return [
        RecipientDecision(recipient, channel, decide(recipient, channel))
        for recipient in recipients
        for channel in ("email", "in_app", *_texts_to(recipient, event, situation))
    ]


def _texts_to(recipient: Recipient, event: Event, situation: Situation) -> list[str]:
    """Urgent news also goes to Slack, where the person wants it there; a call that is due is a telephone task, too."""
    person = situation.csms.get(recipient.id or "")
    is_news = event.news in (News.DUE, News.OVERDUE) and _is_urgent_now(event)
    wants_slack = person is not None and person.news_by == SLACK and person.slack is not None
    is_caller = event.content.channel == CALL and recipient.id == event.content.owner.csm_id
    wanted = {SLACK: is_news and wants_slack, CALL: event.news is News.DUE and is_caller}
    return [channel for channel, is_wanted in wanted.items() if is_wanted and channel not in situation.closed]


def decide_fallback(event: Event, situation: Situation, now: datetime) -> list[RecipientDecision]:
    """The manager, else the mailbox of the deployment, else a decision that says what to set."""
    manager = find_manager(situation, event.content.owner.csm_id)
    if manager is not None:
        return _decide_people([manager], event, situation, now)
    recipient = UNTOLD if situation.fallback_to is None else FALLBACK
    return [RecipientDecision(recipient, "email", decide_owner(event, recipient, "email", situation, now))]


def find_approver(situation: Situation) -> Recipient | None:
    """Who approves messages to the account: its CSM, else their manager, else the mailbox; None: nobody can be asked."""
    account = situation.account
    csm = situation.csms.get(account.csm_id or "") if account else None
    if csm is not None and _can_be_written_to(csm, situation):
        return Recipient(RecipientKind.CSM, csm.csm_id)
    manager = find_manager(situation, account.csm_id if account else None)
    if manager is not None:
        return Recipient(RecipientKind.CSM, manager)
    return FALLBACK if situation.fallback_to is not None else None


def find_manager(situation: Situation, person_id: str | None) -> str | None:
    """The person's manager, else a manager of the account's pool, else one of no pool; None without one."""
    person = situation.csms.get(person_id or "")
    named = situation.csms.get(person.manager_id or "") if person else None
    if named is not None and named.csm_id != person_id and _can_be_written_to(named, situation):
        return named.csm_id
    return _first_with_role("manager", situation, but=person_id)


def _first_with_role(role: str, situation: Situation, but: str | None = None) -> str | None:
    """Who has the role: first of the account's pool, then of no pool; by id."""
    pool = situation.account.pool if situation.account else None
    people = [
        person
        for person in situation.csms.values()
        if person.role == role
        and person.csm_id != but
        and person.pool in (None, pool)
        and _can_be_written_to(person, situation)
    ]
    first = min(people, key=lambda person: (person.pool is None, person.csm_id), default=None)
    return first.csm_id if first else None


def _can_be_written_to(person: CsmRecord, situation: Situation) -> bool:
    return person.email is not None and decide_address(person.email, situation) is READY


def decide_owner(
    event: Event, recipient: Recipient, channel: str, situation: Situation, now: datetime
) -> DeliveryDecision:
    """Whether and when this person of ours gets the message."""
    if recipient.id is None:
        return suppress(Reason.NOBODY_TO_TELL)
    if event.is_act_of(recipient.id):
        return suppress(Reason.OWN_ACT)
    if channel == "in_app":
        return READY
    if channel in OWNER_TEXTS:
        return _decide_text(recipient, channel, situation)
    address = address_of(event, recipient, situation)
    if address is None:
        is_known = recipient.id in situation.csms or recipient.kind is RecipientKind.MAILBOX
        return suppress(Reason.NO_ADDRESS) if is_known else wait_or_suppress(Reason.UNKNOWN_CSM, situation)
    decision = decide_address(address, situation)
    return decision if decision is not READY else _decide_time(event, recipient, situation, now)


def _decide_text(recipient: Recipient, channel: str, situation: Situation) -> DeliveryDecision:
    """Mail and the in-app feed have it anyway."""
    if channel in situation.closed:
        return suppress(Reason.CHANNEL, f"{channel}: {situation.closed[channel]}")
    person = situation.csms.get(recipient.id or "")
    if channel == CALL:
        return READY
    if person is None or person.slack is None:
        return suppress(Reason.NO_SLACK_ID)
    is_unknown = clean_address(person.slack) in situation.unknown_addresses
    return suppress(Reason.UNKNOWN_NUMBER, "Slack") if is_unknown else READY


def _decide_time(event: Event, recipient: Recipient, situation: Situation, now: datetime) -> DeliveryDecision:
    timing = plan_mail(event, recipient, situation, now)
    if timing.planned_at is None:
        return DeliveryDecision(Action.SEND, Reason.READY, timing=timing)
    if situation.planned_at is not None and situation.planned_at <= now:
        return READY  # it waited for this moment
    deadline = event.content.deadline if event.news is News.DUE else None
    if deadline is not None and deadline <= timing.planned_at:
        return DeliveryDecision(Action.SEND, Reason.READY, timing=_at_once(event, recipient))
    reason = Reason.DAY_MAIL if timing.fold_key.startswith("day:") else Reason.GATHERING
    return DeliveryDecision(Action.SEND, reason, send_after=timing.wake_at, timing=timing)


def _at_once(event: Event, recipient: Recipient) -> Timing:
    return Timing(f"urgent:{event.content.account_id}:{recipient.kind}:{recipient.id}")


def plan_mail(event: Event, recipient: Recipient, situation: Situation, now: datetime) -> Timing:
    """When the mail to one of ours goes: at once, gathered for a while, or with the mail of the person's day."""
    if event.news in (News.REASSIGNED, News.REMINDER):
        return Timing(f"{event.news}:{recipient.kind}:{recipient.id}")
    if event.news is News.AT_RISK:
        is_gathered = is_owned_by_person(event) and event.content.owner.csm_id is None
        gathered_at = now + GATHERED_WITHIN if is_gathered else None
        return Timing(f"{event.news}:{recipient.kind}:{recipient.id}", gathered_at, gathered_at)
    if event.news in (News.DUE, News.OVERDUE) and _is_urgent_now(event):
        return _at_once(event, recipient)
    if is_stranger(event, recipient, situation):
        gathered_at = now + GATHERED_WITHIN
        return Timing(f"hour:{recipient.kind}:{recipient.id}", gathered_at, gathered_at)
    opening = next_opening(situation.csms.get(recipient.id or ""), now)
    noon, deadline = opening + MORNING, event.content.deadline
    # The mail waits for the calendar until noon, but not where a deadline ends the wait before.
    waits = event.news is not News.DUE or deadline is None or deadline > noon
    return Timing(f"day:{recipient.id}", opening, noon if waits else opening)


def _is_urgent_now(event: Event) -> bool:
    """An overdue touchpoint is urgent as an escalation only: its deadline has passed anyway."""
    return event.is_escalation if event.news is News.OVERDUE else is_urgent(event)


def is_stranger(event: Event, recipient: Recipient, situation: Situation) -> bool:
    """Whether the recipient hears of it because nobody else could be told: the manager, or the mailbox."""
    if recipient.kind is RecipientKind.MAILBOX:
        return True
    if event.news in (News.CANCELLED, News.MOVED, News.REASSIGNED):
        return False
    return recipient.id != _person_in_charge_or_none(event, situation)


def _person_in_charge_or_none(event: Event, situation: Situation) -> str | None:
    if is_owned_by_person(event) or is_handed_over(event, situation):
        return _person_in_charge(event, situation)
    return None

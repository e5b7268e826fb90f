"""Ingest events: create the deliveries of each new event, each with a decision, in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from services.notifier.application.ports import WITHOUT_END, NewDelivery, Now, UnitOfWork
from services.notifier.domain.decision import Action, RecipientDecision
from services.notifier.domain.delivery import Recipient, RecipientKind, State
from services.notifier.domain.delivery_policy import decide_recipients
from services.notifier.domain.event import Event, News
from services.notifier.domain.invitation import is_appointment
from services.notifier.domain.invitation_policy import decide_invitations
from services.notifier.domain.situation import NOT_SET_UP, Directory, Situation
from services.notifier.domain.subscription import Subscription
from services.notifier.domain.talk import latest_talks
from services.notifier.domain.working_day import DayCause, day_cause

PATIENCE = timedelta(seconds=60)
"""Real time in which a directory record may still arrive."""
GATHERS = timedelta(seconds=2)
"""Real time in which what has one cause is gathered into one mail."""
DISABLED = "the endpoint was disabled"


async def ingest_events(
    events: Sequence[Event],
    *,
    work: UnitOfWork,
    now: Now,
    mail_hold: str | None = None,
    fallback_to: str | None = None,
    closed: Mapping[str, str] = NOT_SET_UP,
) -> bool:
    """Store events and their deliveries; repeated events change nothing. Returns whether any event is new.

    `mail_hold`: why customers get no mail, None when they do. `fallback_to`: the mailbox for work that nobody has.
    `closed`: other channels that reach no customer, and why.
    """
    new_ids = await work.add_events(events)
    new = [event for event in events if event.id in new_ids]
    if not new:
        return False
    # Withdrawals first: what becomes due and is cancelled in one batch is decided on as cancelled.
    withdrawals = [event for event in new if event.withdrawal_reason]
    if withdrawals:
        await work.withdraw(withdrawals, now)
    talks = latest_talks(new)
    if talks:
        await work.count_talks(talks, now)
    subscriptions = await work.subscriptions()
    deliveries: list[NewDelivery] = []
    concerned = [*await _invited(new, work), *(event for event in new if event.notifies_people)]
    directory = replace(await work.directory_of(concerned), closed=closed) if concerned else Directory()
    for event in new:
        deliveries += webhooks_of(event, _takers_of(event, directory, subscriptions), now)
    if concerned:
        for event in concerned:
            situation = directory.situation_of(event, mail_hold=mail_hold, fallback_to=fallback_to)
            deliveries += messages_of(event, directory, situation, now) if event.notifies_people else []
            deliveries += invitations_of(event, directory, situation, now)
    if deliveries:
        await work.add_deliveries(deliveries, now)
    return True


async def _invited(events: Sequence[Event], work: UnitOfWork) -> list[Event]:
    """What is scheduled and is put into calendars: nobody else hears of it yet."""
    scheduled = [event for event in events if event.concerns_calendars and not event.notifies_people]
    if not scheduled:
        return []
    types = await work.invited_types()
    return [
        event
        for event in scheduled
        if is_appointment(event.content.touchpoint_type, event.content.channel, types)
    ]


def _takers_of(
    event: Event, directory: Directory, subscriptions: Sequence[Subscription]
) -> Sequence[Subscription]:
    """Those that get it as it is: a platform that its message is handed off to gets it with the content, later."""
    handling = directory.handlings.get(event.content.touchpoint_type)
    platform = handling.hand_off if handling else None
    if platform is None or not event.is_handed_off(platform):
        return subscriptions
    return [one for one in subscriptions if not one.takes(platform, event)]


def webhooks_of(event: Event, subscriptions: Sequence[Subscription], now: Now) -> list[NewDelivery]:
    """One webhook for each subscription that wants the event; to a disabled endpoint it has failed already."""
    return [
        _new_webhook(event, subscription, now) for subscription in subscriptions if subscription.wants(event)
    ]


def _new_webhook(event: Event, subscription: Subscription, now: Now) -> NewDelivery:
    recipient = Recipient(RecipientKind.SUBSCRIPTION, subscription.id)
    if subscription.is_active:
        return NewDelivery(event, "webhook", recipient, next_at=now.real)
    return NewDelivery(event, "webhook", recipient, state=State.FAILED, reason=DISABLED)


def messages_of(event: Event, directory: Directory, situation: Situation, now: Now) -> list[NewDelivery]:
    """One delivery for each person whom the event concerns, as the delivery policy decides."""
    decisions = decide_recipients(event, situation, now.service)
    return [new_delivery(event, decision, directory, now) for decision in decisions]


def invitations_of(event: Event, directory: Directory, situation: Situation, now: Now) -> list[NewDelivery]:
    """One delivery for each person whose calendar the event concerns."""
    if not event.concerns_calendars:
        return []
    decisions = decide_invitations(event, situation, now.service)
    return [new_delivery(event, decision, directory, now) for decision in decisions]


def new_delivery(event: Event, decided: RecipientDecision, directory: Directory, now: Now) -> NewDelivery:
    """The delivery that a decision leads to."""
    decision, channel, recipient = decided.decision, decided.channel, decided.recipient
    new = NewDelivery(event, channel, recipient, cause=_cause(event, decided, directory))
    match decision.action:
        case Action.SUPPRESS:
            return replace(new, state=State.SUPPRESSED, reason=decision.text)
        case Action.EXPIRE:
            return replace(new, state=State.EXPIRED, reason=decision.text)
        case Action.WAIT:
            until = now.real + (PATIENCE if decision.send_after is None else 2 * WITHOUT_END)
            return replace(
                new,
                reason=decision.text,
                next_at=until,
                waits_until=until,
                send_after=decision.send_after,
            )
        case Action.SEND:
            return replace(
                new,
                reason=decision.text if decision.send_after else None,
                next_at=now.real + (GATHERS if decision.timing and decision.timing.gathers else timedelta()),
                send_after=decision.send_after,
                timing=decision.timing,
            )


def _cause(event: Event, decided: RecipientDecision, directory: Directory) -> DayCause | None:
    """What a mail to a person of ours is about: a touchpoint of a day is told once, whichever event tells it first."""
    content, recipient = event.content, decided.recipient
    if recipient.kind is not RecipientKind.CSM or decided.channel != "email" or event.news is not News.DUE:
        return None
    if content.touchpoint_id is None:
        return None
    return day_cause(content.touchpoint_id, directory.csms.get(recipient.id or ""), content.due_at)

"""Intake: an announcement becomes deliveries, each with a verdict, in the transaction that heard it."""

from collections.abc import Sequence
from datetime import timedelta

from services.notifier.application.ports import Entry, InApp, Now, Work
from services.notifier.domain.delivery import Delivery, Recipient, RecipientKind, State, delivery_id
from services.notifier.domain.delivery_policy import Action, Directory, Telling, tell
from services.notifier.domain.event import Announcement
from services.notifier.domain.message import one_line, spoken
from services.notifier.domain.subscription import Subscription

PATIENCE = timedelta(seconds=60)  # real time that a directory may need to arrive


async def hear(heard: Sequence[Announcement], *, work: Work, live: bool, now: Now) -> bool:
    """Take announcements in; those heard before change nothing. Answers whether there was anything new."""
    fresh = await work.remember(heard)
    new = [each for each in heard if each.event_id in fresh]
    if not new:
        return False
    # Called off first: what came due and was cancelled in one batch is then judged as cancelled.
    off = [each for each in new if each.withdraws]
    if off:
        await work.withdraw(off, now)
    subscriptions = await work.subscriptions()
    entries = [entry for each in new for entry in hooks(each, subscriptions, now)]
    telling = [each for each in new if each.tells]
    if telling:
        directory = await work.directory(telling)
        entries += [entry for each in telling for entry in tellings(each, directory, live=live, now=now)]
    if entries:
        await work.add(entries, now)
    return True


def hooks(heard: Announcement, subscriptions: Sequence[Subscription], now: Now) -> list[Entry]:
    """One webhook for each subscription that wants this."""
    return [
        _hook(heard, Recipient(RecipientKind.SUBSCRIPTION, each.id), now)
        for each in subscriptions
        if each.wants(heard)
    ]


def _hook(heard: Announcement, recipient: Recipient, now: Now) -> Entry:
    identity = delivery_id(heard.event_id, "webhook", recipient)
    return Entry(Delivery(identity, "webhook", recipient, next_at=now.real), heard)


def tellings(
    heard: Announcement, directory: Directory, *, live: bool, now: Now, waited: bool = False
) -> list[Entry]:
    """One delivery for each person to be told, as the gate judges it."""
    situation = directory.around(heard, live=live, waited=waited)
    return [entry_of(heard, each, directory, now) for each in tell(heard, situation, now.service)]


def entry_of(heard: Announcement, telling: Telling, directory: Directory, now: Now) -> Entry:
    verdict = telling.verdict
    identity = delivery_id(heard.event_id, telling.channel, telling.recipient)
    delivery = Delivery(identity, telling.channel, telling.recipient, next_at=now.real)
    match verdict.action:
        case Action.SUPPRESS:
            return Entry(delivery.suppressed(verdict.text), heard)
        case Action.EXPIRE:
            return Entry(delivery.expired(verdict.text), heard)
        case Action.HOLD:
            until = now.real + PATIENCE
            return Entry(delivery.postponed(until, verdict.text), heard, waits_until=until)
        case Action.SEND if telling.channel == "in_app":
            return Entry(posted(delivery), heard, in_app=in_app(heard, directory))
        case Action.SEND if verdict.send_after is not None:
            held = delivery.postponed(now.real, verdict.text)
            return Entry(held, heard, send_after=verdict.send_after)
        case Action.SEND:
            return Entry(delivery, heard)


def posted(delivery: Delivery) -> Delivery:
    """An in-app entry is delivered by being written."""
    return Delivery(
        delivery.id, delivery.channel, delivery.recipient, State.SENT, "in the feed", delivery.attempts
    )


def in_app(heard: Announcement, directory: Directory) -> InApp:
    account = directory.accounts.get(heard.account_id)
    name = account.title if account else heard.account_id
    kind = spoken(heard.touchpoint_type)
    title = one_line(f"{name}: {kind}" if heard.owner.human else kind.capitalize())
    about = (heard.purpose, heard.reason_text) if heard.owner.human else (heard.purpose,)
    return InApp(title, "\n".join(each for each in about if each))

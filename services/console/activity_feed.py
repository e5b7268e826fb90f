"""The activity feed: touchpoints that changed and messages that were sent, newest first."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from services.console import labels
from services.console.json_fields import Json, instant, items, nested, text
from services.console.touchpoints import Touchpoint

DELIVERY_TONES: Final = {
    "pending": "waiting",
    "sent": "good",
    "failed": "bad",
    "suppressed": "quiet",
    "expired": "quiet",
}
_FEED_LENGTH: Final = 30
_CALENDAR: Final = "calendar"
_NEWS_HORIZON: Final = timedelta(days=28)
_RECIPIENT_KINDS: Final = {"contact": "contact ", "subscription": "subscription "}
_STATUS_LABELS: Final[Mapping[str, tuple[str, str]]] = {
    "due": ("due", "came due"),
    "overdue": ("bad", "overdue"),
    "cancelled": ("quiet", "cancelled"),
    "settled": ("good", "settled"),
}
_OUTCOME_TONES: Final[Mapping[str, str]] = {"missed": "bad", "declined": "quiet", "cancelled": "quiet"}


@dataclass(frozen=True, slots=True)
class Activity:
    """An entry of the feed; `at` is service time. `word` carries the meaning of `tone`."""

    key: str
    at: datetime
    account_id: str
    tone: str
    word: str
    what: str
    detail: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message to one recipient over one channel; `at` is service time."""

    id: str
    account_id: str
    touchpoint_id: str
    title: str
    channel: str
    recipient: str
    state: str
    detail: str
    at: datetime

    @property
    def what(self) -> str:
        """`Email to csm-joe`."""
        return _channels_and_recipients([self])


def delivery(
    document: Json, service_time: Callable[[datetime], datetime], names: Mapping[str, str] | None = None
) -> Delivery | None:
    """Read an item of the notifier's listing; None for an item without an id or a time.

    `names`: of people, by id. `finished_at` is service time; attempts and `created_at` are real time, which
    `service_time` maps.
    """
    attempts = items(document, "attempts")
    real = (instant(attempts[-1], "at") if attempts else None) or instant(document, "created_at")
    at = instant(document, "finished_at") or (service_time(real) if real is not None else None)
    if at is None or not text(document, "id"):
        return None
    last_attempt = ": ".join(
        filter(None, (text(attempts[-1], name) for name in ("outcome", "detail"))) if attempts else ()
    )
    state = text(document, "state")
    return Delivery(
        id=text(document, "id"),
        account_id=text(document, "account_id"),
        touchpoint_id=text(document, "touchpoint_id"),
        title=labels.title(text(document, "touchpoint_type")),
        channel=text(document, "channel"),
        recipient=_recipient(document, names or {}),
        state=state,
        detail="" if state == "sent" else text(document, "reason") or last_attempt,
        at=at,
    )


def activities(
    touchpoints: Iterable[Touchpoint], deliveries: Iterable[Delivery], now: datetime
) -> list[Activity]:
    """The newest entries of both."""
    entries = [*_calendar_activities(touchpoints, now), *_message_activities(deliveries)]
    return sorted(entries, key=lambda entry: (entry.at, entry.key), reverse=True)[:_FEED_LENGTH]


def _calendar_activities(touchpoints: Iterable[Touchpoint], now: datetime) -> Iterable[Activity]:
    """An entry for each change, and one for what was planned together for one account.

    What is planned beyond `_NEWS_HORIZON` is left out: occurrences are added there all the time.
    """
    dated = [item for item in touchpoints if item.changed_at is not None]
    near = (item for item in dated if item.status == "planned" and item.due_at < now + _NEWS_HORIZON)
    for _, group in groupby(sorted(near, key=_planning_minute), key=_planning_minute):
        yield _planned(list(group), now)
    for item in dated:
        if item.status != "planned":
            yield _changed(item)


def _changed_at(item: Touchpoint) -> datetime:
    return item.changed_at or item.due_at


def _planning_minute(item: Touchpoint) -> tuple[str, datetime]:
    return item.account_id, _changed_at(item).replace(second=0, microsecond=0)


def _planned(group: Sequence[Touchpoint], now: datetime) -> Activity:
    first, at = min(group, key=lambda item: item.due_at), max(map(_changed_at, group))
    due = labels.stamp(first.due_at, now)
    if len(group) == 1:
        word = "planned" if first.sequence <= 1 else "updated"
        what, detail = first.title, f"For {due}"
    else:
        word, what = "planned", labels.count(len(group), "touchpoint")
        detail = f"First: {first.title}, {due}"
    key = f"planned:{first.account_id}:{at.isoformat()}"
    return Activity(key, at, first.account_id, "quiet", word, what, detail)


def _changed(item: Touchpoint) -> Activity:
    tone, word = _STATUS_LABELS.get(item.status, ("quiet", item.status))
    detail = item.contact
    if item.status == "settled":
        tone, word = _OUTCOME_TONES.get(item.outcome, "good"), item.outcome or word
        by_a_person = item.owner not in ("automation", "marketing")
        detail = (item.outcome_notes if by_a_person else "") or detail
    elif item.status == "cancelled":
        detail = item.note or item.why or detail
    key = f"{item.id}:{item.sequence}:{item.status}"
    return Activity(key, _changed_at(item), item.account_id, tone, word, item.title, detail)


def _message_activities(deliveries: Iterable[Delivery]) -> Iterable[Activity]:
    """An entry for all messages about one touchpoint with one result, and for all invitations of an account with one."""
    for key, grouped in groupby(sorted(deliveries, key=_result), key=_result):
        group = list(grouped)
        newest = max(group, key=lambda delivery: delivery.at)
        number = len({delivery.touchpoint_id for delivery in group})
        title = labels.count(number, "touchpoint") if number > 1 else newest.title
        about = f"About: {title}" if title else ""
        yield Activity(
            key=":".join(key),
            at=newest.at,
            account_id=newest.account_id,
            tone=DELIVERY_TONES.get(newest.state, "quiet"),
            word="waiting" if newest.state == "pending" else newest.state,
            what=_channels_and_recipients(group),
            detail=". ".join(filter(None, (about, labels.capitalized(newest.detail)))),
        )


def _result(delivery: Delivery) -> tuple[str, str, str]:
    """Invitations go by the dozen, half a year ahead: one by one they would hide all else."""
    is_invitation = delivery.channel == _CALENDAR
    about = f"{_CALENDAR}:{delivery.account_id}" if is_invitation else delivery.touchpoint_id or delivery.id
    return about, delivery.state, delivery.detail


def _channels_and_recipients(group: Sequence[Delivery]) -> str:
    """`Email and in-app to csm-joe`, `Email to contact a and contact b`."""
    channels = sorted({labels.channel(delivery.channel) for delivery in group})
    recipients = sorted({delivery.recipient for delivery in group if delivery.recipient})
    parts = filter(None, (labels.listing(channels), labels.listing(recipients)))
    return labels.capitalized(" to ".join(parts))


def _recipient(document: Json, names: Mapping[str, str]) -> str:
    recipient = nested(document, "recipient")
    if not recipient:
        return text(document, "recipient")
    name = text(recipient, "id") or text(recipient, "email") or text(recipient, "url")
    if not name:
        return ""
    if name in names:
        return names[name]
    short = name[:13] + "…" if len(name) > 30 else name
    return _RECIPIENT_KINDS.get(text(recipient, "kind"), "") + short

"""What just happened, told in lines: touchpoints that changed and messages that went out, newest first."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from services.console import labels
from services.console.json_fields import Json, items, moment, part, text
from services.console.touchpoints import Touchpoint

TONES: Final = {
    "pending": "waiting",
    "sent": "good",
    "failed": "bad",
    "suppressed": "quiet",
    "expired": "quiet",
}
_NEAR: Final = timedelta(days=28)
_RECIPIENTS: Final = {"csm": "", "contact": "contact ", "subscription": "subscription "}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened at `at` (service time). `tone` goes with `word`, never alone."""

    key: str
    at: datetime
    account_id: str
    tone: str
    word: str
    what: str
    detail: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one recipient over one channel; `at` is service time."""

    id: str
    account_id: str
    touchpoint_id: str
    title: str
    channel: str
    recipient: str
    state: str
    reason: str
    attempts: tuple[str, ...]
    at: datetime

    @property
    def what(self) -> str:
        """`Email to csm-joe`."""
        text = (
            f"{labels.channel(self.channel)} to {self.recipient}"
            if self.recipient
            else labels.channel(self.channel)
        )
        return text[:1].upper() + text[1:]

    @property
    def detail(self) -> str:
        """Why it stands where it stands; of what was sent there is nothing to explain."""
        if self.state == "sent":
            return ""
        return self.reason or (self.attempts or ("",))[-1]


def delivery(document: Json, service_time: Callable[[datetime], datetime]) -> Delivery | None:
    """A delivery from an item; None without an identity.

    It is final at a moment of service time; what was before that is on the real clock, and is mapped.
    """
    attempts = items(document, "attempts")
    last = moment(attempts[-1], "at") if attempts else None
    real = last or moment(document, "created_at")
    at = moment(document, "finished_at") or (service_time(real) if real is not None else None)
    if at is None or not text(document, "id"):
        return None
    return Delivery(
        id=text(document, "id"),
        account_id=text(document, "account_id"),
        touchpoint_id=text(document, "touchpoint_id"),
        title=labels.title(text(document, "touchpoint_type")),
        channel=text(document, "channel"),
        recipient=_recipient(document),
        state=text(document, "state"),
        reason=text(document, "reason"),
        attempts=tuple(
            ": ".join(part for part in (text(each, "outcome"), text(each, "detail")) if part)
            for each in attempts
        ),
        at=at,
    )


def lines(
    changed: Iterable[Touchpoint], delivered: Iterable[Delivery], now: datetime, *, most: int = 30
) -> list[Line]:
    """The newest `most` lines of both."""
    told = [*_calendar(changed, now), *_messages(delivered)]
    return sorted(told, key=lambda each: (each.at, each.key), reverse=True)[:most]


def _calendar(changed: Iterable[Touchpoint], now: datetime) -> Iterable[Line]:
    """A line for each change; what was planned together for one account is one line.

    The calendar grows at its far end all the time: what is planned for later than a month is no news.
    """
    known = [each for each in changed if each.changed_at is not None]
    near = (each for each in known if each.status == "planned" and each.due_at < now + _NEAR)
    fresh = sorted(near, key=_together)
    for _, group in groupby(fresh, key=_together):
        yield _planned(list(group), now)
    for each in known:
        if each.status != "planned":
            yield _changed(each)


def _together(each: Touchpoint) -> tuple[str, datetime]:
    at = each.changed_at or each.due_at
    return each.account_id, at.replace(second=0, microsecond=0)


def _planned(group: Sequence[Touchpoint], now: datetime) -> Line:
    first = min(group, key=lambda each: each.due_at)
    at = max(each.changed_at or each.due_at for each in group)
    key = f"planned:{first.account_id}:{at.isoformat()}"
    when = labels.stamp(first.due_at, now)
    if len(group) == 1:
        word = "planned" if first.sequence <= 1 else "rearranged"
        return Line(key, at, first.account_id, "quiet", word, first.title, f"For {when}")
    what = labels.count(len(group), "touchpoint")
    return Line(key, at, first.account_id, "quiet", "planned", what, f"First: {first.title}, {when}")


_STATUS: Final[Mapping[str, tuple[str, str]]] = {
    "due": ("due", "came due"),
    "overdue": ("bad", "overdue"),
    "cancelled": ("quiet", "cancelled"),
    "settled": ("good", "settled"),
}
_OUTCOMES: Final[Mapping[str, str]] = {"missed": "bad", "declined": "quiet", "cancelled": "quiet"}


def _changed(each: Touchpoint) -> Line:
    tone, word = _STATUS.get(each.status, ("quiet", each.status))
    detail = each.how
    if each.status == "settled":
        tone, word = _OUTCOMES.get(each.outcome, "good"), each.outcome or word
        by_people = each.owner not in ("automation", "marketing")
        detail = (each.outcome_notes if by_people else "") or detail
    elif each.status == "cancelled":
        detail = each.note or each.why or detail
    key = f"{each.id}:{each.sequence}:{each.status}"
    return Line(key, each.changed_at or each.due_at, each.account_id, tone, word, each.title, detail)


def _messages(delivered: Iterable[Delivery]) -> Iterable[Line]:
    """A line for all that was said about one touchpoint with the same result."""
    for key, group in groupby(sorted(delivered, key=_result), key=_result):
        told = list(group)
        newest = max(told, key=lambda each: each.at)
        about = f"About: {newest.title}" if newest.title else ""
        yield Line(
            key=":".join(key),
            at=newest.at,
            account_id=newest.account_id,
            tone=TONES.get(newest.state, "quiet"),
            word="waiting" if newest.state == "pending" else newest.state,
            what=_what(told),
            detail=". ".join(part for part in (about, newest.detail) if part),
        )


def _result(each: Delivery) -> tuple[str, str, str]:
    return each.touchpoint_id or each.id, each.state, each.detail


def _what(told: Sequence[Delivery]) -> str:
    """`Email and in the app to csm-joe`, `Email to contact a and contact b`."""
    channels = sorted({labels.channel(each.channel) for each in told})
    recipients = sorted({each.recipient for each in told if each.recipient})
    text = (
        f"{labels.listing(channels)} to {labels.listing(recipients)}"
        if recipients
        else labels.listing(channels)
    )
    return text[:1].upper() + text[1:]


def _recipient(document: Json) -> str:
    who = part(document, "recipient")
    if not who:
        return text(document, "recipient")
    name = text(who, "id") or text(who, "email") or text(who, "url")
    if not name:
        return ""
    return _RECIPIENTS.get(text(who, "kind"), "") + (name[:13] + "…" if len(name) > 30 else name)

"""Features of the customer's requests: how many there are, which are open, and how fast we answer."""

from services.cadence.account import DAY, Entries, Stamp, when
from services.cadence.account.retention import REQUESTS_KEPT
from services.cadence.features.attendance import LAST
from services.cadence.features.view import AccountView

WINDOW = 28 * DAY
_HOUR = 3_600_000_000


def fill_request_counts(view: AccountView) -> None:
    """The requests of the last 28 days and of the 28 days before them."""
    received = _first_events(view.facts.entries.get("request.received", {}))
    window_ends = [when(stamp) + WINDOW for stamp in received.values()]
    recent = sum(at > view.now for at in window_ends)
    prior = sum(at <= view.now < at + WINDOW for at in window_ends)
    newest = max(received.values(), default=None)
    view.set("requests_28d", recent, newest if recent else None)
    view.set("requests_prior_28d", prior, newest if prior else None)
    ahead = [time for at in window_ends for time in (at, at + WINDOW) if time > view.now]
    if ahead:
        view.change_times.append(min(ahead))


def fill_answers(view: AccountView) -> None:
    """The open requests, and the mean hours over the last eight answers."""
    received = _first_events(view.facts.entries.get("request.received", {}))
    entries = view.facts.entries.get("request.answered", {})
    answered = _first_events(entries)
    # At the limit an answer may no longer be stored while its request still is: such a request is not open.
    since = next(iter(entries)) if len(entries) >= REQUESTS_KEPT else ""
    still_open = [stamp for key, stamp in received.items() if key not in answered and stamp > since]
    view.set("open_requests", len(still_open), max(still_open, default=None))
    durations = sorted(
        (stamp, when(stamp) - when(received[key])) for key, stamp in answered.items() if key in received
    )
    if durations:
        last = durations[-LAST:]
        hours = sum(max(0, duration) for _, duration in last) / len(last) / _HOUR
        view.set("response_hours", round(hours, 9), last[-1][0])


def _first_events(entries: Entries) -> dict[object, Stamp]:
    """Request id -> its first event: two systems may report the same request."""
    first: dict[object, Stamp] = {}
    for stamp, fields in entries.items():
        first.setdefault(fields.get("request_id"), stamp)
    return first

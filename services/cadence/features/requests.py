"""The customer's requests: how many, which are open, and how fast we answer."""

from services.cadence.account import DAY, REQUESTS_KEPT, Entries, Stamp, when
from services.cadence.features.attendance import LAST
from services.cadence.features.view import AccountView

WINDOW = 28 * DAY
_HOUR = 3_600_000_000


def look_at_requests(view: AccountView) -> None:
    """How many of the last 28 days and of the 28 before; time alone takes them out of either."""
    asked = _first(view.facts.entries.get("request.received", {}))
    leaves = [when(stamp) + WINDOW for stamp in asked.values()]
    recent = sum(at > view.now for at in leaves)
    prior = sum(at <= view.now < at + WINDOW for at in leaves)
    newest = max(asked.values(), default=None)
    view.rest("requests_28d", recent, newest if recent else None)
    view.rest("requests_prior_28d", prior, newest if prior else None)
    turns = [turn for at in leaves for turn in (at, at + WINDOW) if turn > view.now]
    if turns:
        view.turns.append(min(turns))


def look_at_answers(view: AccountView) -> None:
    """Which requests are open, and the mean hours over the last eight answers."""
    asked = _first(view.facts.entries.get("request.received", {}))
    entries = view.facts.entries.get("request.answered", {})
    answered = _first(entries)
    # Beyond what is kept an answer may have been forgotten while its question was not: that is not an open request.
    since = next(iter(entries)) if len(entries) >= REQUESTS_KEPT else ""
    still = [stamp for key, stamp in asked.items() if key not in answered and stamp > since]
    view.rest("open_requests", len(still), max(still, default=None))
    pairs = sorted((stamp, when(stamp) - when(asked[key])) for key, stamp in answered.items() if key in asked)
    if pairs:
        last = pairs[-LAST:]
        hours = sum(max(0, took) for _, took in last) / len(last) / _HOUR
        view.rest("response_hours", round(hours, 9), last[-1][0])


def _first(entries: Entries) -> dict[object, Stamp]:
    """By request the first word on it: two systems may tell of the same one."""
    found: dict[object, Stamp] = {}
    for stamp, fields in entries.items():
        found.setdefault(fields.get("request_id"), stamp)
    return found

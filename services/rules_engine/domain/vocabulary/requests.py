"""The customer's requests: how many, which are open, and how fast we answer."""

from services.rules_engine.domain.facts import DAY, REQUESTS_KEPT, Entries, Mark, when
from services.rules_engine.domain.vocabulary.meetings import LAST
from services.rules_engine.domain.vocabulary.seen import View

WINDOW = 28 * DAY
_HOUR = 3_600_000_000


def look_at_requests(seen: View) -> None:
    """How many of the last 28 days and of the 28 before; time alone takes them out of either."""
    asked = _first(seen.facts.entries.get("request.received", {}))
    leaves = [when(mark) + WINDOW for mark in asked.values()]
    recent = sum(at > seen.now for at in leaves)
    prior = sum(at <= seen.now < at + WINDOW for at in leaves)
    newest = max(asked.values(), default=None)
    seen.rest("requests_28d", recent, newest if recent else None)
    seen.rest("requests_prior_28d", prior, newest if prior else None)
    turns = [turn for at in leaves for turn in (at, at + WINDOW) if turn > seen.now]
    if turns:
        seen.turns.append(min(turns))


def look_at_answers(seen: View) -> None:
    """Which requests are open, and the mean hours over the last eight answers."""
    asked = _first(seen.facts.entries.get("request.received", {}))
    entries = seen.facts.entries.get("request.answered", {})
    answered = _first(entries)
    # Beyond what is kept an answer may have been forgotten while its question was not: that is not an open request.
    since = next(iter(entries)) if len(entries) >= REQUESTS_KEPT else ""
    still = [mark for key, mark in asked.items() if key not in answered and mark > since]
    seen.rest("open_requests", len(still), max(still, default=None))
    pairs = sorted((mark, when(mark) - when(asked[key])) for key, mark in answered.items() if key in asked)
    if pairs:
        last = pairs[-LAST:]
        hours = sum(max(0, took) for _, took in last) / len(last) / _HOUR
        seen.rest("response_hours", round(hours, 9), last[-1][0])


def _first(entries: Entries) -> dict[object, Mark]:
    """By request the first word on it: two systems may tell of the same one."""
    found: dict[object, Mark] = {}
    for mark, fields in entries.items():
        found.setdefault(fields.get("request_id"), mark)
    return found

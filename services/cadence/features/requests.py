"""Features of the customer's requests: how many there are, which are open, and how fast we answer."""

from services.cadence.account import DAY, when
from services.cadence.account.identity import Thing
from services.cadence.account.retention import REQUESTS_KEPT
from services.cadence.features.attendance import LAST
from services.cadence.features.view import AccountView

WINDOW = 28 * DAY
_HOUR = 3_600_000_000


def fill_request_counts(view: AccountView) -> None:
    """The requests of the last 28 days and of the 28 days before them."""
    received = view.things("request.received")
    window_ends = [thing.at + WINDOW for thing in received]
    recent = sum(at > view.now for at in window_ends)
    prior = sum(at <= view.now < at + WINDOW for at in window_ends)
    newest = received[-1].stamp if received else None
    view.set("requests_28d", recent, newest if recent else None)
    view.set("requests_prior_28d", prior, newest if prior else None)
    ahead = [time for at in window_ends for time in (at, at + WINDOW) if time > view.now]
    if ahead:
        view.change_times.append(min(ahead))


def open_requests(view: AccountView) -> list[Thing]:
    """The requests that have no answer yet, oldest first."""
    answered = {thing.key[1] for thing in view.things("request.answered")}
    # At the limit an answer may no longer be stored while its request still is: such a request is not open.
    stored = view.facts.entries.get("request.answered", {})
    since = when(next(iter(stored))) if len(stored) >= REQUESTS_KEPT else 0
    return [
        thing
        for thing in view.things("request.received")
        if thing.key[1] not in answered and thing.at > since
    ]


def fill_answers(view: AccountView) -> None:
    """The open requests, and the mean hours over the last eight answers."""
    received = {thing.key[1]: thing for thing in view.things("request.received")}
    answered = {thing.key[1]: thing for thing in view.things("request.answered")}
    still_open = open_requests(view)
    view.set("open_requests", len(still_open), still_open[-1].stamp if still_open else None)
    last = [(received[key], thing) for key, thing in answered.items() if key in received][-LAST:]
    if last:
        hours = sum(max(0, answer.at - request.at) for request, answer in last) / len(last) / _HOUR
        view.set("response_hours", round(hours, 9), last[-1][1].stamp)

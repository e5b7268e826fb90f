"""What the customer told us when asked, what they reached, and whether they read what we send."""

from services.cadence.account import WENT_LIVE, when
from services.cadence.features.mail_engagement import Mails
from services.cadence.features.view import AccountView

_BEFORE = 3


def look_at_scores(view: AccountView) -> None:
    """The newest NPS answer against up to three before it."""
    entries = view.facts.entries.get("nps.answered", {})
    scores = [score for fields in entries.values() if isinstance(score := fields.get("score"), int | float)]
    if len(scores) > 1:
        before = scores[-1 - _BEFORE : -1]
        view.rest("nps_trend", round(scores[-1] - sum(before) / len(before), 9), next(reversed(entries)))


def look_at_surveys(view: AccountView) -> None:
    entries = view.facts.entries.get("survey.answered")
    if entries:
        stamp = next(reversed(entries))
        view.count("days_since_survey", when(stamp), stamp)


def look_at_go_live(view: AccountView) -> None:
    entries = view.facts.entries.get(WENT_LIVE)
    if entries:
        stamp = next(iter(entries))
        view.rest("went_live", value=True, stamp=stamp)
        view.count("days_since_go_live", when(stamp), stamp)


def look_at_mails(view: AccountView) -> None:
    """Shares opened and clicked; a mail under way is judged when its three days are over."""
    mails = Mails(view.facts)
    latest, turn = mails.latest(view.now), mails.next_judged(view.now)
    if latest is not None:
        stamp, opened, clicked = latest
        if opened is not None:
            view.rest("open_rate", opened, stamp)
            view.rest("click_rate", clicked, stamp)
    if turn is not None:
        view.turns.append(turn)


def look_at_meetings(view: AccountView) -> None:
    meetings = view.attended()
    newest = meetings.newest()
    view.rest("declines_in_row", meetings.declines(), newest)
    rate = meetings.rate()
    if rate is not None:
        view.rest("attendance_rate", rate, newest)

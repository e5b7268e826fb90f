"""What the customer told us when asked, what they reached, and whether they read what we send."""

from services.rules_engine.domain.facts import WENT_LIVE, when
from services.rules_engine.domain.vocabulary.mails import Mails
from services.rules_engine.domain.vocabulary.seen import View

_BEFORE = 3


def look_at_scores(seen: View) -> None:
    """The newest NPS answer against up to three before it."""
    entries = seen.facts.entries.get("nps.answered", {})
    scores = [score for fields in entries.values() if isinstance(score := fields.get("score"), int | float)]
    if len(scores) > 1:
        before = scores[-1 - _BEFORE : -1]
        seen.rest("nps_trend", round(scores[-1] - sum(before) / len(before), 9), next(reversed(entries)))


def look_at_surveys(seen: View) -> None:
    entries = seen.facts.entries.get("survey.answered")
    if entries:
        mark = next(reversed(entries))
        seen.count("days_since_survey", when(mark), mark)


def look_at_go_live(seen: View) -> None:
    entries = seen.facts.entries.get(WENT_LIVE)
    if entries:
        mark = next(iter(entries))
        seen.rest("went_live", value=True, mark=mark)
        seen.count("days_since_go_live", when(mark), mark)


def look_at_mails(seen: View) -> None:
    """Shares opened and clicked; a mail under way is judged when its three days are over."""
    mails = Mails(seen.facts)
    latest, turn = mails.latest(seen.now), mails.next_judged(seen.now)
    if latest is not None:
        mark, opened, clicked = latest
        if opened is not None:
            seen.rest("open_rate", opened, mark)
            seen.rest("click_rate", clicked, mark)
    if turn is not None:
        seen.turns.append(turn)


def look_at_meetings(seen: View) -> None:
    meetings = seen.attended()
    newest = meetings.newest()
    seen.rest("declines_in_row", meetings.declines(), newest)
    rate = meetings.rate()
    if rate is not None:
        seen.rest("attendance_rate", rate, newest)

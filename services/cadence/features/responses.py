"""Features from NPS answers, surveys, milestones, mails and meetings."""

from services.cadence.account import WENT_LIVE, when
from services.cadence.features.mail_engagement import Mails
from services.cadence.features.view import AccountView

_BEFORE = 3


def fill_nps_trend(view: AccountView) -> None:
    entries = view.facts.entries.get("nps.answered", {})
    scores = [score for fields in entries.values() if isinstance(score := fields.get("score"), int | float)]
    if len(scores) > 1:
        before = scores[-1 - _BEFORE : -1]
        view.set("nps_trend", round(scores[-1] - sum(before) / len(before), 9), next(reversed(entries)))


def fill_days_since_survey(view: AccountView) -> None:
    entries = view.facts.entries.get("survey.answered")
    if entries:
        stamp = next(reversed(entries))
        view.count_from("days_since_survey", when(stamp), stamp)


def fill_days_since_signal(view: AccountView) -> None:
    entries = view.facts.entries.get("expansion.signalled")
    if entries:
        stamp = next(reversed(entries))
        view.count_from("days_since_expansion_signal", when(stamp), stamp)


def fill_go_live(view: AccountView) -> None:
    entries = view.facts.entries.get(WENT_LIVE)
    if entries:
        stamp = next(iter(entries))
        view.set("went_live", value=True, stamp=stamp)
        view.count_from("days_since_go_live", when(stamp), stamp)


def fill_mail_rates(view: AccountView) -> None:
    mails = Mails(view.facts)
    latest, next_at = mails.latest_rates(view.now), mails.next_counted_at(view.now)
    if latest is not None:
        stamp, opened, clicked = latest
        if opened is not None:
            view.set("open_rate", opened, stamp)
            view.set("click_rate", clicked, stamp)
    if next_at is not None:
        view.change_times.append(next_at)


def fill_attendance(view: AccountView) -> None:
    meetings = view.attended()
    newest, rate = meetings.newest(), meetings.rate()
    view.set("declines_in_row", meetings.declines(), newest)
    if rate is not None:
        view.set("attendance_rate", rate, newest)

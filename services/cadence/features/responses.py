"""Features from NPS answers, surveys, milestones, mails and meetings."""

from services.cadence.account.identity import Thing
from services.cadence.account.retention import ANSWERS
from services.cadence.features.mail_engagement import Mails
from services.cadence.features.view import AccountView

_BEFORE = 3


def fill_answers(view: AccountView) -> None:
    """The newest NPS answer, opinion on frequency and satisfaction."""
    for kind, names in ANSWERS.items():
        for answer in view.answers(kind):
            for name, feature in names.items():
                if name in answer.fields:
                    view.set(feature, answer.fields[name], answer.stamp)


def fill_nps_trend(view: AccountView) -> None:
    answers = view.answers("nps.answered")
    scores = [score for answer in answers if isinstance(score := answer.fields.get("score"), int | float)]
    if len(scores) > 1:
        before = scores[-1 - _BEFORE : -1]
        view.set("nps_trend", round(scores[-1] - sum(before) / len(before), 9), answers[-1].stamp)


def fill_days_since_survey(view: AccountView) -> None:
    answers = view.answers("survey.answered")
    if answers:
        view.count_from("days_since_survey", answers[-1].at, answers[-1].stamp)


def went_live(view: AccountView) -> Thing | None:
    """The first milestone of kind go_live."""
    return next(
        (thing for thing in view.things("milestone.reached") if thing.fields.get("kind") == "go_live"), None
    )


def fill_days_since_signal(view: AccountView) -> None:
    signals = view.things("expansion.signalled")
    if signals:
        view.count_from("days_since_expansion_signal", signals[-1].at, signals[-1].stamp)


def fill_go_live(view: AccountView) -> None:
    reached = went_live(view)
    if reached is not None:
        view.set("went_live", value=True, stamp=reached.stamp)
        view.count_from("days_since_go_live", reached.at, reached.stamp)


def fill_mail_rates(view: AccountView) -> None:
    mails = Mails(view.facts)
    latest, next_at = mails.latest_rates(view.now), mails.next_counted_at(view.now)
    if latest is not None:
        stamp, opened, clicked = latest
        if opened is not None:
            view.set("open_rate", opened, stamp)
        if clicked is not None:
            view.set("click_rate", clicked, stamp)
    if next_at is not None:
        view.change_times.append(next_at)


def fill_attendance(view: AccountView) -> None:
    meetings = view.attended()
    newest, rate = meetings.newest(), meetings.rate()
    view.set("declines_in_row", meetings.declines(), newest)
    if rate is not None:
        view.set("attendance_rate", rate, newest)

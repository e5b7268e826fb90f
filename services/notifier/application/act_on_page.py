"""What a contact does on the own page: choose, stop everything, take that back, answer, object, ask for the calendar."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, get_args

from schemas.facts import PreferenceChanged, SurveyAnswered
from schemas.vocabulary import SurveyAnswer, Topic
from services.notifier.application.calendar import CalendarAway, TooManyFeeds
from services.notifier.application.customer_choices import (
    CHANNELS,
    Choices,
    Form,
    FormRefused,
    changes_between,
    choices_of,
    no_more_messages,
    read_choices,
)
from services.notifier.application.customer_schedule import AccountCalendar
from services.notifier.application.measure_engagement import Objections
from services.notifier.application.phrases import Phrases
from services.notifier.application.read_models import Preferences
from services.notifier.application.write_customer_mail import Reader
from services.notifier.domain.link_token import LinkKeys, TokenRejected
from services.notifier.domain.undo_link import PreferenceUndo, make_undo_token, read_undo_token

SURVEY: Final = "cadence"
"""The name of the question how often a customer wants to hear from us."""
MOST_FIELDS: Final = 100


@dataclass(frozen=True, slots=True)
class Visit:
    """A contact on the own page. `reader` None: not in the directory; `at`: real time, at which links are made.

    `channels`: those that are offered for every topic.
    """

    contact_id: str
    reader: Reader | None
    phrases: Phrases
    keys: LinkKeys
    preferences: Preferences
    objections: Objections
    calendar: AccountCalendar
    at: datetime
    channels: Sequence[str] = CHANNELS

    @property
    def account_id(self) -> str | None:
        """The account of a contact who is still there; None: there is none to show anything of."""
        reader = self.reader
        if reader is None or reader.account is None or reader.contact is None or reader.contact.left:
            return None
        return reader.account.account_id


@dataclass(frozen=True, slots=True)
class ActResult:
    """What the page says about an act. `problem`: why nothing was done; `undo`: the token that takes it back."""

    choices: Choices
    done: str = ""
    problem: str = ""
    undo: str = ""
    feed_address: str = ""
    is_away: bool = False
    """Whether the problem is that another service does not answer."""


async def act_on_page(visit: Visit, form: Form) -> ActResult:
    """Do what the form asks for, and nothing when it has a value that the page does not offer."""
    before = choices_of(await visit.preferences.of_contact(visit.contact_id))
    names = form.get("act", ("none" if "none" in form else "save",))
    act = _ACTS.get(names[0]) if len(names) == 1 else None
    try:
        if act is None:
            raise FormRefused
        return await act(visit, form, before)
    except FormRefused:
        return ActResult(before, problem=visit.phrases.text("page", "refused"))


async def _save(visit: Visit, form: Form, before: Choices) -> ActResult:
    changes = changes_between(visit.contact_id, before, read_choices(form, before, visit.channels))
    return await _change(visit, before, changes)


async def _stop_all(visit: Visit, _: Form, before: Choices) -> ActResult:
    return await _change(visit, before, [no_more_messages(visit.contact_id)])


async def _change(visit: Visit, before: Choices, changes: list[PreferenceChanged]) -> ActResult:
    after = choices_of(await visit.preferences.change(visit.contact_id, changes, must_exist=False))
    undo = _undo_token(visit, before, after)
    sentences = [_saved(after, visit.phrases), *([visit.phrases.text("page", "follows")] if undo else [])]
    return ActResult(after, " ".join(sentences), undo=undo)


async def _undo(visit: Visit, form: Form, before: Choices) -> ActResult:
    """Restore what held before, unless something else was chosen since: that would be lost."""
    phrases = visit.phrases
    try:
        undo = read_undo_token(visit.keys, visit.contact_id, _only(form, "undo"), now=visit.at)
    except TokenRejected:
        return ActResult(before, problem=phrases.text("page", "undo_late"))
    if any(before[topic] != choice for topic, choice in undo.saved.items()):
        return ActResult(before, problem=phrases.text("page", "undo_stale"))
    changes = changes_between(visit.contact_id, before, {**before, **undo.former})
    after = choices_of(await visit.preferences.change(visit.contact_id, changes, must_exist=False))
    return ActResult(after, f"{phrases.text('page', 'undone')} {phrases.text('page', 'follows')}")


async def _answer(visit: Visit, form: Form, before: Choices) -> ActResult:
    answer = _only(form, "answer")
    if answer not in get_args(SurveyAnswer):
        raise FormRefused
    fact = SurveyAnswered.of_valid(contact_id=visit.contact_id, survey=SURVEY, answer=answer)
    if visit.account_id is None or not await visit.preferences.answer_survey(fact):
        raise FormRefused
    return ActResult(before, visit.phrases.text("page", "answered"))


async def _set_measuring(visit: Visit, form: Form, before: Choices) -> ActResult:
    """`wanted`: `yes` or `no`."""
    is_wanted = {"yes": True, "no": False}.get(_only(form, "wanted"))
    if is_wanted is None or not await visit.objections.change(visit.contact_id, is_wanted=is_wanted):
        raise FormRefused
    return ActResult(before, visit.phrases.text("measuring", "allowed" if is_wanted else "stopped"))


async def _make_feed(visit: Visit, _: Form, before: Choices) -> ActResult:
    if visit.account_id is None:
        raise FormRefused
    try:
        return ActResult(before, feed_address=await visit.calendar.make_feed(visit.account_id))
    except TooManyFeeds:
        return ActResult(before, problem=visit.phrases.text("page", "feed_many"))
    except CalendarAway:
        return ActResult(before, problem=visit.phrases.text("page", "feed_away"), is_away=True)


_ACTS: Final[Mapping[str, Callable[[Visit, Form, Choices], Awaitable[ActResult]]]] = {
    "save": _save,
    "none": _stop_all,
    "undo": _undo,
    "answer": _answer,
    "measuring": _set_measuring,
    "feed": _make_feed,
}


def _only(form: Form, name: str) -> str:
    """The one value of a field. Raises FormRefused."""
    values = form.get(name, ())
    if len(values) != 1:
        raise FormRefused
    return values[0]


def _saved(choices: Choices, phrases: Phrases) -> str:
    names = [phrases.topic(topic) for topic, choice in choices.items() if choice.opted_in]
    if not names:
        return phrases.text("page", "saved_none")
    return phrases.text("page", "saved", topics=phrases.formatter.enumeration(names))


def _undo_token(visit: Visit, before: Choices, after: Choices) -> str:
    """Empty when nothing changed, and for whom nothing is shown of before."""
    changed: list[Topic] = [topic for topic in before if before[topic] != after[topic]]
    if visit.reader is None or not changed:
        return ""
    undo = PreferenceUndo(
        former={topic: before[topic] for topic in changed}, saved={topic: after[topic] for topic in changed}
    )
    return make_undo_token(visit.keys, visit.contact_id, undo, visit.at)

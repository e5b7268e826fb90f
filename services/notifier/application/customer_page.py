"""The page of a contact: what they get from us, with the current figures of their account, in their language."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol, get_args

from schemas.facts import PreferenceChanged
from schemas.figures import AccountFigures, FiguresRequest
from schemas.vocabulary import Topic
from services.cadence.content.chart import write_chart
from services.cadence.content.values import Chart, Share, Value
from services.notifier.application.message_facts import ComingTouchpoint, FactsSource, NoAnswer
from services.notifier.application.message_values import coming_lines, usage_values
from services.notifier.application.phrases import Phrases
from services.notifier.application.read_models import ContactPreferences
from services.notifier.application.write_customer_mail import Reader
from services.notifier.domain.consent import preferences_by_topic

TOPICS: Final[tuple[Topic, ...]] = get_args(Topic)


class People(Protocol):
    async def reader(self, contact_id: str) -> Reader | None:
        """The contact with the account and who leads it; None when the contact is not known."""
        ...


@dataclass(frozen=True, slots=True)
class PageTopic:
    """A topic with its name and what it is about; `opted_in`: whether the contact gets it."""

    topic: Topic
    name: str
    about: str
    opted_in: bool


@dataclass(frozen=True, slots=True)
class PageFigures:
    """The figures of the account as rows of a name and a value; `chart` is HTML and may be empty."""

    period: str
    rows: Sequence[tuple[str, str]]
    chart: str
    coming: Sequence[str]


def page_topics(preferences: ContactPreferences | None, phrases: Phrases) -> list[PageTopic]:
    """Every topic, with what holds for it. A contact without preferences gets all."""
    known = preferences or ContactPreferences(())
    by_topic = preferences_by_topic(known.own, TOPICS, known.same_address)
    return [
        PageTopic(topic, phrases.topic(topic), phrases.text("about_topics", topic), by_topic[topic].opted_in)
        for topic in TOPICS
    ]


def changes_of(
    contact_id: str, before: Sequence[PageTopic], wanted: Collection[str]
) -> list[PreferenceChanged]:
    """What the contact changed: one change a topic, none for a topic that stays as it is."""
    return [
        PreferenceChanged.of_valid(
            contact_id=contact_id, topic=one.topic, opted_in=one.topic in wanted, by_contact=True
        )
        for one in before
        if one.opted_in != (one.topic in wanted)
    ]


def no_more_messages(contact_id: str) -> PreferenceChanged:
    """The opt-out of all topics."""
    return PreferenceChanged.of_valid(contact_id=contact_id, topic=None, opted_in=False, by_contact=True)


async def page_figures(
    reader: Reader | None, source: FactsSource, phrases: Phrases, now: datetime
) -> PageFigures | None:
    """The figures of the account as of now (S59, S129); None when none are known or the services do not answer."""
    if reader is None or reader.account is None:
        return None
    account_id = reader.account.account_id
    try:
        (figures,) = await source.figures([FiguresRequest.of_valid(account_id=account_id)])
        coming = await source.coming([account_id])
    except NoAnswer:
        return None
    shown = _shown(figures, coming.get(account_id, ()), phrases, now)
    return shown if shown.rows or shown.coming else None


def _shown(
    figures: AccountFigures, coming: Sequence[ComingTouchpoint], phrases: Phrases, now: datetime
) -> PageFigures:
    usage, contract = figures.usage, figures.contract
    rows, values = list[tuple[str, str]](), usage_values(usage, phrases)
    number = phrases.formatter.number
    if usage is not None and usage.active_users is not None:
        rows.append((phrases.text("page", "active_users"), _with_change(values, "active_users", phrases)))
    if usage is not None and usage.seats_used is not None and usage.seats:
        used = phrases.text("page", "seats_value", used=number(usage.seats_used), seats=number(usage.seats))
        rows.append((phrases.text("page", "seats"), used))
    if contract is not None and contract.renews_on is not None and not contract.is_assumed:
        rows.append((phrases.text("page", "renews_on"), phrases.date(contract.renews_on)))
    chart = values.get("usage.chart")
    return PageFigures(
        period=phrases.text(
            "page", "figures_of", begin=phrases.date(usage.begins_on), end=phrases.date(usage.ends_on)
        )
        if usage is not None
        else "",
        rows=rows,
        chart=write_chart(chart, phrases.formatter).html if isinstance(chart, Chart) else "",
        coming=coming_lines(coming, phrases, now),
    )


def _with_change(values: Mapping[str, Value | None], name: str, phrases: Phrases) -> str:
    """A number with its change against the 30 days before, when that is known."""
    number, change = values.get(f"usage.{name}"), values.get(f"usage.{name}_change")
    text = phrases.formatter.text(number) if isinstance(number, int | float) else ""
    return f"{text} ({phrases.formatter.share(change)})" if isinstance(change, Share) else text

"""The page of a contact: the current figures of their account, and what is measured of them, in their language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from schemas.figures import AccountFigures, FiguresRequest
from services.cadence.content.chart import write_chart
from services.cadence.content.values import Chart, Share, Value
from services.notifier.application.measure_engagement import Measuring
from services.notifier.application.message_facts import FactsSource, NoAnswer
from services.notifier.application.message_values import usage_values
from services.notifier.application.phrases import Phrases
from services.notifier.application.write_customer_mail import Reader


class People(Protocol):
    async def reader(self, contact_id: str) -> Reader | None:
        """The contact with the account and who leads it; None when the contact is not known."""
        ...


@dataclass(frozen=True, slots=True)
class PageFigures:
    """The figures of the account as rows of a name and a value; `chart` is HTML and may be empty."""

    period: str
    rows: Sequence[tuple[str, str]]
    chart: str


async def page_figures(reader: Reader | None, source: FactsSource, phrases: Phrases) -> PageFigures | None:
    """The figures of the account as of now (S59, S129); None when none are known or nobody answers."""
    if reader is None or reader.account is None:
        return None
    request = FiguresRequest.of_valid(account_id=reader.account.account_id)
    try:
        (figures,) = await source.figures([request])
    except NoAnswer:
        return None
    shown = _shown(figures, phrases)
    return shown if shown.rows else None


@dataclass(frozen=True, slots=True)
class PageMeasuring:
    """What the page says of measuring, and its button: `wanted` is what it sends, `yes` or `no`."""

    title: str
    text: str
    button: str
    wanted: str


def page_measuring(measuring: Measuring | None, phrases: Phrases) -> PageMeasuring | None:
    """None: there is nothing to say, because nothing is measured."""
    if measuring is None or not measuring.is_offered:
        return None
    scope = "both" if len(measuring.kinds) > 1 else next(iter(measuring.kinds))
    return PageMeasuring(
        title=phrases.text("measuring", "heading"),
        text=phrases.text("measuring", scope if measuring.is_wanted else "nothing"),
        button=phrases.text("measuring", "stop" if measuring.is_wanted else "allow"),
        wanted="no" if measuring.is_wanted else "yes",
    )


def _shown(figures: AccountFigures, phrases: Phrases) -> PageFigures:
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
    )


def _with_change(values: Mapping[str, Value | None], name: str, phrases: Phrases) -> str:
    """A number with its change against the 30 days before, when that is known."""
    number, change = values.get(f"usage.{name}"), values.get(f"usage.{name}_change")
    text = phrases.formatter.text(number) if isinstance(number, int | float) else ""
    return f"{text} ({phrases.formatter.share(change)})" if isinstance(change, Share) else text

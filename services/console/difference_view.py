"""What a draft would change for the accounts, as text."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.console import labels
from services.console.json_fields import Json, items, nested, number, text

_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class DifferenceView:
    """`totals`: (name, amount); `examples`: the changes of the first accounts."""

    summary: str
    totals: tuple[tuple[str, str], ...]
    examples: tuple[str, ...]


def difference_view(document: Json) -> DifferenceView:
    """The rules engine's difference of two policies, or the error under `error`."""
    if error := text(document, "error"):
        return DifferenceView(f"The effect cannot be shown: {error}", (), ())
    total, by_type = nested(document, "all"), nested(document, "totals")
    totals = (
        [("All touchpoints", _amount(total)), ("CSM minutes", _amount(total, "minutes_"))] if total else []
    )
    totals += [
        (labels.title(kind), _amount(nested(by_type, kind)))
        for kind in by_type
        if nested(by_type, kind).get("difference") or nested(by_type, kind).get("minutes_difference")
    ]
    return DifferenceView(_summary(document), tuple(totals), tuple(_examples(items(document, "accounts"))))


def _summary(document: Json) -> str:
    if "compared" not in document:
        return ""
    compared, changed, moved, undecided, days = (
        number(document, name) for name in ("compared", "changed", "moved", "undecided", "days")
    )
    sentences = [
        f"The plans of {changed:,} of {labels.count(compared, 'account')} would change.",
        f"{labels.count(moved, 'account')} would change segment or stage." if moved else "",
        f"{labels.count(undecided, 'account')} could not be evaluated." if undecided else "",
        f"Touchpoints are counted over the next {labels.count(days, 'day')}." if days else "",
        "Only a sample of the accounts was compared." if document.get("sample") is True else "",
    ]
    return " ".join(filter(None, sentences))


def _amount(amount: Json, prefix: str = "") -> str:
    """`12 now, 9 then (-3)`."""
    before, after, difference = (amount.get(f"{prefix}{name}") for name in ("before", "after", "difference"))
    sign = "+" if isinstance(difference, int | float) and difference > 0 else ""
    change = f"{sign}{labels.value(difference)}" if difference else "unchanged"
    return f"{labels.value(before)} now, {labels.value(after)} then ({change})"


def _examples(accounts: list[Json]) -> Iterable[str]:
    for account in accounts[:_EXAMPLES]:
        changes = "; ".join(text(change, "text") for change in items(account, "changes"))
        yield f"{text(account, 'account_id')}: {changes}"
    if len(accounts) > _EXAMPLES:
        yield f"And {labels.count(len(accounts) - _EXAMPLES, 'more account')}."

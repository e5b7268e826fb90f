"""What another policy would change over the book of accounts, in words."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.console import labels
from services.console.json_fields import Json, items, number, part, text

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Difference:
    """`summary`: for whom and over which time; `totals`: (what, how much); `examples`: what changes for the first."""

    summary: str
    totals: tuple[tuple[str, str], ...]
    examples: tuple[str, ...]


def difference(document: Json) -> Difference:
    """The difference of two policies as the rules engine counts it, or why there is none."""
    if trouble := text(document, "trouble"):
        return Difference(f"It cannot be told: {trouble}", (), ())
    whole = part(document, "all")
    totals = [("All touchpoints", _amount(whole))] if whole else []
    totals += [("Minutes of CSMs", _amount(whole, "minutes_"))] if whole else []
    by_kind = part(document, "totals")
    totals += [
        (labels.title(kind), _amount(part(by_kind, kind))) for kind in by_kind if _moved(part(by_kind, kind))
    ]
    return Difference(_summary(document), tuple(totals), tuple(_examples(items(document, "accounts"))))


def _summary(document: Json) -> str:
    if "compared" not in document:
        return ""
    compared, changed, moved, undecided = (
        number(document, name) for name in ("compared", "changed", "moved", "undecided")
    )
    said = [
        f"{changed:,} of {labels.count(compared, 'account')} would have another plan",
        f"{labels.count(moved, 'account')} another segment or stage" if moved else "",
        f"{labels.count(undecided, 'account')} could not be decided" if undecided else "",
    ]
    days = number(document, "days")
    over = f" Counted over {labels.count(days, 'day')} from now." if days else ""
    sample = " Told from a sample of the accounts." if document.get("sample") is True else ""
    return f"{'; '.join(each for each in said if each)}.{over}{sample}"


def _moved(amount: Json) -> bool:
    return bool(amount.get("difference") or amount.get("minutes_difference"))


def _amount(amount: Json, of: str = "") -> str:
    """`12 before, 9 after (-3)`."""
    before, after, by = (amount.get(f"{of}{name}") for name in ("before", "after", "difference"))
    sign = "+" if isinstance(by, int | float) and by > 0 else ""
    return f"{labels.value(before)} now, {labels.value(after)} then ({f'{sign}{labels.value(by)}' if by else 'unchanged'})"


def _examples(accounts: list[Json]) -> Iterable[str]:
    for each in accounts[:_SHOWN]:
        changes = "; ".join(text(change, "text") for change in items(each, "changes"))
        yield f"{text(each, 'account_id')}: {changes}"
    if len(accounts) > _SHOWN:
        yield f"And {labels.count(len(accounts) - _SHOWN, 'account')} more."

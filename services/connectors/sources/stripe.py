"""Stripe: one event a request. What has to be reckoned stands beside its object, as `computed`.

Amounts are in the smallest unit of their currency; the period of a subscription stands on it, or since the API version
2025-03-31 on its items. Thin events name their object only; those of resources of version 1 have types that begin with
`v1.`. Sources: Stripe's documentation, "Supported currencies", "Event destinations", and its changelog.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, cast

from services.connectors.sources.items import Item, mapping_of

NO_DECIMALS: Final = frozenset((
    "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf",
))  # fmt: skip
"""Currencies whose amounts are whole units. Of UGX and ISK Stripe goes on to count hundredths."""
THREE_DECIMALS: Final = frozenset(("bhd", "jod", "kwd", "omr", "tnd"))
PERIODS_A_YEAR: Final[Mapping[str, Decimal]] = {
    "day": Decimal(365), "week": Decimal(52), "month": Decimal(12), "year": Decimal(1),
}  # fmt: skip
THIN: Final = "v2.core.event"


def split_stripe(document: object) -> object:
    event = dict(mapping_of(document))
    if not event:
        return document
    if event.get("object") == THIN:
        event["type"] = str(event.get("type", "")).removeprefix("v1.")
    about = mapping_of(mapping_of(event.get("data")).get("object"))
    return {**event, "computed": _computed(about)} if about else event


def _computed(about: Item) -> Item:
    computed: dict[str, object] = {}
    lines = [mapping_of(each) for each in _list(about.get("items") or about.get("lines"))]
    for name in ("current_period_start", "current_period_end"):
        instants = [
            each for each in (about.get(name), *(line.get(name) for line in lines)) if isinstance(each, int)
        ]
        if instants:
            computed[name] = max(instants)
    periods = [mapping_of(line.get("period")) for line in lines]
    for name in ("start", "end"):
        instants = [each for each in (period.get(name) for period in periods) if isinstance(each, int)]
        if instants:
            computed[f"period_{name}"] = max(instants)
    if (arr := _arr(lines)) is not None:
        computed["arr"] = float(arr)
    return computed


def _list(container: object) -> list[object]:
    data = mapping_of(container).get("data")
    return cast("list[object]", data) if isinstance(data, list) else []


def _arr(lines: list[Item]) -> Decimal | None:
    """Revenue a year of the items of a subscription, in whole units; None where a price is not a fixed recurring one."""
    amounts = [_line_arr(line) for line in lines]
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal()) if known and len(known) == len(amounts) else None


def _line_arr(line: Item) -> Decimal | None:
    price = mapping_of(line.get("price"))
    recurring = mapping_of(price.get("recurring"))
    periods = PERIODS_A_YEAR.get(str(recurring.get("interval")))
    unit, quantity, count = (
        price.get("unit_amount"),
        line.get("quantity", 1),
        recurring.get("interval_count", 1),
    )
    numbers = [
        each for each in (unit, quantity, count) if isinstance(each, int) and not isinstance(each, bool)
    ]
    if periods is None or len(numbers) < 3 or count == 0 or recurring.get("usage_type") == "metered":
        return None
    total = Decimal(numbers[0]) * numbers[1] * periods / numbers[2]
    return round(total / _units(str(price.get("currency", "")).lower()), 2)


def _units(currency: str) -> int:
    """How many of its smallest units make one of the currency."""
    if currency in NO_DECIMALS:
        return 1
    return 1000 if currency in THREE_DECIMALS else 100

"""How often features were used and how much of each limit is, as they are stored: one text a report.

A text is compact, compares equal when its content does, and merges like any other value of a report.
"""

from collections.abc import Iterable, Mapping
from typing import cast

from services.cadence.account.stamps import Fields

FEATURES_KEPT = 24
"""Of a report, those used most; of the others it is unknown how often they were used."""
LIMITS_KEPT = 24
"""Of a report, those first in alphabetical order."""
_MORE = "\n"
"""The end of a text that leaves something out."""
_ROW, _CELL = "\n", "\t"


def derive_usage_details(fields: Fields, data: Mapping[str, object]) -> None:
    """Add the texts of `features` and `limits`; null where cleared, absent where the report says nothing of them."""
    if "features" in data:
        fields["features"] = _write_features(cast("Mapping[str, float] | None", data["features"]))
    if "limits" in data:
        fields["limits"] = _write_limits(
            cast("Mapping[str, Mapping[str, float | None]] | None", data["limits"])
        )


def derive_limit_ratio(fields: Fields, data: Mapping[str, object]) -> None:
    """Add the highest share of a limit that is in use; null without a limited one, absent where `limits` is absent."""
    if "limits" not in data:
        return
    limits = cast("Mapping[str, Mapping[str, float | None]]", data["limits"] or {})
    ratios = [(usage.get("used") or 0) / limit for usage in limits.values() if (limit := usage.get("limit"))]
    fields["limit_ratio"] = max(ratios) if ratios else None


def read_features(text: str) -> tuple[dict[str, float], bool]:
    """Feature -> how often it was used, and whether the report has all: then one it does not name was not used."""
    return {name: float(count) for name, count in _rows(text)}, not text.endswith(_MORE)


def read_limits(text: str) -> dict[str, tuple[float | None, float | None]]:
    """Limit -> (how much is used, limit); None: not known, and of a limit unlimited."""
    return {name: (_number(used), _number(limit)) for name, used, limit in _rows(text)}


def _write_features(features: Mapping[str, float] | None) -> str | None:
    if features is None:
        return None
    most_used = sorted(features.items(), key=lambda item: (-item[1], item[0]))
    kept = sorted(most_used[:FEATURES_KEPT])
    text = _ROW.join(f"{name}{_CELL}{_short(count)}" for name, count in kept)
    return text if len(kept) == len(features) else text + _MORE


def _write_limits(limits: Mapping[str, Mapping[str, float | None]] | None) -> str | None:
    if limits is None:
        return None
    rows = (
        (name, _short(limit.get("used")), _short(limit.get("limit")))
        for name, limit in sorted(limits.items())[:LIMITS_KEPT]
    )
    return _ROW.join(map(_CELL.join, rows))


def _rows(text: str) -> Iterable[list[str]]:
    return (row.split(_CELL) for row in text.split(_ROW) if row)


def _short(value: float | None) -> str:
    if value is None:
        return ""
    return str(int(value)) if value == int(value) else repr(float(value))


def _number(text: str) -> float | None:
    return float(text) if text else None

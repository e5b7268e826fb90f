"""Phrasing: what would have to change, as a sentence."""

import re
from collections.abc import Iterable

from services.cadence.account import Plain
from services.cadence.evaluation.reasons import phrase
from services.cadence.explanation.smallest_change import Need

_LABELS = {
    "arr": "revenue",
    "arr_percentile": "the rank of revenue",
    "seat_ratio": "seats in use",
    "limit_ratio": "use of the fullest limit",
    "usage_change": "usage against the four weeks before",
    "usage_spike_ratio": "the last period against the four weeks before",
    "color": "the health colour",
    "csm_id": "the CSM",
    "nps_score": "the NPS answer",
    "nps_trend": "the NPS trend",
    "paid_success": "a success package bought",
    "open_rate": "the share of mails opened",
    "click_rate": "the share of mails with a link followed",
    "requests_28d": "requests of the last 28 days",
    "requests_prior_28d": "requests of the 28 days before",
}
_BOUND = re.compile(r"(at least|at most|more than|less than) (-?[0-9_.]+%?)")
_VERBS = {"at least": "reach", "at most": "fall to", "more than": "be more than", "less than": "be less than"}


def needs_text(needs: Iterable[Need]) -> str:
    """`seats in use would have to reach 90 % (72 % now)`."""
    return ", and ".join(map(_need, needs))


def _need(need: Need) -> str:
    if len(need.words) != 1 or need.want.startswith("such that"):
        known = [(name, value) for name, value in need.now.items() if value is not None]
        now = ", ".join(f"{label(name)} {phrase(name, value)}" for name, value in known)
        suffix = f" ({now} now)" if now else ""
        return f"{' and '.join(need.clauses)} would have to be true{suffix}"
    (name,) = need.words
    value = need.now.get(name)
    suffix = "" if value is None else f" ({phrase(name, value)} now)"
    return f"{label(name)} would have to {_become(name, need)}{suffix}"


def _become(name: str, need: Need) -> str:
    if need.want in {"null", "known"}:
        return "be unknown" if need.want == "null" else "be known"
    bound = _BOUND.fullmatch(need.want)
    if bound is not None:
        comparison, number = bound.groups()
        return f"{_VERBS[comparison]} {phrase(name, _number(number))}"
    wanted = need.want.replace('"', "").replace("_", " ")
    if wanted.startswith("one of "):
        wanted = wanted.removeprefix("one of ").replace(", ", " or ")
    if wanted in {"true", "false"}:
        return f"be {phrase(name, wanted == 'true')}"
    return f"be {wanted}"


def _number(text: str) -> float:
    number = float(text.rstrip("%").replace("_", ""))
    return number / 100 if text.endswith("%") else number


def label(name: str) -> str:
    return _LABELS.get(name, name.replace("_", " "))


def value_text(name: str, value: Plain) -> str:
    """`seats in use is 72 %`; "" for an unknown value."""
    return "" if value is None else f"{label(name)} is {phrase(name, value)}"

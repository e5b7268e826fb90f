"""Accounts as the rules see them: every word of the vocabulary, with the shares and the gaps of a real book."""

import random
from collections.abc import Iterable

from services.cadence.account import Plain
from services.cadence.features.registry import FEATURES

UNKNOWN = 0.3
"""The share of accounts that a word which may be null says nothing of."""
SEATS = {"enterprise": 400, "mid_market": 90, "small_business": 15, "self_service": 3}
REVENUE = {"enterprise": 12.2, "mid_market": 10.8, "small_business": 8.9, "self_service": 6.5}
SHARES = {
    "segment": (2, 3, 3, 2),
    "stage": (2, 3, 3, 2, 0.4),
    "color": (1, 2, 5),
    "contract_status": (1, 6, 2, 0.2, 1, 0.2),
}
RANGES = {
    "health_score": (5, 100),
    "nps_score": (0, 10),
    "nps_trend": (-6, 6),
    "csat": (1, 5),
    "days_to_renewal": (0, 730),
    "days_since_start": (0, 1_500),
    "days_since_touch": (0, 120),
    "days_since_usage": (0, 40),
    "declines_in_row": (0, 4),
    "requests_28d": (0, 12),
    "requests_prior_28d": (0, 12),
    "open_requests": (0, 5),
    "response_hours": (1, 96),
    "arr_percentile": (0, 99),
}
RATIOS = {
    "seat_ratio": 1.05,
    "limit_ratio": 1.05,
    "usage_spike_ratio": 2.0,
    "usage_change": 1.4,
    "attendance_rate": 1.0,
    "open_rate": 1.0,
    "click_rate": 1.0,
}


def accounts(count: int, words: Iterable[str] = FEATURES) -> list[dict[str, Plain]]:
    """`count` accounts, the same in every run, with these words of theirs: nobody carries what nobody reads."""
    dice = random.Random(7)
    wanted = sorted(words)
    every = (_account(number, dice) for number in range(count))
    return [{name: account[name] for name in wanted} for account in every]


def _account(number: int, dice: random.Random) -> dict[str, Plain]:
    values: dict[str, Plain] = {name: _value(name, dice) for name in FEATURES}
    segment = str(values["segment"])
    values["account_id"] = f"acc-{number:06}"
    values["arr"] = round(dice.lognormvariate(REVENUE[segment], 0.7), 2)
    values["seats"] = seats = SEATS[segment] + dice.randrange(40)
    values["seats_used"] = int(seats * dice.random())
    values["active_users"] = int(seats * dice.random())
    return values


def _value(name: str, dice: random.Random) -> Plain:
    word = FEATURES[name]
    if word.nullable and dice.random() < UNKNOWN:
        return None
    match word.kind:
        case "truth":
            return dice.random() < (0.05 if name == "paused" else 0.4)
        case "choice":
            return dice.choices(word.values, SHARES.get(name))[0]
        case "text":
            return f"{name}-{dice.randrange(20)}"
        case "number":
            return _number(name, dice)


def _number(name: str, dice: random.Random) -> float:
    if name in RATIOS:
        return round(dice.uniform(0, RATIOS[name]), 3)
    low, high = RANGES.get(name, (0, 365))
    return dice.randint(low, high)

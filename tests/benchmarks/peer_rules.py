"""The heart of the shipped policy as somebody would write it without an engine: a fold and a decision over a dictionary.

Segments, stages and colours, the rhythms of each, the action plan when health turns red, and the steps before a
renewal; no adjustments, no feedback, no limits, no reasons beyond a sentence. So the peer has less to do than we have.
"""

from datetime import datetime, timedelta
from typing import Any

State = dict[str, Any]
Item = dict[str, Any]

STANDARD = {"enterprise": 14, "mid_market": 30, "small_business": 90}
REVIEWS = {"enterprise": 90, "mid_market": 180}
MOST_STEPS = (
    (90, 60, "renewal_value_summary"),
    (60, 30, "renewal_discussion"),
    (30, 14, "renewal_proposal"),
    (14, 7, "renewal_urgency"),
    (7, 0, "renewal_escalation"),
)


def apply_fact(state: State, kind: str, data: dict[str, Any], time: datetime) -> None:
    """What an event says of its account; an older one than what is known says nothing."""
    at = time.isoformat()
    heard = state.setdefault("heard", {})
    if heard.get(kind, "") > at:
        return
    heard[kind] = at
    state.setdefault("since", at)
    match kind:
        case "account.described":
            state.update({name: data.get(name) for name in ("name", "arr", "csm_id", "country", "timezone")})
        case "contract.changed":
            state["contract"] = data
        case "health.scored":
            before, state["score"] = state.get("color"), data["score"]
            state["color"] = color(data["score"])
            planned = state.get("action_plan_at")
            if state["color"] == "red" and before != "red" and (planned is None or cold(planned, time)):
                state["action_plan_at"] = at
        case _:
            return


def color(score: float) -> str:
    if score < 40:
        return "red"
    return "yellow" if score < 70 else "green"


def cold(planned: str, time: datetime) -> bool:
    return time - datetime.fromisoformat(planned) >= timedelta(days=30)


def segment_of(state: State) -> str:
    arr = state.get("arr")
    if arr is None or arr < 1_000:
        return "self_service"
    if arr >= 100_000:
        return "enterprise"
    return "mid_market" if arr >= 10_000 else "small_business"


def stage_of(state: State, now: datetime) -> str:
    contract = contract_of(state)
    if contract.get("status") == "churned":
        return "churned"
    left = days_left(contract, now)
    if left is not None and left <= 90 and not contract.get("signed_at"):
        return "renewal"
    began = contract.get("starts_on") or state["since"]
    age = (now - datetime.fromisoformat(began).replace(tzinfo=now.tzinfo)).days
    if age < 90:
        return "onboarding"
    return "adoption" if age < 365 else "growth"


def contract_of(state: State) -> Item:
    return state.get("contract", {})


def days_left(contract: dict[str, Any], now: datetime) -> int | None:
    if not contract.get("renews_on"):
        return None
    return (datetime.fromisoformat(contract["renews_on"]).replace(tzinfo=now.tzinfo) - now).days


def evaluate_account(account_id: str, state: State, now: datetime) -> Item:
    """The plan: what repeats and what is due once."""
    segment, stage, health = segment_of(state), stage_of(state, now), state.get("color")
    place = {"segment": segment, "stage": stage, "color": health, "account_id": account_id}
    if stage == "churned":
        return {**place, "rhythms": [], "touchpoints": []}
    rhythms = [check_in(segment, stage, health), *words_and_reviews(segment)]
    return {
        **place,
        "rhythms": [each for each in rhythms if each],
        "touchpoints": once(account_id, state, now),
    }


def check_in(segment: str, stage: str, health: str | None) -> Item | None:
    human = segment != "self_service"
    owner = "csm" if segment in REVIEWS else "pooled_csm" if human else "automation"
    if health == "red":
        return rhythm("check_in", 7, owner, "call" if human else "email", "Health is red.")
    every = STANDARD.get(segment)
    if segment == "enterprise" and stage == "onboarding":
        every = 7
    if health == "yellow" and (every is None or every > 14):
        return rhythm("check_in", 14, owner, "call" if human else "email", "Health is yellow.")
    if every is None:
        return None
    standard = "csm" if segment in REVIEWS else "automation"
    return rhythm(
        "check_in", every, standard, "call" if segment in REVIEWS else "email", f"Standard of {segment}."
    )


def words_and_reviews(segment: str) -> list[Item]:
    found: list[Item] = []
    if segment in REVIEWS:
        found.append(
            rhythm("business_review", REVIEWS[segment], "csm", "meeting", "Reviews are never skipped.")
        )
    if segment == "small_business":
        found.append(rhythm("value_report", 30, "automation", "email", "A word a month."))
    if segment == "self_service":
        found.append(rhythm("usage_report", 30, "automation", "email", "A word a month."))
    return found


def rhythm(kind: str, every: int, owner: str, channel: str, because: str) -> Item:
    return {"type": kind, "every_days": every, "owner": owner, "channel": channel, "because": because}


def once(account_id: str, state: State, now: datetime) -> list[Item]:
    found: list[Item] = []
    planned = state.get("action_plan_at")
    if planned is not None and segment_of(state) != "self_service":
        start = datetime.fromisoformat(planned)
        if now <= start + timedelta(hours=48):
            found.append(
                item(account_id, "risk_action_plan", start, start + timedelta(hours=48), "Health turned red.")
            )
    contract = contract_of(state)
    left = days_left(contract, now)
    if left is None or contract.get("signed_at"):
        return found
    renewal = datetime.fromisoformat(contract["renews_on"]).replace(tzinfo=now.tzinfo)
    for first, last, kind in MOST_STEPS:
        if left > last:
            window = renewal - timedelta(days=first), renewal - timedelta(days=last)
            found.append(item(account_id, kind, *window, f"The contract renews on {contract['renews_on']}."))
    return found


def item(account_id: str, kind: str, start: datetime, end: datetime, because: str) -> Item:
    window = {"from": start.isoformat(), "to": end.isoformat()}
    return {"id": f"{account_id}:{kind}:{window['from']}", "type": kind, "window": window, "because": because}

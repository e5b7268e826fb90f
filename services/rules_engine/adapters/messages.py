"""From belief and decisions to the wire: the plan as a command, the account as the directory knows it."""

import orjson

from services.cadence.account import FactEvent, Facts, StampedValue
from services.cadence.evaluation import PlanChange
from services.chassis.outbox import timestamp
from services.rules_engine.domain.account import Account, NewPlan

PROFILE = ("name", "timezone", "language", "country", "industry", "csm_id", "pool")
PERSON = ("name", "email", "role", "language", "timezone", "phone", "slack")


def plan_adjusted(each: NewPlan) -> bytes:
    """The data of `drumbeat.plan.adjusted.v1`; the plan's bytes go in as they are stored."""
    account = each.account
    head = {
        "account_id": account.account_id,
        "version": account.version,
        "policy": each.policy,
        "changes": [change_json(change) for change in each.changes],
        "decided_at": timestamp(each.decided_at),
        "segment": account.segment,
        "stage": account.stage,
        "color": account.color,
    }
    return orjson.dumps(head)[:-1] + b"," + each.plan[1:]


def change_json(change: PlanChange) -> dict[str, str]:
    """`rhythm_added` on the inside is `{what: rhythm, kind: added}` on the wire."""
    what, _, kind = change.kind.partition("_")
    return {
        "what": what,
        "kind": "withdrawn" if kind == "removed" else kind,
        "touchpoint_type": change.touchpoint_type,
        "text": change.text,
    }


def cause_json(event: FactEvent) -> dict[str, str]:
    return {
        "type": event.type,
        "source": event.provenance.source,
        "id": event.provenance.id,
        "time": timestamp(event.provenance.time),
    }


def account_record(account: Account, facts: Facts) -> bytes:
    """The data of `drumbeat.account.directory.v1` without its version: equal belief, equal bytes."""
    known = facts.account_values()
    return orjson.dumps(
        {
            "account_id": account.account_id,
            **{name: _value(known.get(name)) for name in PROFILE},
            "segment": account.segment,
            "stage": account.stage,
            "color": account.color,
            "contacts": [
                {
                    "contact_id": contact_id,
                    **{name: _value(person.get(name)) for name in PERSON},
                    "left": bool(_value(person.get("left"))),
                }
                for contact_id, person in facts.contact_values().items()
            ],
            "preferences": _preferences(facts),
            "pauses": _pauses(facts),
        }
    )


def _preferences(facts: Facts) -> list[dict[str, object]]:
    return [
        {
            "contact_id": contact_id,
            "topic": topic,
            "channel": channel,
            "frequency": _value(said.get("frequency")),
            "opted_in": _value(said.get("opted_in")),
            **_latest(said),
        }
        for (contact_id, topic, channel), said in facts.preference_values().items()
    ]


def _pauses(facts: Facts) -> list[dict[str, object]]:
    return [
        {
            "contact_id": contact_id,
            "until": _value(said.get("until")),
            "reason": _value(said.get("reason")) or "",
            **_latest(said),
        }
        for contact_id, said in facts.pause_values().items()
        if _value(said.get("paused"))
    ]


def _latest(said: dict[str, StampedValue]) -> dict[str, object]:
    provenance = max(each.provenance for each in said.values())
    return {"time": timestamp(provenance.time), "source": provenance.source, "id": provenance.id}


def _value(known: StampedValue | None) -> object:
    if known is None:
        return None
    value = known.value
    return timestamp(value) if hasattr(value, "tzinfo") else value  # pyright: ignore[reportArgumentType]

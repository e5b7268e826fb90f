"""Messages of the engine: the plan as a command, the account in the directory, the events behind a decision."""

from collections.abc import Mapping
from typing import cast

from schemas.directory import AccountRecord, ContactRecord, PauseRecord, PreferenceRecord
from schemas.plans import PlanAdjusted
from schemas.times import format_instant
from schemas.vocabulary import Color, Segment, Stage
from services.cadence.account import FactEvent, Facts, Provenance, Stamp, StampedValue, provenance_of
from services.cadence.account.homes import latest_descriptions
from services.cadence.account.place import zones_of
from services.rules_engine.domain.account import Account, NewPlan

PROFILE = ("name", "language", "country", "region", "industry", "csm_id", "sales_id", "pool")
CONTACT = ("name", "email", "role", "language", "timezone", "phone", "slack")


def plan_adjusted(new: NewPlan) -> PlanAdjusted:
    """The whole plan as `drumbeat.plan.adjusted.v1`."""
    account = new.account
    return PlanAdjusted.of_valid(
        **vars(new.plan),
        account_id=account.account_id,
        version=account.version,
        policy=new.policy,
        changes=new.changes,
        merged_from=account.merged_from,
        decided_at=new.decided_at,
        segment=cast("Segment | None", account.segment),
        stage=cast("Stage | None", account.stage),
        color=cast("Color | None", account.color),
    )


def cause_document(event: FactEvent) -> dict[str, str]:
    return {"type": event.type, **provenance_document(event.provenance)}


def provenance_document(provenance: Provenance) -> dict[str, str]:
    return {"source": provenance.source, "id": provenance.id, "time": format_instant(provenance.time)}


def account_record(account: Account, facts: Facts, version: int) -> AccountRecord:
    """The record of `directory.accounts`."""
    known, described = facts.account_values(), latest_descriptions(facts)
    return AccountRecord.model_validate(
        {
            "account_id": account.account_id,
            **_values(known, PROFILE),
            **zones_of(facts)._asdict(),
            "segment": account.segment,
            "stage": account.stage,
            "color": account.color,
            "contacts": tuple(
                ContactRecord.model_validate(
                    {"contact_id": key, **_values(contact, CONTACT), "left": bool(_value(contact, "left"))}
                    | _described(described.get(key))
                )
                for key, contact in facts.contact_values().items()
            ),
            "preferences": _preferences(facts),
            "pauses": _pauses(facts),
            "erased_contacts": tuple(sorted(facts.erased)),
            "version": version,
        }
    )


def _described(stamp: Stamp | None) -> dict[str, object]:
    """The latest event that describes a contact; None: it only left."""
    if stamp is None:
        return {}
    provenance = provenance_of(stamp)
    return {"time": provenance.time, "source": provenance.source, "id": provenance.id}


def _preferences(facts: Facts) -> tuple[PreferenceRecord, ...]:
    return tuple(
        PreferenceRecord.model_validate(
            {"contact_id": contact_id, "topic": topic, "channel": channel, "by_contact": own_act or None}
            | _values(preference, ("frequency", "opted_in"))
            | _newest(preference)
        )
        for (contact_id, topic, channel, own_act), preference in facts.preference_values().items()
    )


def _pauses(facts: Facts) -> tuple[PauseRecord, ...]:
    return tuple(
        PauseRecord.model_validate(
            {"contact_id": key, "until": _value(pause, "until"), "reason": _value(pause, "reason") or ""}
            | _newest(pause)
        )
        for key, pause in facts.pause_values().items()
        if _value(pause, "paused")
    )


def _newest(known: Mapping[str, StampedValue]) -> dict[str, object]:
    provenance = max(value.provenance for value in known.values())
    return {"time": provenance.time, "source": provenance.source, "id": provenance.id}


def _values(known: Mapping[str, StampedValue], names: tuple[str, ...]) -> dict[str, object]:
    return {name: _value(known, name) for name in names}


def _value(known: Mapping[str, StampedValue], name: str) -> object:
    return known[name].value if name in known else None

"""Items: the outline of a plan filled in from the catalogue, each with its reason."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple, cast

from services.rules_engine.domain.codec import loads
from services.rules_engine.domain.facts import Facts, Fields, Plain, moment, who
from services.rules_engine.domain.plan.documents import evidence_of
from services.rules_engine.domain.plan.reasons import Reasons
from services.rules_engine.domain.plan.shapes import OneOffItem, Plan, Reason, RhythmItem
from services.rules_engine.domain.plan.wishes import Wish, touchpoint_id
from services.rules_engine.domain.policy import Policy, Rhythm, Touchpoint, Trigger
from services.rules_engine.domain.vocabulary.view import View

_PERSONS = frozenset({"csm", "pooled_csm"})


class Outline(NamedTuple):
    """What a plan consists of, before anybody reads it."""

    seen: View
    rhythms: Sequence[tuple[int, Rhythm]]
    granted: list[Wish]
    standing: list[tuple[str, Fields]]


def build_plan(policy: Policy, facts: Facts, outline: Outline) -> Plan:
    reasons = Reasons(policy, facts, outline.seen)
    csm_id = _text(outline.seen.values["csm_id"])
    rhythms = tuple(
        _rhythm(policy.catalogue[each.touchpoint], each, outline.seen, csm_id, reasons.of(each))
        for _, each in outline.rhythms
    )
    one_offs = [_granted(policy, facts.account_id, wish, csm_id, reasons) for wish in outline.granted]
    one_offs += [_standing(policy, key, fields) for key, fields in outline.standing]
    return Plan(rhythms, tuple(sorted(one_offs, key=lambda item: (item.window_from, item.id))))


def _rhythm(kind: Touchpoint, rhythm: Rhythm, seen: View, csm_id: str | None, reason: Reason) -> RhythmItem:
    owner = rhythm.owner or kind.owner
    last = seen.last_touch.get(None if rhythm.any_contact else rhythm.touchpoint)
    return RhythmItem(
        touchpoint_type=kind.type,
        every_days=rhythm.every_days,
        channel=rhythm.channel or kind.channel,
        owner=owner,
        csm_id=csm_id if owner in _PERSONS else None,
        purpose=kind.purpose,
        topic=kind.topic,
        minutes=kind.minutes,
        audience=kind.audience,
        urgency=rhythm.urgency,
        last_touch_at=None if last is None else moment(last[0]),
        reason=reason,
    )


def _granted(policy: Policy, account_id: str, wish: Wish, csm_id: str | None, reasons: Reasons) -> OneOffItem:
    rule, kind = wish.rule, policy.catalogue[wish.rule.touchpoint]
    owner = rule.owner or kind.owner
    return OneOffItem(
        id=touchpoint_id(account_id, *wish.key),
        touchpoint_type=kind.type,
        window_from=moment(wish.start),
        window_to=moment(wish.end),
        deadline=moment(wish.deadline),
        channel=rule.channel or kind.channel,
        owner=owner,
        csm_id=csm_id if owner in _PERSONS else None,
        purpose=kind.purpose,
        topic=kind.topic,
        minutes=kind.minutes,
        audience=kind.audience,
        spacing_days=_spacing(policy, kind.type) if isinstance(rule, Trigger) else None,
        cause=who(wish.mark),
        reason=reasons.of(rule, wish.mark, _words(wish)),
    )


def _words(wish: Wish) -> dict[str, Plain]:
    if isinstance(wish.rule, Trigger):
        return wish.words
    renews_on = moment(wish.start) - timedelta(days=wish.rule.days)
    return {"contract_id": wish.key[1], "renews_on": f"{renews_on:%Y-%m-%d}"}


def _spacing(policy: Policy, kind: str) -> int | None:
    found = [
        rule.cooldown.days
        for triggers in policy.triggers.values()
        for _, rule in triggers
        if rule.touchpoint == kind and rule.cooldown is not None
    ]
    return max(found, default=None)


def _standing(policy: Policy, key: str, fields: Fields) -> OneOffItem:
    kind = policy.catalogue.get(str(fields.get("type")))
    facts = cast("list[Mapping[str, object]]", loads(str(fields.get("reason_facts") or "[]")))
    evidence = tuple(evidence_of(each) for each in facts)
    start = fields.get("window_from") or fields.get("due_at")
    end = fields.get("window_to") or fields.get("deadline")
    return OneOffItem(
        id=key,
        touchpoint_type=str(fields.get("type")),
        window_from=moment(cast("int", start)),
        window_to=moment(cast("int", end)),
        deadline=None if fields.get("deadline") is None else moment(cast("int", fields["deadline"])),
        channel=str(fields.get("channel") or (kind.channel if kind else "")),
        owner=str(fields.get("owner_kind") or (kind.owner if kind else "")),
        csm_id=_text(fields.get("owner_csm_id")),
        purpose=str(fields.get("purpose") or (kind.purpose if kind else "")),
        topic=kind.topic if kind else None,
        minutes=kind.minutes if kind else 0,
        audience=kind.audience if kind else (),
        spacing_days=_spacing(policy, str(fields.get("type"))),
        # Evidence opens with the entry or the contract the rule stood on: the cause.
        cause=(evidence[0].source, evidence[0].id) if evidence else None,
        reason=Reason(
            str(fields.get("reason_rule") or ""),
            str(fields.get("reason_policy") or ""),
            evidence,
            str(fields.get("reason_text") or ""),
        ),
    )


def _text(value: Plain) -> str | None:
    return value if isinstance(value, str) else None

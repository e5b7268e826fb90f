"""Items: the outline of a plan filled in from the catalogue, each with its reason, in the shape of the wire."""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple, cast

from services.cadence.account import DAY, Facts, Fields, Plain, day_text, who
from services.cadence.account.codec import loads
from services.cadence.evaluation.avoid import Avoided
from services.cadence.evaluation.candidates import Wish, touchpoint_id
from services.cadence.evaluation.documents import text_at
from services.cadence.evaluation.feedback import Felt
from services.cadence.evaluation.reasons import Reasons
from services.cadence.evaluation.rhythm_changes import moves
from services.cadence.evaluation.rhythms import Chosen
from services.cadence.features.compute import AccountView
from services.cadence.policy import Policy, Touchpoint, Trigger

_PERSONS = frozenset({"csm", "pooled_csm"})
_Item = dict[str, object]


class Outline(NamedTuple):
    """What a plan consists of, before anybody reads it."""

    view: AccountView
    rhythms: tuple[Chosen, ...]
    felt: Felt
    granted: list[Wish]
    standing: Mapping[str, Fields]
    avoid: tuple[Avoided, ...]


def build_document(policy: Policy, facts: Facts, outline: Outline) -> dict[str, object]:
    """`{rhythms, touchpoints}`, and `avoid` where there is something to avoid. JSON-ready: times as RFC 3339 text."""
    reasons = Reasons(policy, facts, outline.view)
    csm_id = _text(outline.view.values["csm_id"])
    one_offs = [_granted(policy, facts.account_id, wish, csm_id, reasons) for wish in outline.granted]
    one_offs += [_standing(policy, key, fields) for key, fields in outline.standing.items()]
    one_offs.sort(key=lambda each: (each[0], str(each[1]["id"])))
    document: dict[str, object] = {
        "rhythms": [_rhythm(policy, each, outline, reasons) for each in outline.rhythms],
        "touchpoints": [item for _, item in one_offs],
    }
    if outline.avoid:
        document["avoid"] = [_avoid(each, reasons) for each in outline.avoid]
    return document


def _shared(kind: Touchpoint, channel: str | None, owner: str | None, csm_id: str | None) -> _Item:
    leads = owner or kind.owner
    item: _Item = {
        "touchpoint_type": kind.type,
        "channel": channel or kind.channel,
        "owner": leads,
        "csm_id": csm_id if leads in _PERSONS else None,
        "purpose": kind.purpose,
        "topic": kind.topic,
        "minutes": kind.minutes,
        "audience": kind.audience,
    }
    if kind.never_skip:
        item["never_skip"] = True
    return item


def _rhythm(policy: Policy, each: Chosen, outline: Outline, reasons: Reasons) -> _Item:
    rule, view = each.rule, outline.view
    kind = policy.catalogue[rule.touchpoint]
    last = view.last_touch.get(None if rule.any_contact else rule.touchpoint)
    item = _shared(kind, each.channel or rule.channel, rule.owner, _text(view.values["csm_id"]))
    item["every_days"] = each.every_days
    item["urgency"] = rule.urgency
    item["last_touch_at"] = None if last is None else text_at(last[0])
    item["reason"] = reasons.of(rule, more=moves(policy, each, view, outline.felt, reasons))
    return item


def _granted(
    policy: Policy, account_id: str, wish: Wish, csm_id: str | None, reasons: Reasons
) -> tuple[int, _Item]:
    rule = wish.rule
    item = _shared(policy.catalogue[rule.touchpoint], rule.channel, rule.owner, csm_id)
    item["id"] = touchpoint_id(account_id, *wish.key)
    item["window"] = {"from": text_at(wish.start), "to": text_at(wish.end)}
    item["deadline"] = text_at(wish.deadline)
    item["spacing_days"] = _spacing(policy, rule.touchpoint) if isinstance(rule, Trigger) else None
    item["cause"] = _cause(*who(wish.stamp)) if wish.stamp else None
    item["reason"] = reasons.of(rule, wish.stamp, _words(wish))
    return wish.start, item


def _cause(source: object, event_id: object) -> _Item:
    return {"source": source, "id": event_id}


def _words(wish: Wish) -> Mapping[str, Plain]:
    if isinstance(wish.rule, Trigger):
        return wish.words
    day = day_text(wish.base // DAY)
    match wish.rule.anchor:
        case "renewal":
            return {"contract_id": wish.key[1], "renews_on": day}
        case "start":
            return {"started_on": day}
        case "go_live":
            return {"went_live_on": day}
        case "program":
            return {**wish.words, "takes_place_on": day}


@lru_cache(maxsize=1024)
def _spacing(policy: Policy, kind: str) -> int | None:
    found = [
        rule.cooldown.days
        for triggers in policy.triggers.values()
        for _, rule in triggers
        if rule.touchpoint == kind and rule.cooldown is not None
    ]
    return max(found, default=None)


def _standing(policy: Policy, key: str, fields: Fields) -> tuple[int, _Item]:
    """What came due is told as it was issued; only what was not issued comes from the catalogue."""
    name = str(fields.get("type"))
    kind = policy.catalogue.get(name) or Touchpoint(name, None, "", "", "", 0)
    evidence = cast("list[Mapping[str, object]]", loads(str(fields.get("reason_facts") or "[]")))
    start = cast("int", fields.get("window_from") or fields.get("due_at"))
    end = cast("int", fields.get("window_to") or fields.get("deadline"))
    deadline = fields.get("deadline")
    item = _shared(kind, None, None, None)
    item["id"] = key
    item["window"] = {"from": text_at(start), "to": text_at(end)}
    item["deadline"] = text_at(deadline) if isinstance(deadline, int) else None
    item["channel"] = fields.get("channel") or kind.channel
    item["owner"] = fields.get("owner_kind") or kind.owner
    item["csm_id"] = fields.get("owner_csm_id")
    item["purpose"] = fields.get("purpose") or kind.purpose
    item["spacing_days"] = _spacing(policy, name)
    # Evidence opens with the entry or the contract the rule stood on: the cause.
    item["cause"] = _cause(evidence[0].get("source"), evidence[0].get("id")) if evidence else None
    item["reason"] = {
        "rule": fields.get("reason_rule") or "",
        "policy": fields.get("reason_policy") or "",
        "facts": evidence,
        "text": fields.get("reason_text") or "",
    }
    return start, item


def _avoid(each: Avoided, reasons: Reasons) -> _Item:
    return {
        "name": each.name,
        "from": text_at(each.start),
        "to": None if each.end is None else text_at(each.end),
        "touchpoint_types": each.types,
        "text": reasons.filled(each.text),
    }


def _text(value: Plain) -> str | None:
    return value if isinstance(value, str) else None

"""Facts of policy tests: what is told of an account, checked by the same letters as events on the wire."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Final, cast

import yaml

from schemas.envelope import Envelope
from schemas.events import READABLE
from schemas.problems import Malformed
from schemas.touchpoints import TouchpointData
from services.cadence.account import FactEvent, Provenance, micros, stamp_of
from services.cadence.announcements import audience_of
from services.cadence.expressions.checker import did_you_mean
from services.cadence.expressions.compile import compile_condition
from services.cadence.expressions.tree import names
from services.cadence.policy.yaml_source import shown
from services.cadence.portfolio import Program, ProgramKind
from services.cadence.testing.runner import ACCOUNT
from services.cadence.testing.values import Desk, instant

SOURCE: Final = "/policy-test"
_BOOKED = ("csm.described", "program.announced")
_ISSUED = ("touchpoint.due", "touchpoint.overdue", "touchpoint.cancelled")
TYPES: Final[Mapping[str, frozenset[str]]] = {
    **{
        short: frozenset(model.model_fields)
        for kind, model in READABLE.items()
        if (short := kind.removeprefix("drumbeat.").removesuffix(".v1")) not in _BOOKED
    },
    **dict.fromkeys(_ISSUED, frozenset(TouchpointData.model_fields)),
}
"""What may be told of an account, by short type, with the fields it may have."""
_CONTRACT = ("starts", "renews", "status", "signed_at", "auto_renew")
_ACCOUNT = (*sorted(TYPES["account.described"]), *_CONTRACT, "at")
_PROGRAM = ("program_id", "kind", "at", "title", "meaningful", "audience")


def read_account(desk: Desk, node: yaml.Node) -> Iterator[FactEvent]:
    """`account`: described now, unless `at` says when; its term makes one contract, told on the day it starts."""
    found = desk.form(node, "account", _ACCOUNT)
    at = desk.moment(found["at"], "account.at") if "at" in found else desk.now
    described = {
        name: desk.json(value, f"account.{name}", name)
        for name, value in found.items()
        if name != "at" and name not in _CONTRACT
    }
    yield from _told(desk, node, "account.described", described, min(at, desk.now))
    if any(name in found for name in _CONTRACT):
        told: dict[str, object] = {"contract_id": "contract", "status": "active"}
        starts = desk.now
        for name, key in (("starts", "starts_on"), ("renews", "renews_on")):
            if name in found:
                day = desk.moment(found[name], f"account.{name}")
                starts = day if name == "starts" else starts
                told[key] = day.date().isoformat()
        for name in ("status", "signed_at", "auto_renew"):
            if name in found:
                told[name] = desk.json(found[name], f"account.{name}", name)
        yield from _told(desk, node, "contract.changed", told, min(starts, desk.now))


def read_contacts(desk: Desk, node: yaml.Node) -> Iterator[FactEvent]:
    """`contacts`: each as `contact.described`, with `at`."""
    for each in desk.sheet.items(node, "contacts"):
        found = desk.form(each, "contacts", (*sorted(TYPES["contact.described"]), "at"), ("contact_id",))
        at = desk.moment(found["at"], "contacts.at") if "at" in found else desk.now
        data = {
            name: desk.json(value, f"contacts.{name}", name) for name, value in found.items() if name != "at"
        }
        yield from _told(desk, each, "contact.described", data, at)


def read_facts(desk: Desk, node: yaml.Node, upto: datetime) -> Iterator[FactEvent]:
    """`facts`: each `type: data` with `at` and `id`; nothing lies after the moment at which the plan is looked at."""
    for each in desk.sheet.items(node, "facts"):
        pairs = desk.sheet.pairs(each, "facts")
        kinds = [name for name in pairs if name not in {"at", "id"}]
        if len(kinds) != 1 or kinds[0] not in TYPES:
            hint = did_you_mean(kinds[0], TYPES) if kinds else ""
            what = (
                f"{shown(kinds[0])} is no type of fact{hint}" if len(kinds) == 1 else "say one type of fact"
            )
            desk.sheet.fault(pairs[kinds[0]][0] if kinds else each, "facts", what)
            continue
        kind = kinds[0]
        at = desk.moment(pairs["at"][1], f"{kind}.at") if "at" in pairs else upto
        if at > upto:
            what = "this lies after the moment the plan is looked at; tell it in a later `then`"
            desk.sheet.fault(pairs["at"][1], f"{kind}.at", what)
            continue
        event_id = desk.sheet.text(pairs["id"][1], f"{kind}.id") if "id" in pairs else ""
        node_of = pairs[kind][1]
        data: object = desk.json(node_of, kind) if node_of.value else dict[str, object]()
        if isinstance(data, dict):
            yield from _told(desk, node_of, kind, cast("dict[str, object]", data), at, event_id)
        else:
            desk.sheet.fault(node_of, kind, "a mapping of keys and values is expected here")


def _told(
    desk: Desk, node: yaml.Node, kind: str, data: dict[str, object], at: datetime, event_id: str = ""
) -> Iterator[FactEvent]:
    unknown = [name for name in data if name not in TYPES[kind]]
    for name in unknown:
        hint = did_you_mean(name, TYPES[kind])
        desk.sheet.fault(_key(node, name), kind, f"unknown field {shown(name)}{hint}")
    # Of what was said alone, so that the order of facts in a file means nothing.
    said = json.dumps([kind, data, instant(at)], sort_keys=True, default=str).encode()
    event_id = event_id or blake2b(said, digest_size=6).hexdigest()
    body = json.dumps(_completed(kind, data, at, event_id)).encode()
    envelope = Envelope(
        id=event_id,
        source=SOURCE,
        type=f"drumbeat.{kind}.v1",
        subject=ACCOUNT,
        time=at,
        data=body,
        datacontenttype="application/json",
        extensions={},
    )
    try:
        if not unknown:
            yield desk.translate(envelope)
    except Malformed as problem:
        for told in str(problem).split("; data."):
            field = told.removeprefix("data.").partition(":")[0].partition(".")[0].partition("[")[0]
            desk.sheet.fault(_value(node, field), kind, told.removeprefix("data."))


def _completed(kind: str, data: dict[str, object], at: datetime, event_id: str) -> dict[str, object]:
    """What Drumbeat itself would say besides, where a test leaves it out."""
    now = instant(at)
    if kind in _ISSUED:
        due = data.get("due_at", now)
        return {
            "touchpoint_id": f"touchpoint-{event_id}",
            "account_id": ACCOUNT,
            "status": "cancelled" if kind == "touchpoint.cancelled" else "due",
            "due_at": due,
            "window": {"from": due, "to": due},
            "owner": {"kind": "csm"},
            "channel": "call",
            "purpose": "",
            "reason": {"rule": "earlier", "policy": "", "text": ""},
            "sequence": 1,
            **data,
        }
    if kind == "delivery.finished":
        recipient = {"kind": "contact", "id": "contact"}
        return {"delivery_id": f"delivery-{event_id}", "recipient": recipient, "at": now, **data}
    return data


def _key(node: yaml.Node, name: str) -> yaml.Node:
    for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
        if key.value == name:
            return key
    return node


def _value(node: yaml.Node, name: str) -> yaml.Node:
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if key.value == name:
            return value
    return node


def read_programs(desk: Desk, node: yaml.Node) -> Iterator[Program]:
    """`programs`: what was announced for everybody."""
    for each in desk.sheet.items(node, "programs"):
        found = desk.form(each, "programs", _PROGRAM, ("program_id", "kind"))
        if "program_id" not in found or "kind" not in found:
            continue
        program_id = desk.sheet.text(found["program_id"], "programs.program_id")
        kinds = ("release", "webinar", "newsletter", "event")
        kind = desk.sheet.choice(found["kind"], "programs.kind", kinds)
        at = desk.moment(found["at"], "programs.at") if "at" in found else desk.now
        audience, error = None, None
        if "audience" in found:
            audience, error = audience_of(desk.sheet.text(found["audience"], "programs.audience"))
        if error is not None:
            desk.sheet.fault(found["audience"], "programs.audience", error)
        meaningful = "meaningful" in found and found["meaningful"].value == "true"
        yield Program(
            id=program_id,
            kind=cast("ProgramKind", kind),
            at=micros(at),
            title=desk.sheet.text(found["title"], "programs.title") if "title" in found else "",
            meaningful=meaningful,
            audience=None if audience is None else compile_condition(audience),
            reads=frozenset() if audience is None else frozenset(names(audience)),
            stamp=stamp_of(Provenance(min(at, desk.now), SOURCE, program_id, "program")),
        )

"""The events of policy tests, read by the same models as events on Kafka."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, Final, cast

from schemas.envelope import Envelope
from schemas.problems import Malformed
from schemas.times import format_instant
from services.cadence.account import FactEvent, Provenance, micros, stamp_of
from services.cadence.account.events import read_event
from services.cadence.announcements import audience_of
from services.cadence.expressions.checker import did_you_mean
from services.cadence.expressions.compile import compile_condition
from services.cadence.expressions.tree import names
from services.cadence.policy.errors import Path, excerpt
from services.cadence.policy.yaml_source import YamlFile
from services.cadence.portfolio import Program
from services.cadence.testing.case_schema import CONTRACT_FIELDS, FIELDS, ISSUED, ProgramSpec, read_moment
from services.cadence.testing.runner import ACCOUNT

SOURCE: Final = "/policy-test"
_INSTANTS = frozenset({"at", "to", "until", "from", "deadline", "period_start", "period_end"})
Data = Mapping[str, Any]


def moment_at(moment: timedelta | datetime, now: datetime) -> datetime:
    return now + moment if isinstance(moment, timedelta) else moment


@dataclass(frozen=True, slots=True)
class EventReader:
    """Makes events of what a test says; mistakes are added to its file. `now`: what its spans count from."""

    file: YamlFile
    now: datetime

    def account(self, account: Data, path: Path) -> Iterator[FactEvent]:
        """`account.described` and, with keys of a contract, `contract.changed` on the day it starts."""
        described = {key: value for key, value in account.items() if key not in {"at", *CONTRACT_FIELDS}}
        contract = {field: account[key] for key, field in CONTRACT_FIELDS.items() if key in account}
        at = min(moment_at(account.get("at", timedelta(0)), self.now), self.now)
        yield from self._event("account.described", described, at, path)
        if contract:
            at = min(moment_at(contract.get("starts_on", timedelta(0)), self.now), self.now)
            contract = {"contract_id": "contract", "status": "active", **contract}
            yield from self._event("contract.changed", contract, at, path)

    def contact(self, contact: Data, path: Path) -> Iterator[FactEvent]:
        described = {key: value for key, value in contact.items() if key != "at"}
        at = moment_at(contact.get("at", timedelta(0)), self.now)
        return self._event("contact.described", described, at, path)

    def fact(self, fact: Data, path: Path, until: datetime) -> Iterator[FactEvent]:
        """An event `at` a moment that is not after `until`, the moment of its plan; left out: then."""
        (kind,) = fact.keys() - {"at", "id"}
        at = moment_at(fact["at"], self.now) if "at" in fact else until
        data: dict[str, Any] | str = fact[kind] or {}
        if at > until:
            what = "this is after the moment of the plan; move it to a later `then`"
            self.file.add_mistake((*path, "at"), what)
        elif isinstance(data, dict):
            yield from self._event(kind, data, at, (*path, kind), str(fact.get("id", "")))
        else:
            self.file.add_mistake((*path, kind), "a mapping of keys and values is expected here")

    def program(self, spec: ProgramSpec, path: Path) -> Program:
        """What was announced for many accounts."""
        at = moment_at(spec.at, self.now)
        audience, error = audience_of(spec.audience) if spec.audience else (None, None)
        if error is not None:
            self.file.add_mistake((*path, "audience"), error)
        return Program(
            id=spec.program_id,
            kind=spec.kind,
            at=micros(at),
            title=spec.title or "",
            meaningful=spec.meaningful,
            audience=None if audience is None else compile_condition(audience),
            reads=frozenset() if audience is None else frozenset(names(audience)),
            stamp=stamp_of(Provenance(min(at, self.now), SOURCE, spec.program_id, "program")),
        )

    def _event(
        self, kind: str, data: Data, at: datetime, path: Path, event_id: str = ""
    ) -> Iterator[FactEvent]:
        unknown = [name for name in data if name not in FIELDS[kind]]
        for name in unknown:
            hint = did_you_mean(name, FIELDS[kind])
            self.file.add_mistake((*path, name), f"unknown field {excerpt(name)}{hint}", on_key=True)
        sent = {name: self._json(value, name) for name, value in data.items()}
        # The id depends on the event alone, so that the order of events in a file does not matter.
        content = json.dumps([kind, sent, format_instant(at)], sort_keys=True, default=str).encode()
        event_id = event_id or blake2b(content, digest_size=6).hexdigest()
        body = json.dumps(_complete(kind, sent, at, event_id)).encode()
        try:
            if not unknown:
                yield read_event(Envelope(event_id, SOURCE, f"drumbeat.{kind}.v1", ACCOUNT, at, body))
        except Malformed as malformed:
            for problem in str(malformed).split("; data."):
                text = problem.removeprefix("data.")
                name = text.partition(":")[0].partition(".")[0].partition("[")[0]
                self.file.add_mistake((*path, name), text)

    def _json(self, value: object, name: str) -> object:
        """As a sender writes it; spans become the days and times that fields of that name have."""
        if isinstance(value, dict):
            return {key: self._json(item, key) for key, item in cast("dict[str, object]", value).items()}
        if isinstance(value, list):
            return [self._json(item, name) for item in cast("list[object]", value)]
        is_day = name.endswith("_on")
        if not (is_day or name in _INSTANTS or name.endswith("_at")):
            return value
        try:
            at = moment_at(value if isinstance(value, timedelta | datetime) else read_moment(value), self.now)
        except ValueError:
            return value
        return at.date().isoformat() if is_day else format_instant(at)


def _complete(kind: str, data: dict[str, object], at: datetime, event_id: str) -> dict[str, object]:
    """With what Drumbeat itself would send, where a test leaves it out."""
    now = format_instant(at)
    if kind in ISSUED:
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

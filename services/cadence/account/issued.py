"""Issued touchpoints: when touchpoints came due or took place, and the one-offs of plans until they are long over.

Cool-downs, caps and limits read the times, of whatever plan; a one-off is known by its id so that it is never asked for
twice. Touchpoints that never came due, messages about them, and other types of touchpoints take no room from either. The
order of arrival does not matter: each part belongs to the latest event that set it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from schemas.times import format_instant
from schemas.touchpoints import CALENDAR_RULE
from services.cadence.account.merging import merge_fields
from services.cadence.account.stamps import (
    DAY,
    Fields,
    Plain,
    Stamp,
    StampedFields,
    micros,
    plain,
    stamp_of,
    when,
)
from services.cadence.account.state import FactEvent
from services.cadence.account.verdicts import FINISHED, Verdicts, apply_verdict

TIMES_KEPT = 64
"""Of each touchpoint type, the newest. A cap counts at most so many."""
KEPT_FOR = 100 * DAY
"""How long a one-off stays known after its window, its deadline and its end: a new policy may ask for it again."""
ONE_OFFS_KEPT = 1_000
"""A limit against runaway producers, far above any real account. Beyond it those that are over first are let go."""
ONLY_ISSUED = frozenset({"touchpoint.due", "touchpoint.overdue", "touchpoint.cancelled"})
"""Event types that change issued touchpoints and no facts."""
TYPES = ONLY_ISSUED | {"touchpoint.settled", FINISHED}
"""Event types that change issued touchpoints."""
_ENDS = ("window_to", "deadline", "due_at", "ended_at")


IssuedTime = list[int | str | None]
"""[1 if it came due, 0 if it only took place; sequence; when; the event that said so]. Times are microseconds since 1970.

Of two of one touchpoint the greater counts: what came due over what took place before it did, then the later sequence (of
an outcome, the time of its event). The time is None for one that was called off before it came due. The event is its
stamp without the hash, and with `_OWN_ID` for the id of the touchpoint; older states lack it.
"""
_OWN_ID = "\x1e"


@dataclass(slots=True)
class Issued:
    """`one_offs`: touchpoint id -> fields. `times`: touchpoint type -> touchpoint id -> time. `verdicts`: by type."""

    one_offs: dict[str, StampedFields] = field(default_factory=dict)
    times: dict[str, dict[str, IssuedTime]] = field(default_factory=dict)
    verdicts: Verdicts = field(default_factory=dict)

    def remembered_one_offs(self) -> dict[str, StampedFields]:
        """Those to store: without what was over long before the newest thing that is known."""
        ends = {key: _end_of(stamped) for key, stamped in self.one_offs.items()}
        stamps = (when(max(stamped)) for stamped in self.one_offs.values())
        newest = max([*stamps, *self.times_of(self.times)], default=0)
        known = sorted((end, key) for key, end in ends.items() if end + KEPT_FOR >= newest)
        return {key: self.one_offs[key] for _, key in known[-ONE_OFFS_KEPT:]}

    def times_of(self, types: Iterable[str]) -> list[int]:
        """When touchpoints of these types came due, or took place before they did."""
        return [
            at
            for kind in types
            for time in self.times.get(kind, {}).values()
            if isinstance(at := time[2], int)
        ]

    def stamps_of_times(self, types: Iterable[str]) -> Iterator[Stamp]:
        """The events behind `times_of`, and those that called one off. A stamp here has no hash."""
        for kind in types:
            for key, time in self.times.get(kind, {}).items():
                if isinstance(event := time[-1], str):
                    yield f"{event.replace(_OWN_ID, key)}\x1f"

    def one_offs_by_type(self) -> dict[str, dict[str, Fields]]:
        """Touchpoint type -> touchpoint id -> fields, ids in order, types in the order of the first id of each."""
        by_type: dict[str, dict[str, Fields]] = {}
        for key, stamped in sorted(self.one_offs.items()):
            fields = _unstamped(stamped)
            by_type.setdefault(str(fields.get("type")), {})[key] = fields
        # As format 2 had them: a plan that came from it keeps its key.
        return dict(
            sorted(by_type.items(), key=lambda item: min(*item[1], *self.times.get(item[0], item[1])))
        )


def _unstamped(stamped: StampedFields) -> Fields:
    return {name: value for fields in stamped.values() for name, value in fields.items()}


def apply_issued(issued: Issued, event: FactEvent) -> bool:
    """Apply one event of `TYPES`. Returns whether anything changed.

    `event.fields` are nested as in the JSON (`window`, `owner`, `reason`), with instants as datetimes.
    """
    touchpoint_id, kind = event.fields.get("touchpoint_id"), event.fields.get("touchpoint_type")
    if not isinstance(touchpoint_id, str) or not isinstance(kind, str):
        return False
    if event.type == FINISHED:
        return apply_verdict(issued.verdicts, kind, touchpoint_id, event)
    apply = _apply_outcome if event.type == "touchpoint.settled" else _apply_touchpoint
    return apply(issued, touchpoint_id, kind, event)


def _apply_touchpoint(issued: Issued, touchpoint_id: str, kind: str, event: FactEvent) -> bool:
    fields = event.fields
    if event.type == "touchpoint.cancelled":
        if fields.get("occurrence") is not None:
            return False
        # The note starts with the kind of closure: `withdrawn: ...`, `expired: ...`.
        why = str(fields.get("note") or "").partition(":")[0]
        ended = _ended("cancelled", plain(fields.get("at") or event.provenance.time), why)
        return _merge_one_off(issued, touchpoint_id, event, {"type": kind, **ended})
    if str(_nested(fields, "reason").get("rule")).startswith(CALENDAR_RULE):
        return False  # an escalation of the calendar about its own work takes no room from those of a policy
    sequence, due_at = (cast("int | None", plain(fields.get(name))) for name in ("sequence", "due_at"))
    changed = add_time(
        issued, kind, touchpoint_id, [1, sequence or 0, due_at, _event_text(event, touchpoint_id)]
    )
    if fields.get("occurrence") is None and _nested(fields, "reason").get("policy"):
        one_off: Fields = {"type": kind, **_one_off_fields(fields)}
        return _merge_one_off(issued, touchpoint_id, event, one_off) or changed
    # An occurrence of a rhythm, or a touchpoint that a person planned: what came before it was no one-off's end.
    return issued.one_offs.pop(touchpoint_id, None) is not None or changed


def _apply_outcome(issued: Issued, touchpoint_id: str, kind: str, event: FactEvent) -> bool:
    outcome, at = event.fields.get("outcome"), plain(event.fields.get("at") or event.provenance.time)
    # rescheduled, reopened: it is open again, an earlier end does not count
    changed, ended = False, _ended(None, None)
    if outcome != "rescheduled":
        is_over = outcome != "reopened"
        ended = _ended(plain(outcome), at) if is_over else ended
        counted = cast("int", at) if is_over and outcome != "cancelled" else None
        time: IssuedTime = [0, micros(event.provenance.time), counted, _event_text(event, touchpoint_id)]
        changed = add_time(issued, kind, touchpoint_id, time)
    # Of whatever type: an outcome may name another one than the touchpoint has.
    has_come_due = any(times.get(touchpoint_id, (0,))[0] for times in issued.times.values())
    if touchpoint_id not in issued.one_offs and has_come_due:
        return changed
    return _merge_one_off(issued, touchpoint_id, event, {"type": kind, **ended}) or changed


def add_time(issued: Issued, kind: str, touchpoint_id: str, time: IssuedTime) -> bool:
    """Keep the greater time of a touchpoint, and of each type the newest `TIMES_KEPT`; whether anything changed."""
    times = issued.times.setdefault(kind, {})
    before = times.get(touchpoint_id)
    if before is not None and _rank(time) <= _rank(before):
        return _name_first(before, time)
    times[touchpoint_id] = time
    if len(times) > TIMES_KEPT:
        oldest = min(times, key=lambda key: (_rank(times[key])[2], key))
        del times[oldest]
        return oldest != touchpoint_id or before is not None
    return True


def _rank(time: IssuedTime) -> list[int]:
    return [part or 0 for part in time[:3] if not isinstance(part, str)]


def _event_text(event: FactEvent, touchpoint_id: str) -> str:
    return stamp_of(event.provenance).rpartition("\x1f")[0].replace(touchpoint_id, _OWN_ID)


def _name_first(before: IssuedTime, time: IssuedTime) -> bool:
    """Of several events that say the same of a touchpoint the first is named, whatever came first."""
    if _rank(time) != _rank(before) or (len(before) > 3 and str(before[3]) <= str(time[3])):
        return False
    before[3:] = time[3:]
    return True


def _merge_one_off(issued: Issued, touchpoint_id: str, event: FactEvent, fields: Fields) -> bool:
    stored = issued.one_offs.setdefault(touchpoint_id, {})
    return merge_fields(stored, stamp_of(event.provenance), fields)[0]


def _end_of(stamped: StampedFields) -> int:
    values = (fields.get(name) for fields in stamped.values() for name in _ENDS)
    return max((value for value in values if isinstance(value, int)), default=when(max(stamped)))


def _ended(ended: Plain, at: Plain, why: Plain = None) -> Fields:
    return {"ended": ended, "ended_at": at, "ended_why": why}


def _one_off_fields(fields: Mapping[str, object]) -> Fields:
    """What is stored of a one-off that came due, because it stays in the plan."""
    names = ("due_at", "released_at", "deadline", "channel", "purpose", "precedence")
    stored: Fields = {name: plain(fields.get(name)) for name in names}
    parts = {"window": ("from", "to"), "owner": ("kind", "csm_id"), "reason": ("rule", "policy", "text")}
    for name, keys in parts.items():
        part = _nested(fields, name)
        stored.update({f"{name}_{key}": plain(part.get(key)) for key in keys})
    about = {name: value for name, value in _nested(fields, "about").items() if value is not None}
    if about:
        stored["about"] = json.dumps(about, default=str, sort_keys=True, separators=(",", ":"))
    facts = _nested(fields, "reason").get("facts") or ()
    stored["reason_facts"] = json.dumps(facts, default=_json_value, separators=(",", ":"))
    return stored


def _nested(fields: Mapping[str, object], name: str) -> Mapping[str, object]:
    part = fields.get(name)
    return cast("Mapping[str, object]", part) if isinstance(part, Mapping) else {}


def _json_value(value: object) -> str:
    return format_instant(value) if isinstance(value, datetime) else str(value)


def upgrade_issued(touches: Mapping[str, StampedFields]) -> Issued:
    """Convert what formats 1 and 2 stored: all fields of the last 96 touchpoints that anything was heard of."""
    issued = Issued()
    for key, stamped in touches.items():
        fields = _unstamped(stamped)
        kind, due_at, ended, ended_at = (fields.get(name) for name in ("type", "due_at", "ended", "ended_at"))
        came_due = isinstance(due_at, int)
        at = due_at if came_due else ended_at if ended != "cancelled" else None
        if isinstance(kind, str) and isinstance(at, int):
            issued.times.setdefault(kind, {})[key] = [int(came_due), 0, at]
        if fields.get("reason_policy") is not None or (ended is not None and not came_due):
            issued.one_offs[key] = stamped
    return issued

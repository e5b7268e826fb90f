"""Changes: what is different between two plans, in words a CSM reads. For people; the scheduler compares plans itself.

Both are read as the documents they are stored as: this runs for every new plan, and the old one only serves for this.
"""

from collections.abc import Mapping
from typing import cast

from services.cadence.evaluation.documents import Document
from services.cadence.evaluation.shapes import PlanChange

_NONE: Mapping[str, Document] = {}
_LED = ("every_days", "channel", "owner", "csm_id")
_PLACED = ("window", "deadline", "channel", "owner", "csm_id")


def changes(old: Document | None, new: Document) -> list[PlanChange]:
    """In order of type and time; empty when nothing a person would notice is different."""
    return [*_rhythms(old, new), *_one_offs(old, new)]


def _by(key: str, plan: Document | None, part: str) -> Mapping[str, Document]:
    if plan is None:
        return _NONE
    return {cast("str", item[key]): item for item in cast("list[Document]", plan[part])}


def _rhythms(old: Document | None, new: Document) -> list[PlanChange]:
    was, now = _by("touchpoint_type", old, "rhythms"), _by("touchpoint_type", new, "rhythms")
    found: list[PlanChange] = []
    for kind in sorted(was.keys() | now.keys()):
        before, after = was.get(kind), now.get(kind)
        if after is None:
            found.append(PlanChange("rhythm_removed", kind, f"No more {_said(kind)} rhythm."))
        elif before is None:
            text = f"{_title(kind)} every {_days(after)} by {_said(after['channel'])}. {_because(after)}"
            found.append(PlanChange("rhythm_added", kind, text))
        elif any(before[name] != after[name] for name in _LED):
            found.append(PlanChange("rhythm_changed", kind, _change(kind, before, after)))
    return found


def _change(kind: str, before: Document, after: Document) -> str:
    parts: list[str] = []
    if before["every_days"] != after["every_days"]:
        parts.append(f"every {_days(after)} instead of every {_days(before)}")
    if before["channel"] != after["channel"]:
        parts.append(f"by {_said(after['channel'])} instead of {_said(before['channel'])}")
    if before["owner"] != after["owner"]:
        parts.append(f"led by {_said(after['owner'])} instead of {_said(before['owner'])}")
    if before["csm_id"] != after["csm_id"]:
        parts.append(f"led by {after['csm_id'] or 'nobody yet'}")
    return f"{_title(kind)} {', '.join(parts)}. {_because(after)}"


def _one_offs(old: Document | None, new: Document) -> list[PlanChange]:
    was, now = _by("id", old, "touchpoints"), _by("id", new, "touchpoints")
    found: list[PlanChange] = []
    for key, after in now.items():
        before, kind = was.get(key), cast("str", after["touchpoint_type"])
        if before is None:
            text = f"{_title(kind)} between {_window(after)}. {_because(after)}"
            found.append(PlanChange("touchpoint_added", kind, text))
        elif any(before[name] != after[name] for name in _PLACED):
            text = f"{_title(kind)} now between {_window(after)}, led by {_said(after['owner'])}."
            found.append(PlanChange("touchpoint_changed", kind, text))
    for key, before in was.items():
        if key not in now:
            kind = cast("str", before["touchpoint_type"])
            found.append(PlanChange("touchpoint_removed", kind, f"{_title(kind)} is no longer planned."))
    return found


def _because(item: Document) -> str:
    return cast("Mapping[str, str]", item["reason"])["text"]


def _window(item: Document) -> str:
    window = cast("Mapping[str, str]", item["window"])
    return f"{window['from'][:10]} and {window['to'][:10]}"


def _days(item: Document) -> str:
    return "day" if item["every_days"] == 1 else f"{item['every_days']} days"


def _said(name: object) -> str:
    return {"csm": "the CSM", "pooled_csm": "a pooled CSM"}.get(str(name), str(name).replace("_", " "))


def _title(kind: str) -> str:
    return kind.replace("_", " ").capitalize()

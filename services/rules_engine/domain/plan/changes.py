"""Changes: what is different between two plans, in words a CSM reads. For people; the scheduler compares plans itself."""

from services.rules_engine.domain.plan.shapes import OneOffItem, Plan, PlanChange, RhythmItem


def changes(old: Plan | None, new: Plan) -> list[PlanChange]:
    """In order of type and time; empty when nothing a person would notice is different."""
    before = Plan((), ()) if old is None else old
    return [*_rhythms(before, new), *_one_offs(before, new)]


def _rhythms(old: Plan, new: Plan) -> list[PlanChange]:
    was = {item.touchpoint_type: item for item in old.rhythms}
    now = {item.touchpoint_type: item for item in new.rhythms}
    found: list[PlanChange] = []
    for kind in sorted(was.keys() | now.keys()):
        before, after = was.get(kind), now.get(kind)
        if after is None:
            found.append(PlanChange("rhythm_removed", kind, f"No more {_said(kind)} rhythm."))
        elif before is None:
            text = f"{_title(kind)} every {_days(after)} by {_said(after.channel)}. {after.reason.text}"
            found.append(PlanChange("rhythm_added", kind, text))
        elif _led(before) != _led(after):
            found.append(PlanChange("rhythm_changed", kind, _change(before, after)))
    return found


def _change(before: RhythmItem, after: RhythmItem) -> str:
    parts: list[str] = []
    if before.every_days != after.every_days:
        parts.append(f"every {_days(after)} instead of every {_days(before)}")
    if before.channel != after.channel:
        parts.append(f"by {_said(after.channel)} instead of {_said(before.channel)}")
    if before.owner != after.owner:
        parts.append(f"led by {_said(after.owner)} instead of {_said(before.owner)}")
    if before.csm_id != after.csm_id:
        parts.append(f"led by {after.csm_id or 'nobody yet'}")
    return f"{_title(after.touchpoint_type)} {', '.join(parts)}. {after.reason.text}"


def _one_offs(old: Plan, new: Plan) -> list[PlanChange]:
    was = {item.id: item for item in old.touchpoints}
    now = {item.id: item for item in new.touchpoints}
    found: list[PlanChange] = []
    for item in (*new.touchpoints, *(each for each in old.touchpoints if each.id not in now)):
        kind, before, after = item.touchpoint_type, was.get(item.id), now.get(item.id)
        if after is None:
            found.append(PlanChange("touchpoint_removed", kind, f"{_title(kind)} is no longer planned."))
        elif before is None:
            text = f"{_title(kind)} between {_window(after)}. {after.reason.text}"
            found.append(PlanChange("touchpoint_added", kind, text))
        elif _placed(before) != _placed(after):
            text = f"{_title(kind)} now between {_window(after)}, led by {_said(after.owner)}."
            found.append(PlanChange("touchpoint_changed", kind, text))
    return found


def _led(item: RhythmItem) -> tuple[object, ...]:
    return item.every_days, item.channel, item.owner, item.csm_id


def _placed(item: OneOffItem) -> tuple[object, ...]:
    return item.window_from, item.window_to, item.deadline, item.channel, item.owner, item.csm_id


def _window(item: OneOffItem) -> str:
    return f"{item.window_from:%Y-%m-%d} and {item.window_to:%Y-%m-%d}"


def _days(item: RhythmItem) -> str:
    return "day" if item.every_days == 1 else f"{item.every_days} days"


def _said(name: str) -> str:
    return {"csm": "the CSM", "pooled_csm": "a pooled CSM"}.get(name, name.replace("_", " "))


def _title(kind: str) -> str:
    return kind.replace("_", " ").capitalize()

"""Changes: the differences between two plans, in sentences for a CSM. The scheduler compares plans itself."""

from collections.abc import Iterator

from pydantic import ConfigDict

from schemas.base import SchemaModel
from schemas.plans import Change, OneOffItem, Plan, RhythmItem, Window
from schemas.recurrence_text import interval_text
from schemas.times import Instant


class StoredRhythm(SchemaModel):
    """Of a rhythm, what is compared; reasons, which are most of a stored plan, are not read."""

    model_config = ConfigDict(extra="ignore")

    touchpoint_type: str
    every_days: int
    rrule: str | None = None
    channel: str
    owner: str
    csm_id: str | None = None


class StoredOneOff(SchemaModel):
    """Of a one-off, what is compared."""

    model_config = ConfigDict(extra="ignore")

    id: str
    touchpoint_type: str
    window: Window
    deadline: Instant | None = None
    channel: str
    owner: str
    csm_id: str | None = None


class StoredPlan(SchemaModel):
    """Of a plan, what is compared: reading this takes a quarter of the time of reading a `Plan`."""

    model_config = ConfigDict(extra="ignore")

    rhythms: tuple[StoredRhythm, ...] = ()
    touchpoints: tuple[StoredOneOff, ...] = ()


_LEADERS = {"csm": "the CSM", "pooled_csm": "a pooled CSM"}


def plan_changes(old: Plan | StoredPlan | None, new: Plan) -> tuple[Change, ...]:
    """In order of type and time; empty when nothing that a person would notice is different."""
    return (*_rhythm_changes(old, new), *_one_off_changes(old, new))


def _rhythm_changes(old: Plan | StoredPlan | None, new: Plan) -> Iterator[Change]:
    before = {item.touchpoint_type: item for item in (old.rhythms if old else ())}
    after = {item.touchpoint_type: item for item in new.rhythms}
    for kind in sorted(before.keys() | after.keys()):
        was, now = before.get(kind), after.get(kind)
        if now is None:
            text = f"No more {_words(kind)} rhythm."
            yield Change.of_valid(what="rhythm", kind="withdrawn", touchpoint_type=kind, text=text)
        elif was is None:
            text = f"{_title(kind)} {_interval(now)} {_by(now.channel)}. {now.reason.text}"
            yield Change.of_valid(what="rhythm", kind="added", touchpoint_type=kind, text=_shorten(text))
        elif differences := list(_rhythm_differences(was, now)):
            text = f"{_title(kind)} {', '.join(differences)}. {now.reason.text}"
            yield Change.of_valid(what="rhythm", kind="changed", touchpoint_type=kind, text=_shorten(text))


def _by(channel: str) -> str:
    return "in the app" if channel == "in_app" else f"by {_words(channel)}"


def _rhythm_differences(was: RhythmItem | StoredRhythm, now: RhythmItem) -> Iterator[str]:
    if (was.every_days, was.rrule) != (now.every_days, now.rrule):
        yield f"{_interval(now)} instead of {_interval(was)}"
    if was.channel != now.channel:
        yield f"{_by(now.channel)} instead of {_by(was.channel)}"
    if was.owner != now.owner:
        yield f"led by {_words(now.owner)} instead of {_words(was.owner)}"
    if was.csm_id != now.csm_id:
        yield f"led by {now.csm_id or 'nobody yet'}"


def _one_off_changes(old: Plan | StoredPlan | None, new: Plan) -> Iterator[Change]:
    before = {item.id: item for item in (old.touchpoints if old else ())}
    after = {item.id: item for item in new.touchpoints}
    for key, now in after.items():
        was, kind = before.get(key), now.touchpoint_type
        if was is None:
            text = f"{_title(kind)} between {_window(now)}. {now.reason.text}"
            yield Change.of_valid(what="touchpoint", kind="added", touchpoint_type=kind, text=_shorten(text))
        elif _placement(was) != _placement(now):
            text = f"{_title(kind)} now between {_window(now)}, led by {_words(now.owner)}."
            yield Change.of_valid(what="touchpoint", kind="changed", touchpoint_type=kind, text=text)
    for key, was in before.items():
        if key not in after:
            kind = was.touchpoint_type
            text = f"{_title(kind)} is no longer planned."
            yield Change.of_valid(what="touchpoint", kind="withdrawn", touchpoint_type=kind, text=text)


def _placement(item: OneOffItem | StoredOneOff) -> tuple[object, ...]:
    return item.window.from_, item.window.to, item.deadline, item.channel, item.owner, item.csm_id


def _window(item: OneOffItem) -> str:
    return f"{item.window.from_.date()} and {item.window.to.date()}"


def _interval(item: RhythmItem | StoredRhythm) -> str:
    return interval_text(item.every_days, item.rrule)


def _words(name: str) -> str:
    return _LEADERS.get(name, name.replace("_", " "))


def _title(kind: str) -> str:
    return kind.replace("_", " ").capitalize()


def _shorten(text: str) -> str:
    """A reason may be longer than a change's text is allowed to be (2,000 characters)."""
    return text if len(text) <= 2000 else f"{text[:1997]}..."

"""Join the briefs of touchpoints that belong together: one entry of a mail, one set of buttons, which act on all."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from schemas.touchpoints import TouchpointData
from services.notifier.application.owner_brief import Brief

T = TypeVar("T")


def join_groups(briefs: Iterable[tuple[TouchpointData, Brief]]) -> list[Brief]:
    """The briefs of one account in their order; what is open and of one group is one brief, where its first one is."""
    entries: dict[str, list[Brief]] = {}
    for data, brief in briefs:
        key = data.group if data.group is not None and brief.is_open else data.touchpoint_id
        entries.setdefault(f"{brief.is_open}:{key}", []).append(brief)
    return [join_briefs(entry) for entry in entries.values()]


def join_briefs(briefs: Sequence[Brief]) -> Brief:
    """One brief that says what each of them says, each thing once."""
    first = briefs[0]
    if len(briefs) == 1:
        return first
    return replace(
        first,
        title=_list(" + ", (brief.title for brief in briefs)),
        news=_once(line for brief in briefs for line in brief.news),
        people=tuple(_once(person for brief in briefs for person in brief.people)),
        body_html=_list("\n", (brief.body_html for brief in briefs)),
        body_text=_list("\n\n", (brief.body_text for brief in briefs)),
        purpose=_list("\n", (brief.purpose for brief in briefs)),
        reason=_list(" ", (brief.reason for brief in briefs)),
        agenda=_once(line for brief in briefs for line in brief.agenda),
        preparation=_once(line for brief in briefs for line in brief.preparation),
        expects=_list("\n", (brief.expects for brief in briefs)),
        sent=tuple(_once(line for brief in briefs for line in brief.sent)),
    )


def _list(separator: str, texts: Iterable[str]) -> str:
    return separator.join(_once(text for text in texts if text))


def _once(things: Iterable[T]) -> list[T]:
    return list(dict.fromkeys(things))

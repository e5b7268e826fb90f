"""The program of a message: which one it presents, and how it was announced."""

from typing import cast

from schemas.figures import FiguresRequest, ProgramFigures
from services.cadence.account import DAY, StampedFields
from services.cadence.announcements import announced_values
from services.cadence.evaluation.state import EvaluationState
from services.cadence.portfolio import Program

RECENT = 35 * DAY
"""So long after it is out a release, a newsletter or a tip is news."""
_AHEAD = frozenset({"webinar", "event"})
"""Kinds that are of interest before they take place."""


def choose_program(state: EvaluationState, request: FiguresRequest) -> str | None:
    """The id of the program that the request names, else of one of the wanted kind for this account.

    The newest of the last 35 days; of webinars and events the next to take place.
    """
    if request.about is not None and request.about.program_id is not None:
        return request.about.program_id
    if request.program_kind is None:
        return None
    values, now = state.view.values, state.now
    own = [
        program
        for program in state.portfolio.programs
        if program.kind == request.program_kind and (program.audience is None or program.audience(values))
    ]
    if request.program_kind in _AHEAD:
        chosen = min((program for program in own if program.at >= now), key=_order, default=None)
    else:
        chosen = max(
            (program for program in own if now - RECENT < program.at <= now), key=_order, default=None
        )
    return None if chosen is None else chosen.id


def _order(program: Program) -> tuple[int, str]:
    return program.at, program.id


def program_figures(program_id: str, stamped: StampedFields) -> ProgramFigures:
    """A stored program as it was announced."""
    values = announced_values(stamped)
    body = cast("dict[str, str | None]", values.get("body") or {})
    return ProgramFigures.model_validate(
        {
            "program_id": program_id,
            "kind": values.get("kind"),
            "title": values.get("title") or None,
            "at": values.get("at"),
            "ends_at": values.get("ends_at"),
            "url": values.get("url"),
            "body": {language: text for language, text in body.items() if text},
        }
    )

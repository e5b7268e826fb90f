"""Figures of tests: those of an account after some events, under the shipped policy."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from schemas.figures import AccountFigures, FiguresRequest
from schemas.plans import About
from schemas.vocabulary import ProgramKind
from services.cadence.account import FactEvent
from services.cadence.account.issued import Issued
from services.cadence.evaluation.state import EvaluationState
from services.cadence.figures import account_figures, choose_program
from services.cadence.portfolio import Portfolio
from tests.unit.cadence.events import NOW, facts_after, make_event, shipped


def state_after(
    *events: FactEvent, now: datetime = NOW, portfolio: Portfolio | None = None
) -> EvaluationState:
    return EvaluationState(shipped(), facts_after(events), Issued(), portfolio or Portfolio(), now)


def figures_after(*events: FactEvent, now: datetime = NOW, about: About | None = None) -> AccountFigures:
    return account_figures(
        state_after(*events, now=now), FiguresRequest(account_id="acme", about=about), None
    )


def chosen_program(kind: ProgramKind, portfolio: Portfolio, *events: FactEvent) -> str | None:
    request = FiguresRequest(account_id="acme", program_kind=kind)
    return choose_program(state_after(*events, portfolio=portfolio), request)


def report(ago: timedelta, length: timedelta, source: str = "/product", /, **more: object) -> FactEvent:
    """A report of a period that ended so long before now, told when it ended."""
    end = NOW - ago
    return make_event("usage.reported", end, source, period_start=end - length, period_end=end, **more)


def daily(days: Iterable[int], source: str = "/product", **more: object) -> list[FactEvent]:
    """A report of each day that ended so many days ago."""
    one = timedelta(days=1)
    return [report(day * one, one, source, **more) for day in days]

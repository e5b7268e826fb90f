"""Today: what is due and next, the accounts or one of them, the activity; and why a touchpoint is planned or not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.console.account_summary import account_summary
from services.console.account_view import AccountView, account_rows, account_view, decision_entries
from services.console.activity_feed import DELIVERY_TONES
from services.console.explanation_view import explanation_view
from services.console.explanations import Question
from services.console.pages.own_scope import own_scope, remember_scope
from services.console.pages.rendering import reader_of, render_page, render_part
from services.console.poller import Poller, SelectedAccount, with_age
from services.console.pollers import Pollers
from services.console.reader import Backend
from services.console.touchpoints import Touchpoint, board, deadline_text, due_since, selection, timing

_SHOWN_AT_FIRST: Final = 8
_TONES: Final = {"due": "due", "overdue": "bad", "settled": "good", "planned": "waiting"}


@dataclass(frozen=True, slots=True)
class CalendarRow:
    """A touchpoint of an account: its state as a word with a tone, and the question why, if there is one."""

    touchpoint: Touchpoint
    word: str
    tone: str
    timing: str
    question: Question | None


def today_routes(backend: Backend) -> APIRouter:
    """`/` and `/why`."""
    router = APIRouter(include_in_schema=False)
    pollers = Pollers(backend.apis, backend.clock)

    @router.get("/")
    async def show(request: Request, account: str = "", q: str = "") -> Response:
        reader = await reader_of(backend, request)
        search = q.strip()[:200]
        scope = own_scope(reader, request)
        poller = await pollers.refreshed(reader.key, account[:200], search, scope.csm_id)
        now = await reader.local_now()
        may_export = "admin" in reader.scopes
        context = {**_today(poller, now), "whose": scope.links, "may_export": may_export}
        context["utc"] = context if now.tzinfo is UTC else _today(poller, now.astimezone(UTC))
        response = await render_page(request, reader, "today.html", context)
        return remember_scope(backend, request, response)

    @router.get("/why")
    async def why(request: Request, account: str, rule: str = "", touchpoint_type: str = "") -> Response:
        reader = await reader_of(backend, request)
        query = {"rule": rule} if rule else {"touchpoint_type": touchpoint_type}
        read = await reader.read("rules_engine", f"/v1/accounts/{quote(account, safe='')}/why", {**query})
        view = None if read.document is None else explanation_view(read.document, await reader.local_now())
        context = {"view": view, "error": read.error, "account_id": account}
        if request.headers.get("x-live") == "1":
            return render_part("why-card.html", context)
        return await render_page(request, reader, "why.html", context)

    return router


def _today(poller: Poller, now: datetime) -> dict[str, object]:
    names, calendar = poller.accounts.names, poller.calendar
    is_read = calendar.open_touchpoints is not None
    due = board(calendar.open_touchpoints or [], calendar.planned, now, names) if is_read else None
    activities, activity_error = poller.activities(now)
    selected = None if poller.accounts.query else poller.selected
    return {
        "board": due,
        "calendar_error": with_age(calendar.error, calendar.read_at, now),
        "deadline": lambda item: deadline_text(item, now),  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
        "since": lambda item: due_since(item, now),  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
        "shown_at_first": _SHOWN_AT_FIRST,
        "names": names,
        "activities": activities,
        "activity_error": activity_error,
        "warning": poller.activity.warning,
        "search": poller.accounts,
        "rows": account_rows(poller.accounts.matches or ()),
        "selected": selected,
        **_account(poller, selected, now),
    }


def _account(poller: Poller, selected: SelectedAccount | None, now: datetime) -> dict[str, object]:
    if selected is None:
        return {"shown_account": None, "account_error": ""}
    error = with_age(selected.errors.get("account", ""), selected.read_at, now)
    if selected.document is None:
        return {"shown_account": None, "account_error": error}
    view = account_view(selected.document, selected.calendar, now, poller.people)
    return {
        "shown_account": view,
        "account_error": error,
        "summary": account_summary(view.id, selected.document, now),
        "not_planned": poller.explanations.not_planned(selected.document),
        "calendar": _calendar_rows(selection(selected.calendar), view, now),
        "decisions": decision_entries(selected.decisions, now),
        "delivery_tones": DELIVERY_TONES,
    }


def _calendar_rows(shown: Sequence[Touchpoint], view: AccountView, now: datetime) -> list[CalendarRow]:
    rows: list[CalendarRow] = []
    for item in shown:
        word = item.outcome if item.status == "settled" and item.outcome else item.status
        tone = "bad" if word == "missed" else _TONES.get(item.status, "quiet")
        rows.append(CalendarRow(item, word, tone, timing(item, now), _question(item, view)))
    return rows


def _question(item: Touchpoint, view: AccountView) -> Question | None:
    """The question about an open touchpoint; None for a closed one and for one that a person planned."""
    if not item.rule or item.status in ("settled", "cancelled"):
        return None
    if any(item.rule == planned.rule for planned in (*view.rhythms, *view.one_offs)):
        return Question(view.id, rule=item.rule)
    return Question(view.id, touchpoint_type=item.type)

"""Team: how full people's weeks are, what does not fit, and handing a book over with a preview."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.console import labels
from services.console.book_view import book_table
from services.console.busy_calendar_view import calendar_lines
from services.console.client import Failure
from services.console.json_fields import Json, items, number, text, texts
from services.console.load_view import (
    describe_gap,
    first_day,
    group_lines,
    load_rows,
    relief_lines,
    unowned_lines,
    week_names,
)
from services.console.pages.forms import read_form
from services.console.pages.rendering import back_to, reader_of, render_page
from services.console.people import Person, account_name, person_name
from services.console.promise_view import adherence_lines
from services.console.reader import Backend, Reader

_SPANS: Final = (("13", "a quarter"), ("26", "half a year"), ("52", "a year"))
_SHOWN_GROUPS: Final = 8
_READ_SECONDS: Final = 5.0
_BOOKS_SECONDS: Final = 30.0
"""Every account is counted for them, and no account changes hands between two looks at the page."""


def team_routes(backend: Backend) -> APIRouter:
    """`/team` and `/handover`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/team")
    async def show(request: Request, weeks: str = "13") -> Response:
        reader = await reader_of(backend, request)
        chosen = weeks if weeks in dict(_SPANS) else "13"
        context = await _read_team(reader, int(chosen))
        spans = [(name, f"/team?weeks={value}", value == chosen) for value, name in _SPANS]
        everybody = [(one.id, one.label) for one in (await reader.people()).values()]
        context |= {"spans": spans, "everybody": everybody}
        return await render_page(request, reader, "team.html", context)

    @router.get("/handover")
    async def preview(request: Request, person: str = "", to: str = "") -> Response:
        reader = await reader_of(backend, request)
        people = await reader.people()
        plan: Json | None = None
        error = ""
        if person:
            answer = await reader.apis.ask(reader.token, "scheduler", "/v1/handovers", _body(person, to))
            plan, error = (None, answer.text) if isinstance(answer, Failure) else (answer, "")
        names = await _read_names(reader, plan or {})
        context = {**_show_plan(plan, person, to, people, names), "error": error}
        return await render_page(request, reader, "handover.html", context)

    @router.post("/handover")
    async def apply(request: Request) -> Response:
        reader = await reader_of(backend, request)
        form = await read_form(request)
        person, to = form.get("person", "")[:200], form.get("to", "")[:200]
        body = {**_body(person, to), "preview": False, "version": form.get("version", "")[:64] or None}
        answer = await reader.post("scheduler", "/v1/handovers", body)
        if isinstance(answer, Failure):
            return back_to("/team", failed=answer.text)
        return back_to("/team", did="handed_over")

    return router


def _body(person: str, to: str) -> Json:
    return {"from": person[:200], "to": to[:200] or None, "preview": True}


async def _read_team(reader: Reader, weeks: int) -> dict[str, object]:
    query = _span_of(reader.now(), weeks)
    read, owned, calendars, promised = await asyncio.gather(
        reader.read("scheduler", "/v1/capacity", query, max_age=_READ_SECONDS),
        reader.read("rules_engine", "/v1/books", max_age=_BOOKS_SECONDS),
        reader.read("scheduler", "/v1/busy-calendars", max_age=_READ_SECONDS),
        reader.read("scheduler", "/v1/promises/adherence", {"by": "csm"}, max_age=_BOOKS_SECONDS),
    )
    people = await reader.people()
    capacity = read.document or {}
    rows = load_rows(capacity)
    books = {text(book, "csm_id"): book for book in items(capacity, "books")}
    conflicts, lines = items(capacity, "conflicts"), calendar_lines(calendars.document or {})
    involved = [
        text(group, "account_id") for each in conflicts for group in items(each, "groups")[:_SHOWN_GROUPS]
    ]
    accounts = await reader.accounts(involved[:40])
    names = {key: account_name(key, accounts) for key in accounts}
    return {
        "error": read.error,
        "rows": [
            {
                "row": row,
                "name": person_name(row.csm_id, people),
                "book": text(books.get(row.csm_id, {}), "text"),
                "size": text(books.get(row.csm_id, {}), "size"),
                "accounts": number(books.get(row.csm_id, {}), "accounts"),
                "calendar": lines.get(row.csm_id, ""),
            }
            for row in rows
        ],
        "weeks": [(week, first_day(week)) for week in week_names(rows)],
        "gap": describe_gap(capacity),
        "conflicts": [_show_conflict(each, people, names) for each in conflicts],
        "unowned": unowned_lines(capacity),
        "revenue": book_table(owned.document or {}, people, [row.csm_id for row in rows]),
        "revenue_error": owned.error,
        "promises": adherence_lines(promised.document or {}, people),
        "promises_error": promised.error,
    }


def _span_of(now: datetime, weeks: int) -> dict[str, str | int | list[str]]:
    """So many weeks from today on."""
    last = datetime.fromordinal(now.toordinal() + 7 * (weeks - 1)).date().isoformat()
    return {"from": now.date().isoformat(), "to": last}


def _show_conflict(conflict: Json, people: Mapping[str, Person], names: dict[str, str]) -> dict[str, object]:
    person = text(conflict, "csm_id")
    weeks = texts(conflict, "weeks")
    when = weeks[0] if len(weeks) == 1 else f"{weeks[0]} to {weeks[-1]}" if weeks else ""
    return {
        "person": person_name(person, people),
        "csm_id": person,
        "when": when,
        "missing": number(conflict, "missing_minutes"),
        "needed": number(conflict, "needed_minutes"),
        "available": number(conflict, "available_minutes"),
        "groups": list(group_lines(conflict, names))[:_SHOWN_GROUPS],
        "relief": list(relief_lines(conflict, names)),
    }


async def _read_names(reader: Reader, plan: Json) -> Mapping[str, str]:
    """The names of the accounts that are handed over, by id; without those that cannot be read."""
    found, _ = await reader.figures(text(each, "account_id") for each in items(plan, "accounts"))
    return {account_id: text(figures, "name") for account_id, figures in found.items()}


def _show_plan(
    plan: Json | None, person: str, to: str, people: Mapping[str, Person], names: Mapping[str, str]
) -> dict[str, object]:
    accounts = items(plan or {}, "accounts")
    return {
        "person": person,
        "person_label": person_name(person, people),
        "to": to,
        "choices": [(one.id, one.label) for one in people.values() if one.id != person],
        "everybody": [(one.id, one.label) for one in people.values()],
        "has_plan": plan is not None,
        "version": text(plan or {}, "version"),
        "accounts": [
            (
                text(each, "account_id"),
                names.get(text(each, "account_id")) or text(each, "account_id"),
                person_name(text(each, "to"), people),
                number(each, "touches"),
                number(each, "minutes"),
                number(each, "moved_touches"),
            )
            for each in accounts
        ],
        "load": [(person_name(text(each, "csm_id"), people), each) for each in items(plan or {}, "load")],
        "still_named": labels.listing(
            names.get(each) or each for each in texts(plan or {}, "still_named")[:10]
        ),
        "still_named_count": len(texts(plan or {}, "still_named")),
    }

"""The pages on which people of ours act: how a touchpoint is now, and the forms of what they may do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from starlette.responses import HTMLResponse

from schemas.directory import CsmRecord
from services.notifier.application.act_from_mail import OPEN, Colleagues, acts_on
from services.notifier.application.calendar import Calendar, CalendarEntry
from services.notifier.application.phrases import PhraseBook, Phrases
from services.notifier.domain.action_token import ActionToken
from services.notifier.domain.acts import Act
from services.notifier.domain.link_token import LinkKeys
from services.notifier.domain.message import Render
from services.notifier.entrypoints.customer_pages import PAGE_HEADERS

_FIELDS: Mapping[Act, Sequence[str]] = {
    Act.DONE: ("notes",),
    Act.MISSED: ("notes",),
    Act.MOVE: ("to", "reason"),
    Act.ASSIGN: ("person",),
    Act.SKIP: ("reason",),
    Act.CLAIM: (),
}


class OtherPages(Protocol):
    """Pages that links of another kind lead to; None where a link is not of that kind."""

    async def show(self, link: str, do: str, languages: str | None) -> HTMLResponse | None: ...

    async def act(self, link: str, form: Mapping[str, str], languages: str | None) -> HTMLResponse | None: ...


@dataclass(frozen=True, slots=True)
class ActionServices:
    """What the pages need. `keys`: of their links; `others`: who answers links that are about no touchpoint."""

    keys: LinkKeys
    calendar: Calendar
    people: Colleagues
    book: PhraseBook
    render: Render
    others: OtherPages | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """A person at a touchpoint. `link`: the token as text; `people` by id."""

    link: str
    token: ActionToken
    entry: CalendarEntry
    people: Mapping[str, CsmRecord]
    phrases: Phrases
    account: str

    @property
    def person(self) -> CsmRecord | None:
        return self.people.get(self.token.person_id or "")

    @property
    def acts(self) -> Sequence[Act]:
        return acts_on(self.entry, self.token.person_id, self.people)

    def text(self, key: str, **values: str) -> str:
        return self.phrases.text("action", key, **values)

    def name_of(self, person_id: str | None) -> str:
        person = self.people.get(person_id or "")
        return (person.name or person.email if person else None) or ""


def show_page(
    services: ActionServices,
    visit: Visit,
    *,
    chosen: Act | None = None,
    done: str = "",
    undo: str = "",
    problem: str = "",
    fields: Mapping[str, str] | None = None,
    status: int = 200,
) -> HTMLResponse:
    """How the touchpoint is now, and what the person may do to it."""
    data, acts = visit.entry.data, visit.acts if not undo else ()
    act = chosen if chosen in acts else next(iter(acts), None)
    others = [other for other in acts if other is not act]
    name = visit.phrases.touchpoint_type(data.touchpoint_type)
    context: dict[str, object] = {
        "language": visit.phrases.language,
        "direction": visit.phrases.direction,
        "title": visit.text("title", type=name, account=visit.account),
        "state": _state(visit),
        "done": done,
        "problem": problem,
        "undo": undo,
        "act": act or "",
        "fields": _FIELDS[act] if act else (),
        "values": {**dict.fromkeys(("notes", "to", "person", "reason"), ""), **(fields or {})},
        "version": str(data.sequence),
        "others": [(other, visit.phrases.text("acts", other)) for other in others],
        "people": [one for one in visit.people.values() if one.csm_id != data.owner.csm_id],
        "words": _labels(visit, act),
    }
    return HTMLResponse(services.render("act.html", context, html=True), status, PAGE_HEADERS)


def _labels(visit: Visit, act: Act | None) -> dict[str, str]:
    keys = ("notes", "notes_help", "to", "person", "reason", "confirm", "others", "undo", "undo_help")
    zone = str(visit.phrases.zone).replace("_", " ")
    labels = {key: visit.text(key) for key in keys}
    return labels | {
        "to_help": visit.text("to_help", zone=zone),
        "submit": visit.text(act) if act else "",
    }


def _state(visit: Visit) -> str:
    """What is true of the touchpoint now, in a sentence."""
    data = visit.entry.data
    if data.status not in OPEN:
        key = f"is_{visit.entry.outcome}" if visit.entry.outcome else f"is_{data.status}"
        return visit.text(key if key in visit.phrases.words["action"] else "is_completed")
    owner = data.owner.csm_id
    if owner is not None and owner == visit.token.person_id:
        return visit.text("is_open", moment=visit.phrases.moment(data.due_at))
    name = visit.name_of(owner) or data.owner.name or ""
    return visit.text("is_theirs", name=name) if name else visit.text("is_nobodys")


def show_notice(
    services: ActionServices, key: str, status: int, words: Phrases, *, title: str
) -> HTMLResponse:
    context: dict[str, object] = {
        "language": words.language,
        "direction": words.direction,
        "title": words.text("action", title),
        "state": words.text("action", key),
    }
    return HTMLResponse(services.render("act_notice.html", context, html=True), status, PAGE_HEADERS)


def show_away(services: ActionServices, phrases: Phrases) -> HTMLResponse:
    page = show_notice(services, "away", 503, phrases, title="away_title")
    page.headers["Retry-After"] = "60"
    return page

"""Act on a touchpoint from a message: what its link allows now, and what the scheduler is asked to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Protocol

from schemas.directory import CsmRecord
from schemas.times import format_instant
from services.notifier.application.calendar import CalendarEntry
from services.notifier.application.read_messages import PeopleReader
from services.notifier.domain.acts import Act, allowed_acts

OPEN = frozenset({"planned", "due", "overdue"})
LONGEST_NOTE = 10_000
MOST_PEOPLE = 5_000


@dataclass(frozen=True, slots=True)
class ActForm:
    """What a person filled in. `version`: that of the touchpoint they saw; None: they sent none."""

    act: Act
    notes: str = ""
    to: str = ""
    person_id: str = ""
    version: int | None = None


class FieldMissing(Exception):
    """A field that the act needs is empty or wrong; `field` is its key in the phrases."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class Colleagues(PeopleReader, Protocol):
    """The people of ours, and the names of accounts."""

    async def account_name(self, account_id: str) -> str | None: ...


async def named_people(people: PeopleReader) -> dict[str, CsmRecord]:
    """All who have a name or an address by id, in the order of their names."""
    everyone = await people.people(after="", limit=MOST_PEOPLE)
    named = [person for person in everyone if person.name or person.email]
    named.sort(key=lambda person: (person.name or person.email or "").casefold())
    return {person.csm_id: person for person in named}


def acts_on(entry: CalendarEntry, person_id: str | None, people: Mapping[str, CsmRecord]) -> Sequence[Act]:
    """What this person (None: the mailbox) may do to the touchpoint as it is now."""
    if entry.data.status not in OPEN:
        return ()
    person, owner = people.get(person_id or ""), entry.data.owner
    return allowed_acts(
        owner,
        person_id,
        is_owner_known=owner.csm_id in people,
        leads=person is not None and person.role == "manager",
    )


def request_of(
    form: ActForm, entry: CalendarEntry, person_id: str | None, zone: tzinfo, usual_reason: str
) -> tuple[str, Mapping[str, object]]:
    """The last part of the scheduler's path, and the body. Raises FieldMissing."""
    version = entry.data.sequence if form.version is None else form.version
    notes = form.notes.strip()[:LONGEST_NOTE]
    who = {"version": version, "actor_id": person_id}
    match form.act:
        case Act.DONE | Act.MISSED:
            outcome = "completed" if form.act is Act.DONE else "missed"
            return "settle", {"outcome": outcome, "version": version, "notes": notes or None}
        case Act.MOVE:
            return "reschedule", {"to": format_instant(_moment(form.to, zone)), **who}
        case Act.ASSIGN:
            if not form.person_id:
                raise FieldMissing("person")
            return "reassign", {"csm_id": form.person_id, **who}
        case Act.SKIP:
            return "cancel", {"reason": notes or usual_reason, **who}
        case Act.CLAIM:
            return "claim", {"csm_id": person_id, "version": version}


def _moment(text: str, zone: tzinfo) -> datetime:
    """A date and time as browsers send it, `2026-11-30T10:00`, where the person is. Raises FieldMissing."""
    try:
        local = datetime.fromisoformat(text.strip())
        return (local.replace(tzinfo=zone) if local.tzinfo is None else local).astimezone(UTC)
    except (
        ValueError,
        OverflowError,
    ):  # the first and the last day of the calendar have no time in every zone
        raise FieldMissing("to") from None

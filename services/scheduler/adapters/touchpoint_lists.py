"""Lists of touchpoints by due time, each read from tables that hold little more than what it shows (docs/adr/0010).

A list is the union of parts: what is planned, due and closed has a narrow table each, what was closed long ago is in the
archive. Every part is ordered by an index and limited by itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from services.calendar.touchpoint import Status
from services.scheduler.adapters.rows import COLUMNS, NAMES
from services.scheduler.application.read_touchpoints import TouchpointFilter

CLOSED: Final = (Status.SETTLED, Status.CANCELLED)
CAME_DUE: Final = (Status.DUE, Status.OVERDUE)
ENTRY: Final = f"{COLUMNS}, t.face, r.face AS rhythm_face, t.changed_at, t.change_xid::text::bigint AS change"
WITH_CONTENT: Final = (
    "LEFT JOIN rhythm r ON t.face IS NULL AND r.account_id = t.account_id AND r.type = t.type"
)
FIND: Final = f"""
SELECT {ENTRY} FROM (
    SELECT {", ".join(NAMES)} FROM touchpoint WHERE id = $1
    UNION ALL SELECT {", ".join(NAMES)} FROM archived_touchpoint WHERE id = $1
) t {WITH_CONTENT}
"""
# Distinct ids are found by skipping through the index.
UNDESCRIBED: Final = """(
    WITH RECURSIVE used AS (
        SELECT min(csm_id) AS csm_id FROM touchpoint
        UNION ALL
        SELECT (SELECT min(n.csm_id) FROM touchpoint n WHERE n.csm_id > used.csm_id) FROM used
        WHERE used.csm_id IS NOT NULL)
    SELECT csm_id FROM used WHERE csm_id IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM person p WHERE p.csm_id = used.csm_id)) AS gone"""
LED: Final = "t.owner IN ('csm', 'pooled_csm', 'sales')"
NOTHING_PLANNED_BEFORE: Final = "t.due_at >= (SELECT min(at) FROM agenda)"


@dataclass(slots=True)
class ListQuery:
    """A statement that is put together; `values` are its parameters."""

    wanted: TouchpointFilter
    after: tuple[datetime, str] | None
    limit: int
    values: list[object] = field(default_factory=list[object])

    def bind(self, value: object) -> str:
        """The parameter for a value."""
        if value not in self.values:
            self.values.append(value)
        return f"${self.values.index(value) + 1}"

    def write(self) -> str:
        """The statement: one row for each entry, by due time and id."""
        parts = "\nUNION ALL\n".join(f"({part})" for part in self._parts())
        order = f"ORDER BY t.due_at, t.id LIMIT {self._bound_limit()}"
        return f"SELECT {ENTRY} FROM ({parts}) t {WITH_CONTENT} {order}"

    def _parts(self) -> Iterator[str]:
        wanted = self.wanted
        statuses = wanted.statuses or frozenset(Status)
        if wanted.unowned:
            yield from self._unowned(statuses)
        elif wanted.account_id is not None or wanted.csm_id is not None:
            yield from self._of_one(statuses)
        elif not wanted.statuses:
            yield self._part("touchpoint t", [*self._of_type()])
            yield from self._archived(statuses)
        else:
            yield from self._by_status(statuses)

    def _of_one(self, statuses: frozenset[Status]) -> Iterator[str]:
        """Of one account or one person: what they have is little; of what a person has closed nothing is read."""
        wanted = self.wanted
        owner = [
            f"{{}}.{name} = {self.bind(value)}"
            for name, value in (("account_id", wanted.account_id), ("csm_id", wanted.csm_id))
            if value is not None
        ]
        mine = [clause.format("t") for clause in owner]
        if wanted.account_id is None and statuses <= set(CAME_DUE):
            yield self._joined("due_touchpoint", [clause.format("k") for clause in owner], statuses)
            return
        is_planned = wanted.account_id is None and statuses == frozenset({Status.PLANNED})
        only_planned = [NOTHING_PLANNED_BEFORE] if is_planned else []
        yield self._part("touchpoint t", [*mine, *self._of_type(), *self._of_status(statuses), *only_planned])
        yield from self._archived(statuses, mine)

    def _by_status(self, statuses: frozenset[Status]) -> Iterator[str]:
        if Status.PLANNED in statuses and self.wanted.type is not None:
            clauses = [*self._of_type(), "t.status = 'planned'", NOTHING_PLANNED_BEFORE]
            yield self._part("touchpoint t", clauses)
        elif Status.PLANNED in statuses:
            yield self._part(
                "agenda k JOIN touchpoint t ON t.id = k.id", ["t.status = 'planned'"], "k.at", "k.id"
            )
        if came_due := statuses.intersection(CAME_DUE):
            yield self._joined("due_touchpoint", [*self._of_type("k")], came_due)
        for status in sorted(statuses.intersection(CLOSED)):
            clauses = [f"k.status = {self.bind(status)}", *self._of_type("k")]
            yield self._joined("closed_touchpoint", clauses, frozenset({status}))
        yield from self._archived(statuses)

    def _unowned(self, statuses: frozenset[Status]) -> Iterator[str]:
        """What nobody has, and what people have whom the directory does not describe."""
        wanted = self.wanted
        clauses = [LED, *self._of_status(statuses)]
        if wanted.type is not None:
            # Not found by the index of types: what nobody has is less than what is of a type.
            clauses.append(f"t.type || '' = {self.bind(wanted.type)}")
        if wanted.account_id is not None:
            clauses.append(f"t.account_id = {self.bind(wanted.account_id)}")
        mine = [] if wanted.csm_id is None else [f"t.csm_id = {self.bind(wanted.csm_id)}"]
        for table in ("touchpoint", *(["archived_touchpoint"] if statuses.intersection(CLOSED) else [])):
            yield self._part(f"{table} t", ["t.csm_id IS NULL", *clauses, *mine])
            of_gone = self._part(f"{table} t", ["t.csm_id = gone.csm_id", *clauses, *mine])
            yield f"SELECT u.* FROM {UNDESCRIBED} CROSS JOIN LATERAL ({of_gone}) u"

    def _archived(self, statuses: frozenset[Status], of_one: Sequence[str] = ()) -> Iterator[str]:
        closed = sorted(statuses.intersection(CLOSED))
        by_owner_or_type = bool(of_one) or self.wanted.type is not None
        if by_owner_or_type and closed:
            clauses = [*of_one, *self._of_type(), *self._of_status(frozenset(closed))]
            yield self._part("archived_touchpoint t", clauses)
            return
        for status in closed:
            yield self._part("archived_touchpoint t", [f"t.status = {self.bind(status)}"])

    def _joined(self, table: str, clauses: Sequence[str], statuses: frozenset[Status]) -> str:
        """From a table that has only touchpoints of some states, each looked up by its id.

        The server must not choose by its statistics of states, which it gathers now and then: when a calendar of planned
        ones begins to come due, they promise that nothing has, and the whole calendar would be read.
        """
        source = f"{table} k CROSS JOIN LATERAL (SELECT * FROM touchpoint WHERE id = k.id OFFSET 0) t"
        named = ", ".join(f"'{status}'" for status in sorted(statuses))
        return self._part(source, [*clauses, f"t.status || '' IN ({named})"], "k.due_at", "k.id")

    def _part(self, source: str, clauses: Sequence[str], due_at: str = "t.due_at", key: str = "t.id") -> str:
        """One ordered and limited part. `due_at` and `key` are the columns of the index that orders it."""
        conditions = [*clauses]
        if self.wanted.start_at is not None:
            conditions.append(f"{due_at} >= {self.bind(self.wanted.start_at)}")
        if self.wanted.end_at is not None:
            conditions.append(f"{due_at} < {self.bind(self.wanted.end_at)}")
        if self.after is not None:
            moment, identity = map(self.bind, self.after)
            conditions.append(f"({due_at}, {key}) > ({moment}, {identity}::text::uuid)")
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        columns = ", ".join(f"t.{name}" for name in NAMES)
        return f"SELECT {columns} FROM {source} {where} ORDER BY {due_at}, {key} LIMIT {self._bound_limit()}"

    def _bound_limit(self) -> str:
        return f"{self.bind(self.limit)}::int"

    def _of_type(self, table: str = "t") -> Iterator[str]:
        if self.wanted.type is not None:
            yield f"{table}.type = {self.bind(self.wanted.type)}"

    def _of_status(self, statuses: frozenset[Status]) -> Iterator[str]:
        if len(statuses) < len(Status):
            named = ", ".join(f"'{status}'" for status in sorted(statuses))
            yield f"t.status IN ({named})"

"""What the policy in force says of contacts with customers, read from its record."""

from datetime import timedelta
from typing import Final

import orjson
from pydantic import TypeAdapter

from schemas.directory import ContactBudgetRecord
from schemas.times import SendWindow
from services.chassis.database import Connection
from services.notifier.domain.contact_budget import ContactBudget
from services.notifier.domain.contact_rules import NO_RULES, ContactRules

_GROUP: Final = "group"
# Of the whole record only this: it is read for every batch. jsonb sorts the keys of the types.
RULES: Final = f"""
SELECT record ->> 'contact_budgets' AS contact_budgets, nullif(record -> 'send_window', 'null')::text AS send_window,
    (SELECT jsonb_object_agg(kind ->> 'touchpoint_type', kind -> 'send_window')
        FROM jsonb_array_elements(record -> 'touchpoint_types') AS kind
        WHERE jsonb_typeof(kind -> 'send_window') = 'object')::text AS send_windows,
    ARRAY(SELECT kind ->> 'touchpoint_type' FROM jsonb_array_elements(record -> 'touchpoint_types') AS kind
        WHERE (kind ->> '{_GROUP}')::boolean) AS groups
FROM (SELECT body::jsonb AS record FROM catalogue) AS c
"""
_BUDGETS: Final = TypeAdapter(tuple[ContactBudgetRecord, ...])


async def load_contact_rules(connection: Connection) -> ContactRules:
    """None in force before the first record."""
    row = await connection.fetchrow(RULES)
    if row is None:
        return NO_RULES
    records = _BUDGETS.validate_json(row["contact_budgets"] or "[]")
    windows = orjson.loads(row["send_windows"] or "{}")
    return ContactRules(
        budgets=tuple(map(_budget, records)),
        send_window=SendWindow.model_validate_json(own) if (own := row["send_window"]) else None,
        send_windows={
            name: SendWindow.model_validate(window, strict=False) for name, window in windows.items()
        },
        groups=frozenset(row["groups"]),
    )


def _budget(record: ContactBudgetRecord) -> ContactBudget:
    return ContactBudget(
        record.name,
        record.per,
        record.at_most,
        timedelta(hours=record.within_hours),
        frozenset(record.channels),
        frozenset(record.exempt),
    )

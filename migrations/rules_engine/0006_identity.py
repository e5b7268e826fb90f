"""Accounts that were merged, where contacts are, and how accounts are found: by parent and by ids in other systems."""

import json
from collections import defaultdict

import sqlalchemy
from alembic import op

from schemas.ids import digest

revision = "rules_0006"
down_revision = "rules_0005"
branch_labels = None
depends_on = None

STATEMENTS = (
    # An account that ended keeps its row, without a state: a lock that waited for the merge finds where it went.
    "ALTER TABLE account ADD COLUMN merged_into text, ADD COLUMN parent_id text, ADD COLUMN external_ids text[]",
    "CREATE INDEX account_ended ON account (account_id) WHERE merged_into IS NOT NULL",
    "CREATE INDEX account_merged ON account (merged_into) WHERE merged_into IS NOT NULL",
    "CREATE INDEX account_parent ON account (parent_id, account_id) WHERE parent_id IS NOT NULL",
    "CREATE INDEX account_external ON account USING gin (external_ids) WHERE external_ids IS NOT NULL",
    # `contact` is a digest of the id; `places`: account -> stamp of its latest event that describes the contact.
    "CREATE TABLE contact_home (contact bytea PRIMARY KEY, places jsonb NOT NULL)",
)
# What is stored already: parents, external ids ('system=id'), and the newest description that is known of a contact.
PARENTS = """
UPDATE account SET
    parent_id = (SELECT f.value ->> 'parent_id' FROM json_each(convert_from(state, 'UTF8')::json -> 'a') AS f
        WHERE f.value ->> 'parent_id' IS NOT NULL LIMIT 1),
    external_ids = (SELECT array_agg(regexp_replace(id, '=', ':') ORDER BY id)
        FROM json_each(convert_from(state, 'UTF8')::json -> 'a') AS f,
            json_array_elements_text(f.value -> 'external_ids') AS id
        WHERE json_typeof(f.value -> 'external_ids') = 'array')
WHERE position('"parent_id"'::bytea IN state) > 0 OR position('"external_ids"'::bytea IN state) > 0
"""
# Up to format 3 a contact has a departure as a field; in format 4 an entry has its last telling.
CONTACTS = """
SELECT account_id, c.key, greatest(
    (SELECT max(s.key COLLATE "C") FROM json_each(c.value) AS s WHERE s.value::jsonb <> '{"left": true}'),
    (SELECT max(coalesce(d.value ->> 'last_told', d.key) COLLATE "C")
        FROM json_each(convert_from(state, 'UTF8')::json -> 'e' -> 'contact.described') AS d
        WHERE d.value ->> 'contact_id' = c.key)) AS stamp
FROM account, json_each(convert_from(state, 'UTF8')::json -> 'c') AS c
WHERE state IS NOT NULL AND position('"c":{'::bytea IN state) > 0
"""


def upgrade() -> None:
    for statement in (*STATEMENTS, PARENTS):
        op.get_bind().exec_driver_sql(statement)
    places: defaultdict[bytes, dict[str, str]] = defaultdict(dict)
    for account_id, contact_id, stamp in op.get_bind().exec_driver_sql(CONTACTS):
        if stamp is not None:
            places[digest("contact", contact_id)][account_id] = stamp
    rows = [{"contact": contact, "places": json.dumps(stamps)} for contact, stamps in places.items()]
    if rows:
        statement = sqlalchemy.text("INSERT INTO contact_home VALUES (:contact, cast(:places AS jsonb))")
        op.get_bind().execute(statement, rows)


def downgrade() -> None:
    raise NotImplementedError("restore a backup from before the upgrade")

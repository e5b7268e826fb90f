"""Windows in which people's touchpoints may be levelled, phases that are to be chosen, and who has to be levelled.

`csm_mark` is append-only: a row for each change of a person's work, which the leveller takes. A counter for each person
would be a row for which all writers queue.
"""

from alembic import op

revision = "scheduler_0017"
down_revision = "scheduler_0016"
branch_labels = None
depends_on = None

COLUMNS = """
ADD COLUMN earliest_at timestamptz, ADD COLUMN latest_at timestamptz,
ADD COLUMN soft_days int NOT NULL DEFAULT 0
"""
STATEMENTS = (
    f"ALTER TABLE touchpoint {COLUMNS}",
    f"ALTER TABLE archived_touchpoint {COLUMNS}",
    "ALTER TABLE rhythm ADD COLUMN phase_from timestamptz, ADD COLUMN phase_to timestamptz",
    """
    CREATE TABLE csm_mark (
        n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, csm_id text NOT NULL, cause text NOT NULL,
        marked_at timestamptz NOT NULL DEFAULT clock_timestamp()
    ) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 2000)
    """,
    # What was planned since a person's book was levelled last (`levelled_xid`) may still take any day at no cost.
    """
    CREATE TABLE csm_book (
        csm_id text PRIMARY KEY, levelled_xid xid8 NOT NULL, levelled_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    "CREATE INDEX csm_mark_csm ON csm_mark (csm_id, n)",
    "CREATE INDEX rhythm_phase ON rhythm (csm_id) WHERE phase_from IS NOT NULL",
    # Every account with a plan is reconciled again, in batches, which gives its touchpoints their windows.
    "UPDATE account_calendar SET extend_at = '-infinity' WHERE plan IS NOT NULL",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("restore a backup from before the upgrade")

"""What does not fit into the weeks of people, accounts that were handed over, and people who have left.

`handovers` of an account: by the person whom its plan names the one who leads instead, until the directory names another.
"""

from alembic import op

revision = "scheduler_0021"
down_revision = "scheduler_0019"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE csm_book ADD COLUMN conflicts jsonb NOT NULL DEFAULT '[]'",
    "ALTER TABLE account_calendar ADD COLUMN handovers jsonb NOT NULL DEFAULT '{}'",
    "CREATE TABLE left_person (csm_id text PRIMARY KEY, pool text, left_at timestamptz NOT NULL DEFAULT now())",
    # Each plan reads the escalations of its account, also closed ones: without it, all that the account ever had.
    "CREATE INDEX touchpoint_calendar ON touchpoint (account_id) WHERE origin = 'calendar'",
    # Everybody's book is levelled once, which finds what does not fit.
    """
    INSERT INTO csm_mark (csm_id, cause)
    SELECT DISTINCT csm_id, 'conflicts are looked for' FROM touchpoint WHERE status = 'planned' AND csm_id IS NOT NULL
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("restore a backup from before the upgrade")

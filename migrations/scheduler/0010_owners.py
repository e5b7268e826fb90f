"""Owners are people: whom the directory names for an account, what role people have, whom accounts have of several.

The directory is read again from its beginning: what is stored of it lacks what these columns say.
"""

from alembic import op

revision = "scheduler_0010"
down_revision = "scheduler_0009"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE account_calendar ADD COLUMN sales_id text, ADD COLUMN pool text",
    "ALTER TABLE person ADD COLUMN role text",
    "CREATE TABLE assignment (account_id text, line text, csm_id text NOT NULL, PRIMARY KEY (account_id, line))",
    "CREATE INDEX assignment_csm ON assignment (csm_id)",
    # No column of it changes when a touchpoint comes due, so that a release still rewrites a row on its page.
    """
    CREATE INDEX touchpoint_unowned ON touchpoint (due_at, id)
    WHERE csm_id IS NULL AND owner IN ('csm', 'pooled_csm', 'sales')
    """,
    # A consumer begins a partition without an offset at the beginning of the topic.
    "DELETE FROM consumer_offset WHERE topic IN ('directory.accounts', 'directory.csms')",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP INDEX touchpoint_unowned")
    op.execute("DROP TABLE assignment")
    op.execute("ALTER TABLE person DROP COLUMN role")
    op.execute("ALTER TABLE account_calendar DROP COLUMN sales_id, DROP COLUMN pool")

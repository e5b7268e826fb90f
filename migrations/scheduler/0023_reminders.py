"""Up to where people were reminded of what is planned, by the hours before it, and the reminders that came too late."""

from alembic import op

revision = "scheduler_0023"
down_revision = "scheduler_0022"
branch_labels = None
depends_on = None

STATEMENTS = (
    # The order of the agenda: everything up to this moment and id has had its reminder of so many hours.
    """
    CREATE TABLE reminder_position (
        hours int PRIMARY KEY, due_at timestamptz NOT NULL, touchpoint_id uuid NOT NULL
    ) WITH (fillfactor = 50)
    """,
    # What had begun when its reminder could have gone, after an outage.
    """
    CREATE TABLE missed_reminder (
        touchpoint_id uuid NOT NULL, hours int NOT NULL, due_at timestamptz NOT NULL, missed_at timestamptz NOT NULL,
        written_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (touchpoint_id, hours, due_at)
    )
    """,
    "CREATE INDEX missed_reminder_written ON missed_reminder (written_at)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("restore a backup from before the upgrade")

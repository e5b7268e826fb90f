"""The calendars of CSMs whose busy time is kept free: their encrypted addresses, and the times that were read there."""

from alembic import op

revision = "scheduler_0026"
down_revision = "scheduler_0025"
branch_labels = None
depends_on = None

STATEMENTS = (
    # `busy`: starts and ends by turns, in microseconds since 1970, little-endian numbers of 64 bits; no titles.
    # All times but those in `busy` and `until_at` are of the real clock.
    """
    CREATE TABLE busy_calendar (
        csm_id text PRIMARY KEY, sealed_url bytea NOT NULL, host text NOT NULL,
        made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        next_read_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        etag text, modified text, busy bytea, until_at timestamptz, read_at timestamptz,
        left_out int NOT NULL DEFAULT 0, failures int NOT NULL DEFAULT 0, problem text, failing_since timestamptz
    )
    """,
    "CREATE INDEX busy_calendar_queue ON busy_calendar (next_read_at)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("restore a backup from before the upgrade")

"""What waits in the calendar has the trace that caused it, and when that was written; NULL where nothing is traced."""

from alembic import op

revision = "scheduler_0028"
down_revision = "scheduler_0027"
branch_labels = None
depends_on = None
expands = True

TABLES = ("agenda", "announcement")


def upgrade() -> None:
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ADD COLUMN trace text")


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} DROP COLUMN trace")

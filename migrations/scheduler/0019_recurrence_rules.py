"""Rhythms by the calendar: the recurrence rule of a rhythm (RFC 5545)."""

from alembic import op

revision = "scheduler_0019"
down_revision = "scheduler_0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE rhythm ADD COLUMN rrule text")


def downgrade() -> None:
    op.execute("ALTER TABLE rhythm DROP COLUMN rrule")

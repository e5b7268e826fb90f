"""Which accounts do not follow a release of public holidays yet, so that what it moves says so."""

from alembic import op

revision = "scheduler_0030"
down_revision = "scheduler_0029"
branch_labels = None
depends_on = None
expands = True


def upgrade() -> None:
    op.execute("ALTER TABLE account_calendar ADD COLUMN holidays_changed text")


def downgrade() -> None:
    op.execute("ALTER TABLE account_calendar DROP COLUMN holidays_changed")

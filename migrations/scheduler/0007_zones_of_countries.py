"""The zones of an account's country, for an account whose own zone nobody told."""

from alembic import op

revision = "scheduler_0007"
down_revision = "scheduler_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE account_calendar ADD COLUMN zones text[] NOT NULL DEFAULT '{}'")


def downgrade() -> None:
    raise NotImplementedError("restore a backup from before the upgrade")

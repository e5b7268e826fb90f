"""The dates that a rhythm leaves out because of times to avoid, so that they return when those times end."""

from alembic import op

revision = "scheduler_0002"
down_revision = "scheduler_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE rhythm ADD COLUMN left_out timestamptz[] NOT NULL DEFAULT '{}'")


def downgrade() -> None:
    raise NotImplementedError("restore a backup from before the upgrade")

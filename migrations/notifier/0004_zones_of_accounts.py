"""The zones of an account: its own, or those of its country, for an account whose own zone nobody told."""

from alembic import op

revision = "notifier_0004"
down_revision = "notifier_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE account ADD COLUMN zones text[] NOT NULL DEFAULT '{}'")
    op.execute("UPDATE account SET zones = ARRAY[timezone] WHERE timezone IS NOT NULL")
    op.execute("ALTER TABLE account DROP COLUMN timezone")


def downgrade() -> None:
    raise NotImplementedError("restore a backup from before the upgrade")

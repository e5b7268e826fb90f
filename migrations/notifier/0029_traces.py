"""Events whose deliveries wait have the trace that caused them; NULL where nothing is traced."""

from alembic import op

revision = "notifier_0029"
down_revision = "notifier_0028"
branch_labels = None
depends_on = None
expands = True


def upgrade() -> None:
    op.execute("ALTER TABLE feed ADD COLUMN trace text")


def downgrade() -> None:
    op.execute("ALTER TABLE feed DROP COLUMN trace")

"""More room on the pages of deliveries: claim and result of a webhook stay on the page of its row (HOT updates)."""

from alembic import op

revision = "notifier_0010"
down_revision = "notifier_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE delivery SET (fillfactor = 40)")


def downgrade() -> None:
    op.execute("ALTER TABLE delivery SET (fillfactor = 70)")

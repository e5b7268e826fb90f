"""Whether a contact of its account was erased while the mail of a delivery was being sent."""

from alembic import op

revision = "notifier_0020"
down_revision = "notifier_0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE delivery_queue ADD COLUMN is_naming_erased boolean NOT NULL DEFAULT false")


def downgrade() -> None:
    op.execute("ALTER TABLE delivery_queue DROP COLUMN is_naming_erased")

"""Which accounts were erased: outcomes about them that arrive late are not stored."""

from alembic import op

revision = "scheduler_0006"
down_revision = "scheduler_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # SHA-256 of the account id in UTF-8.
    op.execute("CREATE TABLE erased_account (key bytea PRIMARY KEY)")


def downgrade() -> None:
    op.execute("DROP TABLE erased_account")

"""Exchange rates, and the zones of an account's country in the directory: accounts are evaluated and published again."""

from alembic import op

revision = "rules_0005"
down_revision = "rules_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE book ADD COLUMN rates jsonb NOT NULL DEFAULT '{}'")
    op.execute("UPDATE account SET directory_key = NULL WHERE directory_key IS NOT NULL")
    op.execute("UPDATE epoch SET number = number + 1")


def downgrade() -> None:
    op.execute("ALTER TABLE book DROP COLUMN rates")

"""An index of account ids in lower case: ingestion names an account whose id differs in letter case only."""

from alembic import op

revision = "rules_0003"
down_revision = "rules_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX account_lower_id ON account (lower(account_id))")


def downgrade() -> None:
    op.execute("DROP INDEX account_lower_id")

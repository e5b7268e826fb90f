"""Accounts that ended in another one: what still arrives about them belongs to the other."""

from alembic import op

revision = "scheduler_0008"
down_revision = "scheduler_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE TABLE account_alias (ended text PRIMARY KEY, stays text NOT NULL)")
    op.execute("CREATE INDEX account_alias_stays ON account_alias (stays)")


def downgrade() -> None:
    op.execute("DROP TABLE account_alias")

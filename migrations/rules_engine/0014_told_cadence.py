"""What customers were told of their cadence, and which accounts are to be looked at because theirs may have changed."""

from alembic import op

revision = "rules_0014"
down_revision = "rules_0013"
branch_labels = None
depends_on = None

STATEMENTS = (
    # `told`: as it was told last; `pending`: another one that has stood since then, but not for long enough to be told.
    """
    CREATE TABLE cadence_notice (
        account_id text PRIMARY KEY,
        check_at timestamptz, told jsonb, told_count int NOT NULL DEFAULT 0, pending jsonb, pending_since timestamptz
    ) WITH (fillfactor = 80)
    """,
    "CREATE INDEX cadence_notice_check ON cadence_notice (check_at, account_id) WHERE check_at IS NOT NULL",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("restore a backup from before the upgrade")
